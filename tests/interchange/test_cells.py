"""Cells that no spreadsheet runs, and that say the same when they are read again."""
from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clinic.interchange.cells import TAKEN_FOR_FORMULAS, harmless, plain

NASTY = st.text(alphabet=st.sampled_from(TAKEN_FOR_FORMULAS + "'a1 \"\u202e"), max_size=6) | st.text(max_size=20)


@given(NASTY)
@example("'")
@example("''")
@example("'=1")
@example("")
def test_a_text_comes_back_as_it_was(text: str) -> None:
    assert plain(harmless(text)) == text


@given(NASTY)
def test_no_cell_begins_as_a_formula_does(text: str) -> None:
    assert not harmless(text).startswith(tuple(TAKEN_FOR_FORMULAS))


@pytest.mark.parametrize("text", ["Ana", "'s Graven", "'t Hooft", "a=b", "31.12.2026", ""])
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text
    assert plain(text) == text
