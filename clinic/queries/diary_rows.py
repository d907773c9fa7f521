"""The rows that a diary is made of: who and what there is, when it is there, who comes, and what each visit holds.

All of them come in one statement, each list as one JSON value: their text names what the diary shows, so that a page
which asks again is answered without a row being made, and read they cost a tenth of rows one by one.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from operator import attrgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.planning.local import DAY, day_of, instant
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
from clinic.store.clinics import Clinic, Closure, TravelTime
from clinic.store.courses import Course, MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking, RunningLate
from clinic.store.expressions import epoch, rows_of
from clinic.store.protocols import Treatment
from clinic.store.resources import Absence, Device, Patient, Practitioner, Room, Rota, RotaDay, RotaSpan
from clinic.store.types import Instant

Asked = dict[str, Any]
LONGEST = timedelta(hours=12)
"""No visit takes longer: whoever comes within these hours before a day may still be here when it begins."""
NIGHT = timedelta(hours=6)
"""How far around the days is looked for what is held, where nobody's hours run over midnight."""
MIDNIGHT = 1440


@dataclass(frozen=True, slots=True)
class HoursRows:
    """Everything but visits; dates as text and instants as seconds, as they lie."""

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
    late: Rows
    travel: Rows


class HeldSpan(NamedTuple):
    """What an appointment holds of one resource, in seconds since 1970; `need` is its place among all that it holds."""

    appointment_id: int
    need: int
    resource_id: int
    clinic_id: int
    starts: int
    ends: int


class VisitRow(NamedTuple):
    """An appointment with its patient and its course: dates and local times as text, instants as seconds."""

    id: int
    kind: str
    state: str
    patient_id: int
    treatment_code: str
    local_start: str
    fold: int
    zone: str
    minutes: int
    starts: int
    ends: int
    lock_version: int
    pinned: bool
    is_confirmed: bool
    hold_expires: int | None
    ended_cause: str | None
    begun: int | None
    closed: int | None
    given_name: str
    family_name: str
    alerts: str
    number: int | None
    earliest_on: str | None
    ideal_on: str | None
    latest_on: str | None
    of: int | None
    course_id: int | None
    protocol_version_id: int | None


class TreatmentRow(NamedTuple):
    """A treatment of the clinic, with its parts as JSON."""

    id: int
    code: str
    name: str
    parts: Any


class DiaryText:
    """All that a diary of some days shows, as the database tells it; `version` is another one once any of it has
    changed."""

    def __init__(self, texts: Mapping[str, str | None]) -> None:
        self._texts = texts
        self.version = sha256("\n".join(map(str, texts.values())).encode()).hexdigest()[:16]

    def hours(self) -> HoursRows:
        """What a clinic has, and when it is there, around the days."""
        return HoursRows(**{name: rows_of(self._texts[name]) for name in _OF_HOURS})

    def held(self) -> Mapping[int, list[HeldSpan]]:
        """What practitioners, at any clinic, and rooms and devices of this one are held for, by appointment and in the
        order of its needs. A hold that has lapsed is nothing."""
        found: defaultdict[int, list[HeldSpan]] = defaultdict(list)
        for row in sorted(rows_of(self._texts["held"])):
            found[row[0]].append(HeldSpan._make(row))
        return found

    def visits(self) -> Sequence[VisitRow]:
        """The appointments of a clinic in those days, whatever became of them, by their starts."""
        return sorted(map(VisitRow._make, rows_of(self._texts["visits"])), key=attrgetter("starts", "id"))

    def treatments(self) -> Mapping[str, TreatmentRow]:
        """The treatments that the clinic offers, by their codes."""
        return {row[1]: TreatmentRow._make(row) for row in rows_of(self._texts["treatments"])}


def read_text(
    db: Session, clinic_id: int, first_on: date, days: int, *, where: ZoneInfo, now: datetime
) -> DiaryText:
    """All that the diary of these days shows, in one statement, of which nothing is made yet."""
    row = db.execute(_STATEMENT, _asked(clinic_id, first_on, days, where, now)).one()
    return DiaryText(dict(row._mapping))


def _asked(clinic_id: int, first_on: date, days: int, where: ZoneInfo, now: datetime) -> Asked:
    """What the statement is asked with."""
    from_at, to_at = instant(first_on, 0, where), instant(first_on + days * DAY, 0, where)
    since, until = from_at - REACH, to_at + 2 * REACH
    return {
        "clinic_id": clinic_id, "now": now, "codes": [], "anyone": True,
        "since": since, "until": until, "since_on": since.date(), "until_on": until.date(),
        "today_on": day_of(now, where),
        "visits_from": from_at, "visits_before": from_at - LONGEST, "visits_to": to_at,
        # A break may lie in hours that began before the first day, against what is booked then; the last bound is of
        # no account but for the index, which is read from one end to the other.
        "held_from": from_at - 2 * DAY, "held_to": to_at + DAY, "held_last": to_at + DAY + REACH,
        "night_from": from_at - NIGHT, "night_to": to_at + NIGHT,
    }


