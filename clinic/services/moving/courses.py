"""Courses that are moved in half done: read first, written when the dates of their coming sessions are known."""
from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

from clinic.care.protocols import Interval, Protocol, sessions_for
from clinic.care.states import SessionState
from clinic.interchange.moving_in.folder import Said
from clinic.interchange.moving_in.forms import COURSES
from clinic.interchange.moving_in.records import CourseRecord
from clinic.planning.local import day_of, zone
from clinic.queries.protocol_contents import content_of, protocol_of
from clinic.services.moving.state import AT_ONCE, Moving
from clinic.store.clinics import Clinic
from clinic.store.courses import Course, MaintenancePlan, TreatmentSession
from clinic.store.protocols import Protocol as ProtocolRow
from clinic.store.protocols import ProtocolVersion

OWED, BOOKED, DONE, OFF = range(4)
_CODES = {
    SessionState.OWED: OWED, SessionState.BOOKED: BOOKED, SessionState.COMPLETED: DONE, SessionState.NOT_DONE: OFF}


@dataclass(slots=True)
class Going:
    """A course in hand: its sessions by their places (number - 1), and what upkeep it owes.

    `dates` are those on which its sessions were or will be, as ordinals (0: none); `lines` say where an appointment
    of it stands. Kept small, for there may be very many.
    """

    id: int
    patient_id: int
    clinic_id: int
    version_id: int
    line: int
    sessions: array[int]
    states: bytearray
    dates: array[int]
    lines: array[int]
    is_new: bool = True
    practitioner_id: int | None = None
    indication: str = ""
    interval: Interval | None = None
    upkeep: Upkeep | None = None

    @property
    def is_done(self) -> bool:
        """Whether no session of the course itself is left."""
        return all(state in (DONE, OFF) for state in self.states)


@dataclass(slots=True)
class Upkeep:
    """The upkeep of a course that is done: the ids of its sessions, of which the last is owed, and when the others
    were. Without ids it is not wanted."""

    plan_id: int
    sessions: tuple[int, ...] = ()
    done: tuple[int, ...] = ()
    booked_on: int = 0
    line: int = 0


