"""Whether a repair is the least change, by a constraint solver, from the format page and `repair_checker` alone."""
from __future__ import annotations

from typing import Any

from ortools.sat.python import cp_model

from tests.planning.exact_model import ExactModel
from tests.planning.repair_checker import Standing, is_beyond, start_of

# More than any plan of the random problems costs.
MOVE = 10_000_000


def is_least_change(problem: dict[str, Any], standing: Standing, moved: int | None, cost: int = 0) -> bool:
    """Whether no plan moves fewer, or as many at a lower cost; with None, whether there is no plan at all."""
    model = RepairModel(problem, standing)
    if not model.is_possible:
        return True
    if moved is not None:
        model.model.add(MOVE * sum(model.moves) + sum(model.cost) <= MOVE * moved + cost - 1)
    return not model.has_plan(seconds=900.0)


class RepairModel(ExactModel):
    """The model of a problem with a literal more for each standing session: that it stays."""

    def __init__(self, problem: dict[str, Any], standing: Standing) -> None:
        self._standing = standing
        self.moves: list[cp_model.LinearExprT] = []
        super().__init__(problem)

    def _candidates(self, at: int, grid: list[int]) -> list[int]:
        found = super()._candidates(at, grid)
        if at not in self._standing or not self._may_stand(at):
            return found
        return sorted({*found, start_of(self.document, self._standing[at])})

    def _may_stand(self, at: int) -> bool:
        document, step = self.document, self.document.steps[at]
        start = start_of(document, self._standing[at])
        day, end, dates = document.date_of(start), start + step["minutes"] * 60, step.get("dates", {})
        if not dates.get("from", "0001-01-01") <= day.isoformat() <= dates.get("to", "9999-12-31"):
            return False
        if at == 0 and document.last_session and "gap_days" in step:
            gap = step["gap_days"]
            if not gap["min"] <= (day - document.last_session).days <= gap["max"]:
                return False
        if not is_beyond(document, start) and any(low < end and start < high for low, high in document.patient_busy):
            return False
        able = [self._able(at, place) for place in range(len(step["needs"]))]
        return document.is_spaced_from_history(step["treatment"], day) and all(
            name in each for name, each in zip(self._standing[at]["resources"], able, strict=True)
        )

    def _needs(
        self, at: int, step: dict[str, Any], literals: dict[int, cp_model.IntVar]
    ) -> list[dict[str, cp_model.IntVar]]:
        known = {start: each for start, each in literals.items() if not is_beyond(self.document, start)}
        return super()._needs(at, step, literals if "pinned" in step else known)

    def _add_step(self, at: int, grid: list[int]) -> None:
        super()._add_step(at, grid)
        if at not in self._standing:
            return
        if not self._may_stand(at):
            self.moves.append(1)
            return
        start = start_of(self.document, self._standing[at])
        stays = self.model.new_bool_var(f"stays-{at}")
        if start in super()._candidates(at, grid):
            self.model.add_implication(stays, self.literals[at][start])
        else:
            self.model.add(self.literals[at][start] == stays)
        for name, able in zip(self._standing[at]["resources"], self.meets[at], strict=True):
            self.model.add_implication(stays, able[name])
        if is_beyond(self.document, start) and self.document.is_outside(self.document.steps[at], start):
            self.cost.append(-self.document.costs["outside_windows"] * stays)
        self.moves.append(1 - stays)