def _held() -> Any:
    held, visit = ResourceBooking.__table__, Appointment.__table__
    wide = _over_midnight()
    return list_of(
        held.join(visit, visit.c.id == held.c.appointment_id),
        held.c.appointment_id, held.c.need, held.c.resource_id, held.c.clinic_id, epoch(held.c.starts_at),
        epoch(held.c.ends_at),
        where=sa.and_(
            held.c.resource_id.in_(_whose()),
            held.c.ends_at > sa.case((wide, _at("held_from")), else_=_at("night_from")),
            # A condition, not a bound: PostgreSQL 18 believes that it had to look up every end for it.
            sa.case((wide, held.c.starts_at < _at("held_to")), else_=held.c.starts_at < _at("night_to")),
            held.c.ends_at < _at("held_last"),
            sa.or_(visit.c.hold_expires_at.is_(None), visit.c.hold_expires_at > _at("now"))))


def _over_midnight() -> Any:
    """Whether what is booked on the days before and after may matter: hours over midnight, or a way to take."""
    span, alone = RotaSpan.__table__, RotaDay.__table__
    late = sa.exists().where(span.c.closes > MIDNIGHT)
    of_one_date = sa.exists().where(alone.c.on_date >= SINCE_ON, alone.c.on_date <= UNTIL_ON)
    return sa.or_(late, of_one_date, sa.exists().select_from(TravelTime.__table__))


def _visits() -> Any:
    visit, person = Appointment.__table__, Patient.__table__
    part, plan, course = TreatmentSession.__table__, MaintenancePlan.__table__, Course.__table__
    other = part.alias()
    siblings = (
        sa.select(sa.func.count()).select_from(other).where(other.c.course_id == part.c.course_id)
        .correlate(part).scalar_subquery())
    each = visit.c
    columns = (
        each.id, each.kind, each.state, each.patient_id, each.treatment_code, each.local_start, each.fold, each.zone,
        each.minutes, epoch(each.starts_at), epoch(each.ends_at), each.lock_version, each.pinned,
        each.confirmed_at.is_not(None), epoch(each.hold_expires_at), each.ended_cause,
        epoch(each.begun_at), epoch(each.closed_at),
        person.c.given_name, person.c.family_name, person.c.alerts,
        part.c.number, part.c.earliest_on, part.c.ideal_on, part.c.latest_on,
        sa.case((part.c.course_id.is_not(None), siblings)), course.c.id, course.c.protocol_version_id)
    source = (
        visit.join(person, person.c.id == each.patient_id)
        .outerjoin(part, part.c.id == each.treatment_session_id)
        .outerjoin(plan, plan.c.id == part.c.maintenance_plan_id)
        .outerjoin(course, course.c.id == sa.func.coalesce(part.c.course_id, plan.c.course_id)))
    return list_of(source, *columns, where=sa.and_(
        each.clinic_id == CLINIC, each.starts_at > _at("visits_before"), each.starts_at < _at("visits_to"),
        each.ends_at > _at("visits_from")))


def _whose() -> Any:
    person, room, device = Practitioner.__table__, Room.__table__, Device.__table__
    return sa.select(person.c.id).union_all(
        sa.select(room.c.id).where(room.c.clinic_id == CLINIC),
        sa.select(device.c.id).where(device.c.clinic_id == CLINIC))


def _lists() -> dict[str, Any]:
    found = {name: each for name, each in times().items() if name != "changes"}
    person, room, device, away = Practitioner.__table__, Room.__table__, Device.__table__, Absence.__table__
    rota, span, later = Rota.__table__, RotaSpan.__table__, Rota.__table__.alias("later")
    over = sa.exists().where(
        later.c.practitioner_id == rota.c.practitioner_id, later.c.starts_on > rota.c.starts_on,
        later.c.starts_on <= SINCE_ON)
    closure, site, late = Closure.__table__, Clinic.__table__, RunningLate.__table__
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
            where=sa.and_(away.c.resource_id.in_(_whose()), away.c.ends_at > SINCE, away.c.starts_at < UNTIL)),
        "closures": list_of(
            closure, closure.c.from_on, closure.c.to_on, closure.c.reason,
            where=sa.and_(closure.c.clinic_id == CLINIC, closure.c.to_on >= SINCE_ON,
                          closure.c.from_on <= UNTIL_ON)),
        "late": list_of(late, late.c.practitioner_id, late.c.minutes, epoch(late.c.at),
                        where=sa.and_(late.c.clinic_id == CLINIC,
                                      late.c.on_date == sa.bindparam("today_on", type_=sa.Date))),
    }


def _at(name: str) -> Any:
    return sa.bindparam(name, type_=Instant())


_OF_DAYS = {
    "held": _held(), "visits": _visits(),
    "treatments": list_of(Treatment.__table__, *(Treatment.__table__.c[name] for name in TreatmentRow._fields),
                          where=sa.true()),
}
_SUBQUERIES = _lists()
_OF_HOURS = tuple(_SUBQUERIES)
_STATEMENT = sa.select(*(each.label(name) for name, each in {**_SUBQUERIES, **_OF_DAYS}.items()))
