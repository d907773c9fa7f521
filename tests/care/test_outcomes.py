"""What a missed session means for its course: the protocol's rule, by cause, and only where a window is passed."""
from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.catalogue import load_catalogue
from clinic.care.evidence import OUR_DEFAULT
from clinic.care.outcomes import (
    ALWAYS_KEEP,
    CONTRAINDICATION_OF,
    Missed,
    MissedRule,
    NoShowCause,
    PartlyTreated,
    missed_effect,
)
from clinic.care.protocols import Protocol

PROTOCOLS = {protocol.code: protocol for protocol in load_catalogue()}
LAST = date(2027, 4, 12)
NEXT = LAST + timedelta(days=1)
EXTEND = Missed(MissedRule.EXTEND, MissedRule.EXTEND, MissedRule.EXTEND, OUR_DEFAULT)
RESTART = Missed(MissedRule.RESTART, MissedRule.RESTART, MissedRule.RESTART, OUR_DEFAULT)
MIXED = Missed(MissedRule.RESTART, MissedRule.KEEP, MissedRule.EXTEND, OUR_DEFAULT)

rules = st.builds(Missed, *[st.sampled_from(MissedRule)] * 3, st.just(OUR_DEFAULT))
dates = st.dates(date(2027, 1, 1), date(2028, 1, 1))


@pytest.mark.parametrize(("missed", "cause", "completed", "added"), [
    (ALWAYS_KEEP, NoShowCause.FORGOT, 3, 0),
    (EXTEND, NoShowCause.FORGOT, 3, 1),
    (EXTEND, NoShowCause.ILL, 0, 1),
    (RESTART, NoShowCause.PREVENTED, 3, 3),
    (RESTART, NoShowCause.PREVENTED, 0, 0),
    (EXTEND, NoShowCause.BY_CLINIC, 3, 0),
    (RESTART, NoShowCause.BY_CLINIC, 3, 0),
    (MIXED, NoShowCause.FORGOT, 2, 2),
    (MIXED, NoShowCause.ILL, 2, 0),
    (MIXED, NoShowCause.PREVENTED, 2, 1),
])
def test_a_session_that_passes_its_window_adds_what_the_rule_for_the_cause_says(
    missed: Missed, cause: NoShowCause, completed: int, added: int
) -> None:
    assert missed_effect(missed, cause, latest_on=LAST, given_from=NEXT, completed=completed).added == added


@pytest.mark.parametrize(("given_from", "added"), [(LAST - timedelta(days=9), 0), (LAST, 0), (NEXT, 1)])
def test_the_last_day_of_the_window_is_still_inside_it(given_from: date, added: int) -> None:
    effect = missed_effect(EXTEND, NoShowCause.FORGOT, latest_on=LAST, given_from=given_from, completed=2)

    assert effect.added == added


def test_the_desk_reads_what_follows_and_why() -> None:
    def text(missed: Missed, cause: NoShowCause, given_from: date, completed: int = 2) -> str:
        return missed_effect(missed, cause, latest_on=LAST, given_from=given_from, completed=completed).text

    assert text(EXTEND, NoShowCause.ILL, NEXT) == (
        "The session passes its last day, 12 April 2027: one more session at the end.")
    assert text(EXTEND, NoShowCause.ILL, LAST) == (
        "The session stays owed. Nothing is added if it is given by 12 April 2027; "
        "given later, it adds one more session.")
    assert text(RESTART, NoShowCause.ILL, NEXT) == (
        "The session passes its last day, 12 April 2027: 2 more sessions at the end. "
        "Those given so far do not count any more: the whole series is given again.")
    assert text(RESTART, NoShowCause.ILL, NEXT, 0) == "The session stays owed. Nothing is added."
    assert text(ALWAYS_KEEP, NoShowCause.ILL, NEXT) == "The session stays owed. Nothing is added."
    assert text(RESTART, NoShowCause.BY_CLINIC, NEXT) == (
        "The session stays owed. It was not the patient's doing: nothing is added, and the visit does not count as "
        "missed.")


@given(rules, st.sampled_from(NoShowCause), st.none() | dates, dates, st.integers(0, 12))
def test_nothing_is_added_without_a_window_inside_it_or_for_what_the_clinic_caused(
    missed: Missed, cause: NoShowCause, latest_on: date | None, given_from: date, completed: int
) -> None:
    effect = missed_effect(missed, cause, latest_on=latest_on, given_from=given_from, completed=completed)

    if latest_on is None or given_from <= latest_on or cause is NoShowCause.BY_CLINIC:
        assert effect.added == 0
    else:
        assert effect.added == {"keep": 0, "extend": 1, "restart": completed}[missed.rule(cause)]
    assert effect.rule is missed.rule(cause)
    assert effect.text.endswith(".")


@given(rules, st.sampled_from(NoShowCause), dates, dates, st.integers(0, 12), st.integers(0, 60))
def test_waiting_longer_never_adds_less(
    missed: Missed, cause: NoShowCause, latest_on: date, given_from: date, completed: int, days: int
) -> None:
    first, later = (
        missed_effect(missed, cause, latest_on=latest_on, given_from=each, completed=completed).added
        for each in (given_from, given_from + timedelta(days=days)))

    assert later >= first


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_the_library_states_its_rule_as_our_default(protocol: Protocol) -> None:
    assert protocol.missed.evidence.our_default
    assert protocol.missed != ALWAYS_KEEP
    assert protocol.to_document()["missed"]["forgot"] == protocol.missed.forgot


def test_hair_removal_extends_and_all_else_keeps() -> None:
    extending = {code for code, protocol in PROTOCOLS.items() if any(
        protocol.missed.rule(cause) is not MissedRule.KEEP for cause in NoShowCause)}

    assert extending == {"lhr_body", "lhr_face"}


def test_a_version_stored_before_the_question_keeps_a_course_as_it_is() -> None:
    document = PROTOCOLS["lhr_body"].to_document()
    del document["missed"]

    read = Protocol.from_document(document)

    assert read.missed == ALWAYS_KEEP
    assert read == replace(PROTOCOLS["lhr_body"], missed=ALWAYS_KEEP)
    assert read.to_document() == document


def test_every_cause_with_a_contraindication_finds_it_in_the_library() -> None:
    known = {each.code for protocol in PROTOCOLS.values() for each in protocol.contraindications}

    assert set(CONTRAINDICATION_OF.values()) <= known


@pytest.mark.parametrize(("treated", "left"), [("", "chin"), ("cheeks", "  "), ("", "")])
def test_a_session_in_part_names_both_what_was_done_and_what_was_not(treated: str, left: str) -> None:
    with pytest.raises(ValueError, match="names the areas"):
        PartlyTreated(treated, left)
