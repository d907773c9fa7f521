"""The smallest single changes by which a course that fits nowhere would fit."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

from clinic.planning.answer import Relaxation
from clinic.planning.board import Board
from clinic.planning.problem import Gap, Kind, Problem, Step
from clinic.planning.reason import is_possible
from clinic.planning.ruler import bits
from clinic.planning.search import Looks, OutOfTime
from clinic.planning.stretches import Helps, kinds_that_bind, less_busy, longer_open, patient_free, with_resource
from clinic.planning.supply import groups_of
from clinic.planning.words import date_words, days_words, listed
from clinic.planning.written import dates_opened, spans_of, stretch_words

MORE_DAYS_AT_MOST = 90
LOOKS_FOR_A_CHANGE = 120  # what a board takes to make ready, in looks
OFFERED_AT_MOST = 3  # of those who could help in one way
SERVE = {Kind.PRACTITIONER: "take", Kind.ROOM: "be used for", Kind.DEVICE: "be used for"}
LONGER = {Kind.PRACTITIONER: "Let {} work", Kind.ROOM: "Open {}", Kind.DEVICE: "Make {} available"}


def relaxations_of(problem: Problem, unplaceable: int, looks: Looks) -> tuple[Relaxation, ...]:
    """Changes that make the whole course possible; failing that, the session that cannot be placed.

    Each of the two is looked for with half of the looks, of which each change that is tried takes some.
    """
    half = looks.left // 2
    for upto in (None, unplaceable):
        mine = Looks(half, looks.until)

        def helps(changed: Problem, upto: int | None = upto, mine: Looks = mine) -> bool:
            mine.left -= LOOKS_FOR_A_CHANGE
            if mine.left < 0:
                raise OutOfTime
            return is_possible(Board(changed, upto=upto), mine)

        found = []
        try:
            for relaxation in _each(problem, unplaceable - 1, helps):
                found.append(relaxation if upto is None else _not_enough(relaxation))
        except OutOfTime:
            pass
        if found or unplaceable == len(problem.steps):
            return tuple(found)
    return ()


def _not_enough(relaxation: Relaxation) -> Relaxation:
    return replace(relaxation, text=f"{relaxation.text} Later sessions would still not fit.")


def _each(problem: Problem, at: int, helps: Helps) -> Iterator[Relaxation]:
    yield from _gap(problem, at, helps)
    yield from _dates(problem, at, helps)
    yield from _patient(problem, at, helps)
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
    number = problem.number(at)
    since = f"session {problem.number(at - 1)}" if at else "the session before"

    def longer(days: int) -> Problem:
        return _with_step(problem, at, replace(step, gap=Gap(gap.min, gap.ideal, gap.max + days)))

    def shorter(days: int) -> Problem:
        return _with_step(problem, at, replace(step, gap=Gap(gap.min - days, gap.ideal, gap.max)))

    more = _least(lambda days: helps(longer(days)), MORE_DAYS_AT_MOST)
    if more is not None:
        text = f"Let session {number} come up to {days_words(gap.max + more)} after {since}, {days_words(more)} more."
        yield Relaxation(f"course.steps[{at}].gap_days.max", gap.max + more, text)
    less = _least(lambda days: helps(shorter(days)), gap.min - 1)
    if less is not None:
        text = f"Let session {number} come {days_words(gap.min - less)} after {since}, {days_words(less)} sooner."
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
    step, on = problem.steps[at], problem.ruler
    place, said = f"course.steps[{at}].dates", f"session {problem.number(at)}"
    if step.to_on is not None:
        last = step.to_on

        def later(days: int) -> Problem:
            return _with_step(problem, at, replace(step, to_on=on.date_of(on.day(last) + days)))

        more = _least(lambda days: helps(later(days)), min(MORE_DAYS_AT_MOST, date.max.toordinal() - last.toordinal()))
        if more is not None:
            until = later(more).steps[at].to_on
            assert until is not None
            yield Relaxation(f"{place}.to", until.isoformat(), f"Let {said} be until {date_words(until)}.")
    if step.from_on is not None:
        first = step.from_on

        def sooner(days: int) -> Problem:
            return _with_step(problem, at, replace(step, from_on=on.date_of(on.day(first) - days)))

        less = _least(lambda days: helps(sooner(days)), min(MORE_DAYS_AT_MOST, first.toordinal() - 1))
        if less is not None:
            since = sooner(less).steps[at].from_on
            assert since is not None
            yield Relaxation(f"{place}.from", since.isoformat(), f"Let {said} be from {date_words(since)} on.")


def _patient(problem: Problem, at: int, helps: Helps) -> Iterator[Relaxation]:
    found = patient_free(problem, at, helps)
    if found is not None:
        busy = spans_of(problem, problem.patient_away & ~bits(*found))
        yield Relaxation("patient_busy", busy, f"Ask whether the patient could come {stretch_words(problem, found)}.")


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
    """Others of the kind that would do if they were trusted with what is asked for."""
    step = problem.steps[at]
    for group in groups_of(step, problem.ruler.granule) if step.pinned is None else ():
        offered = 0
        for place, resource in enumerate(problem.resources):
            missing = group.skills - resource.skills
            if resource.kind is not group.kind or not missing or offered == OFFERED_AT_MOST:
                continue
            if helps(with_resource(problem, place, replace(resource, skills=resource.skills | missing))):
                offered += 1
                yield Relaxation(
                    f"resources[{place}].skills", sorted(resource.skills | missing),
                    f"Let {resource.words} {SERVE[resource.kind]} session {problem.number(at)}, though not down for "
                    f"{listed(sorted(missing))}.",
                )


def _hours(problem: Problem, at: int, helps: Helps) -> Iterator[Relaxation]:
    """Those who would have to be there longer, or be free of something, the shortest first."""
    found: list[tuple[int, Relaxation]] = []
    kinds = kinds_that_bind(problem, at)
    for place, resource in enumerate(problem.resources):
        if resource.kind not in kinds:
            continue
        try:
            opened, freed = longer_open(problem, at, place, helps), less_busy(problem, at, place, helps)
        except OutOfTime:
            break
        if opened is not None:
            text = f"{LONGER[resource.kind].format(resource.words)} {stretch_words(problem, opened)}."
            hours = dates_opened(problem, place, opened)
            found.append((opened[1] - opened[0], Relaxation(f"resources[{place}].overrides", hours, text)))
        if freed is not None:
            text = f"Move what {resource.words} is booked for {stretch_words(problem, freed)}."
            busy = spans_of(problem, resource.busy & ~bits(*freed))
            found.append((freed[1] - freed[0], Relaxation(f"resources[{place}].busy", busy, text)))
    found.sort(key=lambda each: each[0])
    yield from (relaxation for _, relaxation in found[:OFFERED_AT_MOST])


def _pins(problem: Problem, at: int, helps: Helps) -> Iterator[Relaxation]:
    for place, step in enumerate(problem.steps[:at + 2]):
        if step.pinned is not None:
            try:
                freed = _with_step(problem, place, replace(step, pinned=None))
            except ValueError:
                continue
            if helps(freed):
                text = f"Move session {problem.number(place)}, which stands now."
                yield Relaxation(f"course.steps[{place}].pinned", None, text)
