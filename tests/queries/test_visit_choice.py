"""A chosen time as a form carries it: what was offered comes back as it was, and nothing else is a choice."""
from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.queries.visit_choice import VisitChoice, parse_choice


@given(
    number=st.integers(1, 999), minutes=st.integers(0, 100 * 365 * 24 * 60), resources=st.lists(
        st.integers(1, 999_999_999), min_size=1, max_size=12))
def test_a_choice_comes_back_as_it_was(number: int, minutes: int, resources: list[int]) -> None:
    choice = VisitChoice(number, datetime(2027, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes), tuple(resources))

    assert parse_choice(str(choice)) == choice


def test_a_choice_is_written_in_utc() -> None:
    choice = VisitChoice(1, datetime(2027, 7, 1, 9, tzinfo=timezone(timedelta(hours=1))), (3, 7))

    assert str(choice) == "1@2027-07-01T08:00Z@3,7"


@pytest.mark.parametrize("text", [
    "", "1", "1@2027-03-01T09:00Z@", "1@2027-03-01T09:00@3", "1@2027-02-30T09:00Z@3", "1@2027-03-01T25:00Z@3",
    "-1@2027-03-01T09:00Z@3", "1@2027-03-01T09:00Z@3,", "1@2027-03-01T09:00Z@3;4", "1@2027-03-01T09:00Z@3\n",
    "1000@2027-03-01T09:00Z@3", "1@9999-12-31T23:59Z@3", "1@0001-01-01T00:00Z@3", "1@2027-03-01T09:00Z@1234567890",
    "١@2027-03-01T09:00Z@3", "1@2027-03-01T09:00Z@" + ",".join("3" * 13), " 1@2027-03-01T09:00Z@3",
])
def test_what_no_page_has_offered_is_no_choice(text: str) -> None:
    with pytest.raises(ValueError, match=r"offered|does not match|day is out of range|unconverted|time data"):
        parse_choice(text)
