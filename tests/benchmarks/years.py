"""Some years of a clinic of twenty practitioners: what pages are timed with. By default 50,000 visits and 4,000
patients for each year, the last four months of them to come.

Everybody's day is filled from nine to six as a clinic's is: courses come back when they are due, new ones begin in
what is left, one visit in twenty is missed or cancelled. What each visit holds is what its treatment says, so that the
grid shows parts, lanes and breaks as it does in life. The rows are written past the services, with their rules kept.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from heapq import heappop, heappush
from itertools import chain
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care import parts as visit_parts
from clinic.care.catalogue import load_catalogue
from clinic.care.other_visits import OTHER_VISITS
from clinic.care.parts import Need, Part, ResourceKind, patient_minutes
from clinic.care.protocols import Protocol, Step, steps_for
from clinic.planning.local import local_of, zone
from clinic.queries.folding import digits, folded
from clinic.store.accounts import AuditEntry, Task
from clinic.store.courses import Course, Screening, TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.engine import for_writing
from clinic.store.occupancy import PAGE, PAGE_BYTES, Occupancy, Span, applied, pages_of
from clinic.store.outbox import Message, MessageItem
from clinic.store.resources import Patient, Resource
from tests.benchmarks.bulk import Bulk
from tests.benchmarks.diary import add_people, add_things
from tests.other_visits import add_other_visits
from tests.small_clinic import SmallClinic, small_clinic

NOW = datetime(2027, 3, 3, 10, 30, tzinfo=UTC)
"""A Wednesday."""
TODAY = NOW.date()
AHEAD = 120
PATIENTS = 4000
"""New ones of each year."""
WHERE = zone("Europe/London")
OPENS, CLOSES, LUNCH = 9 * 60, 18 * 60, (12 * 60 + 30, 13 * 60 + 15)
ROOMS_OF_TWO = 3
"""Two practitioners share so many rooms."""
DAY = timedelta(days=1)
_WITH_DEVICES = ("ipl_photorejuvenation", "lhr_face", "mn_rejuvenation")
"""What the first practitioners do; all others peel."""
_GIVEN = ("Ana", "Bea", "Cem", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "Jana", "Kai", "Lea", "Mia", "Nils", "Ola",
          "Petra", "Quinn", "Rosa", "Sam", "Tea", "Uma", "Vera", "Wim", "Xenia", "Yara", "Zoë")
_FAMILY = ("Novák", "Okafor", "Larsen", "Silva", "Kowalska", "Meyer", "Rossi", "Haddad", "Byrne", "Castro", "Dubois",
           "Eriksen", "Fischer", "Garcia", "Horváth", "Ivanova", "Jensen", "Kaya", "Lopez", "Marín", "Nielsen", "Ortiz")
_CONSULTATION = OTHER_VISITS[0]
needs_of = lru_cache(visit_parts.needs_of)
_DEVICE_OF = {0: 2, 1: 4, 2: 0}
"""Which of the devices each of the first practitioners has."""
_WHOLE_PAGE = (1 << PAGE) - 1


@dataclass(frozen=True)
class Years:
    """The clinic, how much of it there is, and one of each thing that a page is about."""

    made: SmallClinic
    first_on: date
    appointments: int
    patients: int
    patient_id: int
    course_id: int
    open_visit_id: int


@dataclass
class _Course:
    """A course that comes back: what each of its sessions became, and which one is next."""

    protocol: Protocol
    steps: tuple[Step, ...]
    id: int = 0
    patient_id: int = 0
    begun_at: datetime = NOW
    done: int = 0
    session_id: int = 0
    last_on: date | None = None

    @property
    def step(self) -> Step:
        """Of the session that is next."""
        return self.steps[self.done]

    def window(self) -> dict[str, date | None]:
        """When the next session should be, from the date of the one before."""
        interval = self.step.interval
        if interval is None or self.last_on is None:
            return {"earliest_on": None, "ideal_on": None, "latest_on": None}
        return {name: self.last_on + days * DAY for name, days in (
            ("earliest_on", interval.shortest), ("ideal_on", interval.ideal), ("latest_on", interval.longest))}


def fill_years(
    engine: Engine, years: float, *, practitioners: int = 20, patients: int | None = None
) -> Years:
    """Writes so many years into a migrated, empty database."""
    made = small_clinic(engine, patients=3)
    made.now = NOW
    with Session(for_writing(engine)) as db:
        add_people(db, made, practitioners)
        add_things(db, made, practitioners, rooms=-(-len(made.practitioners) // 2) * ROOMS_OF_TWO)
        add_other_visits(db)
        db.commit()
    patients = patients or round(PATIENTS * years)
    filling = _Filling(engine, made, range(patients))
    first_on = _first_on(years)
    filling.fill(first_on, TODAY + AHEAD * DAY)
    filling.owe()
    return filling.finish(Years(made, first_on, 0, patients, **filling.shown))


def add_years(engine: Engine, filled: Years, years: float) -> Years:
    """Puts as many years behind the clinic as make so many of them: other patients came then, and today is the same."""
    patients = round(PATIENTS * years)
    shared = _taken_page(engine, filled.first_on)
    filling = _Filling(engine, filled.made, range(filled.patients, patients), shared)
    first_on = _first_on(years)
    filling.fill(first_on, filled.first_on)
    filling.stop(filled.first_on)
    return filling.finish(replace(filled, first_on=first_on, patients=patients))


def _first_on(years: float) -> date:
    return TODAY - timedelta(days=round(365 * years) - AHEAD)


def _taken_page(engine: Engine, on: date) -> dict[tuple[int, int], int]:
    """What is held in the page that the day lies in, taken out of the database: more comes to it."""
    begins = int(datetime(on.year, on.month, on.day, tzinfo=UTC).timestamp())
    with Session(for_writing(engine)) as db:
        rows = db.scalars(sa.select(Occupancy).where(Occupancy.page == pages_of(Span(begins, begins + 1))[0])).all()
        taken = {(row.resource_id, row.page): int.from_bytes(row.bits, "little") for row in rows}
        for row in rows:
            db.delete(row)
        db.commit()
        return taken


class _Filling:
    """Some of the time of one clinic, day by day, with the patients who come in it."""

    def __init__(
        self, engine: Engine, made: SmallClinic, patients: range, held: Mapping[tuple[int, int], int] | None = None
    ) -> None:
        self._bulk, self._made, self._random = Bulk(engine), made, Random(20270301)
        self._protocols = {each.code: each for each in load_catalogue()}
        self._due: defaultdict[int, list[tuple[date, int, _Course]]] = defaultdict(list)
        self._bits: defaultdict[tuple[int, int], int] = defaultdict(int, held or {})
        self._last_day: dict[int, date] = {}
        self._lost: list[_Course] = []
        self._patients = [self._patient(at) for at in patients]
        self._next_patient = self.visits = 0
        self.shown: dict[str, int] = {}
        self._worth = -1

    def fill(self, first_on: date, until_on: date) -> None:
        """All days from that one to before the other."""
        for after in range((until_on - first_on).days):
            on = first_on + after * DAY
            if on.weekday() < 5:
                for pair in range(0, len(self._made.practitioners), 2):
                    self._fill_day(on, pair)

    def owe(self) -> None:
        """Courses that are not over go on, and what has no date of them is owed."""
        for course in self._left():
            self._write_course(course, state="active")
            self._write_rest(course, "owed")

    def stop(self, on: date) -> None:
        """Courses that are not over come no further."""
        for course in self._left():
            self._write_course(course, state="revoked", ended_on=on, ended_reason="The patient does not come any more")
            self._write_rest(course, "not-done")

    def finish(self, so_far: Years) -> Years:
        """What is held as bits, and tasks; then everything is in the database."""
        for (resource_id, page), bits in self._bits.items():
            self._bulk.add(Occupancy, resource_id=resource_id, page=page, clinic_id=self._made.clinic_id,
                           bits=bits.to_bytes(PAGE_BYTES, "little").rstrip(b"\0"))
        visits = so_far.appointments + self.visits
        for at in range(so_far.appointments // 50, visits // 50):
            is_done = at >= 40
            self._bulk.add(Task, clinic_id=self._made.clinic_id, patient_id=self._patients[at % len(self._patients)],
                           kind="call", text="Call about the next date", due_on=TODAY - (at % 20) * DAY,
                           created_at=NOW - at * DAY / 50, done_at=NOW - at * DAY / 60 if is_done else None,
                           done_by=self._made.accounts["receptionist"] if is_done else None)
        self._bulk.finish()
        return replace(so_far, appointments=visits)

    def _left(self) -> Iterator[_Course]:
        return chain(self._lost, (course for due in self._due.values() for _, _, course in due))

    def _write_rest(self, course: _Course, state: str) -> None:
        while course.done < len(course.steps):
            self._write_session(course, state=state)
            interval = course.step.interval
            course.last_on = (course.last_on or TODAY) + (interval.ideal if interval else 0) * DAY
            course.done, course.session_id = course.done + 1, self._bulk.reserve(TreatmentSession)

    def _patient(self, at: int) -> int:
        ident = self._bulk.add(Resource, kind="patient")
        given, family = _GIVEN[at % len(_GIVEN)], f"{_FAMILY[at * 7 % len(_FAMILY)]}-{at // len(_FAMILY)}"
        phone, born = f"+44 7700 {900_000 + at}", date(1950, 1, 1) + (at * 37 % 18_000) * DAY
        email = f"patient{at}@example.com"
        told = folded(" ".join((family, given, email, digits(phone), born.isoformat())))
        self._bulk.add(Patient, id=ident, given_name=given, family_name=family, email=email, phone=phone, birth_on=born,
                       search_text=f" {told} ", created_at=NOW, alerts="Latex allergy" if at % 9 == 0 else "")
        return ident

    def _fill_day(self, on: date, pair: int) -> None:
        """Two practitioners who share their rooms; whoever is free first comes first."""
        made = self._made
        rooms = dict.fromkeys(made.rooms[pair // 2 * ROOMS_OF_TWO:][:ROOMS_OF_TWO], OPENS)
        free = dict.fromkeys(range(pair, min(pair + 2, len(made.practitioners))), OPENS)
        while free:
            who = min(free, key=lambda each: (free[each], each))
            course = self._next(who, on)
            parts = course.step.parts if course else _CONSULTATION.parts
            begins, ends = _begins(parts, free[who], rooms)
            goes_on = begins + patient_minutes(parts) <= CLOSES
            comes = goes_on and self._random.random() > (
                0.2 if on <= TODAY else 0.2 + (on - TODAY).days / AHEAD * 0.4)
            if comes:
                self._visit(on, who, begins, course, rooms)
            elif course is not None and course.id:
                heappush(self._due[who], (on + DAY, course.id, course))
            if goes_on:
                free[who] = ends
            else:
                del free[who]

    def _next(self, who: int, on: date) -> _Course | None:
        """Whose turn it is: a course that is due, else one that begins; none: a consultation."""
        due = self._due[who]
        if due and due[0][0] <= on:
            course = heappop(due)[2]
            if self._last_day.get(course.patient_id) != on:
                return course
            heappush(due, (on + DAY, course.id, course))
        if self._random.random() < 0.15:
            return None
        code = _WITH_DEVICES[who] if who < len(_WITH_DEVICES) else "peel_superficial"
        protocol = self._protocols[code]
        return _Course(protocol, steps_for(protocol, protocol.sessions.typical))

    def _visit(self, on: date, who: int, minute: int, course: _Course | None, rooms: dict[int, int]) -> None:
        parts = course.step.parts if course else _CONSULTATION.parts
        starts_at = datetime(on.year, on.month, on.day, minute // 60, minute % 60, tzinfo=WHERE).astimezone(UTC)
        ends_at = starts_at + timedelta(minutes=patient_minutes(parts))
        state = self._state(starts_at, ends_at)
        if course is not None and not course.id:
            self._begin(course, on, starts_at)
        patient_id = course.patient_id if course else self._somebody(on)
        self._last_day[patient_id] = on
        wall = local_of(starts_at, WHERE)
        visit_id = self._bulk.add(
            Appointment, clinic_id=self._made.clinic_id, patient_id=patient_id, state=state,
            kind="session" if course else _CONSULTATION.kind,
            treatment_session_id=course.session_id if course else None,
            treatment_code=course.step.treatment if course else _CONSULTATION.kind,
            practitioner_id=self._made.practitioners[who], uid=f"{starts_at:%y%m%d}-{self.visits}@years.example",
            local_start=wall.replace(tzinfo=None), zone=WHERE.key, fold=wall.fold, minutes=patient_minutes(parts),
            starts_at=starts_at, ends_at=ends_at, scheduled_at=starts_at - 20 * DAY, created_at=starts_at - 20 * DAY,
            arrived_at=starts_at if state in ("arrived", "fulfilled") else None,
            closed_at=ends_at if state in ("fulfilled", "noshow", "cancelled") else None,
            ended_cause="forgot" if state == "noshow" else None,
            confirmed_at=starts_at - 2 * DAY if patient_id % 3 == 0 else None)
        if state in ("booked", "arrived", "fulfilled"):
            room = min(rooms, key=lambda each: (rooms[each], each))
            rooms[room] = minute + max(need.offset + need.minutes for need in needs_of(parts))
            self._hold(visit_id, patient_id, starts_at, ends_at, needs_of(parts), who, room)
        self._write_to(visit_id, patient_id, course, starts_at, state)
        self._bulk.add(AuditEntry, at=starts_at, actor="account", action=f"appointment-{state}",
                       subject_kind="appointment", subject_id=visit_id, clinic_id=self._made.clinic_id)
        self.visits += 1
        if course is not None:
            self._remember(visit_id, course, state, on)
            self._go_on(course, on, who, state, ends_at)

    def _state(self, starts_at: datetime, ends_at: datetime) -> str:
        if starts_at > NOW:
            return "booked"
        if ends_at > NOW:
            return "arrived"
        draw = self._random.random()
        return "fulfilled" if draw < 0.95 else "noshow" if draw < 0.98 else "cancelled"

    def _somebody(self, on: date) -> int:
        """The next patient who does not come on that day already."""
        while True:
            found = self._patients[self._next_patient % len(self._patients)]
            self._next_patient += 1
            if self._last_day.get(found) != on:
                self._last_day[found] = on
                return found

    def _begin(self, course: _Course, on: date, starts_at: datetime) -> None:
        course.id, course.session_id = self._bulk.reserve(Course), self._bulk.reserve(TreatmentSession)
        course.patient_id, course.begun_at = self._somebody(on), starts_at - 20 * DAY
        self._bulk.add(Screening, course_id=course.id, answered_at=course.begun_at, answers={"none_apply": True},
                       findings=[])

    def _hold(
        self, visit_id: int, patient_id: int, starts_at: datetime, ends_at: datetime, needs: tuple[Need, ...],
        who: int, room: int,
    ) -> None:
        clinic_id = self._made.clinic_id
        named = {ResourceKind.PRACTITIONER: self._made.practitioners[who], ResourceKind.ROOM: room,
                 ResourceKind.DEVICE: self._made.devices[_DEVICE_OF.get(who, 0)]}
        self._bulk.add(ResourceBooking, appointment_id=visit_id, resource_id=patient_id, clinic_id=clinic_id, need=0,
                       starts_at=starts_at, ends_at=ends_at)
        for number, need in enumerate(needs, start=1):
            begins = starts_at + timedelta(minutes=need.offset)
            ends = begins + timedelta(minutes=need.minutes)
            self._bulk.add(ResourceBooking, appointment_id=visit_id, resource_id=named[need.kind], need=number,
                           clinic_id=clinic_id, starts_at=begins, ends_at=ends)
            span = Span(int(begins.timestamp()), int(ends.timestamp()))
            for page in pages_of(span):
                key = named[need.kind], page
                self._bits[key] = applied(self._bits[key], page * PAGE, [span]) & _WHOLE_PAGE

    def _write_to(
        self, visit_id: int, patient_id: int, course: _Course | None, starts_at: datetime, state: str
    ) -> None:
        """A reminder before each visit and the aftercare behind it; some of those about now reached nobody."""
        owner = ("course", course.id) if course else ("appointment", visit_id)
        self._message("reminder-2d", patient_id, owner, ("appointment", visit_id), starts_at - 2 * DAY, starts_at)
        if state == "fulfilled" and course is not None:
            self._message("aftercare", patient_id, owner, ("treatment-session", course.session_id),
                          starts_at + timedelta(hours=1), starts_at + 14 * DAY)

    def _message(
        self, kind: str, patient_id: int, owner: tuple[str, int], about: tuple[str, int], due_at: datetime,
        useless_after: datetime,
    ) -> None:
        state = "sent" if due_at <= NOW else "pending"
        if state == "sent" and useless_after > NOW and patient_id % 60 == 0:
            state = ("withheld", "failed", "held")[patient_id // 60 % 3]
        was_sent = state == "sent"
        ident = self._bulk.add(
            Message, patient_id=patient_id, clinic_id=self._made.clinic_id, state=state, due_at=due_at,
            useless_after=useless_after, created_at=due_at - 5 * DAY, settled_at=due_at if state != "pending" else None,
            reason="no e-mail address" if state in ("withheld", "failed") else None, attempts=int(was_sent),
            mime=b"m" * 300 if was_sent else None, mime_sha256="0" * 64 if was_sent else None)
        self._bulk.add(MessageItem, message_id=ident, kind=kind, owner_kind=owner[0], owner_id=owner[1],
                       subject_kind=about[0], subject_id=about[1])

    def _remember(self, visit_id: int, course: _Course, state: str, on: date) -> None:
        """A visit of today that has begun, rather an open one, rather one with others before it and after it."""
        if on != TODAY or state not in ("arrived", "fulfilled"):
            return
        worth = 2 * (state == "arrived") + (1 <= course.done < len(course.steps) - 2)
        if worth > self._worth:
            self._worth = worth
            self.shown = {"open_visit_id": visit_id, "course_id": course.id, "patient_id": course.patient_id}

    def _go_on(self, course: _Course, on: date, who: int, state: str, ends_at: datetime) -> None:
        """The session is over and the next one is due in its time, or it is owed still and comes again."""
        if state in ("noshow", "cancelled"):
            if on > TODAY - 60 * DAY and course.id % 2:
                self._lost.append(course)
            else:
                heappush(self._due[who], (on + 7 * DAY, course.id, course))
            return
        self._write_session(
            course, state="completed" if state == "fulfilled" else "booked",
            performed_at=ends_at if state == "fulfilled" else None,
            performed_on=on if state == "fulfilled" else None)
        course.done, course.last_on = course.done + 1, on
        if course.done == len(course.steps):
            is_over = state == "fulfilled"
            self._write_course(course, state="completed" if is_over else "active", ended_on=on if is_over else None)
            return
        course.session_id = self._bulk.reserve(TreatmentSession)
        ideal = course.step.interval.ideal if course.step.interval else 28
        heappush(self._due[who], (on + (ideal + self._random.randint(-2, 4)) * DAY, course.id, course))

    def _write_course(self, course: _Course, **more: Any) -> None:
        self._bulk.add(
            Course, id=course.id, patient_id=course.patient_id, clinic_id=self._made.clinic_id, laxity="none",
            protocol_version_id=self._made.versions[course.protocol.code], created_at=course.begun_at,
            indication=course.protocol.indications[0].code, **more)

    def _write_session(self, course: _Course, **more: Any) -> None:
        self._bulk.add(TreatmentSession, id=course.session_id, course_id=course.id, number=course.done + 1,
                       treatment_code=course.step.treatment, **course.window(), **more)


def _begins(parts: tuple[Part, ...], free_from: int, rooms: dict[int, int]) -> tuple[int, int]:
    """The first minute at which the practitioner with their device and a room are there for all that the visit needs of
    them, and the one at which practitioner and device are free again."""
    own = [need for need in needs_of(parts) if need.kind is not ResourceKind.ROOM]
    offset, ends = min(need.offset for need in own), max(need.offset + need.minutes for need in own)
    begins = max(free_from - offset, min(rooms.values()))
    if begins + offset < LUNCH[1] and begins + ends > LUNCH[0]:
        begins = LUNCH[1] - offset
    return begins, begins + ends
