"""On which dates a visit could be given were nothing booked: by opening hours, rotas, qualifications and what is there.

A day is looked at in spans of five minutes, and the next one with it, as hours may run past midnight. Clock changes are
left out: what a clinic lacks does not hang on one night of the year.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

from clinic.care.parts import Part, ResourceKind, needs_of
from clinic.care.rotas import DaySpan, Timetable
from clinic.planning.bits import runs, shifted

STEP = 5
_DAY = 1440 // STEP
_WINDOW = 2 * _DAY
_ALL = (1 << _WINDOW) - 1

_Free = dict[str, int] | tuple[frozenset[str], int]
"""When somebody is free, by skill ("": whatever is asked), or what something offers and when it is free."""


@dataclass(frozen=True, slots=True)
class Held:
    """A qualification with the dates, both included, on which it is valid."""

    code: str
    valid_from: date
    expires_on: date | None = None

    def is_valid(self, on: date) -> bool:
        """Whether it holds on that date."""
        return self.valid_from <= on and (self.expires_on is None or on <= self.expires_on)


@dataclass(frozen=True, slots=True)
class Person:
    """A practitioner in use, with all hours of work anywhere."""

    id: int
    name: str
    held: tuple[Held, ...]
    timetable: Timetable


@dataclass(frozen=True, slots=True)
class Thing:
    """A room or a device in use, with what it offers."""

    id: int
    name: str
    skills: frozenset[str]


@dataclass(frozen=True, slots=True)
class Site:
    """A clinic as it is arranged: hours by weekday, closures, and who and what it has; `minute` is the time today."""

    clinic_id: int
    today: date
    minute: int
    days: int
    start_step: int
    opening: tuple[tuple[int, int, int], ...]
    closures: tuple[tuple[date, date], ...]
    people: tuple[Person, ...]
    rooms: tuple[Thing, ...]
    devices: tuple[Thing, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """One person or thing that a visit needs: of what kind, able to do what, and the (offset, minutes) of each hold."""

    kind: ResourceKind
    skills: frozenset[str]
    holds: tuple[tuple[int, int], ...]


def groups_of(parts: Sequence[Part]) -> tuple[Group, ...]:
    """What a visit needs at once, each a person or thing of its own."""
    needs = needs_of(parts)
    roots: dict[int, list[int]] = {}
    root_of: list[int] = []
    for at, need in enumerate(needs):
        root = at if need.same_as is None else root_of[need.same_as - 1]
        root_of.append(root)
        roots.setdefault(root, []).append(at)
    return tuple(
        Group(needs[root].kind, frozenset().union(*(needs[at].skills for at in members)),
              tuple(sorted({(needs[at].offset, needs[at].minutes) for at in members})))
        for root, members in roots.items())


@dataclass
class EmptyDiary:
    """A clinic in which nothing is booked; what it was asked once it knows."""

    site: Site
    _opened: dict[date, int] = field(default_factory=dict)
    _worked: dict[tuple[int, date], int] = field(default_factory=dict)
    _frees: dict[tuple[ResourceKind, date], int] = field(default_factory=dict)
    _kinds_of_day: dict[tuple[object, ...], int] = field(default_factory=dict)
    _told: dict[tuple[object, ...], int] = field(default_factory=dict)
    _dates: dict[tuple[Group, ...], int] = field(default_factory=dict)

    def dates(self, groups: Sequence[Group]) -> int:
        """The dates on which all of these can be had together, as bits: bit 0 is today."""
        wanted = tuple(groups)
        if wanted not in self._dates:
            self._dates[wanted] = sum(
                1 << at for at in range(self.site.days) if self._starts(wanted, self.site.today + timedelta(days=at)))
        return self._dates[wanted]

    def opening(self, on: date) -> int:
        """When the clinic is open on a date and the next one."""
        if on not in self._opened:
            spans = (
                (opens + 1440 * shift, closes + 1440 * shift)
                for shift in (-1, 0, 1) if not self._is_closed(on + timedelta(days=shift))
                for weekday, opens, closes in self.site.opening if weekday == (on.weekday() + shift) % 7)
            self._opened[on] = _bits(spans)
        return self._opened[on]

    def work(self, at: int, on: date) -> int:
        """When the person at that place works here while the clinic is open, on a date and the next one."""
        if (at, on) not in self._worked:
            days = [(shift, span) for shift in (-1, 0, 1)
                    for span in self.site.people[at].timetable.spans_on(on + timedelta(days=shift))]
            work = _bits((span.opens + 1440 * shift, span.closes + 1440 * shift)
                         for shift, span in days if span.clinic_id == self.site.clinic_id)
            for shift, span in days:
                if span.is_break:
                    work &= ~_break(span, shift)
            self._worked[at, on] = work & self.opening(on)
        return self._worked[at, on]

    def _starts(self, groups: tuple[Group, ...], on: date) -> int:
        """Where all groups can begin on a date: of each kind, every group with a resource of its own."""
        allowed = _grid(self.site.start_step)
        if on == self.site.today:
            allowed &= -1 << -(-self.site.minute // STEP)
        for kind in ResourceKind:
            wanted = [group for group in groups if group.kind is kind]
            if wanted and allowed:
                key = (allowed, self._kind_of_day(kind, on), *wanted)
                if key not in self._told:
                    self._told[key] = _matched(wanted, self._free(kind, on), allowed)
                allowed = self._told[key]
        return allowed

    def _kind_of_day(self, kind: ResourceKind, on: date) -> int:
        """A number for how a date is: days on which the same are free at the same times share it, asked once."""
        if (kind, on) not in self._frees:
            free = tuple(tuple(each.items()) if isinstance(each, dict) else each for each in self._free(kind, on))
            self._frees[kind, on] = self._kinds_of_day.setdefault((kind, *free), len(self._kinds_of_day))
        return self._frees[kind, on]

    def _free(self, kind: ResourceKind, on: date) -> list[_Free]:
        """Of each resource of a kind when it is free: by skill for people, whose skills end, else with its skills."""
        if kind is ResourceKind.PRACTITIONER:
            return [self._skilled(at, on) for at in range(len(self.site.people))]
        things = self.site.rooms if kind is ResourceKind.ROOM else self.site.devices
        return [(each.skills, self.opening(on)) for each in things]

    def _skilled(self, at: int, on: date) -> dict[str, int]:
        work = self.work(at, on)
        found = {"": work}
        for held in self.site.people[at].held:
            valid = sum(
                (1 << _DAY) - 1 << _DAY * shift for shift in (0, 1) if held.is_valid(on + timedelta(days=shift)))
            found[held.code] = found.get(held.code, 0) | work & valid
        return found

    def _is_closed(self, on: date) -> bool:
        return any(first <= on <= last for first, last in self.site.closures)


def _matched(groups: Sequence[Group], free: Sequence[_Free], allowed: int) -> int:
    """The starts at which each group has a resource of its own; resource by resource, by the groups that are served."""
    covered = {0: allowed}
    for each in free:
        masks = [_of_group(group, each) for group in groups]
        for state, starts in sorted(covered.items(), reverse=True):
            for place, mask in enumerate(masks):
                gained = starts & mask if not state >> place & 1 else 0
                if gained:
                    covered[state | 1 << place] = covered.get(state | 1 << place, 0) | gained
    return covered.get((1 << len(groups)) - 1, 0)


def _of_group(group: Group, free: _Free) -> int:
    if isinstance(free, tuple):
        mask = free[1] if group.skills <= free[0] else 0
    else:
        mask = free[""]
        for skill in group.skills:
            mask &= free.get(skill, 0)
    found = -1
    for offset, minutes in group.holds:
        found &= shifted(runs(mask, minutes // STEP), -(offset // STEP))
    return found if mask else 0


def _bits(spans: Iterable[tuple[int, int]]) -> int:
    found = 0
    for opens, closes in spans:
        low, high = max(-(-opens // STEP), 0), min(closes // STEP, _WINDOW)
        if low < high:
            found |= (1 << high) - (1 << low)
    return found


def _break(span: DaySpan, shift: int) -> int:
    """Where a break lies that nothing is in the way of: in the middle of its span."""
    low, high = (span.opens + 1440 * shift) // STEP, -(-(span.closes + 1440 * shift) // STEP)
    length = -(-(span.break_minutes or 0) // STEP)
    if high - low < length:
        return 0
    begins = low + (high - low - length) // 2
    return shifted((1 << length) - 1, begins) & _ALL


@cache
def _grid(start_step: int) -> int:
    return sum(1 << minute // STEP for minute in range(0, 1440, start_step) if minute % STEP == 0)
