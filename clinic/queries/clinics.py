"""The clinics of the business: how they are arranged, when they are closed, and whom a change of that would meet."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.rotas import DaySpan, RotaWeeks, WeekSpan
from clinic.care.rotas import Timetable as Opening
from clinic.planning.local import day_of, instant, zone
from clinic.queries.effects import SHOWN, Effect, visits_met, visits_named
from clinic.store.clinics import Clinic, Closure, OpeningHours, TravelTime
from clinic.store.diary import Appointment, ResourceBooking

MOST = 200
PAGE = 40
Span = tuple[int, int, int]
"""Weekday, and from and to in minutes after midnight."""

_TO_COME = ("proposed", "booked", "arrived")
_LONG_AGO = date(2000, 1, 3)


@dataclass(frozen=True, slots=True)
class ClinicLine:
    """A clinic with its fields and its hours by weekday."""

    id: int
    name: str
    zone: str
    address: str
    phone: str
    sender_name: str
    sender_email: str
    quiet_from: int
    quiet_to: int
    booking_horizon_days: int
    start_step_minutes: int
    lock_version: int
    hours: tuple[Span, ...]
    closures: int
    out_of_hours_phone: str | None = None
    patients_move: str = "ask"
    patients_cancel: str = "ask"
    emergency_phone: str | None = None
    notice_hours: int = 24


@dataclass(frozen=True, slots=True)
class ClosureLine:
    """Dates, both included, on which a clinic is closed."""

    id: int
    from_on: date
    to_on: date
    reason: str


@dataclass(frozen=True, slots=True)
class ClosuresPage:
    """The closures of a clinic that are not over, the next first."""

    rows: tuple[ClosureLine, ...]
    number: int
    has_next: bool


@dataclass(frozen=True, slots=True)
class ClinicSign:
    """A clinic as its door says it."""

    name: str
    address: str
    phone: str


def clinic_ids_by_name(db: Session) -> dict[str, int]:
    """Every clinic's id by its name."""
    return dict(db.execute(sa.select(Clinic.name, Clinic.id).order_by(Clinic.id)).all())


def clinic_signs(db: Session) -> tuple[ClinicSign, ...]:
    """Every clinic as anybody may know it, in the order of their ids."""
    rows = db.execute(sa.select(Clinic.name, Clinic.address, Clinic.phone).order_by(Clinic.id).limit(MOST))
    return tuple(ClinicSign(*row) for row in rows)


def clinic_lines(db: Session, clinic_ids: Collection[int], *, now: datetime) -> tuple[ClinicLine, ...]:
    """These clinics by name, in three statements; closures are counted where they are not over."""
    clinics = db.scalars(
        sa.select(Clinic).where(Clinic.id.in_(clinic_ids)).order_by(Clinic.name, Clinic.id).limit(MOST)).all()
    ids = [clinic.id for clinic in clinics]
    hours: defaultdict[int, list[Span]] = defaultdict(list)
    rows = db.execute(
        sa.select(OpeningHours.clinic_id, OpeningHours.weekday, OpeningHours.opens, OpeningHours.closes)
        .where(OpeningHours.clinic_id.in_(ids)).order_by(OpeningHours.weekday, OpeningHours.opens))
    for clinic_id, *span in rows:
        hours[clinic_id].append((span[0], span[1], span[2]))
    closed = dict(db.execute(
        sa.select(Closure.clinic_id, sa.func.count())
        .where(Closure.clinic_id.in_(ids), Closure.to_on >= day_of(now, zone("UTC")))
        .group_by(Closure.clinic_id)).all())
    return tuple(_line(each, hours[each.id], closed.get(each.id, 0)) for each in clinics)


def travel_minutes(db: Session, clinic_id: int) -> Mapping[int, tuple[str, int | None]]:
    """Every other clinic by id, with its name and the minutes of the way; in one statement."""
    way = TravelTime
    rows = db.execute(
        sa.select(Clinic.id, Clinic.name, way.minutes)
        .outerjoin(way, sa.or_(
            sa.and_(way.one_clinic_id == clinic_id, way.other_clinic_id == Clinic.id),
            sa.and_(way.other_clinic_id == clinic_id, way.one_clinic_id == Clinic.id)))
        .where(Clinic.id != clinic_id).order_by(Clinic.name, Clinic.id).limit(MOST))
    return {ident: (name, minutes) for ident, name, minutes in rows}


def closures_page(db: Session, clinic_id: int, *, today: date, number: int = 1) -> ClosuresPage:
    """A page of the closures that are not over; in one statement."""
    number = max(1, number)
    rows = db.execute(
        sa.select(Closure.id, Closure.from_on, Closure.to_on, Closure.reason)
        .where(Closure.clinic_id == clinic_id, Closure.to_on >= today)
        .order_by(Closure.from_on, Closure.id).offset((number - 1) * PAGE).limit(PAGE + 1)).all()
    return ClosuresPage(tuple(ClosureLine(*row) for row in rows[:PAGE]), number, len(rows) > PAGE)


