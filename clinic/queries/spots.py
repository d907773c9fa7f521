"""One free time of the diary, asked of the planner: whether a step fits there, else why not and where it would."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from clinic.care.windows import Window
from clinic.planning import Kind, Need, Placement, Problem, Resource, judge, starts, why_none
from clinic.planning.local import DAY, MINUTE, day_of
from clinic.queries.times import Beyond, TimeOffer, narrowed, stretches, time_offer, told_of

NEAREST = 3
"""So many other times are named beside what does not fit. Our default: a desk reads out two or three."""
AROUND = 10 * DAY
"""How far from the time asked for another one is looked for. Our default."""
MOST_REASONS = 2


@dataclass(frozen=True, slots=True)
class Spot:
    """A time at a clinic, and with whom or what it is to be; without that it is with whoever is free."""

    clinic_id: int
    starts_at: datetime
    resource_id: int | None = None
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Possible:
    """The offer of that time; without one `why` says in words what stands in its way. `nearest` is what would fit, also
    beside an offer to which the patient has to agree; where nothing near does, `beyond` is what lies further on."""

    offer: TimeOffer | None
    why: tuple[str, ...] = ()
    nearest: tuple[TimeOffer, ...] = ()
    beyond: Beyond | None = None

    @property
    def has_nothing(self) -> bool:
        """Whether there is no time to name, neither this one nor one near it."""
        return self.offer is None and not self.nearest

    @property
    def rank(self) -> int:
        """What fits comes first, then what the patient has to agree to, then the rest."""
        return 2 if self.offer is None else 1 if self.offer.unwilling else 0


@dataclass(frozen=True, slots=True)
class Asking:
    """A step of a problem, by what it is called; `moves_others` says that later sessions are free to follow it."""

    problem: Problem
    step: int
    number: int
    window: Window | None = None
    moves_others: bool = False
    days: tuple[date, date] = field(default=(date.min, date.max))

    @property
    def asking(self) -> Asking:
        """The same if the patient agrees to times at which they do not come otherwise."""
        return replace(self, problem=self.problem.asking)

    def of_days(self, first_on: date, last_on: date, spot: Spot) -> Problem:
        """The problem with the step on those dates alone, with whom or what the spot names."""
        return narrowed(_only(self.problem, spot), self.step, first_on, last_on, None)

    def offer(self, problem: Problem, at: datetime) -> TimeOffer:
        """That start, as it is offered."""
        return time_offer(
            problem, self.step, at, number=self.number, window=self.window, moves_others=self.moves_others)


def possible(spot: Spot, asked: Sequence[Asking]) -> Possible:
    """Whether it fits there: as it is asked first, else as it is asked next, else if the patient agrees to a time at
    which they do not come otherwise. Every rule is the planner's."""
    first = asked[0]
    for each in asked:
        found = _at(each, spot)
        if found is not None:
            return Possible(found)
    if (found := _at(first.asking, spot)) is not None:
        return replace(elsewhere(spot, first, ()), offer=told_of(first.problem, found))
    why = _needless(first, spot) or tuple(_against(first, spot))
    return elsewhere(spot, first, why or _reason(first, spot))


def elsewhere(spot: Spot, asking: Asking, why: tuple[str, ...]) -> Possible:
    """It does not fit there, for that reason: the nearest times at which it does."""
    return Possible(None, why, tuple(_nearest(asking, spot)))


def further(spot: Spot, asked: Sequence[Asking]) -> Beyond | None:
    """The first time that fits from that day on, in any of the ways in which it is asked and with whoever is free; none
    where the clinic does not book that day."""
    anybody, days = replace(spot, resource_id=None, kind=None), asked[0].days
    first_on = max(days[0], _day(asked[0], spot))
    if first_on > days[1]:
        return None
    for span in stretches(first_on, days[1]):
        free = [(at, way) for way, each in enumerate(asked)
                for at in (starts(each.of_days(*span, anybody), each.step).starts or ())[:1]]
        if free:
            at, way = min(free)
            return Beyond(asked[way].offer(asked[way].of_days(*span, anybody), at), None, days[1])
    return Beyond(None, None, days[1], why_none(asked[-1].of_days(first_on, days[1], anybody)))


def fits(asking: Asking, spot: Spot) -> bool:
    """Whether it could begin there, with whom or what the spot names."""
    on = _day(asking, spot)
    if not asking.days[0] <= on <= asking.days[1] or _needless(asking, spot):
        return False
    return spot.starts_at in (starts(asking.of_days(on, on, spot), asking.step).starts or ())


def _at(asking: Asking, spot: Spot) -> TimeOffer | None:
    on = _day(asking, spot)
    return asking.offer(asking.of_days(on, on, spot), spot.starts_at) if fits(asking, spot) else None


