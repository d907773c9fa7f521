"""Which coming appointments ask of a practitioner, a room or a device what it would no longer have."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.parts import needs_of, read_parts
from clinic.store.courses import Course, MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.protocols import ProtocolVersion, Treatment

_TO_COME = ("proposed", "booked", "arrived")


class Valid(Protocol):
    """A qualification with its dates."""

    @property
    def code(self) -> str: ...
    @property
    def valid_from(self) -> date: ...
    @property
    def expires_on(self) -> date | None: ...


def stranded(
    db: Session, practitioner_id: int, *, before: Iterable[Valid], after: Iterable[Valid], now: datetime
) -> list[int]:
    """The appointments to come that were covered by the one list of qualifications and are not by the other.

    In three statements: what is held, the parts of the protocol versions concerned, those of other visits.
    """
    visits, asked = _asked_of(db, practitioner_id, now)
    had, has = list(before), list(after)
    found = []
    for visit in visits:
        skills, day = asked.get((visit.version, visit.code), {}).get(visit.need, frozenset()), visit.on
        if _holds(had, skills, day) and not _holds(has, skills, day):
            found.append(visit.id)
    return sorted(set(found))


def asking_for(db: Session, resource_id: int, skills: frozenset[str], *, now: datetime) -> list[int]:
    """The appointments to come that hold a room or a device and ask of it any of these; in three statements."""
    visits, asked = _asked_of(db, resource_id, now)
    return sorted({
        visit.id for visit in visits
        if asked.get((visit.version, visit.code), {}).get(visit.need, frozenset()) & skills})


@dataclass(frozen=True, slots=True)
class _Visit:
    """What an appointment holds of a resource: which need of which treatment, on which local date."""

    id: int
    on: date
    need: int
    code: str
    version: int | None


_Asked = Mapping[tuple[int | None, str], Mapping[int, frozenset[str]]]


def _asked_of(db: Session, resource_id: int, now: datetime) -> tuple[list[_Visit], _Asked]:
    rows = db.execute(
        sa.select(Appointment.id, Appointment.local_start, ResourceBooking.need, Appointment.treatment_code,
                  Course.protocol_version_id)
        .join(ResourceBooking, ResourceBooking.appointment_id == Appointment.id)
        .outerjoin(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
        .outerjoin(MaintenancePlan, MaintenancePlan.id == TreatmentSession.maintenance_plan_id)
        .outerjoin(Course, Course.id == sa.func.coalesce(TreatmentSession.course_id, MaintenancePlan.course_id))
        .where(ResourceBooking.resource_id == resource_id, ResourceBooking.ends_at > now,
               Appointment.state.in_(_TO_COME)))
    visits = [_Visit(ident, start.date(), need, code, version) for ident, start, need, code, version in rows]
    return visits, _asked(db, {each.version for each in visits if each.version is not None}) if visits else {}


def _asked(db: Session, versions: set[int]) -> _Asked:
    """For each treatment, of a protocol version or on its own, the skills that each of its needs asks for."""
    found: dict[tuple[int | None, str], Mapping[int, frozenset[str]]] = {}
    for ident, document in db.execute(
            sa.select(ProtocolVersion.id, ProtocolVersion.document).where(ProtocolVersion.id.in_(versions))):
        for treatment in document["treatments"]:
            found[ident, treatment["code"]] = dict(_skills(treatment["parts"]))
    for code, parts in db.execute(sa.select(Treatment.code, Treatment.parts).where(Treatment.kind != "session")):
        found[None, code] = dict(_skills(parts))
    return found


def _skills(parts: object) -> Iterator[tuple[int, frozenset[str]]]:
    for place, need in enumerate(needs_of(read_parts(parts)), start=1):
        yield place, frozenset(need.skills)


def _holds(held: Iterable[Valid], skills: frozenset[str], day: date) -> bool:
    valid = {each.code for each in held
             if each.valid_from <= day and (each.expires_on is None or day <= each.expires_on)}
    return skills <= valid
