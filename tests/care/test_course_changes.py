"""What a course changes for itself, as rules: intervals from a session on, what was heard, the day that it leaves."""
from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.catalogue import load_catalogue
from clinic.care.course_changes import (
    SHORTER,
    Heard,
    IntervalChange,
    about,
    contraindication,
    first_day,
    heard,
    interval_before,
    judge_interval,
    open_ended,
)
from clinic.care.guidance import ContraindicationKind
from clinic.care.protocols import Interval, Protocol, steps_for
from clinic.care.screening import LaxityGrade, ScreeningAnswers, answers_document, answers_of, screen
from clinic.care.windows import Window, windows

TODAY = date(2027, 3, 1)
LIBRARY = {each.code: each for each in load_catalogue()}
NEEDLING = LIBRARY["mn_rejuvenation"]
HEALTHY = ScreeningAnswers(indication="fine_lines", laxity=LaxityGrade.NONE, none_apply=True)


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    shortest, ideal, longest = sorted(draw(st.tuples(*[st.integers(1, 400)] * 3)))
    return Interval(shortest, ideal, longest)


CHANGES = st.lists(st.builds(IntervalChange, st.integers(2, 12), intervals()), max_size=5)


@given(changes=CHANGES, number=st.integers(1, 12))
def test_the_newest_change_that_reaches_a_session_decides(changes: list[IntervalChange], number: int) -> None:
    step = steps_for(NEEDLING, 12)[number - 1]

    found = interval_before(step, changes)

    reaching = [each.interval for each in changes if each.from_number <= number]
    assert found == (None if number == 1 else reaching[-1] if reaching else step.interval)


@given(change=st.builds(IntervalChange, st.integers(2, 12), intervals()))
def test_a_change_is_kept_whole(change: IntervalChange) -> None:
    assert IntervalChange.of(change.document()) == change


@pytest.mark.parametrize("protocol", LIBRARY.values(), ids=LIBRARY)
def test_only_fewer_days_than_the_protocol_allows_are_warned_of(protocol: Protocol) -> None:
    steps = steps_for(protocol, 5)
    shortest = max(step.interval.shortest for step in steps if step.interval)
    spaced = max((each.days for each in protocol.spacing), default=0)
    least = max(shortest, spaced)

    assert judge_interval(protocol, steps, {2, 3, 4, 5}, IntervalChange(2, Interval(least, least, least))) == ()
    if shortest > 1:
        fewer = Interval(shortest - 1, shortest, shortest)
        found = judge_interval(protocol, steps, {2, 3, 4, 5}, IntervalChange(2, fewer))
        assert SHORTER in {each.code for each in found}


def test_sessions_that_are_done_do_not_count_against_a_change() -> None:
    steps = steps_for(LIBRARY["combo_mn_peel"], 4)
    after_peel = IntervalChange(4, Interval(21, 21, 35))

    assert judge_interval(LIBRARY["combo_mn_peel"], steps, {4}, after_peel) == ()
    assert [each.code for each in judge_interval(NEEDLING, steps_for(NEEDLING, 4), {4}, IntervalChange(
        3, Interval(30, 30, 30)))] == ["from-number"]


@given(st.sampled_from([each.code for each in NEEDLING.contraindications]), st.sampled_from([None, date(2027, 2, 1)]))
def test_what_is_heard_and_then_called_over_speaks_against_nothing(code: str, on: date | None) -> None:
    applies = heard(NEEDLING, HEALTHY, Heard(code, on))
    over = heard(NEEDLING, applies, Heard(code, over="Seen today"))

    assert applies.none_apply is False and code in applies.applies
    assert about(NEEDLING, screen(NEEDLING, over, today=TODAY)) == ()
    assert screen(NEEDLING, over, today=TODAY).findings == ()
    assert over.cleared == {code: "Seen today"}


@given(st.sampled_from([each.code for each in NEEDLING.contraindications]))
def test_what_is_heard_again_after_it_was_over_counts_again(code: str) -> None:
    over = heard(NEEDLING, heard(NEEDLING, HEALTHY, Heard(code)), Heard(code, over="Over"))

    again = heard(NEEDLING, over, Heard(code))

    assert again.cleared == {}
    assert {each.code for each in about(NEEDLING, screen(NEEDLING, again, today=TODAY))} == {code}


@pytest.mark.parametrize("protocol", LIBRARY.values(), ids=LIBRARY)
def test_each_contraindication_rests_waits_or_is_weighed(protocol: Protocol) -> None:
    for reason in protocol.contraindications:
        answers = heard(protocol, ScreeningAnswers(
            protocol.indications[0].code, LaxityGrade.NONE, none_apply=True), Heard(reason.code))
        said = about(protocol, screen(protocol, answers, today=TODAY))
        rests, waits = bool(open_ended(said)), first_day(protocol, answers, TODAY)
        if reason.kind is ContraindicationKind.RELATIVE:
            assert (rests, waits) == (False, None)
        elif reason.defer_days:
            assert (rests, waits) == (False, TODAY + timedelta(days=reason.defer_days))
        else:
            assert (rests, waits) == (True, None)


def test_the_first_day_is_that_of_the_answers_whenever_it_is_asked() -> None:
    answers = heard(NEEDLING, HEALTHY, Heard("active_herpes", date(2027, 3, 20)))

    assert first_day(NEEDLING, answers, TODAY) == date(2027, 3, 20)
    assert open_ended(about(NEEDLING, screen(NEEDLING, answers, today=TODAY))) == ()
    assert len(open_ended(about(NEEDLING, screen(NEEDLING, answers, today=date(2027, 3, 20))))) == 1


@given(
    applies=st.dictionaries(st.sampled_from([each.code for each in NEEDLING.contraindications]),
                            st.one_of(st.none(), st.dates())),
    cleared=st.dictionaries(st.sampled_from(["active_herpes", "open_wound"]), st.text(min_size=1)),
    laxity=st.one_of(st.none(), st.sampled_from(LaxityGrade)), none_apply=st.booleans(),
)
def test_answers_are_kept_whole(
    applies: dict[str, date | None], cleared: dict[str, str], laxity: LaxityGrade | None, none_apply: bool
) -> None:
    answers = ScreeningAnswers("fine_lines", laxity, none_apply, applies, cleared)

    assert answers_of(answers_document(answers)) == answers


def test_an_unknown_contraindication_is_none() -> None:
    with pytest.raises(KeyError):
        contraindication(NEEDLING, "gout")


def test_a_floor_moves_a_window_and_all_that_count_from_it() -> None:
    four_weeks, floor = Interval(28, 30, 56), date(2027, 5, 1)
    dates = [TODAY, None, None]

    _, second, third = windows([None, four_weeks, four_weeks], dates, [None, floor, floor])

    assert second == Window(floor, floor, floor)
    assert third == Window(*[floor + timedelta(days=days) for days in (28, 30, 56)])
    assert windows([None, four_weeks, four_weeks], dates, [None, TODAY, TODAY]) == windows(
        [None, four_weeks, four_weeks], dates)


@given(floor=st.dates(date(2027, 1, 1), date(2028, 12, 31)), interval=intervals())
def test_no_window_begins_before_its_floor_or_ends_before_it_begins(floor: date, interval: Interval) -> None:
    found = windows([None, interval, interval], [TODAY, None, None], [None, floor, floor])[1:]

    for window in found:
        assert window is not None
        assert floor <= window.earliest_on <= window.ideal_on <= window.latest_on
