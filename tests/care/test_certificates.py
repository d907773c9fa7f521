"""When a paper is worth a warning: 60 and 14 days ahead, and once it has lapsed; a renewal ends it."""
from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.certificates import Paper, PaperStanding, Standing, standing, warnings

TODAY = date(2027, 3, 1)
LONG_AGO = date(2020, 1, 1)


def paper(until: date | None, since: date = LONG_AGO, about: str = "Guild") -> Paper:
    return Paper(about, since, until)


def after(days: int) -> date:
    return TODAY + timedelta(days=days)


@pytest.mark.parametrize(("until", "expected"), [
    (None, Standing.VALID),
    (after(61), Standing.VALID),
    (after(60), Standing.SOON),
    (after(15), Standing.SOON),
    (after(14), Standing.VERY_SOON),
    (after(0), Standing.VERY_SOON),
    (after(-1), Standing.LAPSED),
])
def test_a_paper_warns_60_and_14_days_ahead_and_from_the_day_after_its_last(
    until: date | None, expected: Standing
) -> None:
    assert standing([paper(until)], TODAY) == PaperStanding("Guild", expected, until)


def test_a_renewal_that_follows_without_a_gap_ends_the_warning() -> None:
    old, new = paper(after(5)), paper(after(370), since=after(6))

    assert standing([new, old], TODAY) == PaperStanding("Guild", Standing.VALID, after(370))


def test_a_renewal_after_a_gap_does_not() -> None:
    old, new = paper(after(5)), paper(after(370), since=after(7))

    assert standing([old, new], TODAY) == PaperStanding("Guild", Standing.VERY_SOON, after(5))


def test_between_two_periods_a_paper_has_lapsed_and_before_the_first_it_is_not_valid_yet() -> None:
    assert standing([paper(after(-3)), paper(None, since=after(2))], TODAY).standing is Standing.LAPSED
    assert standing([paper(None, since=after(2))], TODAY) == PaperStanding("Guild", Standing.NOT_YET, None)


def test_the_most_urgent_comes_first_and_what_is_in_order_is_not_said() -> None:
    papers = [paper(after(40), about="A"), paper(after(-1), about="B"), paper(None, about="C"),
              paper(after(3), about="D"), paper(None, since=after(9), about="E"), paper(after(20), about="F")]

    assert [each.about for each in warnings(papers, TODAY)] == ["B", "D", "F", "A"]


@given(periods=st.lists(st.tuples(st.integers(-400, 400), st.integers(0, 400)), min_size=1, max_size=5))
def test_the_standing_is_what_counting_the_valid_days_one_by_one_says(periods: list[tuple[int, int]]) -> None:
    papers = [paper(after(begins + long), since=after(begins)) for begins, long in periods]
    valid = {begins + day for begins, long in periods for day in range(long + 1)}
    left = next(day for day in range(3000) if day not in valid) - 1

    found = standing(papers, TODAY)

    if left >= 0:
        expected = Standing.VERY_SOON if left <= 14 else Standing.SOON if left <= 60 else Standing.VALID
        assert found == PaperStanding("Guild", expected, after(left))
    else:
        lapsed = any(day < 0 for day in valid)
        assert found.standing is (Standing.LAPSED if lapsed else Standing.NOT_YET)
