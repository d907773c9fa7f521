"""All that a planner's problem needs of the database but what is booked, in one statement however much there is.

Each list comes as one JSON value of a scalar subquery: rows of another shape cost no statement of their own.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from clinic.store.clinics import Clinic, Closure, OpeningHours, TravelTime
from clinic.store.courses import Course, MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.expressions import epoch, parsed, rows_as_json, rows_of
from clinic.store.occupancy import OccupancyChange, Span
from clinic.store.protocols import ProtocolVersion
from clinic.store.resources import Absence, Device, Patient, Practitioner, Qualification, Room, Rota, RotaDay, RotaSpan
from clinic.store.types import Instant

ACTIVE = ("proposed", "booked", "arrived")
REACH = timedelta(days=6)
"""A session may hold something from days before its start, and the way from another clinic takes time too."""
NEVER = datetime(9999, 1, 1, tzinfo=UTC)

Rows = list[list[Any]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for: `codes` are the qualifications asked for (none: whoever works), `ignore` may move.

    Without a patient it is the time of the clinic alone.
    """

    clinic_id: int
    patient_id: int | None
    codes: frozenset[str]
    anyone: bool
    ignore: tuple[int, ...]
    now: datetime
    from_at: datetime
    until_on: date | None = None


@dataclass(frozen=True, slots=True)
class SetAside:
    """A span of an appointment that may move or whose hold has lapsed, of any resource."""

    appointment_id: int
    resource_id: int
    clinic_id: int
    span: Span


class Change(NamedTuple):
    """A span that the pages do not say yet, by its number: in this order they were made."""

    number: int
    resource_id: int
    clinic_id: int
    span: Span


@dataclass(frozen=True, slots=True)
class Facts:
    """The rows as they lie, dates as text and instants as seconds; free_time and problems know what they mean."""

    zone: str
    horizon_days: int
    start_step: int
    only_times: list[Any]
    rather_times: list[Any]
    practitioners: Rows
    rooms: Rows
    devices: Rows
    qualifications: Rows
    rotas: Rows
    rota_days: Rows
    absences: Rows
    opening: Rows
    closures: Rows
    travel: Rows
    visits: Rows
    of_courses: Rows
    of_plans: Rows
    documents: Rows
    changes: tuple[Change, ...]
    ignored: tuple[SetAside, ...]
    lapsed: tuple[SetAside, ...]


def facts_of(db: Session, wanted: Wanted) -> Facts:
    """What the diary says besides bookings, in one statement. NoResultFound without that clinic, or that patient."""
    until = NEVER if wanted.until_on is None else datetime.combine(
        wanted.until_on, datetime.min.time(), UTC) + 2 * REACH
    since = wanted.from_at - REACH
    row = db.execute(_FACTS, {
        "clinic_id": wanted.clinic_id, "patient_id": wanted.patient_id, "codes": sorted(wanted.codes),
        "anyone": wanted.anyone, "ignore": list(wanted.ignore), "now": wanted.now,
        "since": since, "until": until, "since_on": since.date(), "until_on": until.date(),
    }).one()._mapping
    if row["patient_id"] != wanted.patient_id:
        raise NoResultFound("there is no such patient")
    lists = {name: rows_of(row[name]) for name in _LISTS}
    return Facts(
        zone=row["zone"], horizon_days=row["booking_horizon_days"], start_step=row["start_step_minutes"],
        only_times=parsed(row["only_times"]) or [], rather_times=parsed(row["rather_times"]) or [],
        changes=_changes(lists.pop("changes")), ignored=_set_aside(lists.pop("ignored")),
        lapsed=_set_aside(lists.pop("lapsed")), **lists)


def _changes(rows: Iterable[list[Any]]) -> tuple[Change, ...]:
    return tuple(sorted(Change(row[0], row[1], row[2], Span(row[3], row[4], bool(row[5]))) for row in rows))


def _set_aside(rows: Iterable[list[Any]]) -> tuple[SetAside, ...]:
    return tuple(SetAside(row[0], row[1], row[2], Span(row[3], row[4], False)) for row in rows)


