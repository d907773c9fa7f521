"""Names in the order in which people look for them."""
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clinic.queries.folding import by_name


def test_a_number_in_a_name_counts_as_a_number() -> None:
    names = ["Room 10", "room 2", "Laser 3 A", "Laser 12", "Laser", "10", "9", "Étage 1", "张"]

    assert sorted(names, key=by_name) == [
        "9", "10", "Laser", "Laser 3 A", "Laser 12", "room 2", "Room 10", "Étage 1", "张"]


@given(st.lists(st.text()))
def test_any_names_can_be_put_in_order(names: list[str]) -> None:
    assert len(sorted(names, key=by_name)) == len(names)