@dataclass(slots=True)
class Courses:
    """Every course that this folder brings or speaks of, by its reference."""

    moving: Moving
    going: dict[str, Going] = field(default_factory=dict)
    zones: dict[int, str] = field(default_factory=dict)
    contents: dict[str, tuple[int, Protocol]] = field(default_factory=dict)
    drafts: frozenset[str] = frozenset()

    def look_round(self) -> None:
        """Reads the protocols and the clinics' zones as they are now."""
        db = self.moving.db
        self.zones = dict(db.execute(sa.select(Clinic.id, Clinic.zone)).all())
        rows = db.execute(
            sa.select(ProtocolRow.code, ProtocolVersion)
            .join(ProtocolVersion, ProtocolVersion.protocol_id == ProtocolRow.id)
            .where(ProtocolVersion.state == "approved"))
        self.contents = {code: (version.id, content_of(db, version)) for code, version in rows}
        self.drafts = frozenset(db.scalars(sa.select(ProtocolRow.code))) - self.contents.keys()

    def protocol(self, going: Going) -> Protocol:
        """The content of a course's protocol version."""
        return protocol_of(self.moving.db, going.version_id)

    def new(self) -> Iterator[Going]:
        """Those that this folder brings."""
        return (each for each in self.going.values() if each.is_new)

    def read(self) -> None:
        """Reads the courses of the folder; nothing is written but what came of their references."""
        moving = self.moving
        moving.file = COURSES.file
        for batch in moving.batches(COURSES):
            moving.look_up("patient", [said.record.patient for said in batch])
            moving.look_up("clinic", [said.record.clinic for said in batch])
            moving.look_up("practitioner", [said.record.practitioner for said in batch])
            sound = [(said, found) for said in batch if (found := self._course(said)) is not None]
            self._give_ids(sound)
            moving.keep(COURSES, [(said, going.id) for said, going in sound])

    def find(self, said: Said, reference: str) -> Going | None:
        """The course that a cell names; `fetch` has looked for those of earlier folders."""
        if self.moving.find(said, "course", "course", reference) is None:
            return None
        return self.going.get(reference)

    def fetch(self, references: Iterable[str]) -> None:
        """Makes ready the courses of these references that earlier folders have brought."""
        moving = self.moving
        wanted = {each for each in references if each and each not in self.going}
        moving.look_up("course", wanted)
        ids = {row_id: reference for reference in wanted if (row_id := moving.row_of("course", reference))}
        for first in range(0, len(ids), AT_ONCE):
            some = list(ids)[first:first + AT_ONCE]
            self._fetch(some, ids)

    def _fetch(self, ids: Sequence[int], references: Mapping[int, str]) -> None:
        db = self.moving.db
        rows = db.execute(
            sa.select(Course.id, Course.patient_id, Course.clinic_id, Course.protocol_version_id, Course.state)
            .where(Course.id.in_(ids)))
        for row in rows:
            self.going[references[row.id]] = Going(
                row.id, row.patient_id, row.clinic_id, row.protocol_version_id, 0, array("q"), bytearray(),
                array("l"), array("l"), is_new=False)
        found = {ident: self.going[references[ident]] for ident in ids}
        for ident, course_id, state in db.execute(
            sa.select(TreatmentSession.id, TreatmentSession.course_id, TreatmentSession.state)
            .where(TreatmentSession.course_id.in_(ids)).order_by(TreatmentSession.course_id, TreatmentSession.number)
        ):
            going = found[course_id or 0]
            going.sessions.append(ident)
            going.states.append(_CODES[SessionState(state)])
            going.dates.append(0)
            going.lines.append(0)
        for plan_id, course_id, owed_id in db.execute(
            sa.select(MaintenancePlan.id, MaintenancePlan.course_id, TreatmentSession.id)
            .join(TreatmentSession, TreatmentSession.maintenance_plan_id == MaintenancePlan.id)
            .where(MaintenancePlan.course_id.in_(ids), MaintenancePlan.state == "active",
                   TreatmentSession.state == SessionState.OWED)
        ):
            found[course_id].upkeep = Upkeep(plan_id, (owed_id,))

    def _course(self, said: Said) -> Going | None:
        """The course of a row, its ids to come; none, and its faults, where it cannot be."""
        moving, record = self.moving, said.record
        before = moving.faults.count
        patient_id = moving.find(said, "patient", "patient", record.patient)
        clinic_id = moving.find(said, "clinic", "clinic", record.clinic)
        practitioner_id = None
        if record.practitioner:
            practitioner_id = moving.find(said, "practitioner", "practitioner", record.practitioner)
        version_id, protocol = self._protocol(said)
        if protocol is not None:
            self._judge(said, record, protocol)
        if clinic_id:
            self._judge_dates(said, record, day_of(moving.now, zone(self.zones[clinic_id])))
        if moving.faults.count > before or not (patient_id and clinic_id and protocol):
            return None
        done = [each.toordinal() for each in record.done_on]
        rest = record.sessions - len(done)
        return Going(
            0, patient_id, clinic_id, version_id, said.line, array("q"), bytearray([DONE] * len(done) + [OWED] * rest),
            array("l", done + [0] * rest), array("l", [0] * record.sessions), True, practitioner_id,
            record.indication or protocol.indications[0].code, record.interval,
            None if rest else Upkeep(0, (), tuple(each.toordinal() for each in record.upkeep_done_on)))

    def _protocol(self, said: Said) -> tuple[int, Protocol | None]:
        code = said.record.protocol
        if code in self.contents:
            return self.contents[code]
        if code in self.drafts:
            self.moving.wrong(said, "protocol", f"{code!r} is not approved yet: a practitioner approves it on the page "
                              "Protocols first")
        else:
            known = ", ".join(sorted(self.contents)) or "none is approved yet"
            self.moving.wrong(said, "protocol", f"there is no protocol {code!r}; approved are: {known}")
        return 0, None

    def _judge(self, said: Said, record: CourseRecord, protocol: Protocol) -> None:
        codes = [each.code for each in protocol.indications]
        if record.indication and record.indication not in codes:
            self.moving.wrong(said, "indication", f"{record.indication!r} is not one of {', '.join(codes)}, which "
                              f"{protocol.name} is for")
            return
        usual = sessions_for(protocol, record.indication or codes[0])
        if not usual.least <= record.sessions <= usual.most:
            self.moving.warn(said, "sessions", f"{protocol.name} has {usual.least} to {usual.most} sessions; the "
                             f"{record.sessions} that were planned are kept")

    def _judge_dates(self, said: Said, record: CourseRecord, today: date) -> None:
        for column, days in (("done_on", record.done_on), ("upkeep_done_on", record.upkeep_done_on)):
            if any(day > today for day in days):
                self.moving.wrong(said, column, f"{max(days)} is still to come: list what is done, and the others in "
                                  "appointments.csv")

    def _give_ids(self, sound: Sequence[tuple[Said, Going]]) -> None:
        bulk, has_upkeep = self.moving.bulk, [(going.upkeep is not None) for _, going in sound]
        ids = iter(bulk.ids(table(Course), len(sound)))
        plans = iter(bulk.ids(table(MaintenancePlan), sum(has_upkeep)))
        wanted = [said.record.has_upkeep and going.upkeep is not None for said, going in sound]
        extra = sum(len(going.upkeep.done) + wants for (_, going), wants in zip(sound, wanted, strict=True)
                    if going.upkeep)
        count = sum(len(going.states) for _, going in sound) + extra
        sessions = iter(bulk.ids(table(TreatmentSession), count))
        for (said, going), wants in zip(sound, wanted, strict=True):
            going.id = next(ids)
            going.sessions = array("q", [next(sessions) for _ in going.states])
            if going.upkeep:
                going.upkeep.plan_id = next(plans)
                going.upkeep.sessions = tuple(next(sessions) for _ in range(len(going.upkeep.done) + wants))
            self.going[said.reference] = going


def table(mapped: Any) -> sa.Table:
    """The table of a mapped class, as bulk writing takes it."""
    found: sa.Table = mapped.__table__
    return found
