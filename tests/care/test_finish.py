"""Finishing before an event."""
from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.finish import Finish
from clinic.care.protocols import Interval

FOUR_WEEKS = Interval(28, 30, 56)


def test_whole_days_of_recovery_lie_between_the_last_session_and_the_event() -> None:
    finish = Finish(date(2027, 6, 20), 7)

    assert finish.last_on == date(2027, 6, 12)
    assert [finish.days_late(on) for on in (date(2027, 6, 10), date(2027, 6, 12), date(2027, 6, 24))] == [-2, 0, 12]


def test_each_session_is_so_early_that_the_others_can_follow_at_the_shortest_intervals() -> None:
    latest = Finish(date(2027, 6, 20), 7).latest_dates([None, FOUR_WEEKS, FOUR_WEEKS])

    assert latest == (date(2027, 4, 17), date(2027, 5, 15), date(2027, 6, 12))


@given(st.lists(st.integers(1, 60), max_size=8), st.integers(0, 30))
def test_a_course_at_its_shortest_meets_the_event_exactly_if_it_begins_by_the_latest_date(
    shortest: list[int], recovery: int
) -> None:
    finish = Finish(date(2027, 6, 20), recovery)

    latest = finish.latest_dates([None, *(Interval(days, days, days) for days in shortest)])

    assert latest[0] + timedelta(days=sum(shortest)) == latest[-1] == finish.last_on


def test_no_recovery_is_shorter_than_none() -> None:
    with pytest.raises(ValueError, match="0 days"):
        Finish(date(2027, 6, 20), -1)
