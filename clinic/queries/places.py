"""Where a visit that is picked up could be put down: on which days, at what times, and with whom or in which room."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from clinic.care.windows import Window
from clinic.planning import Finding, Kind, Pin, Problem, Weight, starts, starts_by
from clinic.planning.local import DAY, day_of, zone
from clinic.queries.other_visits import NUMBER, UNKNOWN, judge_visit, visit_problem, visit_type, wish_of
from clinic.queries.repair import judged_alone
from clinic.queries.rest_of_course import Rest, rest_of_course
from clinic.queries.series import held_by, series_of
from clinic.queries.times import TimeOffer, WayToAsk, narrowed, time_offer, told_of, ways_to_ask
from clinic.queries.visit_choice import VisitChoice
from clinic.store.clinics import Clinic
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment

LOOKS_AROUND = 42
"""So many days before and after those that are shown, the nearest with a place is looked for."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """A start that the visit could have; with `moves_others` later sessions of its course have to follow it."""

    starts_at: datetime
    moves_others: bool


@dataclass(frozen=True, slots=True)
class Places:
    """Where a visit could be on some days: for each day and resource its starts, in order.

    `before_on` and `after_on` are the nearest days outside them on which there is any place at all. Without `is_served`
    the visit needs nothing of that kind, and has a place nowhere.
    """

    window: Window | None
    is_served: bool
    by_column: Mapping[tuple[date, int], tuple[Fitting, ...]]
    before_on: date | None
    after_on: date | None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A booked visit as it is asked for: in which ways, under which number, and its window."""

    visit: Appointment
    ways: tuple[WayToAsk, ...]
    number: int
    window: Window | None
    rest: Rest | None


def places(
    db: Session, appointment_id: int, first_on: date, days: int, *, kind: Kind, now: datetime
) -> Places:
    """Every start of a booked visit in those days for which its whole course remains possible, by resource of a kind.

    What it has now is no place. The time is that of `queries.times`: the same is judged again when it is taken.
    """
    visit = db.get_one(Appointment, appointment_id)
    clinic = db.get_one(Clinic, visit.clinic_id)
    where = zone(clinic.zone)
    today = day_of(now, where)
    bookable_to = today + (clinic.booking_horizon_days - 1) * DAY
    asked = _asked(db, visit, now, bookable_to)
    if asked is None:
        return Places(None, False, {}, None, None)
    last_on = first_on + (days - 1) * DAY
    around = max(today, first_on - LOOKS_AROUND * DAY), min(bookable_to, last_on + LOOKS_AROUND * DAY)
    found: dict[tuple[date, int], dict[datetime, bool]] = {}
    with_any: set[date] = set()
    for way in asked.ways if around[0] <= around[1] else ():
        wide = narrowed(way.problem, way.step, *around, None)
        with_any |= {day_of(at, where) for at in starts(wide, way.step).starts or ()}
        shown = narrowed(way.problem, way.step, max(first_on, today), min(last_on, bookable_to), None)
        for resource, served in starts_by(shown, kind, way.step).items():
            for at in served:
                found.setdefault((day_of(at, where), int(resource)), {}).setdefault(at, way.moves_others)
    own = set(map(int, held_by(db, [visit.id]).get(visit.id, ())))
    return Places(
        asked.window, any(need.kind is kind for way in asked.ways for need in way.problem.steps[way.step - 1].needs),
        {(on, resource): tuple(Fitting(at, moves) for at, moves in sorted(at_column.items())
                               if at != visit.starts_at or resource not in own)
         for (on, resource), at_column in found.items()},
        max((on for on in with_any if on < first_on), default=None),
        min((on for on in with_any if on > last_on), default=None))


def offer_at(
    db: Session, appointment_id: int, starts_at: datetime, resource_id: int, *, now: datetime
) -> TimeOffer | tuple[Finding, ...]:
    """A booked visit at that start with that resource, or what speaks against it."""
    visit = db.get_one(Appointment, appointment_id)
    clinic = db.get_one(Clinic, visit.clinic_id)
    on = day_of(starts_at, zone(clinic.zone))
    asked = _asked(db, visit, now, max(on + DAY, day_of(now, zone(clinic.zone)) + clinic.booking_horizon_days * DAY))
    if asked is None:
        return (Finding("not-offered", Weight.BLOCKS, UNKNOWN),)
    # Where nothing else speaks against it, the patient may agree to a time at which they do not come otherwise.
    for way in (*asked.ways, asked.ways[0].asking):
        problem = _first_listed(narrowed(way.problem, way.step, on, on, None), resource_id)
        kind = next((each.kind for each in problem.resources if each.id == str(resource_id)), None)
        if kind is not None and starts_at in starts_by(problem, kind, way.step).get(str(resource_id), ()):
            offer = time_offer(problem, way.step, starts_at, number=asked.number, window=asked.window,
                               moves_others=way.moves_others)
            if resource_id in offer.resource_ids:
                return told_of(asked.ways[0].problem, offer)
    return _against(db, asked, starts_at, resource_id, now) or (_NO_PLACE,)


_NO_PLACE = Finding("no-place", Weight.BLOCKS, "The visit does not fit there.")


def _asked(db: Session, visit: Appointment, now: datetime, until_on: date) -> _Asked | None:
    """Nothing of a kind of visit of which it is not known what it needs."""
    if visit.treatment_session_id is None:
        if visit_type(db, visit.treatment_code) is None:
            return None
        problem = visit_problem(db, visit, now=now, until_on=until_on)
        return _Asked(visit, (WayToAsk(problem, NUMBER),), NUMBER, None, None)
    row = db.get_one(TreatmentSession, visit.treatment_session_id)
    series = series_of(db, row, now=now)
    window = dict(zip((place.row.id for place in series.places), series.windows(), strict=True))[row.id]
    rest = rest_of_course(db, series, now=now)
    return _Asked(visit, tuple(ways_to_ask(rest, row.number)), row.number, window, rest)


def _first_listed(problem: Problem, resource_id: int) -> Problem:
    """With that resource before all others, which decides where several could serve."""
    return replace(problem, resources=tuple(sorted(problem.resources, key=lambda each: each.id != str(resource_id))))


def _against(
    db: Session, asked: _Asked, starts_at: datetime, resource_id: int, now: datetime
) -> tuple[Finding, ...]:
    """What speaks against that time, with the resource in the place of the one of its kind that the visit holds now."""
    problem, visit = asked.ways[0].problem, asked.visit
    held = held_by(db, [visit.id]).get(visit.id, ())
    kinds = {each.id: each.kind for each in problem.resources}
    wanted = str(resource_id)
    old = next((each for each in held if kinds.get(each) is kinds.get(wanted)), wanted)
    chosen = held if wanted in held else tuple(wanted if each == old else each for each in held)
    if asked.rest is not None:
        return judged_alone(asked.rest, asked.number, Pin(starts_at, chosen), asked.rest.before)
    return judge_visit(db, wish_of(visit), VisitChoice(asked.number, starts_at, tuple(map(int, chosen))), now=now)
