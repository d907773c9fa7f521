"""A birth date as the desk types it."""
from __future__ import annotations

from datetime import date

import pytest

from clinic.queries.birth_dates import births


@pytest.mark.parametrize(("typed", "meant"), [
    ("1980-04-03", {(1980, 4, 3)}), ("1980/4/3", {(1980, 4, 3)}), ("3.4.1980", {(1980, 4, 3)}),
    ("03 04 1980", {(1980, 4, 3)}), ("3-4-80", {(1980, 4, 3), (2080, 4, 3)}),
    ("03/04/80", {(1980, 4, 3), (1980, 3, 4), (2080, 4, 3), (2080, 3, 4)}), ("25/12/1980", {(1980, 12, 25)}),
    ("3 April 1980", {(1980, 4, 3)}), ("3rd apr, 1980", {(1980, 4, 3)}), ("April 3 80", {(1980, 4, 3), (2080, 4, 3)}),
    ("3 ma 1980", set()), ("03041980", {(1980, 4, 3)}), ("19800403", {(1980, 4, 3)}),
    ("030480", {(1980, 4, 3), (2080, 4, 3)}), ("5550051", set()),
    ("31.2.1980", set()), ("3.4/1980", set()), ("0779 12 34", set()), ("Ana", set()), ("", set()),
])
def test_every_usual_writing_is_read_and_nothing_else(typed: str, meant: set[tuple[int, int, int]]) -> None:
    assert set(births(f" {typed} ")) == {date(*each) for each in meant}
