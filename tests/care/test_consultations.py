"""A consultation before a course: which ones count, and until when dates may be held for want of one."""
from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from clinic.care.consultations import (
    COUNTS_FOR,
    NEEDED,
    ConsultationRule,
    Consultations,
    hold_span,
    judge_consultation,
    outside_span,
)
from clinic.planning import Weight

TODAY = date(2027, 3, 1)
DAYS = st.dates(date(2026, 1, 1), date(2028, 12, 31))


def test_a_consultation_counts_for_a_year_and_not_a_day_longer() -> None:
    counts = [Consultations(ConsultationRule.BEFORE, TODAY - COUNTS_FOR - timedelta(days=late)).counts(TODAY)
              for late in (-1, 0, 1)]

    assert counts == [True, True, False]


def test_who_has_had_none_is_asked_for_one_in_words_and_a_practitioner_may_go_past_it() -> None:
    [never] = judge_consultation(Consultations(ConsultationRule.BEFORE), today=TODAY)
    [stale] = judge_consultation(Consultations(ConsultationRule.BEFORE, date(2025, 1, 1)), today=TODAY)

    assert (never.code, never.weight, never.text) == (NEEDED, Weight.WARNS, "A consultation comes before this course.")
    assert stale.text == "A consultation comes before this course. The last one is more than a year ago."


@given(st.sampled_from(ConsultationRule), st.none() | DAYS, DAYS)
def test_nothing_is_asked_or_held_of_who_had_one_and_one_thing_at_most_of_who_had_none(
    rule: ConsultationRule, last_on: date | None, today: date
) -> None:
    known = Consultations(rule, last_on)

    asked, holds = bool(judge_consultation(known, today=today)), known.must_hold(today)

    assert not (asked and holds)
    assert (asked or holds) == (rule is not ConsultationRule.NONE and not known.counts(today))


@given(DAYS, st.integers(-3, 400), st.none() | st.integers(-400, 400))
def test_dates_are_held_from_today_until_before_the_first_session_at_the_latest(
    today: date, ahead: int, until_next: int | None
) -> None:
    first_on = today + timedelta(days=ahead)
    next_on = None if until_next is None else today + timedelta(days=until_next)
    span = hold_span(Consultations(ConsultationRule.HOLD, None, next_on), first_on=first_on, today=today)

    assert (span is None) == (first_on <= today)
    if span is not None:
        assert span.first == today <= span.suggested <= span.last == first_on - timedelta(days=1)
        wished = next_on if next_on and next_on >= today else today + timedelta(days=14)
        assert span.suggested == min(wished, span.last)


def test_a_day_outside_the_span_is_refused_with_the_first_session_named() -> None:
    assert outside_span(date(2027, 3, 29)).text == (
        "The dates can be held until a day between today and the day before the first session, which is on "
        "29 March 2027")
