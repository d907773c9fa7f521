"""Two visits of two people that belong together: at one time, one after the other, or on one day."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from clinic.planning.local import MINUTE, day_of
from clinic.planning.problem import Problem

BESIDE = 4
"""Of two visits on one day, so many of the other one are looked at beside each of the one: those that end soonest."""


class Order(StrEnum):
    """How the two lie to each other."""

    SAME = "same"
    AFTER = "after"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Free:
    """When one visit could begin, in order, and how long its patient stays."""

    starts: tuple[datetime, ...]
    minutes: int

    def end(self, at: datetime) -> datetime:
        """When the patient leaves who came then."""
        return at + self.minutes * MINUTE


Pair = tuple[datetime, datetime]


def pairs(one: Free, other: Free, order: Order, *, near: datetime, where: ZoneInfo, step: int) -> tuple[Pair, ...]:
    """The two starts of each pair that keeps the order; the shortest stay of both together first, then the closest.

    SAME: both begin at once. AFTER: whichever comes first, the other begins as it ends, or at the next start on the
    grid of `step` minutes. ANY: on one date. Who and what they need beside each other is not asked here.
    """
    found = _same(one, other) if order is Order.SAME else (
        _after(one, other, step) if order is Order.AFTER else _any(one, other, where))
    return tuple(sorted(set(found), key=lambda pair: (
        abs((day_of(pair[0], where) - day_of(near, where)).days), _stay(one, other, pair),
        abs(min(pair) - near), pair)))


def without(problem: Problem, step: int, at: datetime, resources: Sequence[str], *, taken_from: Problem) -> Problem:
    """`taken_from` as it is once that step of the other problem is held at that time, with those resources."""
    on = taken_from.ruler
    held: defaultdict[str, int] = defaultdict(int)
    for need, name in zip(problem.steps[step - 1].needs, resources, strict=True):
        begins = at + need.offset * MINUTE
        held[name] |= on.covering(begins, begins + need.minutes * MINUTE)
    return replace(taken_from, resources=tuple(
        replace(each, busy=each.busy | held[each.id]) if each.id in held else each for each in taken_from.resources))


def _stay(one: Free, other: Free, pair: Pair) -> int:
    """Seconds from the first who comes to the last who leaves."""
    return int((max(one.end(pair[0]), other.end(pair[1])) - min(pair)).total_seconds())


def _same(one: Free, other: Free) -> Iterator[Pair]:
    return ((at, at) for at in set(one.starts) & set(other.starts))


def _after(one: Free, other: Free, step: int) -> Iterator[Pair]:
    for first, then, turned in ((one, other, False), (other, one, True)):
        free = set(then.starts)
        for at in first.starts:
            soonest = min((end for minutes in range(step) if (end := first.end(at) + minutes * MINUTE) in free),
                          default=None)
            if soonest is not None:
                yield (soonest, at) if turned else (at, soonest)


def _any(one: Free, other: Free, where: ZoneInfo) -> Iterator[Pair]:
    by_day: defaultdict[date, list[datetime]] = defaultdict(list)
    for at in other.starts:
        by_day[day_of(at, where)].append(at)
    for at in one.starts:
        beside = sorted(by_day[day_of(at, where)], key=lambda then: (_stay(one, other, (at, then)), then))
        yield from ((at, then) for then in beside[:BESIDE])
