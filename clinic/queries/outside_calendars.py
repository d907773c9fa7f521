"""What reading a practitioner's outside calendar needs, what was read so far, and whom its busy times meet."""
from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.queries.effects import Effect, visits_named
from clinic.store.clinics import Clinic
from clinic.store.diary import ResourceBooking
from clinic.store.resources import Absence, Practitioner, Rota, RotaSpan

Spans = Sequence[tuple[datetime, datetime]]


@dataclass(frozen=True, slots=True)
class Source:
    """An outside calendar that was read: how many busy times it has, and when the last one ends."""

    name: str
    busy: int
    until: datetime


@dataclass(frozen=True, slots=True)
class CalendarFacts:
    """A practitioner, the zone in which times without one are meant, how far the diary goes, and the calendars."""

    practitioner_id: int
    name: str
    zone: str
    until: datetime
    sources: tuple[Source, ...]


def calendar_facts(db: Session, practitioner_id: int, *, now: datetime) -> CalendarFacts | None:
    """What reading a calendar of this practitioner needs, in three statements; none where there is no such person.

    Times without a zone are meant in that of the clinic where they work most, by their newest rota.
    """
    person = Practitioner.__table__
    name = db.scalar(sa.select(person.c.name).where(person.c.id == practitioner_id))
    if name is None:
        return None
    zones = db.execute(
        sa.select(Clinic.zone, Clinic.booking_horizon_days)
        .outerjoin(RotaSpan, sa.and_(
            RotaSpan.clinic_id == Clinic.id, RotaSpan.rota_id == sa.select(Rota.id).where(
                Rota.practitioner_id == practitioner_id).order_by(Rota.starts_on.desc()).limit(1).scalar_subquery()))
        .group_by(Clinic.id, Clinic.zone, Clinic.booking_horizon_days)
        .order_by(sa.func.count(RotaSpan.id).desc(), Clinic.id)).all()
    if not zones:
        return None
    until = now + timedelta(days=1 + max(row.booking_horizon_days for row in zones))
    return CalendarFacts(practitioner_id, name, zones[0].zone, until, _sources(db, practitioner_id))


def practitioners_called(db: Session, name: str) -> tuple[int, ...]:
    """Who is called that, without regard to case."""
    person = Practitioner.__table__
    return tuple(db.scalars(
        sa.select(person.c.id).where(sa.func.lower(person.c.name) == name.strip().lower()).order_by(person.c.id)))


def busy_effect(db: Session, practitioner_id: int, spans: Spans) -> Effect:
    """Whose appointments with a practitioner lie in these times, which are in order and apart; three statements."""
    if not spans:
        return Effect()
    booked = db.execute(
        sa.select(ResourceBooking.appointment_id, ResourceBooking.starts_at, ResourceBooking.ends_at).where(
            ResourceBooking.resource_id == practitioner_id, ResourceBooking.ends_at > spans[0][0],
            ResourceBooking.starts_at < spans[-1][1]))
    begins = [starts for starts, _ in spans]
    met = set()
    for row in booked:
        place = bisect_right(begins, row.ends_at - timedelta(seconds=1)) - 1
        if place >= 0 and spans[place][1] > row.starts_at:
            met.add(row.appointment_id)
    return visits_named(db, met)


def _sources(db: Session, practitioner_id: int) -> tuple[Source, ...]:
    rows = db.execute(
        sa.select(Absence.source, sa.func.count(), sa.func.max(Absence.ends_at))
        .where(Absence.resource_id == practitioner_id, Absence.source.is_not(None))
        .group_by(Absence.source).order_by(Absence.source))
    return tuple(Source(name or "", busy, until) for name, busy, until in rows)