def list_of(source: Any, *columns: Any, where: Any) -> Any:
    """These rows as one value of a scalar subquery."""
    return sa.select(rows_as_json(*columns)).select_from(source).where(where).scalar_subquery()


def _able() -> Any:
    """Those who work and hold one of the qualifications asked for, whenever."""
    person, held = Practitioner.__table__, Qualification.__table__
    holders = sa.select(held.c.practitioner_id).where(held.c.code.in_(CODES))
    return sa.select(person.c.id).where(person.c.active, sa.or_(ANYONE, person.c.id.in_(holders)))


def _resources() -> dict[str, Any]:
    person, room, device = Practitioner.__table__, Room.__table__, Device.__table__
    held = Qualification.__table__
    return {
        "practitioners": list_of(person, person.c.id, person.c.name, person.c.active, where=sa.true()),
        "rooms": list_of(room, room.c.id, room.c.name, room.c.active, room.c.features,
                       where=room.c.clinic_id == CLINIC),
        "devices": list_of(device, device.c.id, device.c.name, device.c.active, device.c.device_type,
                         where=device.c.clinic_id == CLINIC),
        "qualifications": list_of(held, held.c.practitioner_id, held.c.code, held.c.valid_from, held.c.expires_on,
                                where=held.c.code.in_(CODES)),
    }


def times() -> dict[str, Any]:
    """When practitioners, rooms and devices of a clinic are there, as subqueries: rotas, absences, hours, travel."""
    rota, span, later = Rota.__table__, RotaSpan.__table__, Rota.__table__.alias("later")
    alone = RotaDay.__table__
    away, hours, closure, way = Absence.__table__, OpeningHours.__table__, Closure.__table__, TravelTime.__table__
    room, device = Room.__table__, Device.__table__
    over = sa.exists().where(
        later.c.practitioner_id == rota.c.practitioner_id, later.c.starts_on > rota.c.starts_on,
        later.c.starts_on <= SINCE_ON)
    here = sa.or_(span.c.clinic_id == CLINIC, span.c.clinic_id.is_(None))
    changed = OccupancyChange.__table__
    whose = _able().union_all(
        sa.select(room.c.id).where(room.c.clinic_id == CLINIC),
        sa.select(device.c.id).where(device.c.clinic_id == CLINIC))
    return {
        "rotas": list_of(
            rota.outerjoin(span, sa.and_(span.c.rota_id == rota.c.id, here)),
            rota.c.practitioner_id, rota.c.starts_on, rota.c.ends_on, rota.c.weeks,
            span.c.week, span.c.weekday, span.c.opens, span.c.closes, span.c.break_minutes,
            where=sa.and_(rota.c.practitioner_id.in_(_able()), rota.c.starts_on <= UNTIL_ON,
                          sa.or_(rota.c.ends_on.is_(None), rota.c.ends_on >= SINCE_ON), ~over)),
        "rota_days": list_of(
            alone, alone.c.practitioner_id, alone.c.on_date, alone.c.spans,
            where=sa.and_(alone.c.practitioner_id.in_(_able()), alone.c.on_date >= SINCE_ON,
                          alone.c.on_date <= UNTIL_ON)),
        "absences": list_of(
            away, away.c.resource_id, epoch(away.c.starts_at), epoch(away.c.ends_at),
            where=sa.and_(away.c.resource_id.in_(whose), away.c.ends_at > SINCE, away.c.starts_at < UNTIL)),
        "changes": list_of(
            changed, changed.c.id, changed.c.resource_id, changed.c.clinic_id, epoch(changed.c.starts_at),
            epoch(changed.c.ends_at), changed.c.is_held,
            where=sa.and_(changed.c.resource_id.in_(whose), changed.c.ends_at > SINCE,
                          changed.c.starts_at < UNTIL)),
        "opening": list_of(
            hours, hours.c.weekday, hours.c.opens, hours.c.closes, where=hours.c.clinic_id == CLINIC),
        "closures": list_of(
            closure, closure.c.from_on, closure.c.to_on,
            where=sa.and_(closure.c.clinic_id == CLINIC, closure.c.to_on >= SINCE_ON,
                          closure.c.from_on <= UNTIL_ON)),
        "travel": list_of(
            way, way.c.one_clinic_id, way.c.other_clinic_id, way.c.minutes,
            where=sa.or_(way.c.one_clinic_id == CLINIC, way.c.other_clinic_id == CLINIC)),
    }


