"""The hours of people, rooms and devices at some clinics, on the planner's ruler, and the minutes of sessions owed."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.figures.happened import QUIET_AFTER
from clinic.care.figures.months import Month, Months, week_of
from clinic.care.figures.use import Hours, Supply, Used, weeks_ahead
from clinic.care.parts import Need, ResourceKind, needs_of
from clinic.care.states import CourseState, MaintenanceState
from clinic.planning import Ruler, ruler
from clinic.planning.bits import runs, spread
from clinic.planning.local import DAY, day_of
from clinic.planning.ruler import bits
from clinic.queries.breaks import Weeks, breaks_of, with_breaks
from clinic.queries.diary_facts import REACH, Rows, list_of
from clinic.queries.figures_rows import Asked
from clinic.queries.free_time import dates_bits, days_of, opening_of, rotas_of
from clinic.queries.protocol_contents import contents_of
from clinic.store.clinics import Closure, OpeningHours
from clinic.store.courses import Course, MaintenancePlan, TreatmentSession
from clinic.store.expressions import epoch, instant_of, parsed, rows_of, seconds_of
from clinic.store.occupancy import GRANULE, PAGE, PAGE_BYTES, Occupancy, OccupancyChange, Span, applied
from clinic.store.resources import Absence, Device, Practitioner, Qualification, Room, Rota, RotaDay, RotaSpan
from clinic.store.types import Instant

WEEKS_AHEAD = 12
MINUTES = GRANULE // 60


@dataclass(frozen=True, slots=True)
class Resource:
    """Somebody or something of a clinic, and what it can do: codes with the granules at which each holds."""

    id: int
    kind: ResourceKind
    name: str
    is_active: bool
    able: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Times:
    """One resource at one clinic on a ruler: granules at which it can be booked, and at which it is held."""

    there: int
    held: int
    held_anywhere: int


class HoursOf:
    """When the resources of some clinics are there and held; read once, laid on any ruler within the dates read."""

    def __init__(self, db: Session, asked: Asked, first_on: date, last_on: date) -> None:
        """Reads it in two statements."""
        since, until = (datetime(each.year, each.month, each.day, tzinfo=UTC) for each in (first_on, last_on))
        row = db.execute(_HOURS, {
            "clinics": list(asked.clinics), "since": since - REACH, "until": until + 2 * REACH,
            "since_on": (since - REACH).date(), "until_on": (until + 2 * REACH).date()}).one()._mapping
        self._rows: dict[str, Rows] = {name: rows_of(row[name]) for name in _LISTS}
        self._changes: defaultdict[tuple[int, int], list[Span]] = defaultdict(list)
        for _, resource_id, clinic_id, starts, ends, is_held in sorted(self._rows["changes"]):
            self._changes[resource_id, clinic_id].append(Span(starts, ends, bool(is_held)))
        self._first = seconds_of(since - 2 * REACH) // GRANULE // PAGE
        self._last = seconds_of(until + 3 * REACH) // GRANULE // PAGE
        self._pages: defaultdict[int, dict[int, dict[int, bytes]]] = defaultdict(lambda: defaultdict(dict))
        for resource_id, clinic_id, page, held in db.execute(_PAGES, {"first": self._first, "last": self._last}):
            self._pages[resource_id][clinic_id][page] = held

    def people(self, on: Ruler) -> Iterator[Resource]:
        """Every practitioner with their qualifications."""
        held: defaultdict[int, dict[str, int]] = defaultdict(dict)
        for ident, code, valid_from, expires_on in self._rows["qualifications"]:
            last_on = date.fromisoformat(expires_on) if expires_on else None
            valid = dates_bits(on, date.fromisoformat(valid_from), last_on)
            held[ident][code] = held[ident].get(code, 0) | valid
        for ident, name, active in sorted(self._rows["practitioners"]):
            yield Resource(ident, ResourceKind.PRACTITIONER, name, bool(active), held[ident])

    def things(self, on: Ruler, clinic_id: int) -> Iterator[Resource]:
        """The rooms and devices of a clinic."""
        for ident, name, active, features, clinic in sorted(self._rows["rooms"], key=lambda row: row[0]):
            if clinic == clinic_id:
                yield Resource(ident, ResourceKind.ROOM, name, bool(active), dict.fromkeys(parsed(features), on.full))
        for ident, name, active, device_type, clinic in sorted(self._rows["devices"]):
            if clinic == clinic_id:
                yield Resource(ident, ResourceKind.DEVICE, name, bool(active), {device_type: on.full})

    def times(self, on: Ruler, clinic_id: int, resources: Iterable[Resource]) -> Mapping[int, _Times]:
        """The times of these resources at a clinic."""
        opening = opening_of(
            on, [row[:3] for row in self._rows["opening"] if row[3] == clinic_id],
            [row[:2] for row in self._rows["closures"] if row[2] == clinic_id])
        rotas, days = rotas_of(self._rotas(clinic_id)), days_of(self._rows["rota_days"], clinic_id)
        away: defaultdict[int, int] = defaultdict(int)
        for ident, starts, ends in self._rows["absences"]:
            away[ident] |= on.covering(instant_of(starts), instant_of(ends))
        at_work: dict[tuple[tuple[Weeks, ...], tuple[Weeks, ...]], int] = {}
        found = {}
        for each in resources:
            held, anywhere = self._held(on, each.id, clinic_id)
            there = opening & ~away[each.id]
            if each.kind is ResourceKind.PRACTITIONER:
                rota, alone = tuple(rotas.get(each.id, ())), days.get(each.id, ())
                if (rota, alone) not in at_work:
                    at_work[rota, alone] = with_breaks(on, rota, alone)
                there &= at_work[rota, alone]
                if there:
                    there &= ~breaks_of(on, rota, anywhere | away[each.id], alone)
            if there or held:
                found[each.id] = _Times(there, held, anywhere)
        return found

    def _rotas(self, clinic_id: int) -> Rows:
        """The rotas with their hours at one clinic; one without any there still ends the one before."""
        begun = {tuple(row[:4]): [*row[:4], None, None, None, None, None] for row in self._rows["rotas"]}
        here = [row[:9] for row in self._rows["rotas"] if row[4] is not None and row[9] in (clinic_id, None)]
        bare = begun.keys() - {tuple(row[:4]) for row in here}
        return [*here, *(begun[each] for each in bare)]

    def _held(self, on: Ruler, resource_id: int, clinic_id: int) -> tuple[int, int]:
        """When a resource is held at a clinic, and anywhere."""
        here = anywhere = 0
        origin = seconds_of(on.origin) // GRANULE - self._first * PAGE
        for site in {*self._pages[resource_id], *(site for who, site in self._changes if who == resource_id)}:
            pages = self._pages[resource_id][site]
            packed = b"".join(pages.get(page, b"").ljust(PAGE_BYTES, b"\0")
                              for page in range(self._first, self._last + 1))
            held = applied(int.from_bytes(packed, "little"), self._first * PAGE, self._changes[resource_id, site])
            held = held >> origin & on.full
            anywhere |= held
            if site == clinic_id:
                here = held
        return here, anywhere


def used(hours: HoursOf, asked: Asked) -> tuple[Used, ...]:
    """How far everybody and everything was used in those months, as far as they are over; people by their clinics."""
    found = []
    for clinic_id, where in asked.clinics.items():
        on = _ruler(where, asked.months.from_on, asked.months.until_on)
        people = [each for each in hours.people(on) if asked.practitioner_id in (None, each.id)]
        listed = [*people, *hours.things(on, clinic_id)]
        times = hours.times(on, clinic_id, listed)
        spans = _spans(on, asked.months, asked.now)
        for each in listed:
            if each.id in times and (each.is_active or each.kind is ResourceKind.PRACTITIONER and times[each.id].held):
                there, held = times[each.id].there, times[each.id].held
                found.append(Used(each.id, each.kind, each.name, clinic_id, {
                    month: Hours((there & span).bit_count() * MINUTES, (held & span).bit_count() * MINUTES)
                    for month, span in spans.items()}))
    return tuple(found)


def coming(db: Session, hours: HoursOf, asked: Asked, clinic_id: int) -> tuple[Supply, ...]:
    """What the sessions owed at a clinic need, against what is free, for twelve weeks from today's; in two statements
    at most."""
    where = asked.clinics[clinic_id]
    first_on = week_of(day_of(asked.now, where))
    mondays = [first_on + week * 7 * DAY for week in range(WEEKS_AHEAD)]
    on = _ruler(where, first_on, mondays[-1] + 7 * DAY)
    owed = _owed(db, asked, clinic_id, mondays)
    resources = [each for each in (*hours.people(on), *hours.things(on, clinic_id)) if each.is_active]
    times = hours.times(on, clinic_id, resources)
    ahead = on.full & ~bits(0, on.up(asked.now))
    free = {ident: each.there & ~each.held_anywhere & ahead for ident, each in times.items()}
    spans = {monday: _span(on, monday, monday + 7 * DAY) for monday in mondays}
    return tuple(
        Supply(kind, "+".join(skills), weeks_ahead(
            mondays, _free(resources, free, spans, (kind, skills), shortest), minutes))
        for (kind, skills), (shortest, minutes) in sorted(owed.items()))


Wanted = tuple[ResourceKind, tuple[str, ...]]


def _free(
    resources: Sequence[Resource], free: Mapping[int, int], spans: Mapping[date, int], wanted: Wanted, shortest: int
) -> Mapping[date, int]:
    """The free minutes of each week, in stretches of at least the shortest that is asked for."""
    (kind, skills), length, found = wanted, -(-shortest // MINUTES), dict.fromkeys(spans, 0)
    for each in resources:
        if each.kind is kind and each.id in free and all(skill in each.able for skill in skills):
            able = free[each.id]
            for skill in skills:
                able &= each.able[skill]
            able = spread(runs(able, length), length)
            for monday, span in spans.items():
                found[monday] += (able & span).bit_count() * MINUTES
    return found


def _owed(
    db: Session, asked: Asked, clinic_id: int, mondays: Sequence[date]
) -> Mapping[Wanted, tuple[int, Mapping[date, int]]]:
    """What is needed for the sessions owed: the shortest stretch of it, and the minutes of each week."""
    rows = db.execute(_OWED, {
        "clinic": clinic_id, "first_on": mondays[0], "until_on": mondays[-1] + 7 * DAY,
        "quiet_on": day_of(asked.now, asked.clinics[clinic_id]) - QUIET_AFTER}).all()
    contents = contents_of(db, {row.protocol_version_id for row in rows})
    found: dict[Wanted, tuple[int, dict[date, int]]] = {}
    needs: dict[tuple[int, str], tuple[Need, ...]] = {}
    for version_id, code in {row[:2] for row in rows}:
        # A version that was taken over may have no treatment of that name any more.
        parts = next((each.parts for each in contents[version_id].treatments if each.code == code), ())
        needs[version_id, code] = needs_of(parts)
    for version_id, code, ideal_on, number in rows:
        week = max(mondays[0], week_of(ideal_on)) if ideal_on else mondays[0]
        for need in needs[version_id, code]:
            wanted = need.kind, tuple(sorted(need.skills))
            shortest, minutes = found.setdefault(wanted, (need.minutes, {}))
            minutes[week] = minutes.get(week, 0) + need.minutes * number
            found[wanted] = min(shortest, need.minutes), minutes
    return found


def _ruler(where: ZoneInfo, first_on: date, until_on: date) -> Ruler:
    return ruler(where, first_on, (until_on - first_on).days)


def _spans(on: Ruler, months: Months, now: datetime) -> Mapping[Month, int]:
    over = bits(0, on.down(now))
    return {month: _span(on, month.first_on, month.plus(1).first_on) & over for month in months}


def _span(on: Ruler, from_on: date, until_on: date) -> int:
    low, high = (-(-on.reading(on.day(each), 0) // GRANULE) for each in (from_on, until_on))
    return bits(max(low, 0), min(high, on.length))


def _lists() -> dict[str, Any]:
    person, room, device, held = Practitioner.__table__, Room.__table__, Device.__table__, Qualification.__table__
    rota, span, later, alone = Rota.__table__, RotaSpan.__table__, Rota.__table__.alias("later"), RotaDay.__table__
    away, hours, closure = Absence.__table__, OpeningHours.__table__, Closure.__table__
    changed = OccupancyChange.__table__
    over = sa.exists().where(
        later.c.practitioner_id == rota.c.practitioner_id, later.c.starts_on > rota.c.starts_on,
        later.c.starts_on <= _SINCE_ON)
    return {
        "practitioners": list_of(person, person.c.id, person.c.name, person.c.active, where=sa.true()),
        "rooms": list_of(room, room.c.id, room.c.name, room.c.active, room.c.features, room.c.clinic_id,
                         where=room.c.clinic_id.in_(_CLINICS)),
        "devices": list_of(device, device.c.id, device.c.name, device.c.active, device.c.device_type,
                           device.c.clinic_id, where=device.c.clinic_id.in_(_CLINICS)),
        "qualifications": list_of(held, held.c.practitioner_id, held.c.code, held.c.valid_from, held.c.expires_on,
                                  where=sa.true()),
        "rotas": list_of(
            rota.outerjoin(span, span.c.rota_id == rota.c.id), rota.c.practitioner_id, rota.c.starts_on,
            rota.c.ends_on, rota.c.weeks, span.c.week, span.c.weekday, span.c.opens, span.c.closes,
            span.c.break_minutes, span.c.clinic_id,
            where=sa.and_(rota.c.starts_on <= _UNTIL_ON, sa.or_(rota.c.ends_on.is_(None), rota.c.ends_on >= _SINCE_ON),
                          ~over)),
        "rota_days": list_of(alone, alone.c.practitioner_id, alone.c.on_date, alone.c.spans,
                             where=sa.and_(alone.c.on_date >= _SINCE_ON, alone.c.on_date <= _UNTIL_ON)),
        "absences": list_of(away, away.c.resource_id, epoch(away.c.starts_at), epoch(away.c.ends_at),
                            where=sa.and_(away.c.ends_at > _SINCE, away.c.starts_at < _UNTIL)),
        "opening": list_of(hours, hours.c.weekday, hours.c.opens, hours.c.closes, hours.c.clinic_id,
                           where=hours.c.clinic_id.in_(_CLINICS)),
        "closures": list_of(closure, closure.c.from_on, closure.c.to_on, closure.c.clinic_id,
                            where=sa.and_(closure.c.clinic_id.in_(_CLINICS), closure.c.to_on >= _SINCE_ON,
                                          closure.c.from_on <= _UNTIL_ON)),
        "changes": list_of(changed, changed.c.id, changed.c.resource_id, changed.c.clinic_id,
                           epoch(changed.c.starts_at), epoch(changed.c.ends_at), changed.c.is_held, where=sa.true()),
    }


def _owed_statement() -> Any:
    """What living courses and upkeep owe without a date, by ideal day; all that is past as one. Not what went quiet."""
    each, stale = TreatmentSession.__table__.c, TreatmentSession.__table__.alias("stale").c
    plan, course = MaintenancePlan.__table__.c, Course.__table__.c
    is_owed: Any = sa.literal_column("'owed'")
    day = sa.case((each.ideal_on >= _FIRST_ON, each.ideal_on), else_=None)
    gone_quiet = sa.exists().where(
        stale.course_id == each.course_id, stale.state == is_owed, stale.latest_on < _QUIET_ON)
    return (
        sa.select(course.protocol_version_id, each.treatment_code, day.label("ideal_on"), sa.func.count())
        .select_from(
            TreatmentSession.__table__.outerjoin(MaintenancePlan.__table__, plan.id == each.maintenance_plan_id)
            .join(Course.__table__, course.id == sa.func.coalesce(each.course_id, plan.course_id)))
        .where(each.state == is_owed, course.clinic_id == sa.bindparam("clinic", type_=sa.Integer),
               sa.or_(each.ideal_on.is_(None), each.ideal_on < _UNTIL_ON),
               sa.or_(each.latest_on.is_(None), each.latest_on >= _QUIET_ON), ~gone_quiet,
               sa.case((plan.id.is_(None), course.state == CourseState.ACTIVE),
                       else_=plan.state == MaintenanceState.ACTIVE))
        .group_by(course.protocol_version_id, each.treatment_code, day))


_CLINICS = sa.bindparam("clinics", expanding=True, type_=sa.Integer)
_SINCE, _UNTIL = sa.bindparam("since", type_=Instant()), sa.bindparam("until", type_=Instant())
_SINCE_ON, _UNTIL_ON = sa.bindparam("since_on", type_=sa.Date), sa.bindparam("until_on", type_=sa.Date)
_FIRST_ON, _QUIET_ON = sa.bindparam("first_on", type_=sa.Date), sa.bindparam("quiet_on", type_=sa.Date)
_SUBQUERIES = _lists()
_LISTS = tuple(_SUBQUERIES)
_HOURS = sa.select(*(each.label(name) for name, each in _SUBQUERIES.items()))
_OWED = _owed_statement()
_PAGES = sa.select(
    Occupancy.__table__.c.resource_id, Occupancy.__table__.c.clinic_id, Occupancy.__table__.c.page,
    Occupancy.__table__.c.bits,
).where(Occupancy.__table__.c.page.between(
    sa.bindparam("first", type_=sa.Integer), sa.bindparam("last", type_=sa.Integer)))
