"""The whole course at its least cost, proven.

A state is a step placed on a day with the practitioner who led last. What the rest of the course costs from a state is
found once and kept, as a proven lower bound until it is known exactly; a budget keeps the search to what could
still win. First days stand in a queue by their bound, so that the cheapest is settled first and the alternatives next.

Where sessions bind each other by more than their gaps (`Board.spaced`, `orders`, `holds`), a state also carries what
it binds: a `Tag`. The same search without tags is then a lower bound that guides the one with them.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from time import monotonic

from clinic.planning.board import Board
from clinic.planning.bonds import ENDLESS
from clinic.planning.stage import Option, Position, Stage
from clinic.planning.tags import FREE, Tag, Tags, able

LOOKS_BETWEEN_CLOCKS = 64


class OutOfTime(Exception):
    """The time, or the looks, that the search was given are over."""


@dataclass(slots=True)
class Looks:
    """How much searching may still be done, shared by several searches: unlike a clock, always the same.

    Where somebody waits, `until` (of the monotonic clock, in seconds) ends it too.
    """

    left: int
    until: float | None = None


@dataclass(frozen=True, slots=True)
class State:
    """A step placed: its day, who led last, and what is carried on."""

    at: int
    day: int
    leader: int
    tag: Tag = FREE


class Search:
    """Finds what the rest of the course costs, and the plans that cost no more."""

    def __init__(self, board: Board, until: float | None = None, looks: Looks | None = None) -> None:
        self.board = board
        self._until = until
        self._looked = 0
        self._allowed = looks
        self._last = len(board.stages) - 1
        self._hard_until = board.hard_until
        self._tag_after = Tags(board).after
        self._change = board.costs.practitioner_change
        self._exact: list[dict[tuple[int, int], int]] = [{} for _ in board.stages]
        self._least: list[dict[tuple[int, int], int]] = [{} for _ in board.stages]
        self._by_day: list[dict[int, int]] = [{} for _ in board.stages]
        self._tagged_exact: dict[State, int] = {}
        self._tagged_least: dict[State, int] = {}
        self._days_after: list[dict[int, list[tuple[int, int]]]] = [{} for _ in board.stages]
        self.queue: list[tuple[int, int, bool]] = []

    def best_first_days(self, count: int) -> Iterator[tuple[int, int]]:
        """The cheapest first days with the cost of the best plan from each, cheapest first, then earliest."""
        self.queue = [(self.board.first_cost(day), day, False) for day in self.board.first_days()]
        heapify(self.queue)
        while self.queue and count:
            cost, day, settled = self.queue[0]
            if settled:
                heappop(self.queue)
                yield cost, day
                count -= 1
                continue
            others = min((entry[0] for entry in self.queue[1:3]), default=ENDLESS)
            budget = self._budget(cost, others)
            found = self.from_first_day(day, budget)
            heappop(self.queue)
            if found < ENDLESS:
                heappush(self.queue, (found, day, found <= budget))

    def _budget(self, cost: int, others: int) -> int:
        """How far to look from a first day of which a bound is known, before others that promise as much are tried."""
        moved = self.board.costs.moved
        if not moved:
            return max(others, cost + cost // 4)
        # The next move is too far to look; a little more of the wishes at a time is not.
        return cost + cost % moved // 4 + self.board.costs.gap_day + self._change

    def is_possible(self) -> bool:
        """Whether there is a plan at all."""
        if self._hard_until < 0:
            return bool(self.board.first_days())
        return any(self.from_first_day(day, ENDLESS - 1) < ENDLESS for day in self.board.first_days())

    def from_first_day(self, day: int, budget: int) -> int:
        """The least cost of a plan that begins on a day; where it is over the budget, a lower bound of it."""
        begins = self.board.first_cost(day)
        limit, bound, best = budget, ENDLESS, ENDLESS
        moves = begins + self.board.moving(0, day) <= limit
        if not moves:
            bound = begins + self.board.moving(0, day)
        for option, state in self.beginnings(day, moves=moves):
            cost = begins + option.cost
            if cost > limit:
                bound = min(bound, cost)
                continue
            rest = self.rest(state, limit - cost)
            if rest <= limit - cost:
                best = cost + rest
                limit = best - 1
            else:
                bound = min(bound, cost + rest)
        return best if best < ENDLESS else bound

    def beginnings(self, day: int, *, moves: bool = True) -> Iterator[tuple[Option, State]]:
        """The ways to place the first step on a day; without moves, on the day of its appointment only that."""
        for option in self._options(0, day, FREE, moves):
            tag = FREE if self._hard_until < 0 else self._tag_after(0, day, option, FREE)
            yield option, State(0, day, option.leader, tag)

    def rest(self, state: State, budget: int) -> int:
        """The least cost of all that comes after a state; where it is over the budget, a lower bound of it."""
        if state.at >= self._hard_until and state.tag is FREE:
            return self._free_rest(state.at, state.day, state.leader, budget)
        return self._tagged_rest(state, budget)

    def children(
        self, state: State, day: int, gap_cost: int, limit: int = ENDLESS, *, moves: bool = True
    ) -> Iterator[tuple[int, Option, State]]:
        """The ways to place the next step on a day at no more than a cost: what each adds, and where it leads.

        Without moves, on the day of its appointment only that is one.
        """
        at = state.at + 1
        moves = moves and gap_cost + self.board.moving(at, day) <= limit
        for option in self._options(at, day, state.tag, moves):
            leader = option.leader if option.leader >= 0 else state.leader
            cost = gap_cost + option.cost
            if leader != state.leader and state.leader >= 0:
                cost += self._change
            if cost > limit:
                continue
            tag = FREE if at > self._hard_until and state.tag is FREE else self._tag_after(at, day, option, state.tag)
            if not any(floor > day + self.board.most(at, step) for step, floor in tag.floors):
                yield cost, option, State(at, day, leader, tag)

    def days_after(self, at: int, day: int) -> list[tuple[int, int]]:
        """`Board.days_after`, found once."""
        known = self._days_after[at]
        found = known.get(day)
        if found is None:
            found = known[day] = self.board.days_after(at, day)
        return found

    def _free_rest(self, at: int, day: int, leader: int, budget: int) -> int:
        if at == self._last:
            return 0
        key = (day, leader)
        known = self._exact[at].get(key)
        if known is not None:
            return known
        known = self._least[at].get(key)
        if known is None:
            known = self._whoever_leads(at, day) if self.board.costs.moved else 0
        if known > budget:
            return known
        self._look()
        best, bound, limit = ENDLESS, ENDLESS, budget
        cells, change, exact = self.board.cell, self._change, self._exact[at + 1]
        for then, gap_cost in self.days_after(at, day):
            if gap_cost > limit:
                bound = min(bound, gap_cost)
                break
            for option in cells(at + 1, then):
                cost = gap_cost + option.cost
                led = option.leader
                if led < 0:
                    led = leader
                elif led != leader and leader >= 0:
                    cost += change
                if cost > limit:
                    if cost < bound:
                        bound = cost
                    continue
                known = exact.get((then, led))
                rest = self._free_rest(at + 1, then, led, limit - cost) if known is None else known
                total = cost + rest
                if total <= limit:
                    best, limit = total, total - 1
                elif total < bound:
                    bound = total
        if best < ENDLESS:
            self._exact[at][key] = best
            return best
        bound = min(bound, ENDLESS)
        if bound == ENDLESS:
            self._exact[at][key] = ENDLESS
        else:
            self._least[at][key] = bound
        return bound

    def _whoever_leads(self, at: int, day: int) -> int:
        """What the rest costs at least, where a change of practitioner is free: quick to find, and near the truth."""
        if at == self._last:
            return 0
        known = self._by_day[at].get(day)
        if known is None:
            self._look()
            known = ENDLESS
            for then, cost in self.days_after(at, day):
                if cost >= known:
                    break
                for option in self.board.cell(at + 1, then)[:1]:
                    known = min(known, cost + option.cost + self._whoever_leads(at + 1, then))
            self._by_day[at][day] = known
        return known

    def _tagged_rest(self, state: State, budget: int) -> int:
        if state.at == self._last:
            return 0
        known = self._tagged_exact.get(state)
        if known is not None:
            return known
        known = self._tagged_least.get(state, 0)
        if known > budget:
            return known
        known = self._free_rest(state.at, state.day, state.leader, budget)
        if known > budget:
            return known
        self._look()
        best, bound, limit = ENDLESS, ENDLESS, budget
        for guess, cost, child in self._ranked_children(state, budget):
            if guess > limit:
                bound = min(bound, guess)
                continue
            rest = self.rest(child, limit - cost)
            total = cost + rest
            if total <= limit:
                best, limit = total, total - 1
            else:
                bound = min(bound, total)
        if best < ENDLESS:
            self._tagged_exact[state] = best
            return best
        bound = min(bound, ENDLESS)
        (self._tagged_exact if bound == ENDLESS else self._tagged_least)[state] = bound
        return bound

    def _ranked_children(self, state: State, budget: int) -> list[tuple[int, int, State]]:
        """The next states with what each adds, those first from which a plan without tags would cost least."""
        found = []
        for day, gap_cost in self.days_after(state.at, state.day):
            if gap_cost > budget:
                found.append((gap_cost, gap_cost, state))
                break
            dear = gap_cost + self.board.moving(state.at + 1, day)
            if dear > budget:
                found.append((dear, dear, state))
            for cost, _, child in self.children(state, day, gap_cost, moves=dear <= budget):
                guess = cost if cost > budget else cost + self._free_rest(child.at, day, child.leader, budget - cost)
                found.append((guess, cost, child))
        found.sort(key=lambda entry: entry[:2])
        return found

    def _options(self, at: int, day: int, tag: Tag, moves: bool) -> Iterator[Option]:
        """The ways to place a step on a day that differ in anything that matters to cost or to later sessions."""
        board = self.board
        stage = board.stages[at]
        if any(step == at and day < floor for step, floor in tag.floors):
            return
        binding = any(first == at for first, _ in board.holds)
        ordered = (at, at + 1) in board.orders
        if stage.pin_option is not None or not (binding or ordered or tag.ready is not None or tag.holds):
            yield from board.cell(at, day)
            return
        moved, ready = board.moving(at, day), 0 if tag.ready is None else tag.ready
        if stage.stay is not None and day == stage.stay_day:
            if self._can_stay(stage, stage.stay, tag):
                yield stage.stay
            if not moves:
                return
        led = board.led_on(stage, day)
        if not led:
            return
        cut = board.cuts[day + 1]
        windows = -1 if stage.windows is None else cut.of(stage.windows)
        for leader, starts in led:
            settled: set[int] = set()
            while starts:
                self._look()
                bit = starts & -starts
                starts ^= bit
                start = cut.low + bit.bit_length() - 1
                cost = moved + board.other_cost(leader) + (0 if bit & windows else board.costs.outside_windows)
                if start < ready or cost in settled:
                    continue
                for resources in self._served(at, start, leader, tag, binding):
                    yield Option(cost, start, leader, resources)
                    if not binding:
                        # Nothing later asks with what: the earliest start at a cost leaves most to the rest.
                        settled.add(cost)

    def _can_stay(self, stage: Stage, stay: Option, tag: Tag) -> bool:
        """Whether a session can keep its appointment beside what is carried."""
        assert stay.resources is not None
        return (tag.ready is None or stay.start >= tag.ready) and not any(
            resource == taken and begins < taken_until and taken_from < ends
            for resource, begins, ends in self.board.holds_of(stage.at, stay.start, stay.resources)
            for taken, taken_from, taken_until in tag.holds
        )

    def _served(self, at: int, start: int, leader: int, tag: Tag, binding: bool) -> Iterator[tuple[int, ...]]:
        """What serves a start, clear of what is carried: one way, or all that bind later steps each in their way."""
        board = self.board
        supply = board.stages[at].supply
        assert supply is not None
        taken = frozenset(
            (group, resource)
            for group, needs in enumerate(supply.groups)
            for offset, length in needs.holds
            for resource, begins, ends in tag.holds
            if begins < start + offset + length and start + offset < ends
        )
        if not binding:
            found = supply.assign(start, leader, taken)
            if found is not None:
                yield found
            return
        shared = frozenset().union(*(able(board, then) for first, then in board.holds if first == at))
        seen: set[frozenset[tuple[int, Position, Position]]] = set()
        for resources in supply.assignments(start, leader, taken):
            binds = frozenset(hold for hold in board.holds_of(at, start, resources) if hold[0] in shared)
            if binds not in seen:
                seen.add(binds)
                yield resources

    def _look(self) -> None:
        self._looked += 1
        if self._allowed is not None:
            self._allowed.left -= 1
            if self._allowed.left < 0:
                raise OutOfTime
        if self._until is not None and not self._looked % LOOKS_BETWEEN_CLOCKS and monotonic() > self._until:
            raise OutOfTime