def _of_patient() -> dict[str, Any]:
    plan, course, treated = MaintenancePlan.__table__, Course.__table__, TreatmentSession.__table__
    visit, held, version = Appointment.__table__, ResourceBooking.__table__, ProtocolVersion.__table__
    theirs = course.c.patient_id == _PATIENT
    is_to_come = sa.and_(visit.c.treatment_session_id == treated.c.id, visit.c.state.in_(ACTIVE))
    columns = (treated.c.id, treated.c.treatment_code, treated.c.performed_on, visit.c.local_start,
               treated.c.course_id, treated.c.maintenance_plan_id, course.c.protocol_version_id)
    of_courses = course.join(treated, treated.c.course_id == course.c.id)
    of_plans = course.join(plan, plan.c.course_id == course.c.id).join(
        treated, treated.c.maintenance_plan_id == plan.c.id)
    contents = version.c.document
    return {
        "visits": list_of(
            held, held.c.appointment_id, held.c.clinic_id, epoch(held.c.starts_at), epoch(held.c.ends_at),
            where=sa.and_(held.c.resource_id == _PATIENT, held.c.ends_at > SINCE, held.c.starts_at < UNTIL)),
        "of_courses": list_of(of_courses.outerjoin(visit, is_to_come), *columns, where=theirs),
        "of_plans": list_of(of_plans.outerjoin(visit, is_to_come), *columns, where=theirs),
        "documents": list_of(
            version, version.c.id, contents["name"], contents["treatments"], contents["gaps"],
            where=version.c.id.in_(sa.select(course.c.protocol_version_id).where(theirs))),
    }


def _to_set_aside() -> dict[str, Any]:
    held, visit = ResourceBooking.__table__, Appointment.__table__
    columns = (held.c.appointment_id, held.c.resource_id, held.c.clinic_id,
               epoch(held.c.starts_at), epoch(held.c.ends_at))
    return {
        "ignored": list_of(held, *columns, where=held.c.appointment_id.in_(_IGNORE)),
        "lapsed": list_of(
            held.join(visit, visit.c.id == held.c.appointment_id), *columns,
            where=sa.and_(visit.c.state == "proposed", visit.c.hold_expires_at <= _NOW)),
    }


CLINIC, _PATIENT = sa.bindparam("clinic_id", type_=sa.Integer), sa.bindparam("patient_id", type_=sa.Integer)
CODES, ANYONE = sa.bindparam("codes", expanding=True, type_=sa.Text), sa.bindparam("anyone", type_=sa.Boolean)
_IGNORE, _NOW = sa.bindparam("ignore", expanding=True, type_=sa.Integer), sa.bindparam("now", type_=Instant())
SINCE, UNTIL = sa.bindparam("since", type_=Instant()), sa.bindparam("until", type_=Instant())
SINCE_ON, UNTIL_ON = sa.bindparam("since_on", type_=sa.Date), sa.bindparam("until_on", type_=sa.Date)

_SUBQUERIES: dict[str, Any] = {**_resources(), **times(), **_of_patient(), **_to_set_aside()}
_LISTS = tuple(_SUBQUERIES)
_FACTS = sa.select(
    Clinic.__table__.c.zone, Clinic.__table__.c.booking_horizon_days, Clinic.__table__.c.start_step_minutes,
    Patient.__table__.c.id.label("patient_id"), Patient.__table__.c.only_times, Patient.__table__.c.rather_times,
    *(subquery.label(name) for name, subquery in _SUBQUERIES.items()),
).select_from(Clinic.__table__.outerjoin(Patient.__table__, sa.and_(
    Patient.__table__.c.id == _PATIENT, Patient.__table__.c.merged_into_id.is_(None)))).where(
    Clinic.__table__.c.id == CLINIC)
