"""Coming appointments that are moved in: read and judged one by one, laid aside, and written once all are known."""
from __future__ import annotations

import marshal
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from clinic.interchange.moving_in.folder import Said
from clinic.interchange.moving_in.forms import APPOINTMENTS
from clinic.interchange.moving_in.records import AppointmentRecord
from clinic.interchange.moving_in.spans import MOST_APPOINTMENTS, Held, Spans
from clinic.planning.local import resolve, zone
from clinic.services.moving.courses import BOOKED, DONE, OFF, Courses, Going, table
from clinic.services.moving.state import Moving
from clinic.services.moving.visits import Thing, VisitForm, other_visits, things, visit_form
from clinic.store.diary import Appointment

FURTHEST = timedelta(days=3660)
"""Nobody is booked for later: only to refuse slips of the keyboard. Our default: ten years."""
_COLUMNS = (
    "id", "clinic_id", "patient_id", "kind", "treatment_session_id", "treatment_code", "state", "uid", "local_start",
    "zone", "fold", "minutes", "starts_at", "ends_at", "lock_version", "revision", "scheduled_at", "pinned",
    "told_start", "created_at", "created_by", "practitioner_id")


@dataclass(frozen=True, slots=True)
class _About:
    """What a visit is: its kind here, its session if it is one, and what it holds."""

    kind: str
    session_id: int | None
    form: VisitForm


