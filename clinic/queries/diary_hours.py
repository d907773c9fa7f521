"""When somebody or something of a clinic can be booked and when not, as spans with their reasons: the diary's shading.

Hours, breaks and bookings are laid on the planner's ruler, so that a page calls free what the planner calls free.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from clinic.planning import Ruler, busy_bits, ruler
from clinic.planning.bits import spread
from clinic.planning.local import zone
from clinic.planning.ruler import bits
from clinic.queries.breaks import Weeks, WorkHours, breaks_of, with_breaks
from clinic.queries.diary_facts import Rows
from clinic.queries.diary_rows import HeldSpan, HoursRows
from clinic.queries.free_time import days_of, opening_of, rotas_of
from clinic.queries.occupied import Site
from clinic.store.expressions import instant_of, seconds_of


class Shade(StrEnum):
    """Why a stretch of a column looks as it does."""

    WORK = "work"
    BREAK = "break"
    AWAY = "away"
    ELSEWHERE = "elsewhere"
    TRAVEL = "travel"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span with what it is: `words` say where somebody is, or why something is out of service."""

    shade: Shade
    starts_at: datetime
    ends_at: datetime
    words: str = ""


@dataclass(frozen=True, slots=True)
class Hours:
    """What is known of one resource on the ruler: granules of work, of breaks, of being away, and all that is taken."""

    work: int
    breaks: int
    away: int
    travel: int
    taken: int
    elsewhere: Mapping[int, int]
    absences: tuple[Stretch, ...]

    @property
    def free(self) -> int:
        """Where it could be booked."""
        return self.work & ~self.breaks & ~self.away & ~self.taken


class Timing:
    """The hours of a clinic's resources on a ruler."""

    def __init__(self, on: Ruler, rows: HoursRows, held: Iterable[HeldSpan], clinic_id: int) -> None:
        self._on, self._rows, self._clinic_id = on, rows, clinic_id
        self.opening = opening_of(on, rows.opening, [row[:2] for row in rows.closures])
        self._rotas, self._days = rotas_of(rows.rotas), days_of(rows.rota_days, clinic_id)
        self._elsewhere = _rotas_elsewhere(rows)
        self._other_sites = {ident: zone(name) for ident, _, name in sorted(rows.clinics) if ident != clinic_id}
        self._days_elsewhere = {each: days_of(rows.rota_days, each) for each in self._other_sites}
        self._people = frozenset(row[0] for row in rows.practitioners)
        travel = {(other if one == clinic_id else one): timedelta(minutes=minutes)
                  for one, other, minutes in rows.travel}
        self._site = Site(clinic_id, travel, self._people)
        self._origin = seconds_of(on.origin)
        self._held: defaultdict[int, list[HeldSpan]] = defaultdict(list)
        for span in held:
            self._held[span.resource_id].append(span)
        self._absences = _absences(rows.absences)

    def works_here(self, practitioner_id: int) -> bool:
        """Whether a rota or a date of its own, around these days, puts a practitioner at work at the clinic at all."""
        known = (*self._rotas.get(practitioner_id, ()), *self._days.get(practitioner_id, ()))
        return any(hours.break_minutes is None for each in known for hours in each.hours)

    def of(self, resource_id: int) -> Hours:
        """The hours of a practitioner, a room or a device."""
        on = self._on
        taken, travel, elsewhere = self._booked(resource_id)
        absences = self._absences.get(resource_id, ())
        away = 0
        for each in absences:
            away |= on.covering(each.starts_at, each.ends_at)
        if resource_id not in self._people:
            return Hours(self.opening, 0, away, travel, taken, elsewhere, absences)
        rota, alone = self._rotas.get(resource_id, ()), self._days.get(resource_id, ())
        for site, hours in self._hours_elsewhere(resource_id):
            elsewhere[site] = elsewhere.get(site, 0) | hours
        work = with_breaks(on, rota, alone) & self.opening
        breaks = breaks_of(on, rota, taken | away, alone) & work
        return Hours(work, breaks, away, travel, taken, elsewhere, absences)

    def _booked(self, resource_id: int) -> tuple[int, int, dict[int, int]]:
        """All that is booked with the way there and back, that way alone, and what is booked at other clinics."""
        here, there = 0, defaultdict[int, int](int)
        for span in self._held[resource_id]:
            granules = self._granules(span)
            if span.clinic_id == self._clinic_id:
                here |= granules
            else:
                there[span.clinic_id] |= granules
        taken, travel = here, 0
        for site, held in there.items():
            way = self._site.way(resource_id, site, self._on.granule)
            reached = (spread(held, 2 * way + 1) >> way) & self._on.full
            taken |= reached
            travel |= reached & ~held
        return taken, travel, dict(there)

    def _granules(self, span: HeldSpan) -> int:
        """As `Ruler.covering` of instants."""
        granule, length = self._on.granule, self._on.length
        low, high = (span.starts - self._origin) // granule, -(-(span.ends - self._origin) // granule)
        return bits(min(max(low, 0), length), min(max(high, 0), length))

    def _hours_elsewhere(self, practitioner_id: int) -> Iterator[tuple[int, int]]:
        """By the clock of the clinic that they are at, which may be another one."""
        for site, where in self._other_sites.items():
            rota = self._elsewhere.get((site, practitioner_id), ())
            alone = self._days_elsewhere[site].get(practitioner_id, ())
            if rota or alone:
                there = ruler(where, self._on.first_on, self._on.days, self._on.granule)
                work = with_breaks(there, rota, alone)
                yield site, busy_bits(self._on, spans_of(there, work, 0, there.length))


