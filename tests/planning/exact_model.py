"""Whether a cost is the least by a constraint solver, modelled from the format page alone."""
from __future__ import annotations

import json
from itertools import combinations
from typing import Any

from ortools.sat.python import cp_model

from tests.planning.reading import Document

NEAR_DAYS = 7


class ExactModel:
    """One problem as a model: a literal for each start of each step, and for each resource of each need."""

    def __init__(self, problem: dict[str, Any], only: tuple[int, int] | None = None) -> None:
        """`only` fixes the start of one step."""
        self.document = Document(problem)
        self.model = cp_model.CpModel()
        self.is_possible = True
        self._only = only
        self._known: dict[str, list[int]] = {}
        self.literals: list[dict[int, cp_model.IntVar]] = []
        self.meets: list[list[dict[str, cp_model.IntVar]]] = []
        self.by_day: list[dict[int, cp_model.IntVar]] = []
        self.days: list[cp_model.LinearExprT] = []
        self.starts: list[cp_model.LinearExprT] = []
        self.cost: list[cp_model.LinearExprT] = []
        grid = list(self.document.grid())
        for at in range(len(self.document.steps)):
            self._add_step(at, grid)
        if self.is_possible:
            self._add_gaps()
            self._add_pairs()
            self._add_changes()

    def has_plan(self, most: int | None = None, seconds: float = 120.0) -> bool:
        """Whether a plan exists at all, or at no more than a cost; AssertionError where time is too short to tell."""
        if not self.is_possible:
            return False
        if most is not None:
            self.model.add(sum(self.cost) <= most)
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = seconds
        solver.parameters.num_workers = 1
        status = solver.solve(self.model)
        assert status in (cp_model.OPTIMAL, cp_model.INFEASIBLE), solver.status_name(status)
        return bool(status == cp_model.OPTIMAL)

    def _ordinal(self, at: int) -> int:
        return self.document.date_of(at).toordinal() - self.document.first_date.toordinal()

    def _add_step(self, at: int, grid: list[int]) -> None:
        document, model = self.document, self.model
        step = document.steps[at]
        if "pinned" in step:
            start = document.span({"from": step["pinned"]["start"], "to": step["pinned"]["start"]})[0]
            candidates = [start]
        else:
            candidates = self._candidates(at, grid)
        literals = {start: model.new_bool_var(f"start-{at}-{start}") for start in candidates}
        if self._only is not None and self._only[0] == at:
            literals = {start: literal for start, literal in literals.items() if start == self._only[1]}
        if not literals:
            self.is_possible = False
        model.add_exactly_one(literals.values())
        self.literals.append(literals)
        self.starts.append(sum(literal * (start - document.not_before) for start, literal in literals.items()))
        self.days.append(sum(literal * self._ordinal(start) for start, literal in literals.items()))
        self.by_day.append(self._days(at, literals))
        self.meets.append(self._needs(at, step, literals))
        if "pinned" not in step:
            outside = [literal for start, literal in literals.items() if document.is_outside(step, start)]
            self.cost.append(document.costs["outside_windows"] * sum(outside))

    def _candidates(self, at: int, grid: list[int]) -> list[int]:
        step = self.document.steps[at]
        key = json.dumps([at == 0, *(step.get(part) for part in ("treatment", "minutes", "needs", "dates"))])
        if key not in self._known:
            found = [start for start in grid if self._may_start(at, start)]
            if self._only is None and self._is_far_from_all():
                found = self._unlike(at, found)
            self._known[key] = found
        return self._known[key]

    def _is_far_from_all(self) -> bool:
        """Whether no other session can come so near that the hour of this one could matter to it."""
        steps = self.document.steps
        if any("pinned" in step for step in steps):
            return False
        reaches = [
            minutes for step in steps for begins, ends in self.document.holds(step, 0)
            for minutes in (begins // 60, ends // 60, step["minutes"])
        ]
        nearest = min((step["gap_days"]["min"] for step in steps[1:]), default=NEAR_DAYS)
        # Dates n apart leave n - 1 days between, less one that a zone may skip.
        return (nearest - 2) * 1440 >= max(reaches) - min(0, *reaches) + 120

    def _unlike(self, at: int, candidates: list[int]) -> list[int]:
        """One start of each date and of each set of who is free, which are all alike to the rest."""
        document, step = self.document, self.document.steps[at]
        found: dict[object, int] = {}
        for start in candidates:
            free = tuple(
                tuple(name for name in self._able(at, place) if document.is_free(name, span))
                for place, span in enumerate(document.holds(step, start))
            )
            found.setdefault((self._ordinal(start), document.is_outside(step, start), free), start)
        return sorted(found.values())

    def _days(self, at: int, literals: dict[int, cp_model.IntVar]) -> dict[int, cp_model.IntVar]:
        """A literal for each day of a step: redundant, but it is what the solver reasons well on."""
        on_day: dict[int, list[cp_model.IntVar]] = {}
        for start, literal in literals.items():
            on_day.setdefault(self._ordinal(start), []).append(literal)
        found = {day: self.model.new_bool_var(f"day-{at}-{day}") for day in on_day}
        for day, each in on_day.items():
            self.model.add(sum(each) == found[day])
        return found

    def _may_start(self, at: int, start: int) -> bool:
        document = self.document
        step, day, end = document.steps[at], document.date_of(start), start + document.steps[at]["minutes"] * 60
        dates = step.get("dates", {})
        if not dates.get("from", "0001-01-01") <= day.isoformat() <= dates.get("to", "9999-12-31"):
            return False
        if at == 0 and document.last_session and "gap_days" in step:
            gap = step["gap_days"]
            if not gap["min"] <= (day - document.last_session).days <= gap["max"]:
                return False
        if any(low < end and start < high for low, high in document.patient_busy):
            return False
        # A start at which some need has nobody at all is left out, to keep the model small.
        return document.is_spaced_from_history(step["treatment"], day) and all(
            any(document.is_free(name, span) for name in self._able(at, place))
            for place, span in enumerate(document.holds(step, start))
        )

    def _able(self, at: int, place: int) -> list[str]:
        step = self.document.steps[at]
        need = step["needs"][place]
        return [
            name for name, resource in self.document.resources.items()
            if resource["kind"] == need["kind"] and (
                step["pinned"]["resources"][place] == name if "pinned" in step
                else set(need.get("skills", ())) <= set(resource.get("skills", ()))
            )
        ]

    def _needs(
        self, at: int, step: dict[str, Any], literals: dict[int, cp_model.IntVar]
    ) -> list[dict[str, cp_model.IntVar]]:
        document, model = self.document, self.model
        roots, found = document.roots(step), []
        for place in range(len(step["needs"])):
            able = {name: model.new_bool_var(f"meets-{at}-{place}-{name}") for name in self._able(at, place)}
            if not able:
                self.is_possible = False
            model.add_exactly_one(able.values())
            found.append(able)
        if "pinned" in step:
            return found
        for start, literal in literals.items():
            for span, able in zip(document.holds(step, start), found, strict=True):
                for name, meets in able.items():
                    if not document.is_free(name, span):
                        model.add_at_most_one(literal, meets)
        for one, other in combinations(range(len(found)), 2):
            for name in set(found[one]) | set(found[other]):
                first, second = found[one].get(name), found[other].get(name)
                if roots[one] == roots[other]:
                    model.add((0 if first is None else first) == (0 if second is None else second))
                elif first is not None and second is not None:
                    model.add_at_most_one(first, second)
        return found

    def _is_pinned(self, *steps: int) -> bool:
        return all("pinned" in self.document.steps[at] for at in steps)

    def _add_gaps(self) -> None:
        document, model = self.document, self.model
        last = document.last_session
        if last is None:
            wait = model.new_int_var(0, 10_000, "wait")
            model.add_max_equality(wait, [self.days[0], 0])
            self.cost.append(document.costs["wait_day"] * wait)
        before: list[cp_model.LinearExprT | None] = [
            None if last is None else last.toordinal() - document.first_date.toordinal(), *self.days[:-1]
        ]
        for at, step in enumerate(document.steps):
            earlier = before[at]
            if earlier is None or "gap_days" not in step:
                continue
            if at and not self._is_pinned(at - 1, at):
                self._add_ways(at)
                model.add(self.starts[at] >= self.starts[at - 1] + document.steps[at - 1]["minutes"] * 60)
                continue
            off = model.new_int_var(0, 100_000, f"off-{at}")
            model.add_abs_equality(off, self.days[at] - earlier - step["gap_days"]["ideal"])
            self.cost.append(document.costs["gap_day"] * off)

    def _add_ways(self, at: int) -> None:
        """One literal for each two days that a gap can lead between: a flow, whose relaxation is tight."""
        gap = self.document.steps[at]["gap_days"]
        leaving: dict[int, list[cp_model.IntVar]] = {day: [] for day in self.by_day[at - 1]}
        coming: dict[int, list[cp_model.IntVar]] = {day: [] for day in self.by_day[at]}
        for day in leaving:
            for between in range(gap["min"], gap["max"] + 1):
                if day + between in coming:
                    way = self.model.new_bool_var("")
                    leaving[day].append(way)
                    coming[day + between].append(way)
                    self.cost.append(self.document.costs["gap_day"] * abs(between - gap["ideal"]) * way)
        for days, ways in ((self.by_day[at - 1], leaving), (self.by_day[at], coming)):
            for day, literal in days.items():
                self.model.add(sum(ways[day]) == literal)

    def _add_pairs(self) -> None:
        document, model = self.document, self.model
        for one, other in combinations(range(len(document.steps)), 2):
            if self._is_pinned(one, other):
                continue
            days = document.spacing(document.steps[one]["treatment"], document.steps[other]["treatment"])
            if days:
                model.add(self.days[other] - self.days[one] >= days)
            gaps = [document.steps[at]["gap_days"]["min"] for at in range(one + 1, other + 1)]
            if sum(gaps) <= NEAR_DAYS or any(self._is_pinned(at) for at in range(one, other + 1)):
                self._keep_apart(one, other)

    def _keep_apart(self, one: int, other: int) -> None:
        """No resource is held by both sessions at once."""
        document, model = self.document, self.model
        first, then = document.steps[one], document.steps[other]
        for place, need in enumerate(first["needs"]):
            for place_then, need_then in enumerate(then["needs"]):
                begins, begins_then = need.get("offset", 0) * 60, need_then.get("offset", 0) * 60
                ends = begins + need.get("minutes", first["minutes"]) * 60
                ends_then = begins_then + need_then.get("minutes", then["minutes"]) * 60
                for name in set(self.meets[one][place]) & set(self.meets[other][place_then]):
                    both = (self.meets[one][place][name], self.meets[other][place_then][name])
                    is_first = model.new_bool_var("")
                    model.add(self.starts[one] + ends <= self.starts[other] + begins_then).only_enforce_if(
                        *both, is_first
                    )
                    model.add(self.starts[other] + ends_then <= self.starts[one] + begins).only_enforce_if(
                        *both, ~is_first
                    )

    def _add_changes(self) -> None:
        document, model = self.document, self.model
        preferred = document.raw.get("preferences", {}).get("practitioner")
        before: dict[str, cp_model.IntVar] | None = None
        for at, step in enumerate(document.steps):
            lead = document.lead(step)
            if lead is None:
                continue
            able = self.meets[at][lead]
            if preferred is not None:
                others = [meets for name, meets in able.items() if name != preferred]
                self.cost.append(document.costs["other_practitioner"] * sum(others))
            if before is not None:
                change = model.new_bool_var(f"change-{at}")
                for name, meets in able.items():
                    model.add(change >= meets - before.get(name, 0))
                self.cost.append(document.costs["practitioner_change"] * change)
            before = able


def is_least(problem: dict[str, Any], cost: int | None) -> bool:
    """Whether the solver proves that no plan costs less than a plan that is known, or that there is none at all.

    That the known plan costs so much is for the checker to say. Proving is much quicker than finding.
    """
    return not ExactModel(problem).has_plan(None if cost is None else cost - 1)
