"""What the planner answers, as values."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """Whether the answer is proven the best, the best found in time, or that there is none."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a plan costs, by cause."""

    gap: int = 0
    wait: int = 0
    practitioner_change: int = 0
    other_practitioner: int = 0
    outside_windows: int = 0

    @property
    def total(self) -> int:
        """The cost of the plan."""
        return self.gap + self.wait + self.practitioner_change + self.other_practitioner + self.outside_windows


@dataclass(frozen=True, slots=True)
class Placement:
    """A session at a time, with the resources that meet its step's needs in their order; steps count from 1."""

    step: int
    start_at: datetime
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """One session of a plan; `gap_days` are those since the session before, `end_at` is when the patient leaves."""

    step: int
    treatment: str
    start_at: datetime
    end_at: datetime
    gap_days: int | None
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole course placed, with what it costs and, in a sentence, why it is this one."""

    cost: int
    parts: Parts
    sessions: tuple[PlannedSession, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A change of the problem, by its place in the document, that would make a plan possible."""

    change: str
    to: object
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The plans in order of cost, or the reason why there is none; `starts` only where starts were asked for."""

    status: Status
    plans: tuple[Plan, ...] = ()
    bound: int | None = None
    reason: str | None = None
    relaxations: tuple[Relaxation, ...] = ()
    starts: tuple[datetime, ...] | None = None
