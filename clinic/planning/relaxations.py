"""The smallest single changes by which a course that fits nowhere would fit."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from clinic.planning.answer import Relaxation
from clinic.planning.board import Board
from clinic.planning.problem import Gap, Problem, Step
from clinic.planning.reason import is_possible
from clinic.planning.search import Looks, OutOfTime
from clinic.planning.words import NOUNS, days_words

MORE_DAYS_AT_MOST = 90
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def relaxations_of(problem: Problem, unplaceable: int, looks: Looks) -> tuple[Relaxation, ...]:
    """Changes that make the whole course possible; failing that, the session that cannot be placed."""
    for upto in (None, unplaceable):
        def helps(changed: Problem, upto: int | None = upto) -> bool:
            return is_possible(Board(changed, upto=upto), looks)

        found = []
        try:
            for relaxation in _each(problem, unplaceable - 1, helps):
                found.append(relaxation)
        except OutOfTime:
            pass
        if found or unplaceable == len(problem.steps):
            return tuple(found)
    return ()


Helps = Callable[[Problem], bool]


def _each(problem: Problem, at: int, helps: Helps) -> Iterator[Relaxation]:
    yield from _gap(problem, at, helps)
    yield from _dates(problem, at, helps)
    yield from _patient(problem, helps)
    yield from _spacing(problem, helps)
    yield from _skills(problem, at, helps)
    yield from _hours(problem, at, helps)
    yield from _pins(problem, at, helps)


def _with_step(problem: Problem, at: int, step: Step) -> Problem:
    return replace(problem, steps=(*problem.steps[:at], step, *problem.steps[at + 1:]))


def _gap(problem: Problem, at: int, helps: Helps) -> Iterator[Relaxation]:
    step = problem.steps[at]
    gap = step.gap
    if gap is None or (at == 0 and problem.last_session_on is None):
        return
    since = f"session {at}" if at else "the session before"

    def longer(days: int) -> Problem:
        return _with_step(problem, at, replace(step, gap=Gap(gap.min, gap.ideal, gap.max + days)))

    def shorter(days: int) -> Problem:
        return _with_step(problem, at, replace(step, gap=Gap(gap.min - days, gap.ideal, gap.max)))

    more = _least(lambda days: helps(longer(days)), MORE_DAYS_AT_MOST)
    if more is not None:
        text = f"Let session {at + 1} come up to {days_words(gap.max + more)} after {since}, {days_words(more)} more."
        yield Relaxation(f"course.steps[{at}].gap_days.max", gap.max + more, text)
    less = _least(lambda days: helps(shorter(days)), gap.min - 1)
    if less is not None:
        text = f"Let session {at + 1} come {days_words(gap.min - less)} after {since}, {days_words(less)} sooner."
        yield Relaxation(f"course.steps[{at}].gap_days.min", gap.min - less, text)


def _least(helps: Callable[[int], bool], most: int) -> int | None:
    """The least amount from 1 on that helps, where more never helps less; None where even the most does not."""
    if most < 1 or not helps(most):
        return None
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if helps(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _dates(problem: Problem, at: int, helps: Helps) -> Iterator[Relaxation]:
    step = problem.steps[at]
    if (step.from_on or step.to_on) and helps(_with_step(problem, at, replace(step, from_on=None, to_on=None))):
        yield Relaxation(f"course.steps[{at}].dates", None, f"Lift the dates set for session {at + 1}.")


def _patient(problem: Problem, helps: Helps) -> Iterator[Relaxation]:
    if problem.patient_busy and helps(replace(problem, patient_busy=0)):
        yield Relaxation("patient_busy", [], "Ask the patient to move another appointment.")


def _spacing(problem: Problem, helps: Helps) -> Iterator[Relaxation]:
    for place, each in enumerate(problem.spacing):
        def closer(days: int, place: int = place) -> Problem:
            lowered = replace(problem.spacing[place], days=problem.spacing[place].days - days)
            return replace(problem, spacing=(*problem.spacing[:place], lowered, *problem.spacing[place + 1:]))

        less = _least(lambda days, closer=closer: helps(closer(days)), each.days)  # type: ignore[misc]
        if less is not None:
            text = f"Let {each.then} come {days_words(each.days - less)} after {each.first}, {days_words(less)} sooner."
            yield Relaxation(f"course.spacing[{place}].days", each.days - less, text)


def _skills(problem: Problem, at: int, helps: Helps) -> Iterator[Relaxation]:
    step = problem.steps[at]
    for place, need in enumerate(step.needs):
        if need.skills and step.pinned is None:
            needs = (*step.needs[:place], replace(need, skills=frozenset()), *step.needs[place + 1:])
            if helps(_with_step(problem, at, replace(step, needs=needs))):
                text = f"Let another {NOUNS[need.kind]} serve session {at + 1}, whatever skills are asked for now."
                yield Relaxation(f"course.steps[{at}].needs[{place}].skills", [], text)


def _hours(problem: Problem, at: int, helps: Helps) -> Iterator[Relaxation]:
    """Resources whose longer hours would help: those that could serve the session."""
    needs = problem.steps[at].needs
    for place, resource in enumerate(problem.resources):
        if not any(resource.kind is need.kind and need.skills <= resource.skills for need in needs):
            continue
        opened = replace(resource, open=-1)
        if helps(replace(problem, resources=(*problem.resources[:place], opened, *problem.resources[place + 1:]))):
            text = f"Open {resource.words} outside the usual hours."
            yield Relaxation(f"resources[{place}].hours", [{"days": list(DAYS), "from": "00:00", "to": "24:00"}], text)


def _pins(problem: Problem, at: int, helps: Helps) -> Iterator[Relaxation]:
    for place, step in enumerate(problem.steps[:at + 2]):
        if step.pinned is not None:
            try:
                freed = _with_step(problem, place, replace(step, pinned=None))
            except ValueError:
                continue
            if helps(freed):
                yield Relaxation(f"course.steps[{place}].pinned", None, f"Move session {place + 1}, which stands now.")
