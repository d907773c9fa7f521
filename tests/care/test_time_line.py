"""The time line in its order, and from part to part of it."""
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.time_line import AHEAD, BEHIND, Entry, Place, Source, Stretch, laid_out, parse_place

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


@st.composite
def lives(draw: st.DrawFn) -> list[Entry]:
    """Entries of a life, many of them at one instant."""
    hours = draw(st.lists(st.integers(-30, 30), max_size=160))
    sources = st.sampled_from([Source.MESSAGE, Source.VISIT, Source.TASK])
    return [Entry(NOW + timedelta(hours=each), draw(sources), ident, "what") for ident, each in enumerate(hours, 1)]


@given(lives())
def test_who_follows_the_links_meets_every_entry_once_and_in_order(life: list[Entry]) -> None:
    first = laid_out(life, Stretch(), now=NOW)
    above, below, newest, oldest = list[Entry](), list[Entry](), first, first

    while newest.later is not None:
        newest = laid_out(life, Stretch(later=newest.later), now=NOW)
        above[:0] = newest.ahead
    while oldest.older is not None:
        oldest = laid_out(life, Stretch(older=oldest.older), now=NOW)
        below += oldest.behind

    met = [*above, *first.entries, *below]
    assert met == sorted(life, key=lambda each: each.place, reverse=True)
    assert all(each.at > NOW for each in first.ahead) and all(each.at <= NOW for each in first.behind)
    assert (len(first.ahead) <= AHEAD, len(first.behind) <= BEHIND) == (True, True)


@pytest.mark.parametrize("text", [
    "", "20270301T090000", "20271399T990000.1.1", "20270301T090000.1.x", "²0270301T090000.1.1"])
def test_a_place_that_no_page_has_said_is_none(text: str) -> None:
    place = Place(NOW, Source.VISIT, 7)

    assert (parse_place(str(place)), parse_place(text)) == (place, None)
