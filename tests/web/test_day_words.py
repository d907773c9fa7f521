"""A day as it is typed."""
from __future__ import annotations

from datetime import date

import pytest

from clinic.web.day_words import day_meant

TODAY = date(2027, 3, 1)
"""A Monday."""


@pytest.mark.parametrize(("text", "meant"), [
    ("today", "2027-03-01"), ("Tomorrow", "2027-03-02"), ("yesterday", "2027-02-28"),
    ("friday", "2027-03-05"), ("monday", "2027-03-08"), ("on tue", "2027-03-02"), ("next friday", "2027-03-12"),
    ("in 3 weeks", "2027-03-22"), ("+4w", "2027-03-29"), ("in 10 days", "2027-03-11"), ("2 weeks on", "2027-03-15"),
    ("12 june", "2027-06-12"), ("June 12", "2027-06-12"), ("1st mar", "2027-03-01"), ("28 feb", "2028-02-28"),
    ("12 June 2028", "2028-06-12"), ("June 12, 2028", "2028-06-12"), ("12.6.", "2027-06-12"),
    ("12.6.2026", "2026-06-12"),
    ("2027-06-12", "2027-06-12"), ("29 february", "2028-02-29"),
])
def test_a_day_is_read_as_it_is_meant(text: str, meant: str) -> None:
    assert day_meant(text, today=TODAY) == date.fromisoformat(meant)


@pytest.mark.parametrize("text", ["", "anna", "31 june", "32.1.", "12 may be", "mo", "in 9999 weeks", "0 march",
                                  "2027-13-01"])
def test_what_is_no_day_is_none(text: str) -> None:
    assert day_meant(text, today=TODAY) is None


def test_a_leap_day_is_found_over_a_century_without_one() -> None:
    assert day_meant("29 feb", today=date(2096, 3, 1)) == date(2104, 2, 29)
