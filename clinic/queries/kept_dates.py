"""Dates of a course to be that were agreed on already: those that still stand, and what is planned around them."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from clinic.planning import Pin, Placement, Problem, Weight, judge
from clinic.queries.visit_choice import VisitChoice


@dataclass(frozen=True, slots=True)
class LostDate:
    """A date that cannot stay as it was agreed on, and why."""

    choice: VisitChoice
    reason: str


@dataclass(frozen=True, slots=True)
class KeptDates:
    """The dates that still stand, and those that do not."""

    kept: tuple[VisitChoice, ...] = ()
    lost: tuple[LostDate, ...] = ()


def still_stand(problem: Problem, choices: Sequence[VisitChoice]) -> KeptDates:
    """Which of these dates may stay, by the rules that every plan keeps; of two that exclude each other, the first."""
    kept: list[VisitChoice] = []
    lost: list[LostDate] = []
    for choice in sorted(choices, key=lambda each: each.number):
        if not 1 <= choice.number <= len(problem.steps) or choice.number in {each.number for each in kept}:
            lost.append(LostDate(choice, "The course has no such session that can be dated now."))
            continue
        found = judge(problem, [_placement(each) for each in (*kept, choice)])
        against = next((each for each in found if each.weight is Weight.BLOCKS), None)
        if against is None:
            kept.append(choice)
        else:
            lost.append(LostDate(choice, against.text))
    return KeptDates(tuple(kept), tuple(lost))


def around(problem: Problem, kept: Sequence[VisitChoice]) -> Problem:
    """The problem of all other sessions, while these stay where they are."""
    pins = {each.number: Pin(each.starts_at, tuple(map(str, each.resource_ids))) for each in kept}
    return replace(problem, steps=tuple(
        replace(step, pinned=pins.get(number, step.pinned)) for number, step in enumerate(problem.steps, 1)))


def _placement(choice: VisitChoice) -> Placement:
    return Placement(choice.number, choice.starts_at, tuple(map(str, choice.resource_ids)))
