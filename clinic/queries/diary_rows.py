"""The rows that a diary is made of: who and what there is, when it is there, who comes, and what each visit holds."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.planning.local import DAY, instant
from clinic.queries.diary_facts import (
    CLINIC,
    REACH,
    SINCE,
    SINCE_ON,
    UNTIL,
    UNTIL_ON,
    Rows,
    list_of,
    times,
)
from clinic.store.clinics import Clinic, Closure
from clinic.store.courses import Course, MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.expressions import epoch, rows_of
from clinic.store.protocols import Treatment
from clinic.store.resources import Absence, Device, Patient, Practitioner, Room, Rota, RotaSpan
from clinic.store.types import Instant

Asked = dict[str, Any]
LONGEST = timedelta(hours=12)
"""No visit takes longer: whoever comes within these hours before a day may still be here when it begins."""


@dataclass(frozen=True, slots=True)
class HoursRows:
    """Everything but visits, in one statement; dates as text and instants as seconds, as they lie."""

    practitioners: Rows
    rooms: Rows
    devices: Rows
    clinics: Rows
    rotas: Rows
    rota_days: Rows
    rotas_elsewhere: Rows
    absences: Rows
    opening: Rows
    closures: Rows
    travel: Rows


class HeldSpan(NamedTuple):
    """What an appointment holds of one resource."""

    appointment_id: int
    resource_id: int
    clinic_id: int
    starts_at: datetime
    ends_at: datetime


def asked_of(clinic_id: int, first_on: date, days: int, where: ZoneInfo, now: datetime) -> Asked:
    """What the statements of a diary of these days are asked with."""
    from_at, to_at = instant(first_on, 0, where), instant(first_on + days * DAY, 0, where)
    since, until = from_at - REACH, to_at + 2 * REACH
    return {
        "clinic_id": clinic_id, "now": now, "codes": [], "anyone": True,
        "since": since, "until": until, "since_on": since.date(), "until_on": until.date(),
        "visits_from": from_at, "visits_before": from_at - LONGEST, "visits_to": to_at,
        # A break may lie in hours that began before the first day, against what is booked then; the last bound is of
        # no account but for the index, which is read from one end to the other.
        "held_from": from_at - 2 * DAY, "held_to": to_at + DAY, "held_last": to_at + DAY + REACH,
    }


def hours_rows(db: Session, asked: Asked) -> HoursRows:
    """What a clinic has, and when it is there, around some days."""
    row = db.execute(_HOURS, asked).one()._mapping
    return HoursRows(**{name: rows_of(row[name]) for name in _LISTS})


def held_spans(db: Session, asked: Asked) -> Mapping[int, list[HeldSpan]]:
    """What practitioners, at any clinic, and rooms and devices of this one are held for, by appointment.

    A hold that has lapsed is nothing.
    """
    found: defaultdict[int, list[HeldSpan]] = defaultdict(list)
    for row in db.execute(_HELD, asked).all():
        found[row.appointment_id].append(HeldSpan(*row))
    return found


def visit_rows(db: Session, asked: Asked) -> Sequence[Any]:
    """The appointments of a clinic in those days, whatever became of them, by their starts."""
    return db.execute(_VISITS, asked).all()


def version_of(db: Session, asked: Asked) -> str:
    """A name for all that these statements would find: another one as soon as anything of it has changed.

    In one statement, which makes nothing of what it reads.
    """
    return sha256("\n".join(map(str, db.execute(_VERSION, asked).one())).encode()).hexdigest()[:16]


_OF_VISIT = (
    "id", "kind", "state", "patient_id", "treatment_code", "local_start", "fold", "zone", "minutes", "starts_at",
    "ends_at", "lock_version", "pinned", "confirmed_at", "hold_expires_at", "ended_cause")


def _held() -> sa.Select[Any]:
    held, visit = ResourceBooking.__table__.c, Appointment.__table__.c
    person, room, device = Practitioner.__table__, Room.__table__, Device.__table__
    whose = sa.select(person.c.id).union_all(
        sa.select(room.c.id).where(room.c.clinic_id == CLINIC),
        sa.select(device.c.id).where(device.c.clinic_id == CLINIC))
    return (
        sa.select(held.appointment_id, held.resource_id, held.clinic_id, held.starts_at, held.ends_at)
        .join(Appointment.__table__, visit.id == held.appointment_id)
        .where(held.resource_id.in_(whose), held.ends_at > _at("held_from"), held.starts_at < _at("held_to"),
               held.ends_at < _at("held_last"),
               sa.or_(visit.hold_expires_at.is_(None), visit.hold_expires_at > _at("now")))
        .order_by(held.appointment_id, held.need))


def _visits() -> sa.Select[Any]:
    visit, person, thing = Appointment.__table__.c, Patient.__table__.c, Treatment.__table__.c
    part, plan, course = TreatmentSession.__table__.c, MaintenancePlan.__table__.c, Course.__table__.c
    other = TreatmentSession.__table__.alias()
    siblings = (
        sa.select(sa.func.count()).select_from(other).where(other.c.course_id == part.course_id)
        .correlate(TreatmentSession.__table__).scalar_subquery())
    return (
        sa.select(
            *(visit[name] for name in _OF_VISIT), person.given_name, person.family_name, person.alerts,
            thing.id.label("treatment_id"), thing.name.label("treatment"), thing.parts,
            part.number, part.earliest_on, part.ideal_on, part.latest_on,
            sa.case((part.course_id.is_not(None), siblings)).label("of"),
            course.id.label("course_id"), course.protocol_version_id)
        .select_from(Appointment.__table__)
        .join(Patient.__table__, person.id == visit.patient_id)
        .outerjoin(Treatment.__table__, thing.code == visit.treatment_code)
        .outerjoin(TreatmentSession.__table__, part.id == visit.treatment_session_id)
        .outerjoin(MaintenancePlan.__table__, plan.id == part.maintenance_plan_id)
        .outerjoin(Course.__table__, course.id == sa.func.coalesce(part.course_id, plan.course_id))
        .where(visit.clinic_id == CLINIC, visit.starts_at > _at("visits_before"),
               visit.starts_at < _at("visits_to"), visit.ends_at > _at("visits_from"))
        .order_by(visit.starts_at, visit.id))


def _lists() -> dict[str, Any]:
    found = {name: each for name, each in times().items() if name != "changes"}
    person, room, device, away = Practitioner.__table__, Room.__table__, Device.__table__, Absence.__table__
    rota, span, later = Rota.__table__, RotaSpan.__table__, Rota.__table__.alias("later")
    whose = sa.select(person.c.id).union_all(
        sa.select(room.c.id).where(room.c.clinic_id == CLINIC),
        sa.select(device.c.id).where(device.c.clinic_id == CLINIC))
    over = sa.exists().where(
        later.c.practitioner_id == rota.c.practitioner_id, later.c.starts_on > rota.c.starts_on,
        later.c.starts_on <= SINCE_ON)
    closure, site = Closure.__table__, Clinic.__table__
    return {
        **found,
        "practitioners": list_of(person, person.c.id, person.c.name, person.c.active, where=sa.true()),
        "rooms": list_of(room, room.c.id, room.c.name, room.c.active, where=room.c.clinic_id == CLINIC),
        "devices": list_of(device, device.c.id, device.c.name, device.c.active, where=device.c.clinic_id == CLINIC),
        "clinics": list_of(site, site.c.id, site.c.name, site.c.zone, where=sa.true()),
        # As `times` has them, with the clinic besides: of work somewhere else.
        "rotas_elsewhere": list_of(
            rota.join(span, span.c.rota_id == rota.c.id),
            span.c.clinic_id, rota.c.practitioner_id, rota.c.starts_on, rota.c.ends_on, rota.c.weeks, span.c.week,
            span.c.weekday, span.c.opens, span.c.closes,
            where=sa.and_(span.c.clinic_id != CLINIC, rota.c.starts_on <= UNTIL_ON,
                          sa.or_(rota.c.ends_on.is_(None), rota.c.ends_on >= SINCE_ON), ~over)),
        "absences": list_of(
            away, away.c.resource_id, epoch(away.c.starts_at), epoch(away.c.ends_at), away.c.reason, away.c.source,
            where=sa.and_(away.c.resource_id.in_(whose), away.c.ends_at > SINCE, away.c.starts_at < UNTIL)),
        "closures": list_of(
            closure, closure.c.from_on, closure.c.to_on, closure.c.reason,
            where=sa.and_(closure.c.clinic_id == CLINIC, closure.c.to_on >= SINCE_ON,
                          closure.c.from_on <= UNTIL_ON)),
    }


def _at(name: str) -> Any:
    return sa.bindparam(name, type_=Instant())


def _all_of(found: sa.Select[Any]) -> Any:
    """Every row of a statement as one value; JSON in a column stands for nothing else that may change."""
    rows = found.subquery()
    return list_of(rows, *(each for each in rows.c if each.name != "parts"), where=sa.true())


_HELD, _VISITS = _held(), _visits()
_SUBQUERIES = _lists()
_LISTS = tuple(_SUBQUERIES)
_HOURS = sa.select(*(each.label(name) for name, each in _SUBQUERIES.items()))
_VERSION = sa.select(*_SUBQUERIES.values(), _all_of(_HELD), _all_of(_VISITS))