def _nearest(asking: Asking, spot: Spot) -> Iterator[TimeOffer]:
    """At that time with somebody else, where that is possible; then the times closest to it, of whom it names first."""
    anybody = replace(spot, resource_id=None, kind=None)
    if spot.resource_id is not None and (found := _at(asking, anybody)) is not None:
        yield found
        if not _needless(asking, spot):
            yield from _closest(asking, spot, NEAREST - 1)
        return
    named = tuple(_closest(asking, spot, NEAREST)) if not _needless(asking, spot) else ()
    yield from named or _closest(asking, anybody, NEAREST)


def _closest(asking: Asking, spot: Spot, count: int) -> Iterator[TimeOffer]:
    """Around the time asked for, or around the near end of the window that it misses; else anywhere in that window."""
    on, window = _day(asking, spot), asking.window
    spans = [(on - AROUND, on + AROUND)]
    if window is not None:
        near = min(max(on, window.earliest_on), max(window.latest_on, window.earliest_on))
        spans = [(near - AROUND, near + AROUND), (window.earliest_on, window.latest_on)]
    for begins_on, ends_on in spans:
        first_on, last_on = max(asking.days[0], begins_on), min(asking.days[1], ends_on)
        problem = asking.of_days(first_on, last_on, spot) if first_on <= last_on else None
        free = starts(problem, asking.step).starts if problem else ()
        if problem and free:
            yield from (asking.offer(problem, at) for at in sorted(_few(free, asking, spot, count)))
            return


def _few(free: Sequence[datetime], asking: Asking, spot: Spot, count: int) -> list[datetime]:
    """The closest of them: several of the day asked for, but of another day one, so that there is something to choose.
    """
    asked_on, found = _day(asking, spot), list[datetime]()
    known: set[date] = set()
    for at in sorted(free, key=lambda each: (abs(each - spot.starts_at), each)):
        on = day_of(at, asking.problem.ruler.zone)
        if on == asked_on or on not in known:
            known.add(on)
            found.append(at)
        if len(found) == count:
            break
    return found


def _against(asking: Asking, spot: Spot) -> Iterator[str]:
    """What the rules say against that time, with those who would most likely be taken."""
    guess = tuple(_guess(asking, spot))
    own = asking.problem.steps[asking.step - 1]
    if len(guess) != len(own.needs):
        return
    found = judge(asking.problem, [Placement(asking.step, spot.starts_at, guess)])
    yield from dict.fromkeys(each.text for each in found[:MOST_REASONS])


def _reason(asking: Asking, spot: Spot) -> tuple[str, ...]:
    on = _day(asking, spot)
    if on > asking.days[1]:
        return ("That is later than the clinic books.",)
    reason = starts(asking.of_days(on, on, spot), asking.step).reason
    return (reason,) if reason else ("The sessions around it leave no room for it at this time.",)


def _guess(asking: Asking, spot: Spot) -> Iterator[str]:
    """Somebody or something for each need: what the spot names, else who is free, else who is able."""
    chosen: list[str] = []
    for need in asking.problem.steps[asking.step - 1].needs:
        if need.same_as is not None and need.same_as <= len(chosen):
            chosen.append(chosen[need.same_as - 1])
        else:
            ranked = sorted(
                (each for each in asking.problem.resources if each.kind is need.kind and each.id not in chosen),
                key=lambda each: _rank(asking, spot, need, each))
            chosen += [ranked[0].id] if ranked else []
    yield from chosen


def _rank(asking: Asking, spot: Spot, need: Need, each: Resource) -> tuple[bool, bool, bool]:
    begins = spot.starts_at + need.offset * MINUTE
    held = asking.problem.ruler.covering(begins, begins + need.minutes * MINUTE)
    is_free = not held & ~each.open and not held & each.busy
    return each.id != str(spot.resource_id), not need.skills <= each.skills, not is_free


def _needless(asking: Asking, spot: Spot) -> tuple[str, ...]:
    needs = asking.problem.steps[asking.step - 1].needs
    if spot.kind is None or any(need.kind is spot.kind for need in needs):
        return ()
    return (f"It needs no {spot.kind.value}.",)


def _only(problem: Problem, spot: Spot) -> Problem:
    """The others of that kind stay known, never free: another session may be with one of them."""
    if spot.resource_id is None:
        return problem
    return replace(problem, resources=tuple(_closed(problem.resources, spot)))


def _closed(resources: Iterable[Resource], spot: Spot) -> Iterator[Resource]:
    for each in resources:
        is_other = each.kind is spot.kind and each.id != str(spot.resource_id)
        yield replace(each, open=0) if is_other else each


def _day(asking: Asking, spot: Spot) -> date:
    return day_of(spot.starts_at, asking.problem.ruler.zone)
