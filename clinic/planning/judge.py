"""What speaks against sessions at given times, by the very rules that the search keeps."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations, pairwise

from clinic.planning.answer import Placement
from clinic.planning.findings import Finding, Weight
from clinic.planning.local import day_of, local_of
from clinic.planning.problem import Kind, Need, Problem, Resource, Step
from clinic.planning.words import NOUNS, clock_words, date_words, day_words, days_words

MINUTE = timedelta(minutes=1)
UNWILLING = "patient-unwilling"
"""The code of what the patient asked for themselves."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A placement beside its step; `stands` where it is the step's own pin, which is not judged."""

    step: Step
    at: int
    start_at: datetime
    resources: tuple[str, ...]
    day: date
    stands: bool

    @property
    def end_at(self) -> datetime:
        return self.start_at + self.step.minutes * MINUTE

    @property
    def words(self) -> str:
        return f"Session {self.number}"

    @property
    def number(self) -> int:
        return self.step.number or self.at + 1

    def holds(self) -> Iterator[tuple[Need, str, datetime, datetime]]:
        for need, name in zip(self.step.needs, self.resources, strict=False):
            begins = self.start_at + need.offset * MINUTE
            yield need, name, begins, begins + need.minutes * MINUTE


def judge(problem: Problem, placements: Sequence[Placement]) -> tuple[Finding, ...]:
    """Everything that speaks against some or all sessions of a course where they are placed; nothing if they are right.

    Steps that are not placed count with their pins. A placement that differs from its step's pin is judged as a
    session of its own, as if the pin were gone. ValueError where a step is unknown or placed twice.
    """
    placed = _placed(problem, placements)
    found = [finding for each in placed if not each.stands for finding in _judge_alone(problem, each)]
    for before, after in pairwise(placed):
        if not (before.stands and after.stands):
            found += _judge_order(before, after)
            if after.at == before.at + 1:
                found += _judge_gap(after, before.day)
    for before, after in combinations(placed, 2):
        if not (before.stands and after.stands):
            found += _judge_spacing(problem, before, after)
            found += _judge_shared(problem, before, after)
    return tuple(found)


def _placed(problem: Problem, placements: Sequence[Placement]) -> list[_Placed]:
    chosen = {placement.step - 1: placement for placement in placements}
    if len(chosen) != len(placements) or not all(0 <= at < len(problem.steps) for at in chosen):
        raise ValueError("a placement is of no step of the course, or of one that is placed twice")
    found = []
    for at, step in enumerate(problem.steps):
        pin, placement = step.pinned, chosen.get(at)
        where = placement or pin
        if where is None:
            continue
        stands = pin is not None and (where.start_at, where.resources) == (pin.start_at, pin.resources)
        day = day_of(where.start_at, problem.ruler.zone)
        found.append(_Placed(step, at, where.start_at, where.resources, day, stands))
    return found


def _judge_alone(problem: Problem, placed: _Placed) -> Iterator[Finding]:
    yield from _judge_start(problem, placed)
    yield from _judge_dates(problem, placed)
    yield from _judge_choice(problem, placed)
    if 0 <= problem.ruler.day(placed.day) + 1 <= problem.ruler.days:
        yield from _judge_times(problem, placed)
    if placed.at == 0 and problem.last_session_on is not None and placed.step.gap is not None:
        yield from _judge_gap(placed, problem.last_session_on)
    yield from _judge_history(problem, placed)


def _judge_start(problem: Problem, placed: _Placed) -> Iterator[Finding]:
    local = local_of(placed.start_at, problem.ruler.zone)
    if placed.start_at < problem.not_before:
        earliest = local_of(problem.not_before, problem.ruler.zone)
        text = f"{placed.words} begins before {clock_words(earliest)} on {day_words(earliest.date())}."
        yield Finding("not-before", Weight.BLOCKS, text, "start", earliest.date())
    if problem.ruler.day(placed.day) >= problem.ruler.days:
        last = problem.ruler.date_of(problem.ruler.days - 1)
        text = f"{placed.words} lies after {day_words(last)}, the last day that can be booked."
        yield Finding("horizon", Weight.BLOCKS, text, "start")
    if (local.hour * 60 + local.minute) % problem.start_step or local.second or local.microsecond:
        text = f"{placed.words} begins at {clock_words(local)}, off the grid of {problem.start_step} minutes."
        yield Finding("off-grid", Weight.WARNS, text, "start")


