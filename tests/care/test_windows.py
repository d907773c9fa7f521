"""When a session may be: windows count dates, from the sessions before as they stand."""
from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.protocols import Interval
from clinic.care.windows import NEAR_IDEAL_DAYS, Fit, Window, joined, window_after, windows

FOUR_WEEKS = Interval(28, 30, 56)
DAYS = st.dates(date(2027, 1, 1), date(2028, 12, 31))


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    shortest, ideal, longest = sorted(draw(st.tuples(*[st.integers(1, 400)] * 3)))
    return Interval(shortest, ideal, longest)


@pytest.mark.parametrize("day, fit", [
    (date(2027, 3, 28), Fit.TOO_EARLY), (date(2027, 3, 29), Fit.IDEAL), (date(2027, 3, 31), Fit.IDEAL),
    (date(2027, 4, 3), Fit.IDEAL), (date(2027, 4, 4), Fit.LATE), (date(2027, 4, 26), Fit.LATE),
    (date(2027, 4, 27), Fit.TOO_LATE),
])
def test_each_day_lies_in_a_window_in_one_way(day: date, fit: Fit) -> None:
    assert window_after(date(2027, 3, 1), FOUR_WEEKS).fit(day) is fit


def test_days_well_before_the_ideal_are_early() -> None:
    assert Window(date(2027, 3, 1), date(2027, 3, 20), date(2027, 4, 1)).fit(date(2027, 3, 16)) is Fit.EARLY


@given(day=DAYS, interval=intervals(), other=DAYS)
def test_a_window_never_calls_a_day_that_keeps_the_interval_wrong(day: date, interval: Interval, other: date) -> None:
    gap = (other - day).days

    fit = window_after(day, interval).fit(other)

    assert (fit is Fit.TOO_EARLY) == (gap < interval.shortest)
    assert (fit is Fit.TOO_LATE) == (gap > interval.longest)
    assert fit in (Fit.TOO_EARLY, Fit.TOO_LATE) or (fit is Fit.IDEAL) == (abs(gap - interval.ideal) <= NEAR_IDEAL_DAYS)


@given(dates=st.lists(st.none() | DAYS, min_size=1, max_size=8), interval=intervals())
def test_windows_follow_the_sessions_that_have_a_date_and_widen_over_those_that_have_none(
    dates: list[date | None], interval: Interval
) -> None:
    found = windows([None, *[interval] * (len(dates) - 1)], dates)

    assert found[0] is None
    for at in range(1, len(dates)):
        known = next((back for back in range(at - 1, -1, -1) if dates[back]), None)
        if known is None:
            assert found[at] is None
            continue
        since, steps = dates[known], at - known
        assert since is not None
        assert found[at] == window_after(since, joined([interval] * steps))


@given(intervals(), intervals())
def test_intervals_in_a_row_add_up(one: Interval, other: Interval) -> None:
    day = date(2027, 3, 1)
    first = window_after(day, one)

    both = window_after(day, joined([one, other]))

    assert both.earliest_on == first.earliest_on + timedelta(days=other.shortest)
    assert both.ideal_on == first.ideal_on + timedelta(days=other.ideal)
    assert both.latest_on == first.latest_on + timedelta(days=other.longest)


@pytest.mark.parametrize("changed_on", [date(2027, 3, 28), date(2027, 10, 31), date(2027, 11, 7)])
def test_a_clock_change_moves_no_date(changed_on: date) -> None:
    assert window_after(changed_on - timedelta(days=1), Interval(1, 1, 1)) == Window(*[changed_on] * 3)