class Appointments:
    """The appointments of a folder; `spans` says what they hold, each by its place among those that are new."""

    def __init__(self, moving: Moving, courses: Courses) -> None:
        """Everything that appointments name must have been read."""
        self._moving, self._courses = moving, courses
        self.spans = Spans()
        self.lines, self.clinics, self.ids = array("L"), array("q"), array("q")
        self._aside: Any = tempfile.TemporaryFile()  # noqa: SIM115 - read again after everything was read
        self._batches = 0
        self._things: dict[int, Thing] = {}
        self._forms: dict[tuple[int, str], VisitForm] = {}
        self._given: dict[tuple[int, str, int], tuple[tuple[int, int], ...] | None] = {}
        self._instants: dict[tuple[datetime, int, str], tuple[str, int | str]] = {}
        self._holds_none: Counter[str] = Counter()

    def close(self) -> None:
        """Forgets what was laid aside."""
        self._aside.close()

    def read(self) -> None:
        """Reads and judges every row, and lays the good ones aside."""
        moving = self._moving
        moving.file = APPOINTMENTS.file
        self._things = dict(things(moving.db))
        self._others = other_visits(moving.db)
        for batch in moving.batches(APPOINTMENTS):
            for kind in ("patient", "clinic"):
                moving.look_up(kind, [getattr(said.record, kind) for said in batch])
            for kind in ("practitioner", "room", "device"):
                moving.look_up(kind, [each for said in batch for each in getattr(said.record, f"{kind}s")])
            self._courses.fetch([said.record.course for said in batch])
            sound = [(said, row) for said in batch if (row := self._row(said)) is not None]
            ids = moving.bulk.ids(table(Appointment), len(sound))
            self.ids.extend(ids)
            marshal.dump([row for _, row in sound], self._aside)
            self._batches += 1
            moving.keep(APPOINTMENTS, [(said, ident) for (said, _), ident in zip(sound, ids, strict=True)])
        for kind, count in self._holds_none.items():
            moving.warnings.add(APPOINTMENTS.file, 0, kind, f"{count:,} appointments name no {kind}, or fewer than "
                                f"their treatments hold: no other {kind} is held for them")

    def write(self) -> None:
        """Writes what was laid aside; what it holds is written apart, in the order of the diary."""
        self._aside.seek(0)
        self._moving.bulk.insert(table(Appointment), _COLUMNS, self._rows())

    def _rows(self) -> Iterator[Sequence[Any]]:
        now, by = int(self._moving.now.timestamp()), self._moving.work.actor.account_id
        place = 0
        for _ in range(self._batches):
            rows = marshal.load(self._aside)
            for row in rows:
                clinic_id, patient_id, kind, session_id, code, local, where, fold, minutes, starts, who = row
                wall = datetime.fromisoformat(local)
                yield (
                    self.ids[place], clinic_id, patient_id, kind, session_id, code, "booked", f"{uuid4()}@appointment",
                    wall, where, fold, minutes, starts, starts + minutes * 60, 1, 0, now, False, wall, now, by,
                    who)
                place += 1
            self._moving.step(len(rows), "Writing appointments")

    def _row(self, said: Said) -> tuple[Any, ...] | None:
        """What is laid aside of a row; none, and its faults, where it cannot be kept."""
        moving, record = self._moving, said.record
        before = moving.faults.count
        patient_id = moving.find(said, "patient", "patient", record.patient)
        clinic_id = moving.find(said, "clinic", "clinic", record.clinic)
        where = self._courses.zones.get(clinic_id or 0)
        starts = self._starts(said, record, where) if where else None
        going = self._courses.find(said, record.course) if record.course else None
        about = self._about(said, record, going)
        if about is None or starts is None or not (patient_id and clinic_id):
            return None
        if going is not None:
            self._belongs(said, going, patient_id, clinic_id)
        minutes = self._minutes(said, record, about.form)
        held = self._held(said, record, about.form, minutes, clinic_id)
        if moving.faults.count > before or len(self.lines) >= MOST_APPOINTMENTS:
            return None
        if going is not None:
            self._take(said, record, going)
        self._hold(patient_id, starts, minutes, held)
        self.lines.append(said.line)
        self.clinics.append(clinic_id)
        return (clinic_id, patient_id, about.kind, about.session_id, about.form.code, record.start.isoformat(), where,
                record.fold, minutes, starts, held[0][1] if held and record.practitioners else None)

    def _starts(self, said: Said, record: AppointmentRecord, where: str) -> int | None:
        """The instant of the local start, in seconds since 1970; none, and a fault, where there is none to come."""
        key = (record.start, record.fold, where)
        if key not in self._instants:
            # Appointments begin at the same few times of a day: each is worked out once.
            self._instants[key] = self._instant(record, where)
        column, found = self._instants[key]
        if isinstance(found, int):
            return found
        self._moving.wrong(said, column, found)
        return None

    def _instant(self, record: AppointmentRecord, where: str) -> tuple[str, int | str]:
        """The column that it says, and the instant, or what is wrong with it."""
        clock, words = zone(where), f"{record.start:%Y-%m-%d %H:%M}"
        first = resolve(record.start, clock)
        second = resolve(record.start, clock, last=True)
        if first == second and first.astimezone(clock).replace(tzinfo=None) != record.start:
            return "start", f"{words} does not exist in {where}: the clocks go forward over it"
        if record.fold and first == second:
            return "fold", f"is 1, but {words} comes only once in {where}"
        at = second if record.fold else first
        if at <= self._moving.now:
            return "start", (f"{words} is past: leave the row out, and list what was given under done_on in "
                             "courses.csv")
        if at > self._moving.now + FURTHEST:
            return "start", f"{words} is more than ten years ahead"
        return "start", int(at.timestamp())

    def _about(self, said: Said, record: AppointmentRecord, going: Going | None) -> _About | None:
        if record.kind in ("session", "upkeep"):
            return self._session(said, record, going) if going else None
        code = record.treatment or record.kind
        found = self._others.get(code)
        if found is not None and found[0] == record.kind:
            return _About(record.kind, None, found[1])
        if record.treatment:
            known = ", ".join(sorted(code for code, (kind, _) in self._others.items() if kind == record.kind))
            self._moving.wrong(said, "treatment", f"there is no treatment {code!r} of the kind {record.kind}; there "
                               f"are: {known or 'none'}")
            return None
        return _About(record.kind, None, VisitForm(code, 0, ()))

    def _session(self, said: Said, record: AppointmentRecord, going: Going) -> _About | None:
        protocol = self._courses.protocol(going)
        if record.kind == "upkeep":
            upkeep = going.upkeep
            if upkeep is None or len(upkeep.sessions) <= len(upkeep.done):
                self._moving.wrong(said, "course", f"the course {record.course!r} owes no upkeep: its sessions are not "
                                   "all done, or it wants none")
                return None
            if upkeep.line:
                self._moving.wrong(said, "course", f"the upkeep of {record.course!r} has the appointment in line "
                                   f"{upkeep.line} already")
                return None
            return _About("session", upkeep.sessions[-1], self._form(going, protocol.maintenance.treatment))
        assert record.number is not None
        place = record.number - 1
        if place >= len(going.states):
            wrong = f"the course {record.course!r} has only {len(going.states)} sessions"
        elif going.states[place] in (DONE, OFF):
            wrong = f"session {record.number} of {record.course!r} is done: this would be another one"
        elif going.states[place] == BOOKED:
            line = going.lines[place]
            wrong = f"session {record.number} of {record.course!r} has an appointment already" + (
                f", in line {line}" if line else "")
        else:
            turn = protocol.cycle[place % len(protocol.cycle)]
            return _About("session", going.sessions[place], self._form(going, turn.treatment))
        self._moving.wrong(said, "number", wrong)
        return None

    def _form(self, going: Going, code: str) -> VisitForm:
        key = (going.version_id, code)
        if key not in self._forms:
            self._forms[key] = visit_form(self._courses.protocol(going), code)
        return self._forms[key]

    def _belongs(self, said: Said, going: Going, patient_id: int, clinic_id: int) -> None:
        if going.patient_id != patient_id:
            self._moving.wrong(said, "patient", f"{said.record.patient!r} is not the patient of the course "
                               f"{said.record.course!r}")
        if going.clinic_id != clinic_id:
            self._moving.wrong(said, "clinic", f"{said.record.clinic!r} is not the clinic of the course "
                               f"{said.record.course!r}")

    @staticmethod
    def _take(said: Said, record: AppointmentRecord, going: Going) -> None:
        if record.kind == "upkeep":
            assert going.upkeep is not None
            going.upkeep.line, going.upkeep.booked_on = said.line, record.start.date().toordinal()
            return
        assert record.number is not None
        place = record.number - 1
        going.states[place] = BOOKED
        going.lines[place], going.dates[place] = said.line, record.start.date().toordinal()

    def _minutes(self, said: Said, record: AppointmentRecord, form: VisitForm) -> int:
        if form.needs:
            if record.minutes and record.minutes != form.minutes:
                self._moving.warn(said, "minutes", f"{form.code} takes {form.minutes} minutes here, not "
                                  f"{record.minutes}: {form.minutes} are held")
            return form.minutes
        if record.minutes is None:
            self._moving.wrong(said, "minutes", f"is empty, and there is no treatment {form.code!r} that would say how "
                               "long it takes")
        return record.minutes or 5

    def _held(
        self, said: Said, record: AppointmentRecord, form: VisitForm, minutes: int, clinic_id: int
    ) -> list[tuple[int, int, int, int]]:
        """What the appointment holds: number of the need, resource, minutes from its start and to its end."""
        found: list[tuple[int, int, int, int]] = []
        for kind, references in (
            ("practitioner", record.practitioners), ("room", record.rooms), ("device", record.devices)
        ):
            ids = [row_id for each in references if (row_id := self._moving.find(said, kind, kind, each))]
            for row_id in ids:
                self._judge_thing(said, kind, self._things[row_id], clinic_id)
            if not form.needs:
                found += [(len(found) + 1 + more, row_id, 0, minutes) for more, row_id in enumerate(ids)]
                continue
            given = self._assigned(form, kind, len(ids))
            if given is None:
                self._moving.wrong(said, kind, f"names {len(ids)}, but {form.code} holds {len(form.of_kind(kind))}")
                continue
            if len(given) < form.count(kind):
                self._holds_none[kind] += 1
            for number, which in given:
                need, row_id = form.needs[number - 1], ids[which]
                found.append((number, row_id, need.offset, need.offset + need.minutes))
                lacking = self._things[row_id].lacks(need.skills, record.start.date()) if need.skills else None
                if lacking:
                    self._moving.warn(said, kind, f"{self._things[row_id].name} has not what {form.code} asks for on "
                                      f"that date: {lacking}. The appointment is kept")
        return found

    def _assigned(self, form: VisitForm, kind: str, count: int) -> tuple[tuple[int, int], ...] | None:
        """As the form says it, kept: most visits are alike."""
        key = (id(form), kind, count)
        if key not in self._given:
            self._given[key] = form.assigned(kind, count)
        return self._given[key]

    def _judge_thing(self, said: Said, kind: str, thing: Thing, clinic_id: int) -> None:
        if not thing.active:
            self._moving.wrong(said, kind, f"{thing.name} is not active any more: name another")
        if thing.clinic_id not in (None, clinic_id):
            self._moving.wrong(said, kind, f"{thing.name} belongs to another clinic")

    def _hold(self, patient_id: int, starts: int, minutes: int, held: list[tuple[int, int, int, int]]) -> None:
        place = len(self.lines)
        self.spans.add(patient_id, Held(starts, starts + minutes * 60, 0, place))
        for number, row_id, begins, ends in held:
            self.spans.add(row_id, Held(starts + begins * 60, starts + ends * 60, number, place))
