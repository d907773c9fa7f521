"""Likely doubles: what speaks for one person, and what does not."""
from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.likeness import Likeness, Person, likeness, same_phone, typed_apart

ANNA = Person("anna", "novakova", date(1984, 3, 12), "anna@example.org", "420601123456")
NAME = st.text(st.sampled_from("abno "), max_size=8).map(lambda text: " ".join(text.split()))
PEOPLE = st.builds(
    Person, NAME, NAME, st.none() | st.dates(date(1984, 1, 1), date(1984, 12, 31)),
    st.sampled_from(["", "a@example.org", "b@example.org"]), st.text(st.sampled_from("0124"), max_size=12))


@pytest.mark.parametrize(("other", "score", "reasons"), [
    (ANNA, 140, ("same name", "same birth date", "same phone number", "same e-mail address")),
    (Person("anna", "novakova"), 50, ("same name", "one birth date is missing")),
    (Person("novakova", "anna", date(1984, 3, 12)), 80, ("first and family name swapped", "same birth date")),
    (Person("anan", "novakova", date(1984, 3, 12)), 75, ("name spelt almost the same", "same birth date")),
    (Person("anna", "novkova", date(1984, 12, 3)), 65,
     ("name spelt almost the same", "birth date with day and month swapped")),
    (Person("anna maria", "novakova", date(1984, 3, 12)), 75,
     ("same name, with a further first name", "same birth date")),
    (Person("anna", "smith", date(1984, 3, 12), phone="0601123456"), 70,
     ("same first name, another family name", "same birth date", "same phone number")),
    (Person("anna", "novakova", date(1990, 7, 1)), 25, ("same name", "another birth date")),
    (Person("anna", "novakova", date(1990, 7, 1), "anna@example.org"), 55,
     ("same name", "another birth date", "same e-mail address")),
    (Person("anna", "novakova", date(1985, 3, 12)), 60, ("same name", "birth date differs in one place")),
    (Person("petra", "novakova", date(1984, 3, 12), "anna@example.org", "420601123456"), 0, ()),
    (Person("anna", "smith", date(1984, 3, 12)), 45, ("same first name, another family name", "same birth date")),
])
def test_a_score_says_its_reasons(other: Person, score: int, reasons: tuple[str, ...]) -> None:
    assert likeness(ANNA, other) == Likeness(score, reasons)


@given(PEOPLE, PEOPLE)
def test_it_does_not_matter_who_comes_first(one: Person, other: Person) -> None:
    assert likeness(one, other) == likeness(other, one)


@given(PEOPLE)
def test_everybody_is_likely_themselves(one: Person) -> None:
    assert likeness(one, one).is_likely


@given(NAME, st.integers(0, 7), st.sampled_from("xyz"))
def test_one_slip_of_the_keyboard_counts_as_one(name: str, place: int, letter: str) -> None:
    slips = {name[:place] + letter + name[place:]}
    if place < len(name):
        slips |= {name[:place] + letter + name[place + 1:], name[:place] + name[place + 1:]}
    if place + 1 < len(name) and name[place] != name[place + 1]:
        slips.add(name[:place] + name[place + 1] + name[place] + name[place + 2:])

    assert {typed_apart(name, each) for each in slips} == {1}


@given(NAME, NAME)
def test_slips_are_counted_both_ways_and_none_means_the_same(one: str, other: str) -> None:
    assert typed_apart(one, other) == typed_apart(other, one)
    assert (typed_apart(one, other) == 0) == (one == other)


@pytest.mark.parametrize(("one", "other", "same"), [
    ("447700900123", "07700900123", True), ("00447700900123", "447700900123", True), ("900123", "447700900123", True),
    ("447700900123", "447700900124", False), ("12345", "12345", True), ("12345", "0012345", True), ("", "", False),
    ("90012", "447700990012", False),
])
def test_a_phone_number_is_known_with_and_without_its_country(one: str, other: str, same: bool) -> None:
    assert (same_phone(one, other), same_phone(other, one)) == (same, same)


def test_a_married_name_needs_more_than_a_first_name() -> None:
    married = replace(ANNA, family="smith", email="", phone="", birth_on=None)

    assert not likeness(ANNA, married).is_likely
