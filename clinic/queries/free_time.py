"""Who and what is free when at one clinic: rota, hours, closures, absences and bookings as bits on a ruler."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from operator import itemgetter

from sqlalchemy.orm import Session

from clinic.planning import Hours, Kind, Resource, Ruler, busy_bits, opening_bits
from clinic.planning.hours import HOURS_AFTER, HOURS_BEFORE
from clinic.planning.ruler import bits
from clinic.queries.breaks import Weeks, WorkHours, breaks_of, one_day, with_breaks
from clinic.queries.diary_facts import Facts, Rows
from clinic.queries.occupied import Site, occupied
from clinic.store.expressions import instant_of, parsed

WHOLE_DAY = 1440
Needed = Collection[tuple[Kind, frozenset[str]]]
"""What is asked for: of each kind, the skills that one resource must have together."""


@dataclass(frozen=True, slots=True)
class FreeTime:
    """The clinic's resources as the planner takes them, and when the patient is elsewhere."""

    resources: tuple[Resource, ...]
    patient_busy: int


@dataclass(frozen=True, slots=True)
class _Known:
    """One resource before its times are known."""

    id: int
    kind: Kind
    name: str
    skills: frozenset[str]
    limits: tuple[tuple[str, int], ...] = ()


def free_time(
    db: Session, on: Ruler, facts: Facts, *, clinic_id: int, needed: Needed, named: Collection[int] = ()
) -> FreeTime:
    """What can be booked at the clinic on the ruler's dates; one statement more, two where pages do not suffice.

    Every resource in use is known, and those out of use that are `named`; but only who and what could meet a need has
    times, and all others are never open. A skill holds on the dates on which its qualification is valid. Breaks are
    placed against all that is booked, also what may move: or a break could lie where an appointment stands.
    """
    known = list(_known(on, facts, named))
    able = [each for each in known if any(each.kind is kind and skills <= each.skills for kind, skills in needed)]
    people = frozenset(each.id for each in able if each.kind is Kind.PRACTITIONER)
    site = Site(clinic_id, _travel(facts, clinic_id), people)
    taken = occupied(db, on, [each.id for each in able], site, facts)
    away = _absences(on, facts.absences)
    opening = opening_of(on, facts.opening, facts.closures)
    rotas, days = rotas_of(facts.rotas), days_of(facts.rota_days, clinic_id)
    times: dict[int, tuple[int, int]] = {}
    # Many practitioners have the same hours: those are laid on the ruler once.
    at_work: dict[tuple[tuple[Weeks, ...], tuple[Weeks, ...]], int] = {}
    for each in able:
        works = opening
        if each.kind is Kind.PRACTITIONER:
            rota, alone = hours = tuple(rotas[each.id]), days.get(each.id, ())
            if hours not in at_work:
                at_work[hours] = with_breaks(on, rota, alone) & opening
            breaks = breaks_of(on, rota, taken[each.id].booked | away[each.id], alone)
            works = at_work[hours] & ~breaks if breaks else at_work[hours]
        times[each.id] = works & ~away[each.id], taken[each.id].busy
    found = tuple(
        Resource(str(each.id), each.kind, each.skills, *times.get(each.id, (0, 0)), each.name, each.limits)
        for each in known)
    return FreeTime(found, _patient(on, facts))


def _known(on: Ruler, facts: Facts, named: Collection[int]) -> Iterator[_Known]:
    """Practitioners, rooms and devices, each in the order of their ids."""
    held = _qualifications(on, facts.qualifications)
    for ident, name, active in sorted(facts.practitioners):
        if active or ident in named:
            limits = held.get(ident, {}) if active else {}
            yield _Known(ident, Kind.PRACTITIONER, name, frozenset(limits), tuple(
                (code, valid) for code, valid in sorted(limits.items()) if valid != on.full))
    for ident, name, active, features in sorted(facts.rooms, key=itemgetter(0)):
        if active or ident in named:
            yield _Known(ident, Kind.ROOM, name, frozenset(parsed(features) if active else ()))
    for ident, name, active, device_type in sorted(facts.devices):
        if active or ident in named:
            yield _Known(ident, Kind.DEVICE, name, frozenset({device_type} if active else ()))