def _judge_dates(problem: Problem, placed: _Placed) -> Iterator[Finding]:
    step = placed.step
    if step.from_on is not None and placed.day < step.from_on:
        text = f"{placed.words} must not lie before {day_words(step.from_on)}."
        yield Finding("dates", Weight.BLOCKS, text, "start", step.from_on)
    if step.to_on is not None and placed.day > step.to_on:
        yield Finding("dates", Weight.BLOCKS, f"{placed.words} must not lie after {day_words(step.to_on)}.", "start")


def _judge_choice(problem: Problem, placed: _Placed) -> Iterator[Finding]:
    """Who and what was chosen, whatever the time."""
    needs, names = placed.step.needs, placed.resources
    if len(needs) != len(names):
        text = f"{placed.words} needs {len(needs)} resources, and {len(names)} are named."
        yield Finding("wrong-kind", Weight.BLOCKS, text, "resources")
        return
    by_id = {resource.id: resource for resource in problem.resources}
    root_of: list[int] = []
    for at, (need, name) in enumerate(zip(needs, names, strict=True)):
        root_of.append(at if need.same_as is None else root_of[need.same_as - 1])
        resource = by_id.get(name)
        if resource is None:
            text = f"{placed.words} names {name}, which cannot be booked here."
            yield Finding("unknown-resource", Weight.BLOCKS, text, "resources")
            continue
        if resource.kind is not need.kind:
            text = f"{placed.words} needs a {NOUNS[need.kind]}, and {resource.words} is a {NOUNS[resource.kind]}."
            yield Finding("wrong-kind", Weight.BLOCKS, text, "resources")
        elif not need.skills <= resource.skills:
            missing = ", ".join(sorted(need.skills - resource.skills))
            text = f"{resource.words} cannot serve session {placed.number}: {missing} is missing."
            yield Finding("lacks-skill", Weight.BLOCKS, text, "resources")
    yield from _judge_sharing(placed, by_id, root_of)


def _judge_sharing(placed: _Placed, by_id: dict[str, Resource], root_of: Sequence[int]) -> Iterator[Finding]:
    for one, other in combinations(range(len(root_of)), 2):
        first, second = placed.resources[one], placed.resources[other]
        if (root_of[one] == root_of[other]) == (first == second):
            continue
        name = by_id[first].words if first in by_id else first
        if first == second:
            text = f"{placed.words} needs {name} twice at once; each need takes someone or something of its own."
            yield Finding("same-resource", Weight.BLOCKS, text, "resources")
        elif root_of[other] == one:
            text = f"{placed.words} needs {name} in both parts, and another is named for the second."
            yield Finding("same-resource", Weight.BLOCKS, text, "resources")


def _judge_times(problem: Problem, placed: _Placed) -> Iterator[Finding]:
    """Whether all that is held is open and free, and the patient too."""
    by_id = {resource.id: resource for resource in problem.resources}
    on = problem.ruler
    said = set()
    for need, name, begins, ends in placed.holds():
        resource = by_id.get(name)
        # Who cannot serve at all was named as such; when he is free is then beside the point.
        if resource is None or not need.skills <= resource.skills:
            continue
        held = on.covering(begins, ends)
        when = _span_words(problem, begins, ends)
        over = [skill for skill, holds in resource.limits if skill in need.skills and held & ~holds]
        if over:
            missing = ", ".join(over)
            text = f"{resource.words} cannot serve session {placed.number}: {missing} does not hold during {when}."
            finding = Finding("lacks-skill", Weight.BLOCKS, text, "resources")
        elif held & ~resource.open:
            gone = "does not work" if resource.kind is Kind.PRACTITIONER else "is not available"
            finding = Finding("not-open", Weight.BLOCKS, f"{resource.words} {gone} all of {when}.", "start")
        elif held & resource.busy:
            finding = Finding("busy", Weight.BLOCKS, f"{resource.words} is already booked within {when}.", "start")
        else:
            continue
        if finding not in said:
            said.add(finding)
            yield finding
    yield from judge_patient(problem, placed.start_at, placed.end_at)


