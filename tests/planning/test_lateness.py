"""A delay runs through the day: free time shortens it, and nothing overtakes anything."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.planning.lateness import Delay, Late, Load, delays
from clinic.planning.local import MINUTE, instant, zone

NINE = datetime(2027, 3, 1, 9, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NINE + minutes * MINUTE


def load(ident: int, *spans: tuple[int, int], begun: int | None = None, ended: int | None = None,
         here: bool = False) -> Load:
    """A visit by minutes after nine."""
    return Load(ident, tuple((at(low), at(high)) for low, high in spans), at(begun) if begun is not None else None,
                at(ended) if ended is not None else None, here)


def told(loads: list[Load], minutes: int, said: int = 0) -> dict[int, tuple[int, int]]:
    """For each visit that begins or ends later: by how many minutes."""
    found = delays(loads, Late(minutes, at(said)))
    return {ident: (delay.begins // MINUTE, delay.ends // MINUTE) for ident, delay in found.items()}


DAY = [load(1, (0, 60)), load(2, (60, 90)), load(3, (100, 130)), load(4, (150, 180))]


@pytest.mark.parametrize(("loads", "minutes", "said", "expected"), [
    # Nobody is under way: what comes next is set back by all of it, and gaps of 10 and 20 minutes shorten the rest.
    (DAY, 25, 0, {1: (25, 25), 2: (25, 25), 3: (15, 15)}),
    # Under way since nine: the second begins when it is over, that much later.
    ([load(1, (0, 60), begun=0, here=True), *DAY[1:]], 20, 30, {2: (20, 20), 3: (10, 10)}),
    # Who is so late is not at what the plan began just now: that is still to come.
    (DAY, 20, 10, {1: (20, 20), 2: (20, 20), 3: (10, 10)}),
    # A patient who should have begun by now keeps nobody if they are not here, and is under way if they are.
    (DAY, 20, 45, {2: (20, 20), 3: (10, 10)}),
    ([load(1, (0, 60), here=True), *DAY[1:]], 20, 45, {2: (20, 20), 3: (10, 10)}),
    # What was noted since counts: it began later than was said, or was over sooner.
    ([load(1, (0, 60), begun=30), *DAY[1:]], 20, 0, {2: (30, 30), 3: (20, 20)}),
    ([load(1, (0, 60), begun=20, ended=65), *DAY[1:]], 20, 0, {2: (5, 5)}),
    # Two parts with another patient between them.
    ([load(1, (0, 10), (40, 70)), load(2, (10, 40))], 15, 0, {1: (15, 15), 2: (15, 15)}),
    ([load(1, (0, 10), (60, 70)), load(2, (20, 40))], 15, 0, {1: (15, 15), 2: (5, 5)}),
    ([], 20, 0, {}),
])
def test_a_delay_is_shortened_by_the_time_between_visits(
    loads: list[Load], minutes: int, said: int, expected: dict[int, tuple[int, int]]
) -> None:
    assert told(loads, minutes, said) == expected
    assert told(loads[::-1], minutes, said) == expected


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(5, 60)), max_size=8), st.integers(1, 120))
def test_a_delay_never_grows_and_no_visit_overtakes_another(gaps: list[tuple[int, int]], minutes: int) -> None:
    loads, now = [], 0
    for ident, (gap, length) in enumerate(gaps):
        loads.append(load(ident, (now + gap, now + gap + length)))
        now += gap + length

    found = delays(loads, Late(minutes, NINE - 1000 * MINUTE))

    none = Delay(timedelta(0), timedelta(0))
    later = [found.get(ident, none).begins for ident in range(len(loads))]
    spans = [(low + each, high + each) for each, one in zip(later, loads, strict=True) for low, high in one.spans]
    assert later == sorted(later, reverse=True)
    assert later[:1] in ([], [minutes * MINUTE])
    assert all(one[1] <= other[0] for one, other in zip(spans, spans[1:], strict=False))


@pytest.mark.parametrize(("day", "minute"), [(date(2027, 3, 28), 45), (date(2027, 10, 31), 105)])
def test_a_delay_is_elapsed_time_whatever_the_clock_does(day: date, minute: int) -> None:
    where = zone("Europe/London")
    first = instant(day, minute, where)
    loads = [Load(1, ((first, first + 30 * MINUTE),)), Load(2, ((first + 40 * MINUTE, first + 70 * MINUTE),))]

    found = delays(loads, Late(20, first - 60 * MINUTE))

    assert [found[ident].begins // MINUTE for ident in (1, 2)] == [20, 10]
