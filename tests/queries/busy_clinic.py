"""A clinic that has worked for a while: courses, visits and what became of them, drawn at random and written in bulk.

Everybody works from Monday to Friday in slots of 45 minutes, with the lunch from 12:00 to 14:00 free. The draws follow
a seed; nothing of the figures is used here.
"""
from __future__ import annotations

import heapq
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.planning.local import instant
from clinic.store.bulk import Bulk
from clinic.store.courses import Course, TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.engine import for_writing
from clinic.store.occupancy import merge_changes
from clinic.store.outbox import Message

LONDON = ZoneInfo("Europe/London")
SLOTS = (540, 585, 630, 675, 840, 885, 930, 975, 1020)
MINUTES = 45
WINDOW = (21, 28, 35)
REASONS = ("The patient is ill: flu", "The patient cannot come", "The practitioner is away", "Booked by mistake",
           "left-undated", "The patient cancelled on their page")
STOPS = ("The patient wishes to stop", "A medical reason: pregnant", "The result is reached", "moving abroad",
         "Booked by mistake")


@dataclass
class BusyClinic:
    """What there is to draw from, and the rows that were drawn: by table, in the order of `COLUMNS`."""

    clinic_id: int
    practitioners: Sequence[int]
    rooms: Sequence[int]
    patients: Sequence[int]
    versions: Sequence[tuple[int, str]]
    """Protocol versions, each with the code of its treatment."""
    seed: int = 1
    rows: defaultdict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(list))

    def live(self, first: date, last: date) -> BusyClinic:
        """Draws everything that happens from the first date to before the last one."""
        draw, waiting, number = random.Random(self.seed), list[tuple[date, int, dict[str, Any]]](), 0
        day = first
        while day < last:
            busy = set[int]()
            for who, room in zip(self.practitioners, self.rooms, strict=True):
                for minute in SLOTS if day.weekday() < 5 else ():
                    if draw.random() < 0.15:
                        continue
                    number += 1
                    if waiting and waiting[0][0] <= day and waiting[0][2]["patient"] not in busy:
                        course = heapq.heappop(waiting)[2]
                    else:
                        course = self._begun(draw, draw.choice(self.patients), day)
                    if course["patient"] in busy:
                        self._close(course, "active", None, None)
                        continue
                    busy.add(course["patient"])
                    due_on = self._visit(draw, course, day, minute, who, room)
                    if due_on is not None:
                        heapq.heappush(waiting, (due_on, number, course))
            day += timedelta(days=1)
        for _, _, course in waiting:
            self._close(course, "active", None, None)
        return self

    def write(self, engine: Engine) -> None:
        """Writes what was drawn into a database that has nothing of it."""
        with Session(for_writing(engine)) as db:
            bulk = Bulk(db)
            for table, columns in COLUMNS.items():
                bulk.insert(TABLES[table], columns, self.rows[table])
            while merge_changes(db, 50_000):
                pass
            db.commit()

    def _begun(self, draw: random.Random, patient: int, day: date) -> dict[str, Any]:
        version, code = draw.choice(self.versions)
        return {"patient": patient, "version": version, "code": code, "of": draw.choice((1, 3, 4, 6)), "given": [],
                "asked": day - timedelta(days=9), "pre": draw.random() < 0.7, "id": len(self.rows["course"]) + 1}

    def _visit(
        self, draw: random.Random, course: dict[str, Any], day: date, minute: int, who: int, room: int
    ) -> date | None:
        """One visit of a course; when it is due again, none where it is over."""
        starts, luck = instant(day, minute, LONDON), draw.random()
        planned = course["given"][-1][0] if course["given"] else course["asked"]
        booked = instant(planned, 1080, LONDON) if course["pre"] else starts - timedelta(days=2)
        first = len(self.rows["course"]) == course["id"] - 1 and not course.get("written")
        if first:
            course["written"] = True
            self.rows["course"].append(())
        number = len(course["given"]) + 1
        ident = course.setdefault("sessions", {}).setdefault(number, len(self.rows["treatment_session"]) + 1)
        if ident == len(self.rows["treatment_session"]) + 1:
            self.rows["treatment_session"].append(())
        if luck < 0.84:
            closed = starts + timedelta(hours=1)
            self._appointment(course, ident, starts, "fulfilled", (who, room), booked, closed=closed)
            course["given"].append((day, ident, starts + timedelta(minutes=50)))
            if number == course["of"]:
                self._close(course, "completed", day, None)
                return None
            if draw.random() < 0.03:
                self._close(course, "revoked", day + timedelta(days=draw.randrange(20)), draw.choice(STOPS))
                return None
            if draw.random() < 0.02:
                self._close(course, "active", None, None)
                return None
            return day + timedelta(days=draw.choice((20, 22, 26, 28, 28, 29, 31, 34, 37, 45)))
        if luck < 0.89:
            self._appointment(course, ident, starts, "noshow", (who,), booked, closed=starts + timedelta(hours=1),
                              cause=draw.choice(("forgot", "ill", "prevented", "by-clinic")))
        elif luck < 0.97:
            notice = timedelta(hours=draw.choice((1, 20, 24, 30, 60, 100, 300)))
            self._appointment(course, ident, starts, "cancelled", (who,), booked, closed=starts - notice,
                              reason=draw.choice(REASONS))
        else:
            self._appointment(course, ident, starts, "cancelled", (who,), booked, closed=starts, cause="tan")
        return day + timedelta(days=draw.choice((3, 7, 14)))

    def _appointment(
        self, course: dict[str, Any], session: int, starts: datetime, state: str, held: tuple[int, ...],
        booked: datetime, *, closed: datetime, cause: str | None = None, reason: str | None = None,
    ) -> None:
        ident, ends = len(self.rows["appointment"]) + 1, starts + timedelta(minutes=MINUTES)
        self.rows["appointment"].append((
            ident, self.clinic_id, course["patient"], "session", session, course["code"], state, f"busy-{ident}",
            starts.astimezone(LONDON).replace(tzinfo=None), "Europe/London", 0, MINUTES, starts, ends, 1, 0, booked,
            False, booked, closed, cause, reason, held[0], False))
        if state == "fulfilled":
            for need, resource in enumerate((course["patient"], *held)):
                self.rows["resource_booking"].append((ident, resource, self.clinic_id, need, starts, ends))
        message = len(self.rows["message"]) + 1
        self.rows["message"].append((
            message, course["patient"], self.clinic_id, "failed" if message % 40 == 0 else "sent", starts, ends, booked,
            starts - timedelta(days=2), 1, 1))

    def _close(self, course: dict[str, Any], state: str, ended: date | None, reason: str | None) -> None:
        """Writes the course's own row and those of all its sessions."""
        if not course.get("written"):
            return
        made = datetime.combine(course["asked"], datetime.min.time(), UTC)
        self.rows["course"][course["id"] - 1] = (
            course["id"], course["patient"], self.clinic_id, course["version"], state, "x", "none", made, ended, reason,
            1)
        before: date | None = None
        for number in range(1, course["of"] + 1):
            window = tuple(before + timedelta(days=each) for each in WINDOW) if before else (None, None, None)
            ident = course["sessions"].get(number)
            if ident is None:
                ident = len(self.rows["treatment_session"]) + 1
                self.rows["treatment_session"].append(())
            given = course["given"][number - 1] if number <= len(course["given"]) else None
            left = "not-done" if state == "revoked" else "owed"
            self.rows["treatment_session"][ident - 1] = (
                ident, course["id"], number, course["code"], "completed" if given else left, *window,
                given and given[2], given and given[0], "treated" if given else None, 1)
            before = given[0] if given else before and before + timedelta(days=WINDOW[1])


COLUMNS = {
    "course": ("id", "patient_id", "clinic_id", "protocol_version_id", "state", "indication", "laxity", "created_at",
               "ended_on", "ended_reason", "lock_version"),
    "treatment_session": ("id", "course_id", "number", "treatment_code", "state", "earliest_on", "ideal_on",
                          "latest_on", "performed_at", "performed_on", "outcome", "lock_version"),
    "appointment": ("id", "clinic_id", "patient_id", "kind", "treatment_session_id", "treatment_code", "state", "uid",
                    "local_start", "zone", "fold", "minutes", "starts_at", "ends_at", "lock_version", "revision",
                    "scheduled_at", "pinned", "created_at", "closed_at", "ended_cause", "cancellation_reason",
                    "practitioner_id", "changed_by_clinic"),
    "resource_booking": ("appointment_id", "resource_id", "clinic_id", "need", "starts_at", "ends_at"),
    "message": ("id", "patient_id", "clinic_id", "state", "due_at", "useless_after", "created_at", "settled_at",
                "attempts", "priority"),
}
TABLES: dict[str, Any] = {
    each.__tablename__: each.__table__ for each in (Course, TreatmentSession, Appointment, ResourceBooking, Message)}