def judge_patient(problem: Problem, start_at: datetime, end_at: datetime) -> Iterator[Finding]:
    """Whether the patient can come: what they asked for themselves is told apart from what they are booked for."""
    held = problem.ruler.covering(start_at, end_at)
    when = _span_words(problem, start_at, end_at)
    for each in problem.unwilling:
        if held & each.times and each.asks:
            text = f"The patient {each.words}, not within {when}: {each.kept}."
            yield Finding(UNWILLING, Weight.WARNS, text, "start")
        elif held & each.times:
            text = f"The patient {each.words} and cannot come within {when}: {each.kept}."
            yield Finding(UNWILLING, Weight.BLOCKS, text, "start")
    if held & problem.patient_busy:
        yield Finding("patient-busy", Weight.BLOCKS, f"The patient is already booked within {when}.", "start")


def _judge_order(before: _Placed, after: _Placed) -> Iterator[Finding]:
    if after.start_at < before.end_at:
        text = f"{after.words} begins before session {before.number} ends."
        yield Finding("order", Weight.BLOCKS, text, "start", before.day)


def _judge_gap(after: _Placed, before_on: date) -> Iterator[Finding]:
    gap = after.step.gap
    if gap is None:
        return
    days = (after.day - before_on).days
    since = f"{after.words} comes {days_words(days)} after the session of {date_words(before_on)}"
    if days < gap.min:
        first = date.fromordinal(before_on.toordinal() + gap.min)
        text = f"{since}; it must be at least {days_words(gap.min)}, so not before {day_words(first)}."
        yield Finding("too-soon", Weight.BLOCKS, text, "start", first)
    elif days > gap.max:
        last = date.fromordinal(before_on.toordinal() + gap.max)
        text = f"{since}; it should be at most {days_words(gap.max)}, so not after {day_words(last)}."
        yield Finding("too-late", Weight.WARNS, text, "start")


def _judge_spacing(problem: Problem, before: _Placed, after: _Placed) -> Iterator[Finding]:
    needed = max((
        each.days for each in problem.spacing
        if each.first == before.step.treatment and each.then == after.step.treatment
    ), default=0)
    # Neighbours on one date are the gap's matter; spacing is heard only where it asks for more.
    if (after.day - before.day).days < needed:
        yield _too_close(after, before.step.words, before.day, needed)


def _judge_history(problem: Problem, placed: _Placed) -> Iterator[Finding]:
    for past in problem.history:
        between = (placed.day - past.on).days
        for each in problem.spacing:
            if between >= 0 and (each.first, each.then) == (past.treatment, placed.step.treatment):
                if between < each.days:
                    yield _too_close(placed, past.treatment, past.on, each.days)
            elif (each.first, each.then) == (placed.step.treatment, past.treatment) and 0 <= -between < each.days:
                text = (
                    f"{placed.words} must lie at least {days_words(each.days)} before {past.treatment} on "
                    f"{day_words(past.on)}."
                )
                yield Finding("spacing", Weight.BLOCKS, text, "start")


def _too_close(after: _Placed, what: str, before_on: date, needed: int) -> Finding:
    first = date.fromordinal(before_on.toordinal() + needed)
    text = (
        f"{after.words} must lie at least {days_words(needed)} after {what} on {date_words(before_on)}, so not before "
        f"{day_words(first)}."
    )
    return Finding("spacing", Weight.BLOCKS, text, "start", first)


def _judge_shared(problem: Problem, before: _Placed, after: _Placed) -> Iterator[Finding]:
    said = set()
    for _, one, one_begins, one_ends in before.holds():
        for _, other, begins, ends in after.holds():
            if one == other and one_begins < ends and begins < one_ends and one not in said:
                said.add(one)
                what = next((resource.words for resource in problem.resources if resource.id == one), one)
                text = f"{after.words} needs {what} while session {before.number} still has it."
                yield Finding("held-twice", Weight.BLOCKS, text, "start")


def _span_words(problem: Problem, begins: datetime, ends: datetime) -> str:
    first, last = local_of(begins, problem.ruler.zone), local_of(ends, problem.ruler.zone)
    if first.date() == last.date():
        return f"{clock_words(first)} to {clock_words(last)} on {day_words(first.date())}"
    return f"{clock_words(first)} on {day_words(first.date())} to {clock_words(last)} on {day_words(last.date())}"
