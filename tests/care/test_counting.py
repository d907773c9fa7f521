from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clinic.care.counting import Counted, counts_as
from clinic.care.states import SessionState

_STATES = {"o": SessionState.OWED, "b": SessionState.BOOKED, "c": SessionState.COMPLETED, "n": SessionState.NOT_DONE}


def sessions(states: str, treatments: str = "") -> list[Counted]:
    """The sessions of a course, a letter each: owed, booked, completed, not done."""
    return [Counted(number, treatments[number - 1] if treatments else "a", _STATES[state])
            for number, state in enumerate(states, start=1)]


def test_a_visit_stays_what_it_is_where_nothing_before_it_is_owed() -> None:
    assert counts_as(sessions("cbbb"), 2) == {}
    assert counts_as(sessions("cboo"), 2) == {}
    assert counts_as(sessions("cnbo"), 3) == {}


def test_after_a_missed_session_the_next_visit_takes_its_place_and_the_last_is_owed() -> None:
    assert counts_as(sessions("obbb"), 2) == {2: 1, 3: 2, 4: 3}
    assert counts_as(sessions("cobb"), 3) == {3: 2, 4: 3}
    assert counts_as(sessions("coob"), 4) == {4: 2}


def test_those_that_wait_already_stay_behind() -> None:
    assert counts_as(sessions("obboo"), 2) == {2: 1, 3: 2}
    assert counts_as(sessions("obob"), 2) == {2: 1, 4: 2}


def test_another_treatment_keeps_its_place() -> None:
    assert counts_as(sessions("obbb", "abab"), 2) == {}
    assert counts_as(sessions("oobbb", "ababa"), 3) == {3: 1, 5: 3}


def test_nothing_moves_up_past_a_session_that_was_given_or_has_a_date() -> None:
    assert counts_as(sessions("ocbb"), 3) == {}
    assert counts_as(sessions("obbb"), 3) == {}
    assert counts_as(sessions("obcb"), 2) == {}


@given(states=st.text("obcn", min_size=1, max_size=12), which=st.integers(0, 11))
def test_whatever_stands_each_visit_has_one_session_of_its_own_and_they_keep_their_order(
    states: str, which: int
) -> None:
    number = which % len(states) + 1
    states = f"{states[:number - 1]}b{states[number:]}"

    found = counts_as(sessions(states), number)

    assert list(found.values()) == sorted(set(found.values()))
    assert all(becomes <= was for was, becomes in found.items())
    before = {index for index, state in enumerate(states, start=1) if state == "b"}
    after = [found.get(each, each) for each in sorted(before)]
    assert after == sorted(set(after))
    assert set(after) <= {index for index, state in enumerate(states, start=1) if state in "ob"}
    owed = {index for index, state in enumerate(states, start=1) if state == "o"} | before
    if found:
        assert max(owed - set(after)) > found[number]
