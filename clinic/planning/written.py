"""Sets of granules written back as a planning document has them, and as staff say them."""
from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from clinic.planning.local import local_of
from clinic.planning.problem import Problem
from clinic.planning.ruler import bits
from clinic.planning.words import clock_words, day_words


def stretch_words(problem: Problem, stretch: tuple[int, int]) -> str:
    """On Tuesday 6 April 2027 from 10:00 to 11:15."""
    begins, ends = (_local(problem, bit) for bit in stretch)
    until = clock_words(ends) if ends.date() == begins.date() else f"{clock_words(ends)} on {day_words(ends.date())}"
    return f"on {day_words(begins.date())} from {clock_words(begins)} to {until}"


def spans_of(problem: Problem, granules: int) -> list[dict[str, str]]:
    """A set of granules as busy spans, with their offsets."""
    return [
        {"from": _written(problem, low), "to": _written(problem, high)} for low, high in _pieces(granules)
    ]


def dates_opened(problem: Problem, place: int, stretch: tuple[int, int]) -> list[dict[str, object]]:
    """The overrides, one for each date that they begin on, by which a resource is open for a stretch besides."""
    resource, on = problem.resources[place], problem.ruler
    opened = (on.full if resource.open < 0 else resource.open) | bits(*stretch)
    first = _local(problem, stretch[0]).date()
    found: list[dict[str, object]] = []
    for day in range(on.day(first), on.day(_local(problem, stretch[1] - 1).date()) + 1):
        if -1 <= day < on.days:
            span = on.span(day)
            hours = [
                _hours(problem, opened, day, span.low + low, span.low + high)
                for low, high in _pieces(opened >> span.low & bits(0, span.high - span.low))
            ]
            found.append({"date": on.date_of(day).isoformat(), "hours": hours})
    return found


def _hours(problem: Problem, opened: int, day: int, low: int, high: int) -> dict[str, str]:
    """Hours of a day, on past midnight, a day long at most, where the resource stays open."""
    begins, until = clock_words(_local(problem, low)), "24:00"
    if _local(problem, high).date() == problem.ruler.date_of(day):
        return {"from": begins, "to": clock_words(_local(problem, high))}
    rest = opened >> high
    more = (~rest & rest + 1).bit_length() - 1
    if more:
        until = min(clock_words(_local(problem, high + more)), begins)
        if _local(problem, high + more).date() != problem.ruler.date_of(day + 1):
            until = begins
    return {"from": begins, "to": until}


def _pieces(granules: int) -> Iterator[tuple[int, int]]:
    """Each run of set bits: the first, and the one after the last."""
    at = 0
    while granules:
        skipped = (granules & -granules).bit_length() - 1
        granules >>= skipped
        length = (~granules & granules + 1).bit_length() - 1
        yield at + skipped, at + skipped + length
        granules >>= length
        at += skipped + length


def _local(problem: Problem, bit: int) -> datetime:
    return local_of(problem.ruler.instant(bit), problem.ruler.zone)


def _written(problem: Problem, bit: int) -> str:
    return _local(problem, bit).isoformat(timespec="minutes")
