from __future__ import annotations

from datetime import date

import pytest

from clinic.care.business_days import EVERY_DAY, BusinessDays

WEEK = BusinessDays(frozenset(range(5)), ((date(2027, 3, 8), date(2027, 3, 9)),))


@pytest.mark.parametrize(("day", "after"), [
    (date(2027, 3, 1), date(2027, 3, 2)),
    (date(2027, 2, 26), date(2027, 3, 1)),
    (date(2027, 2, 27), date(2027, 3, 1)),
    (date(2027, 3, 5), date(2027, 3, 10)),
    (date(2027, 3, 8), date(2027, 3, 10)),
])
def test_the_next_business_day_is_the_next_on_which_the_clinic_is_open(day: date, after: date) -> None:
    assert WEEK.next_after(day) == after


def test_a_clinic_that_is_open_every_day_is_open_on_the_next() -> None:
    assert EVERY_DAY.next_after(date(2027, 3, 27)) == date(2027, 3, 28)


@pytest.mark.parametrize("never", [
    BusinessDays(frozenset()), BusinessDays(frozenset(range(7)), ((date(2027, 1, 1), date(2029, 1, 1)),))])
def test_a_clinic_without_any_open_day_asks_on_the_next_day_all_the_same(never: BusinessDays) -> None:
    assert never.next_after(date(2027, 3, 1)) == date(2027, 3, 2)
