"""The shortest stretch of time that somebody, something or the patient would have to give for a session to fit."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_

from clinic.planning.bits import each_bit, shifted
from clinic.planning.board import Board
from clinic.planning.problem import Kind, Problem, Resource
from clinic.planning.reason import days_open_to
from clinic.planning.ruler import bits
from clinic.planning.supply import groups_of

# Starts that are looked at, and tried in full, for each resource.
LOOKED_AT_MOST, TRIED_AT_MOST = 4000, 20

Stretch = tuple[int, int]
Holds = Sequence[tuple[int, int]]
Helps = Callable[[Problem], bool]


def with_resource(problem: Problem, place: int, changed: Resource) -> Problem:
    """The problem with one resource changed."""
    return replace(problem, resources=(*problem.resources[:place], changed, *problem.resources[place + 1:]))


def kinds_that_bind(problem: Problem, at: int) -> frozenset[Kind]:
    """The kinds of which more time could give a session a start: all others of its needs are met at some start."""
    board = Board(problem, upto=at + 1)
    supply = board.stages[at].supply
    if supply is None:
        return frozenset()
    found = set()
    for kind in Kind:
        within = board.starts_allowed
        for group, masks in zip(supply.groups, supply.masks, strict=True):
            if group.kind is not kind:
                within &= reduce(or_, masks.values(), 0)
        if within:
            found.add(kind)
    return frozenset(found)


def longer_open(problem: Problem, at: int, place: int, helps: Helps) -> Stretch | None:
    """The granules, from and to, in which a resource would have to be open besides; None where that would not help."""
    resource = problem.resources[place]
    closed = 0 if resource.open < 0 else problem.ruler.full & ~resource.open
    return _shortest(
        problem, at, closed, with_resource(problem, place, replace(resource, open=-1)), _holds(problem, at, resource),
        lambda given: helps(with_resource(problem, place, replace(resource, open=resource.open | given))),
    )


def less_busy(problem: Problem, at: int, place: int, helps: Helps) -> Stretch | None:
    """The granules, from and to, in which a resource would have to be free of what it is busy with."""
    resource = problem.resources[place]
    return _shortest(
        problem, at, resource.busy, with_resource(problem, place, replace(resource, busy=0)),
        _holds(problem, at, resource),
        lambda given: helps(with_resource(problem, place, replace(resource, busy=resource.busy & ~given))),
    )


def patient_free(problem: Problem, at: int, helps: Helps) -> Stretch | None:
    """The granules, from and to, in which the patient would have to have time besides."""
    stay = (0, problem.steps[at].minutes * 60 // problem.ruler.granule)
    return _shortest(
        problem, at, problem.patient_away, problem.with_patient(problem.patient_away), [[stay]],
        lambda given: helps(problem.with_patient(given)),
    )


def _holds(problem: Problem, at: int, resource: Resource) -> list[Holds]:
    """What the resource would hold, for each of the needs that it could meet."""
    return [
        group.holds for group in groups_of(problem.steps[at], problem.ruler.granule)
        if group.kind is resource.kind and group.skills <= resource.skills
    ]


def _shortest(
    problem: Problem, at: int, missing: int, freed: Problem, holds: Sequence[Holds], helps: Callable[[int], bool]
) -> Stretch | None:
    if not missing or not holds or problem.steps[at].pinned is not None or not helps(missing):
        return None
    for low, high in _by_length(problem, at, missing, freed, holds):
        if helps(bits(low, high)):
            return low, high
    return None


def _by_length(
    problem: Problem, at: int, missing: int, freed: Problem, holds: Sequence[Holds]
) -> Iterator[Stretch]:
    """The stretches by which the session gains a start, the shortest first, then the earliest."""
    before, after = (Board(each, upto=at + 1) for each in (problem, freed))
    stage, had = after.stages[at], before.stages[at].supply
    assert stage.supply is not None and had is not None
    within = after.granules_of(days_open_to(after, at)) & bits(stage.first_bit, stage.last_bit + 1)
    found: set[Stretch] = set()
    for looked, start in enumerate(each_bit(stage.supply.any & ~had.any & within)):
        if looked == LOOKED_AT_MOST:
            break
        for each in holds:
            lacks = 0
            for offset, length in each:
                lacks |= shifted(shifted(missing, -start - offset) & bits(0, length), offset - each[0][0])
            if lacks:
                first = start + each[0][0] + (lacks & -lacks).bit_length() - 1
                found.add((first, start + each[0][0] + lacks.bit_length()))
    yield from sorted(found, key=lambda stretch: (stretch[1] - stretch[0], stretch))[:TRIED_AT_MOST]
