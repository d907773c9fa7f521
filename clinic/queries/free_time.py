"""Who and what is free when at one clinic: rota, hours, closures, absences and bookings as bits on a ruler."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.planning import Hours, Kind, Resource, Ruler, busy_bits, opening_bits
from clinic.planning.local import instant
from clinic.queries.breaks import without_breaks
from clinic.store.clinics import Closure, OpeningHours, TravelTime
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.resources import Absence, Device, Practitioner, Qualification, Room, Rota, RotaSpan

WHOLE_DAY = 1440
NO_WAY = timedelta()


@dataclass(frozen=True, slots=True)
class FreeTime:
    """The clinic's resources as the planner takes them, and when the patient is elsewhere."""

    resources: tuple[Resource, ...]
    patient_busy: int


@dataclass(frozen=True, slots=True)
class _Busy:
    """A span that blocks, and the clinic where."""

    clinic_id: int
    starts_at: datetime
    ends_at: datetime


def free_time(
    db: Session, ruler: Ruler, *, clinic_id: int, patient_id: int, codes: frozenset[str], now: datetime,
    ignore: Iterable[int] = (),
) -> FreeTime:
    """What can be booked at the clinic on the ruler's dates, in a fixed number of statements.

    `codes` are the qualifications that are asked for; `ignore` names appointments that may move. A practitioner
    is offered on a date only while every one of those qualifications that he holds is valid on it.
    """
    practitioners, rooms, devices = _resources(db, clinic_id)
    busy = _busy(db, ruler, [*practitioners, *rooms, *devices, patient_id], now, ignore)
    away = _absences(db, ruler, [*practitioners, *rooms, *devices])
    opening = _opening(db, ruler, clinic_id)
    rotas = _rotas(db, list(practitioners))
    valid = _qualifications(db, ruler, list(practitioners), codes)
    travel = _travel(db, clinic_id)
    found: list[Resource] = []
    for ident, name in practitioners.items():
        taken = _bits(ruler, busy[ident], clinic_id, travel) | away[ident]
        skills, qualified = valid[ident]
        at_work = without_breaks(ruler, rotas[ident], clinic_id, taken) & opening & qualified
        found.append(Resource(str(ident), Kind.PRACTITIONER, skills, at_work, taken, name))
    for ident, (name, features) in rooms.items():
        taken = _bits(ruler, busy[ident], clinic_id, {}) | away[ident]
        found.append(Resource(str(ident), Kind.ROOM, frozenset(features), opening, taken, name))
    for ident, (name, device_type) in devices.items():
        taken = _bits(ruler, busy[ident], clinic_id, {}) | away[ident]
        found.append(Resource(str(ident), Kind.DEVICE, frozenset({device_type}), opening, taken, name))
    return FreeTime(tuple(found), _bits(ruler, busy[patient_id], clinic_id, {}))


def _resources(
    db: Session, clinic_id: int
) -> tuple[dict[int, str], dict[int, tuple[str, list[str]]], dict[int, tuple[str, str]]]:
    practitioner, room, device = Practitioner.__table__, Room.__table__, Device.__table__
    people = db.execute(
        sa.select(practitioner.c.id, practitioner.c.name).where(practitioner.c.active).order_by(practitioner.c.id))
    rooms = db.execute(
        sa.select(room.c.id, room.c.name, room.c.features)
        .where(room.c.active, room.c.clinic_id == clinic_id).order_by(room.c.id))
    devices = db.execute(
        sa.select(device.c.id, device.c.name, device.c.device_type)
        .where(device.c.active, device.c.clinic_id == clinic_id).order_by(device.c.id))
    return (
        {row.id: row.name for row in people},
        {row.id: (row.name, row.features) for row in rooms},
        {row.id: (row.name, row.device_type) for row in devices},
    )


def _ends(ruler: Ruler) -> tuple[datetime, datetime]:
    return ruler.origin, ruler.instant(ruler.length)


def _busy(
    db: Session, ruler: Ruler, idents: Sequence[int], now: datetime, ignore: Iterable[int]
) -> Mapping[int, list[_Busy]]:
    begins, ends = _ends(ruler)
    lapsed = sa.select(Appointment.id).where(Appointment.state == "proposed", Appointment.hold_expires_at <= now)
    rows = db.execute(
        sa.select(
            ResourceBooking.resource_id, ResourceBooking.clinic_id,
            ResourceBooking.starts_at, ResourceBooking.ends_at,
        ).where(
            ResourceBooking.resource_id.in_(idents), ResourceBooking.ends_at > begins,
            ResourceBooking.starts_at < ends, ResourceBooking.appointment_id.not_in(lapsed),
            ResourceBooking.appointment_id.not_in(list(ignore)),
        ))
    found: defaultdict[int, list[_Busy]] = defaultdict(list)
    for resource_id, clinic_id, starts_at, ends_at in rows:
        found[resource_id].append(_Busy(clinic_id, starts_at, ends_at))
    return found


