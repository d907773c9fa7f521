"""A problem made ready for searching: for each step the days, starts and leaders that are open to it.

Pins are folded in: what they hold is taken from the others, and the days and starts beside them are bounded.
A step that may keep an appointment has that as one more option (`Stage.stay`), wherever it lies; all others then cost
`costs.moved` more: those of other days as soon as the day is chosen, those of its own day one by one.
What then remains between two steps is their gap. Pairs that need more are listed in `spaced` (a spacing that the gaps
between do not imply), `orders` and `holds` (sessions so long, or so near each other, that one could begin before the
other ends, or both could need one resource at once).
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from clinic.planning.bits import each_bit, runs, spread
from clinic.planning.bonds import near_pairs, spaced_pairs
from clinic.planning.hours import window_bits
from clinic.planning.local import day_of
from clinic.planning.open_days import bound_by_pins, days_allowed
from clinic.planning.problem import Kind, Problem
from clinic.planning.ruler import bits, grid_bits
from clinic.planning.stage import Cut, Only, Option, Position, Stage, cuts_of, days_in, packed
from clinic.planning.standing import AtLeast, let_stay
from clinic.planning.supply import NOBODY, Pool, Supply, groups_of

MINUTE = timedelta(minutes=1)


class Board:
    """The first `upto` steps of a problem, ready for searching; `only` bounds one step further."""

    def __init__(self, problem: Problem, upto: int | None = None, only: Only | None = None) -> None:
        self.problem = problem
        self.ruler = problem.ruler
        self.costs = problem.costs
        self.cuts = cuts_of(problem.ruler)
        self.steps = problem.steps[:upto]
        self.index = {resource.id: at for at, resource in enumerate(problem.resources)}
        self.preferred = self.index.get(problem.preferences.practitioner or "", NOBODY)
        self.only = only
        self._supplies: dict[object, Supply] = {}
        self._supply_days: dict[int, int] = {}
        self._pool = Pool(problem, self._held_by_pins())
        self.starts_allowed = self._grid()
        self.stages = [self._stage(at) for at in range(len(self.steps))]
        bound_by_pins(problem, self.stages)
        for stage in self.stages:
            if stage.pin_option is None:
                stage.days &= self._days_of(stage)
        if any(step.standing is not None for step in self.steps):
            alone = problem if upto is None else replace(problem, steps=self.steps)
            for stage in self.stages:
                let_stay(self, alone, stage)
        self.shortest, self.longest = self._gaps_between()
        self.spaced = spaced_pairs(self)
        self.orders, self.holds = near_pairs(self)
        self.alive = [0] * len(self.stages)
        self._at_least: AtLeast | None = None
        self._come_alive()
        if self.costs.moved and any(stage.stay is not None for stage in self.stages):
            self._at_least = AtLeast(self)

    @property
    def hard_until(self) -> int:
        """The last step that binds a later one by more than its gap; -1 where none does."""
        return max((first for first, _ in (*self.spaced, *self.orders, *self.holds)), default=-1)

    def days_after(self, at: int, day: int) -> list[tuple[int, int]]:
        """The days on which the step after `at` can be, with what the gap costs, cheapest first."""
        stage = self.stages[at + 1]
        gap = stage.gap
        assert gap is not None
        if stage.pin_option is not None:
            fits = self.stages[at].pin_option is not None or gap.min <= stage.pin_day - day <= gap.max
            cost = abs(stage.pin_day - day - gap.ideal) * self.costs.gap_day
            return self._with_moves(at, day, [(cost, stage.pin_day)] if fits and self.alive[at + 1] else [])
        alive = self.alive[at + 1]
        first = day + 1
        low = max(first + gap.min, 0)
        reach = alive >> low & ((1 << max(first + gap.max - low + 1, 0)) - 1)
        if not reach and stage.stay is None:
            return []
        ideal, each = first + gap.ideal, self.costs.gap_day
        found = []
        while reach:
            bit = reach & -reach
            place = low + bit.bit_length() - 1
            found.append((abs(place - ideal) * each, place - 1))
            reach ^= bit
        if stage.stay is not None:
            stays = stage.stay_day
            found = [(cost + self.costs.moved, place) for cost, place in found if place != stays]
            if gap.min <= stays - day <= gap.max:
                found.append((abs(stays - day - gap.ideal) * each, stays))
        return self._with_moves(at, day, found)

    def _with_moves(self, at: int, day: int, found: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Days by their cost, cheapest first; with what they add to what the rest costs at least."""
        if self._at_least is not None:
            after, known = self._at_least.after, self._at_least.after(at, day)
            found = [(cost + after(at + 1, place) - known, place) for cost, place in found]
        found.sort()
        return [(place, cost) for cost, place in found]

    def cell(self, at: int, day: int) -> tuple[Option, ...]:
        """The best start of a step on a day for each leader, cheapest first."""
        stage = self.stages[at]
        found = stage.cells.get(day)
        if found is None:
            found = stage.cells[day] = self._cell(stage, day)
        return found

    def led_on(self, stage: Stage, day: int) -> list[tuple[int, int]]:
        """Each leader with the starts of a day, counted from where its cut begins."""
        supply = stage.supply
        assert supply is not None
        if stage.stay is not None and not (day >= -1 and stage.days >> (day + 1) & 1):
            return []  # nothing but staying is open on this day
        cut = self.cuts[day + 1]
        mask = self._clipped(stage, cut)
        return [
            (leader, starts) for leader, packed in supply.packed() if (starts := cut.of(packed) & mask)
        ]

    def starts_on(self, stage: Stage, day: int) -> int:
        """The starts of a day, whoever leads, counted from where its cut begins."""
        assert stage.supply is not None
        cut = self.cuts[day + 1]
        return cut.of(stage.supply.packed_any()) & self._clipped(stage, cut)

    @property
    def all_days(self) -> int:
        """Every day of the plan; bit d + 1 is day d."""
        return bits(0, self.ruler.days + 1)

    def granules_of(self, days: int) -> int:
        """All granules of some days."""
        found = 0
        for place in each_bit(days):
            found |= self.cuts[place].mask << self.cuts[place].low
        return found

    def first_cost(self, day: int) -> int:
        """What it costs to begin on a day: the wait, or the gap to the session before the course's first step."""
        last, gap, stage = self.problem.last_session_on, self.stages[0].gap, self.stages[0]
        moved = self.costs.moved if stage.stay is not None and day != stage.stay_day else 0
        if self._at_least is not None:
            moved += self._at_least.after(0, day)
        if last is None:
            return moved + max(day, 0) * self.costs.wait_day
        return moved if gap is None else moved + abs(day - self.ruler.day(last) - gap.ideal) * self.costs.gap_day

    def first_days(self) -> list[int]:
        """The days on which the first step can be."""
        stage = self.stages[0]
        if stage.pin_option is not None:
            return [stage.pin_day] if self.alive[0] else []
        found = [at - 1 for at in range(self.alive[0].bit_length()) if self.alive[0] >> at & 1]
        return found if stage.stay is None or stage.stay_day in found else [*found, stage.stay_day]

    def moving(self, at: int, day: int) -> int:
        """What it costs to move a step on the day of its own appointment; 0 on others, whose days cost it already."""
        stage = self.stages[at]
        return self.costs.moved if stage.stay is not None and day == stage.stay_day else 0

    def start_at(self, at: int, start: Position) -> datetime:
        """The instant at which a step starts, where the search has placed it; a pin's own."""
        stage = self.stages[at]
        stands = stage.step.pinned
        if stage.stay is not None and start == stage.stay.start:
            stands = stage.step.standing
        if stands is not None:
            return stands.start_at
        assert isinstance(start, int)
        return self.ruler.instant(start)

    def other_cost(self, leader: int) -> int:
        """What it costs that this practitioner leads and not the preferred one."""
        return self.costs.other_practitioner if NOBODY != leader != self.preferred != NOBODY else 0

    def holds_of(
        self, at: int, start: Position, resources: Sequence[int]
    ) -> tuple[tuple[int, Position, Position], ...]:
        """What a session holds: resource, where that begins and where it ends."""
        supply = self.stages[at].supply
        assert supply is not None
        return tuple(
            (resources[group.needs[0]], start + offset, start + offset + length)
            for group in supply.groups for offset, length in group.holds
        )

    def _held_by_pins(self) -> dict[int, int]:
        held: dict[int, int] = {}
        for step in self.steps:
            if step.pinned is None:
                continue
            for need, name in zip(step.needs, step.pinned.resources, strict=True):
                begins = step.pinned.start_at + need.offset * MINUTE
                taken = self.ruler.covering(begins, begins + need.minutes * MINUTE)
                at = self.index[name]
                held[at] = held.get(at, 0) | taken
        return held

    def _grid(self) -> int:
        before = bits(0, self.ruler.up(self.problem.not_before))
        return grid_bits(self.ruler, self.problem.start_step) & ~before

    def _stage(self, at: int) -> Stage:
        step = self.steps[at]
        stage = Stage(at, step, self.ruler.length)
        if step.pinned is not None:
            stage.pin_day = self.ruler.day(day_of(step.pinned.start_at, self.ruler.zone))
            resources = tuple(self.index[name] for name in step.pinned.resources)
            leader = next(
                (each for need, each in zip(step.needs, resources, strict=True) if need.kind is Kind.PRACTITIONER),
                NOBODY,
            )
            stage.pin_option = Option(self.other_cost(leader), -1, leader, resources)
            return stage
        stage.ends = step.minutes * 60 // self.ruler.granule
        stage.supply = self._supply(stage)
        windows = self.problem.preferences.windows
        if windows is not None and self.costs.outside_windows:
            stage.windows = packed(window_bits(self.ruler, windows, stage.ends), self.ruler.length)
        stage.days = days_allowed(self.problem, at)
        if self.only is not None and self.only.at == at:
            stage.days &= 1 << (self.only.day + 1)
            stage.first_bit, stage.last_bit = self.only.first, self.only.last
        return stage

    def _supply(self, stage: Stage) -> Supply:
        key = (stage.step.minutes, stage.step.needs)
        found = self._supplies.get(key)
        if found is None:
            within = self.starts_allowed
            if away := self.problem.patient_away:
                within &= runs(self.ruler.full & ~away, stage.ends)
            groups = groups_of(stage.step, self.ruler.granule)
            found = self._supplies[key] = Supply(self._pool, groups, within)
        return found

    def _days_of(self, stage: Stage) -> int:
        """The days with a start, as far as the resources, the patient and the pins allow one."""
        clipped = stage.first_bit > 0 or stage.last_bit < self.ruler.length
        key = id(stage.supply)
        found = None if clipped else self._supply_days.get(key)
        if found is None:
            assert stage.supply is not None
            within = bits(stage.first_bit, stage.last_bit + 1) if clipped else -1
            whole = packed(stage.supply.any & within, self.ruler.length) if clipped else stage.supply.packed_any()
            found = days_in(self.ruler, whole)
            if not clipped:
                self._supply_days[key] = found
        return found

    def _clipped(self, stage: Stage, cut: Cut) -> int:
        if stage.first_bit <= cut.low and stage.last_bit >= self.ruler.length:
            return cut.mask
        return cut.mask & bits(max(stage.first_bit - cut.low, 0), max(stage.last_bit + 1 - cut.low, 0))

    def _cell(self, stage: Stage, day: int) -> tuple[Option, ...]:
        if stage.pin_option is not None:
            return (stage.pin_option,)
        found = [stage.stay] if stage.stay is not None and day == stage.stay_day else []
        moved = self.moving(stage.at, day)
        led = self.led_on(stage, day)
        if not led:
            return tuple(found)
        cut = self.cuts[day + 1]
        windows = -1 if stage.windows is None else cut.of(stage.windows)
        for leader, starts in led:
            inside = starts & windows
            cost = moved + self.other_cost(leader) + (0 if inside else self.costs.outside_windows)
            best = inside or starts
            found.append(Option(cost, cut.low + (best & -best).bit_length() - 1, leader))
        return tuple(sorted(found, key=lambda option: (option.cost, option.start, option.leader)))

    def _gaps_between(self) -> tuple[list[int], list[int]]:
        """The shortest and longest way in days from the first step to each: two steps' difference bounds their gap."""
        shortest, longest = [0], [0]
        for before, after in pairwise(self.stages):
            gap = after.gap
            assert gap is not None
            if before.pin_option is not None and after.pin_option is not None:
                gap_min = gap_max = after.pin_day - before.pin_day
            else:
                gap_min, gap_max = gap.min, gap.max
            shortest.append(shortest[-1] + gap_min)
            longest.append(longest[-1] + gap_max)
        return shortest, longest

    def least(self, first: int, then: int) -> int:
        """The fewest days that the gaps leave between two steps."""
        return self.shortest[then] - self.shortest[first]

    def most(self, first: int, then: int) -> int:
        """The most days that the gaps leave between two steps."""
        return self.longest[then] - self.longest[first]

    def _come_alive(self) -> None:
        """Find for each step the days from which gaps lead to the end of the course; for a pin whether they do.

        An appointment from which they do not cannot be kept.
        """
        if any(days > self.most(first, then) for (first, then), days in self.spaced.items()):
            for stage in self.stages:
                stage.stay = None
            return
        after = None
        for stage in reversed(self.stages):
            leads_on = after is None or self.alive[after.at] > 0 or after.stay is not None
            if stage.pin_option is not None:
                found = int(leads_on)
            elif after is None or after.pin_option is not None:
                found = stage.days if leads_on else 0
            else:
                found = stage.days & self._days_before(after)
            self.alive[stage.at] = found
            if stage.stay is not None and after is not None and not self.days_after(stage.at, stage.stay_day):
                stage.stay = None
            after = stage

    def _days_before(self, after: Stage) -> int:
        """The days from which a gap leads to a step that leads on."""
        gap = after.gap
        assert gap is not None
        found = spread(self.alive[after.at], gap.max - gap.min + 1) >> gap.max
        if after.stay is not None:
            found |= bits(max(after.stay_day - gap.max + 1, 0), after.stay_day - gap.min + 2)
        return found
