"""Placeholders are filled in, whatever else stands in braces is printed as it is typed, and near misses are named."""
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.message_kinds import MessageKind
from clinic.care.own_text import Part
from clinic.care.placeholders import fill, placeholders_of, unknown_in
from clinic.care.text_changes import Fate, text_changes

VALUES = {"first_name": "Anna", "date": "Monday 1 March", "clinic": "{phone}"}
KNOWN = dict.fromkeys(VALUES, "")


@pytest.mark.parametrize(("text", "read"), [
    ("Hello {first_name}, on {date}.", "Hello Anna, on Monday 1 March."),
    ("A value is never read again: {clinic}", "A value is never read again: {phone}"),
    ("\\{first_name\\} and \\{", "{first_name} and {"),
    ("{{ 7*7 }} {% print(1) %} ${7*7} {0.__class__} %(date)s {} {{''.__class__}} #{1}",
     "{{ 7*7 }} {% print(1) %} ${7*7} {0.__class__} %(date)s {} {{''.__class__}} #{1}"),
    ("{time}", None), ("{nickname}", None),
])
def test_only_a_known_placeholder_is_filled_in(text: str, read: str | None) -> None:
    assert fill(text, VALUES) == read


@given(st.text())
def test_any_text_without_placeholders_is_printed_as_it_is(text: str) -> None:
    assert fill(text.replace("{", "(").replace("\\", "/"), VALUES) == text.replace("{", "(").replace("\\", "/")


@pytest.mark.parametrize(("text", "typed", "nearest"), [
    ("Hello {frist_name}", "{frist_name}", "first_name"), ("on {{date}}", "{{date}}", "date"),
    ("on { date }", "{ date }", "date"), ("Hello {First Name}", "{First Name}", "first_name"),
    ("Hello {first_name", "{first_name", "first_name"), ("Guten Tag {vorname}", "{vorname}", "first_name"),
    ("{{ config.items() }}", "{{ config", None), ("{phone}", "{phone}", None), ("\\{{dat}", "{dat}", "date"),
])
def test_what_was_meant_as_a_placeholder_is_named_with_the_nearest(text: str, typed: str, nearest: str | None) -> None:
    [found] = unknown_in(text, KNOWN)

    assert (found.typed, found.nearest, found.line) == (typed, nearest, 1)


def test_a_near_miss_is_found_where_it_stands() -> None:
    [found] = unknown_in("Hello {first_name},\nwe look forward to seeing you on {dat} at the old harbour", KNOWN)

    assert (found.line, found.around) == (2, "…seeing you on {dat} at the old…")


@given(st.text("{}\\ abdet_", max_size=30))
def test_what_is_not_found_fault_with_is_filled_in_or_has_no_placeholder(text: str) -> None:
    if not list(unknown_in(text, KNOWN)):
        assert fill(text, VALUES) is not None


def test_each_kind_has_its_own_and_every_kind_the_common_ones() -> None:
    for kind in MessageKind:
        assert set(placeholders_of(kind, Part.OPENING)) >= {"first_name", "clinic", "phone"}
    assert "count" in placeholders_of(MessageKind.CONFIRMATION, Part.SEVERAL)
    assert "count" not in placeholders_of(MessageKind.CONFIRMATION, Part.SUBJECT)
    assert "time" not in placeholders_of(MessageKind.AFTERCARE, Part.SUBJECT)


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_difference_holds_both_texts(before: str, after: str) -> None:
    found = text_changes(before, after)

    assert "".join(each.text for each in found if each.fate is not Fate.NEW) == before
    assert "".join(each.text for each in found if each.fate is not Fate.GONE) == after


def test_a_difference_is_told_word_by_word() -> None:
    found = text_changes("See you on {date}.", "See you soon, on {date}!")

    assert [(each.text, each.fate.value) for each in found] == [
        ("See you ", "same"), ("soon, ", "new"), ("on {date}", "same"), (".", "gone"), ("!", "new")]
