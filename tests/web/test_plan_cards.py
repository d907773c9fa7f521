"""Offered courses in plain words."""
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from clinic.care.finish import Finish
from clinic.care.windows import Fit, Window
from clinic.queries.finishing import Deadline
from clinic.queries.offers import CourseOffer, UndatedOffer, VisitOffer
from clinic.web.course_form import parse_visits
from clinic.web.plan_cards import plan_cards
from clinic.web.plan_lines import time_line

NOTHING = {"gap": 0, "wait": 0, "practitioner_change": 0, "other_practitioner": 0, "outside_windows": 0}
LONDON = ZoneInfo("Europe/London")


def _visit(
    number: int, starts_at: datetime, *, gap_days: int | None = None, window: Window | None = None
) -> VisitOffer:
    local = starts_at.astimezone(LONDON)
    return VisitOffer(number, "skin-needling", "Skin needling", starts_at, local, local + timedelta(hours=1), gap_days,
                      window, (3, 7), "Dr Ada Park", "Room 2", None)


def _offer(*visits: VisitOffer, undated: tuple[UndatedOffer, ...] = (), **parts: int) -> CourseOffer:
    return CourseOffer(("best",), sum(parts.values()), {**NOTHING, **parts}, "", visits, undated)


FIRST = _visit(1, datetime(2027, 3, 1, 9, tzinfo=UTC))
FIRST_ON = date(2027, 3, 1)
SECOND = _visit(2, datetime(2027, 3, 29, 8, tzinfo=UTC), gap_days=28,
                window=Window(date(2027, 3, 22), date(2027, 3, 29), date(2027, 4, 12)))


def test_a_card_says_each_date_in_local_time_with_its_gap_and_window() -> None:
    [card] = plan_cards([_offer(FIRST, SECOND)], today=FIRST_ON)

    assert [(each.weekday, each.day, each.time) for each in card.visits] == [
        ("Mon", "1 Mar", "09:00 – 10:00"), ("Mon", "29 Mar", "09:00 – 10:00")]
    assert [(each.gap, each.fit_words, each.window_words) for each in card.visits] == [
        ("", "", ""), ("4 weeks later", "on its ideal day", "22 Mar – 12 Apr, ideal 29 Mar")]
    assert (card.title, card.summary) == ("Best plan", "2 sessions, 1 Mar – 29 Mar 2027")


def test_what_the_form_sends_back_for_a_card_is_read_as_its_visits() -> None:
    [card] = plan_cards([_offer(FIRST, SECOND)], today=FIRST_ON)

    assert [(each.number, each.starts_at, each.resource_ids) for each in parse_visits(card.key)] == [
        (1, FIRST.starts_at, (3, 7)), (2, SECOND.starts_at, (3, 7))]


def test_a_plan_without_any_cost_says_what_is_good_about_it() -> None:
    [card] = plan_cards([_offer(FIRST, SECOND)], today=FIRST_ON)

    assert card.reasons == (
        "Begins today", "Every gap is ideal", "All on Mondays", "One practitioner throughout")


def test_a_plan_says_from_when_it_waits() -> None:
    said = [plan_cards([_offer(FIRST, wait=wait)], today=today)[0].reasons[0] for wait, today in (
        (0, FIRST_ON), (1, date(2027, 2, 28)), (7, date(2027, 2, 22)), (0, date(2027, 2, 22)), (5, date(2027, 2, 22)))]

    assert said == ["Begins today", "Begins tomorrow", "Begins in 7 days", "Begins on the first possible date",
                    "Begins 5 days after the first possible date"]


def test_every_cost_is_told_in_days_changes_and_sessions() -> None:
    [card] = plan_cards([_offer(
        FIRST, SECOND, gap=30, wait=1, practitioner_change=60, other_practitioner=30, outside_windows=40)],
        today=date(2027, 2, 27))

    assert card.reasons == (
        "Begins 1 day after the first possible date", "3 days off the ideal spacing, over all gaps",
        "All on Mondays", "Changes practitioner twice", "1 session not with the practitioner asked for",
        "2 sessions outside the times that the patient would rather have")


def test_a_plan_says_its_weekdays_its_people_and_how_it_stands_to_the_event() -> None:
    window = Window(date(2027, 3, 22), date(2027, 3, 29), date(2027, 4, 12))
    tuesday = replace(_visit(2, datetime(2027, 3, 30, 8, tzinfo=UTC), gap_days=29, window=window), practitioner="Dr Bo")
    deadline = Deadline(Finish(date(2027, 4, 10), 3), 0, None, None)

    [card] = plan_cards([_offer(FIRST, tuesday, practitioner_change=30)], kept={1}, deadline=deadline, today=FIRST_ON)

    assert card.reasons[2:] == (
        "One Monday and one Tuesday", "Two practitioners, one after the other",
        "Recovered on 2 Apr, with 7 days to spare before the event")
    assert [(each.gap, each.fit_words, each.is_kept) for each in card.visits] == [
        ("", "", True), ("29 days later", "in its ideal days", False)]


@pytest.mark.parametrize(("day", "fit", "words"), [
    (21, Fit.TOO_EARLY, "1 day before its window"), (22, Fit.EARLY, "7 days before ideal"),
    (27, Fit.IDEAL, "in its ideal days"), (29, Fit.IDEAL, "on its ideal day"), (31, Fit.IDEAL, "in its ideal days"),
    (40, Fit.LATE, "11 days after ideal"), (44, Fit.TOO_LATE, "1 day after its window"),
])
def test_words_and_mark_of_a_date_agree_with_each_other_and_with_the_courses_page(
    day: int, fit: Fit, words: str
) -> None:
    window, on = Window(date(2027, 3, 22), date(2027, 3, 29), date(2027, 4, 12)), date(2027, 3, 1) + timedelta(day - 1)
    at = datetime(on.year, on.month, on.day, 8, tzinfo=UTC)

    [card] = plan_cards([_offer(FIRST, _visit(2, at, gap_days=29, window=window))], today=FIRST_ON)

    assert (card.visits[1].fit, card.visits[1].fit_words) == (fit, words)


def test_plans_lie_on_one_line_from_the_first_date_to_the_event() -> None:
    line = time_line([_offer(FIRST, SECOND), _offer(FIRST)], Finish(date(2027, 4, 20), 7))

    assert line is not None
    assert [(round(dot.x), dot.words) for dot in line.plans[0].dots] == [(4, "1 Mar"), (56, "29 Mar")]
    assert (line.event_x, line.event_words) == (pytest.approx(96, abs=0.6), "Event 20 Apr")
    assert [name for _, name in line.months] == ["Mar", "Apr"]
    assert line.plans[0].dots[0].x == line.plans[1].dots[0].x
    assert line.plans[0].recovery_width == pytest.approx(7 * 100 / 54, abs=0.1)


def test_sessions_past_the_horizon_are_owed_with_their_windows() -> None:
    later = Window(date(2028, 4, 1), date(2028, 4, 8), date(2028, 5, 1))

    [card] = plan_cards([_offer(FIRST, undated=(UndatedOffer(2, "Skin needling", later),))], today=FIRST_ON)

    assert card.owed == "Owed, past the booking horizon, and dated later: session 2 1 Apr – 1 May 2028."


def test_a_date_of_another_year_says_its_year() -> None:
    [card] = plan_cards([_offer(FIRST, _visit(2, datetime(2028, 1, 10, 9, tzinfo=UTC), gap_days=315))], today=FIRST_ON)

    assert (card.visits[1].day, card.summary) == ("10 Jan 2028", "2 sessions, 1 Mar 2027 – 10 Jan 2028")