def stretches_within(
    on: Ruler, hours: Hours, low: int, high: int, *, sites: Mapping[int, str]
) -> tuple[Stretch, ...]:
    """What the granules from `low` to before `high` are, in order of time; absences to the minute."""
    found = [Stretch(Shade.WORK, *span) for span in spans_of(on, hours.work, low, high)]
    found += [Stretch(Shade.BREAK, *span) for span in spans_of(on, hours.breaks, low, high)]
    for site, granules in sorted(hours.elsewhere.items()):
        found += [Stretch(Shade.ELSEWHERE, *span, sites.get(site, "")) for span in spans_of(on, granules, low, high)]
    found += [Stretch(Shade.TRAVEL, *span) for span in spans_of(on, hours.travel, low, high)]
    begins, ends = on.instant(low), on.instant(high)
    found += [
        replace(each, starts_at=max(each.starts_at, begins), ends_at=min(each.ends_at, ends))
        for each in hours.absences if each.starts_at < ends and each.ends_at > begins]
    return tuple(sorted(found, key=lambda each: (each.starts_at, each.shade is not Shade.WORK, each.ends_at)))


def spans_of(on: Ruler, granules: int, low: int, high: int) -> Iterator[tuple[datetime, datetime]]:
    """The runs of set granules from `low` to before `high`, as instants."""
    rest = granules & bits(low, high)
    while rest:
        first = (rest & -rest).bit_length() - 1
        length = ((rest >> first) + 1 & ~(rest >> first)).bit_length() - 1
        yield on.instant(first), on.instant(first + length)
        rest &= ~bits(first, first + length)


def _absences(rows: Rows) -> Mapping[int, tuple[Stretch, ...]]:
    found: defaultdict[int, list[Stretch]] = defaultdict(list)
    for resource_id, starts, ends, reason, _source in rows:
        found[resource_id].append(Stretch(Shade.AWAY, instant_of(starts), instant_of(ends), reason))
    return {ident: tuple(sorted(each, key=lambda span: span.starts_at)) for ident, each in found.items()}


def _rotas_elsewhere(rows: HoursRows) -> Mapping[tuple[int, int], Sequence[Weeks]]:
    """The rotas of each other clinic and practitioner: a later rota without hours there ends the one before."""
    spans: defaultdict[tuple[int, int], defaultdict[str, list[WorkHours]]] = defaultdict(lambda: defaultdict(list))
    for clinic_id, who, starts_on, _ends_on, _weeks, week, weekday, opens, closes in rows.rotas_elsewhere:
        spans[clinic_id, who][starts_on].append(WorkHours(week, weekday, opens, closes))
    known = rotas_of(rows.rotas)
    return {
        (clinic_id, who): tuple(
            replace(rota, hours=tuple(by_start.get(rota.starts_on.isoformat(), ()))) for rota in known.get(who, ()))
        for (clinic_id, who), by_start in spans.items()}