def _bits(ruler: Ruler, spans: Iterable[_Busy], clinic_id: int, travel: Mapping[int, timedelta]) -> int:
    """The granules that those spans block at this clinic: travel to and from another one blocks too."""
    ways = ((span, travel.get(span.clinic_id, NO_WAY) if span.clinic_id != clinic_id else NO_WAY) for span in spans)
    return busy_bits(ruler, ((span.starts_at - way, span.ends_at + way) for span, way in ways))


def _absences(db: Session, ruler: Ruler, idents: Sequence[int]) -> Mapping[int, int]:
    begins, ends = _ends(ruler)
    rows = db.execute(
        sa.select(Absence.resource_id, Absence.starts_at, Absence.ends_at)
        .where(Absence.resource_id.in_(idents), Absence.ends_at > begins, Absence.starts_at < ends))
    found: defaultdict[int, int] = defaultdict(int)
    for resource_id, starts_at, ends_at in rows:
        found[resource_id] |= ruler.covering(starts_at, ends_at)
    return found


def _opening(db: Session, ruler: Ruler, clinic_id: int) -> int:
    hours = [
        hours_of((row.weekday,), row.opens, row.closes)
        for row in db.execute(
            sa.select(OpeningHours.weekday, OpeningHours.opens, OpeningHours.closes)
            .where(OpeningHours.clinic_id == clinic_id))
    ]
    first, last = ruler.first_on - timedelta(days=3), ruler.first_on + timedelta(days=ruler.days + 6)
    closed: dict[date, tuple[tuple[int, int], ...]] = {}
    for from_on, to_on in db.execute(
        sa.select(Closure.from_on, Closure.to_on)
        .where(Closure.clinic_id == clinic_id, Closure.to_on >= first, Closure.from_on <= last)
    ):
        closed.update(dict.fromkeys(_dates(max(from_on, first), min(to_on, last)), ()))
    return opening_bits(ruler, hours, closed)


def _rotas(db: Session, practitioners: Sequence[int]) -> Mapping[int, list[tuple[Rota, list[RotaSpan]]]]:
    spans: defaultdict[int, list[RotaSpan]] = defaultdict(list)
    rotas: defaultdict[int, list[tuple[Rota, list[RotaSpan]]]] = defaultdict(list)
    rows = db.execute(
        sa.select(Rota, RotaSpan).outerjoin(RotaSpan, RotaSpan.rota_id == Rota.id)
        .where(Rota.practitioner_id.in_(practitioners))
        .order_by(Rota.practitioner_id, Rota.starts_on, RotaSpan.week, RotaSpan.weekday, RotaSpan.opens))
    for rota, span in rows:
        if rota.id not in spans:
            rotas[rota.practitioner_id].append((rota, spans[rota.id]))
        if span is not None:
            spans[rota.id].append(span)
    return rotas


def _qualifications(
    db: Session, ruler: Ruler, practitioners: Sequence[int], codes: frozenset[str]
) -> Mapping[int, tuple[frozenset[str], int]]:
    """For each practitioner the asked codes held on some date, and the granules at which all of those are valid."""
    held: defaultdict[int, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    rows = db.execute(
        sa.select(Qualification.practitioner_id, Qualification.code, Qualification.valid_from, Qualification.expires_on)
        .where(Qualification.practitioner_id.in_(practitioners), Qualification.code.in_(sorted(codes))))
    for practitioner_id, code, valid_from, expires_on in rows:
        held[practitioner_id][code] |= dates_bits(ruler, valid_from, expires_on)
    found: defaultdict[int, tuple[frozenset[str], int]] = defaultdict(lambda: (frozenset(), ruler.full))
    for practitioner_id, by_code in held.items():
        valid = {code: bits for code, bits in by_code.items() if bits}
        all_valid = ruler.full
        for bits in valid.values():
            all_valid &= bits
        found[practitioner_id] = frozenset(valid), all_valid
    return found


def _travel(db: Session, clinic_id: int) -> Mapping[int, timedelta]:
    rows = db.execute(
        sa.select(TravelTime.one_clinic_id, TravelTime.other_clinic_id, TravelTime.minutes)
        .where(sa.or_(TravelTime.one_clinic_id == clinic_id, TravelTime.other_clinic_id == clinic_id)))
    return {
        (other if one == clinic_id else one): timedelta(minutes=minutes) for one, other, minutes in rows
    }


def hours_of(weekdays: Iterable[int], opens: int, closes: int) -> Hours:
    """Stored hours (minutes after midnight, past 1440 into the next date) as the planner writes them."""
    return Hours(frozenset(weekdays), opens, closes if closes <= WHOLE_DAY else closes - WHOLE_DAY)


def dates_bits(ruler: Ruler, from_on: date, to_on: date | None) -> int:
    """The granules from the start of one date to the end of another, both included; no end: to the ruler's."""
    begins = instant(from_on, 0, ruler.zone)
    ends = ruler.instant(ruler.length) if to_on is None else instant(to_on, WHOLE_DAY, ruler.zone)
    return ruler.inside(begins, ends)


def _dates(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)