def closure_of(db: Session, clinic_id: int, closure_id: int) -> ClosureLine | None:
    """One closure of that clinic."""
    row = db.execute(
        sa.select(Closure.id, Closure.from_on, Closure.to_on, Closure.reason)
        .where(Closure.id == closure_id, Closure.clinic_id == clinic_id)).one_or_none()
    return ClosureLine(*row) if row else None


def closed_already(db: Session, clinic_id: int, *, today: date) -> tuple[tuple[date, date], ...]:
    """The dates on which a clinic is closed from today on."""
    rows = db.execute(
        sa.select(Closure.from_on, Closure.to_on).where(Closure.clinic_id == clinic_id, Closure.to_on >= today))
    return tuple((first, last) for first, last in rows)


def met_by_closure(db: Session, clinic_id: int, from_on: date, to_on: date, *, now: datetime) -> Effect:
    """Whom a closure would meet; in three statements."""
    where = _zone_of(db, clinic_id)
    ends = instant(to_on, 1440, where)
    if ends <= now:
        return Effect()
    return visits_met(
        db, resource_ids=None, clinic_id=clinic_id, from_at=max(now, instant(from_on, 0, where)), to_at=ends)


def met_by_holidays(db: Session, clinic_id: int, spans: Sequence[tuple[date, date]], *, now: datetime) -> Effect:
    """Whom several closures together would meet; in four statements, however many they are."""
    if not spans:
        return Effect()
    where = _zone_of(db, clinic_id)
    closed = [(instant(first, 0, where), instant(last, 1440, where)) for first, last in spans]
    visits = _visits(db, clinic_id, max(now, min(begins for begins, _ in closed)), max(ends for _, ends in closed))
    return _effect(db, [
        (ident, patient_id) for ident, patient_id, starts_at, ends_at in visits
        if any(starts_at < ends and begins < ends_at for begins, ends in closed)])


def met_by_hours(db: Session, clinic_id: int, hours: Iterable[Span], *, now: datetime) -> Effect:
    """Whose appointments lie within the hours as they are, and would not within these; in five statements."""
    where = _zone_of(db, clinic_id)
    rows = db.execute(
        sa.select(OpeningHours.weekday, OpeningHours.opens, OpeningHours.closes)
        .where(OpeningHours.clinic_id == clinic_id))
    old, new = _opening(clinic_id, [(row[0], row[1], row[2]) for row in rows]), _opening(clinic_id, hours)
    return _effect(db, [
        (ident, patient_id) for ident, patient_id, starts_at, ends_at in _visits(db, clinic_id, now, None)
        if old.is_at_work(starts_at, ends_at, clinic_id=clinic_id, where=where)
        and not new.is_at_work(starts_at, ends_at, clinic_id=clinic_id, where=where)])


def _visits(
    db: Session, clinic_id: int, from_at: datetime, to_at: datetime | None
) -> list[tuple[int, int, datetime, datetime]]:
    """What is to come at a clinic, with all the time that it holds anything."""
    begins, ends = sa.func.min(ResourceBooking.starts_at), sa.func.max(ResourceBooking.ends_at)
    asked = (
        sa.select(Appointment.id, Appointment.patient_id, begins, ends)
        .join(ResourceBooking, ResourceBooking.appointment_id == Appointment.id)
        .where(Appointment.clinic_id == clinic_id, Appointment.state.in_(_TO_COME), ResourceBooking.ends_at > from_at)
        .group_by(Appointment.id, Appointment.patient_id, Appointment.starts_at)
        .order_by(Appointment.starts_at, Appointment.id))
    if to_at is not None:
        asked = asked.where(ResourceBooking.starts_at < to_at)
    return [(row[0], row[1], row[2], row[3]) for row in db.execute(asked)]


def _effect(db: Session, met: Sequence[tuple[int, int]]) -> Effect:
    rows = visits_named(db, [ident for ident, _ in met[:SHOWN]]).rows
    return Effect(len(met), len({patient_id for _, patient_id in met}), rows)


def _opening(clinic_id: int, hours: Iterable[Span]) -> Opening:
    """Opening hours as weeks of their own, which know what is covered and what a clock change does."""
    spans = tuple(WeekSpan(0, weekday, DaySpan(opens, closes, clinic_id)) for weekday, opens, closes in hours)
    return Opening((RotaWeeks(_LONG_AGO, spans),))


def _zone_of(db: Session, clinic_id: int) -> ZoneInfo:
    return zone(db.execute(sa.select(Clinic.zone).where(Clinic.id == clinic_id)).scalar_one())


def _line(clinic: Clinic, hours: Sequence[Span], closures: int) -> ClinicLine:
    return ClinicLine(
        clinic.id, clinic.name, clinic.zone, clinic.address, clinic.phone, clinic.sender_name, clinic.sender_email,
        clinic.quiet_from, clinic.quiet_to, clinic.booking_horizon_days, clinic.start_step_minutes,
        clinic.lock_version, tuple(hours), closures, clinic.out_of_hours_phone, clinic.patients_move,
        clinic.patients_cancel, clinic.emergency_phone, clinic.notice_hours)