def _qualifications(on: Ruler, rows: Rows) -> Mapping[int, Mapping[str, int]]:
    """For each practitioner the asked codes held on some date, each with the granules at which it is valid."""
    held: defaultdict[int, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for practitioner_id, code, valid_from, expires_on in rows:
        valid = dates_bits(on, date.fromisoformat(valid_from), date.fromisoformat(expires_on) if expires_on else None)
        if valid:
            held[practitioner_id][code] |= valid
    return held


def _patient(on: Ruler, facts: Facts) -> int:
    """When the patient is somewhere, by what stands and may not move."""
    aside = {each.appointment_id for each in (*facts.ignored, *facts.lapsed)}
    return busy_bits(on, (
        (instant_of(starts), instant_of(ends)) for visit, _, starts, ends in facts.visits if visit not in aside))


def _absences(on: Ruler, rows: Rows) -> Mapping[int, int]:
    found: defaultdict[int, int] = defaultdict(int)
    for resource_id, starts, ends in rows:
        found[resource_id] |= on.covering(instant_of(starts), instant_of(ends))
    return found


def opening_of(on: Ruler, opening: Rows, closures: Rows) -> int:
    """When the clinic is open: its weekly hours, less the dates on which it is closed."""
    by_hours: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for weekday, opens, closes in opening:
        by_hours[opens, closes].add(weekday)
    hours = [hours_of(weekdays, opens, closes) for (opens, closes), weekdays in sorted(by_hours.items())]
    first, last = on.date_of(-HOURS_BEFORE), on.date_of(on.days + HOURS_AFTER)
    closed: dict[date, tuple[tuple[int, int], ...]] = {}
    for from_on, to_on in closures:
        days = _dates(max(date.fromisoformat(from_on), first), min(date.fromisoformat(to_on), last))
        closed.update(dict.fromkeys(days, ()))
    return opening_bits(on, hours, closed)


def rotas_of(rows: Rows) -> Mapping[int, Sequence[Weeks]]:
    """Each practitioner's rotas in order."""
    hours: defaultdict[tuple[int, str, str | None, int], list[WorkHours]] = defaultdict(list)
    for practitioner_id, starts_on, ends_on, weeks, week, weekday, opens, closes, break_minutes in rows:
        found = hours[practitioner_id, starts_on, ends_on, weeks]
        if week is not None:
            found.append(WorkHours(week, weekday, opens, closes, break_minutes))
    rotas: defaultdict[int, list[Weeks]] = defaultdict(list)
    for (practitioner_id, starts_on, ends_on, weeks), each in sorted(hours.items(), key=lambda item: item[0][:2]):
        rotas[practitioner_id].append(Weeks(
            date.fromisoformat(starts_on), date.fromisoformat(ends_on) if ends_on else None, weeks, tuple(each)))
    return rotas


def days_of(rows: Rows, clinic_id: int) -> Mapping[int, tuple[Weeks, ...]]:
    """Each practitioner's dates with hours of their own: of work at this clinic, and breaks."""
    found: defaultdict[int, tuple[Weeks, ...]] = defaultdict(tuple)
    for practitioner_id, on_date, stored in rows:
        here = ((opens, closes, break_minutes) for opens, closes, clinic, break_minutes in parsed(stored)
                if clinic in (clinic_id, None))
        found[practitioner_id] += (one_day(date.fromisoformat(on_date), here),)
    return found


def _travel(facts: Facts, clinic_id: int) -> Mapping[int, timedelta]:
    return {(other if one == clinic_id else one): timedelta(minutes=minutes) for one, other, minutes in facts.travel}


def hours_of(weekdays: Iterable[int], opens: int, closes: int) -> Hours:
    """Stored hours (minutes after midnight, past 1440 into the next date) as the planner writes them."""
    return Hours(frozenset(weekdays), opens, closes if closes <= WHOLE_DAY else closes - WHOLE_DAY)


def dates_bits(on: Ruler, from_on: date, to_on: date | None) -> int:
    """The granules from the start of one date to the end of another, both included; no end: to the ruler's."""
    if to_on is None and on.day(from_on) < -HOURS_BEFORE:
        return on.full
    low = max(-(-on.reading(on.day(from_on), 0) // on.granule), 0)
    high = on.length if to_on is None else min(on.reading(on.day(to_on), WHOLE_DAY) // on.granule, on.length)
    return bits(low, high)


def _dates(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)
