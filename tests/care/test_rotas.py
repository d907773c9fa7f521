"""What is wrong with a rota, in words and at its day."""
from __future__ import annotations

from datetime import date

import pytest

from clinic.care.rotas import DaySpan, RotaWeeks, Timetable, WeekSpan, judge_rota

MONDAY = date(2027, 3, 1)
NINE_TO_FIVE = DaySpan(540, 1020, 1)


def rota(*spans: tuple[int, int, DaySpan], weeks: int = 1, starts_on: date = MONDAY,
         ends_on: date | None = None) -> RotaWeeks:
    return RotaWeeks(starts_on, tuple(WeekSpan(*each) for each in spans), weeks, ends_on)


@pytest.mark.parametrize(("wrong", "field", "words"), [
    (rota((0, 0, NINE_TO_FIVE), starts_on=date(2027, 3, 2)), "starts_on", "A rota starts on a Monday."),
    (rota((0, 0, NINE_TO_FIVE), ends_on=date(2027, 2, 1)), "ends_on", "The last day lies before the first one."),
    (rota((0, 0, NINE_TO_FIVE), weeks=9), "weeks", "A rota has 1 to 8 weeks."),
    (rota((0, 0, NINE_TO_FIVE), (1, 0, NINE_TO_FIVE)), "weeks", "This rota has 1 week: week 2 comes never."),
    (rota(), "w0-d0", "Enter hours of work for at least one day."),
    (rota((0, 1, DaySpan(600, 540, 1))), "w0-d1", "Tuesday: the end must be after the beginning (10:00 – 09:00)."),
    (rota((0, 1, DaySpan(540, 2000, 1))), "w0-d1", "Tuesday: hours of one day are at most 24."),
    (rota((0, 1, DaySpan(1500, 1560, 1))), "w0-d1", "Tuesday: hours begin at a time from 00:00 to 23:59."),
    (rota((0, 0, NINE_TO_FIVE), (0, 0, DaySpan(1000, 1100, 2))), "w0-d0",
     "Monday: 09:00 – 17:00 and 16:40 – 18:20 overlap. Nobody can be at two places."),
    (rota((0, 0, NINE_TO_FIVE), (1, 0, NINE_TO_FIVE), (1, 0, DaySpan(540, 600, 2)), weeks=2), "w1-d0",
     "Monday of week 2: 09:00 – 17:00 and 09:00 – 10:00 overlap. Nobody can be at two places."),
    (rota((0, 0, DaySpan(1320, 1800, 1)), (0, 1, DaySpan(300, 600, 1))), "w0-d1",
     "Tuesday begins at 05:00, but the day before ends at 06:00."),
    (rota((0, 6, DaySpan(1320, 1800, 1)), (0, 0, DaySpan(300, 600, 1))), "w0-d0",
     "Monday begins at 05:00, but the day before ends at 06:00."),
    (rota((0, 0, NINE_TO_FIVE), (0, 0, DaySpan(480, 570, None, 30))), "w0-d0",
     "Monday: the break 08:00 – 09:30 lies outside the hours of work."),
    (rota((0, 0, NINE_TO_FIVE), (0, 0, DaySpan(720, 780, None, 30)), (0, 0, DaySpan(770, 800, None, 30))), "w0-d0",
     "Monday: the breaks 12:00 – 13:00 and 12:50 – 13:20 overlap."),
    (rota((0, 0, NINE_TO_FIVE), (0, 0, DaySpan(720, 780, None, 90))), "w0-d0",
     "Monday: the break takes 90 minutes, but between 12:00 – 13:00 there are 60."),
])
def test_what_is_wrong_is_said_at_its_place(wrong: RotaWeeks, field: str, words: str) -> None:
    assert (field, words) in [(each.field, each.text) for each in judge_rota(wrong)]


@pytest.mark.parametrize("sound", [
    rota((0, 0, NINE_TO_FIVE), (0, 0, DaySpan(720, 840, None, 30))),
    rota((0, 0, DaySpan(540, 780, 1)), (0, 0, DaySpan(780, 1020, 2)), (0, 0, DaySpan(720, 840, None, 30))),
    rota((0, 0, DaySpan(1320, 1800, 1)), (0, 1, DaySpan(360, 600, 1))),
    rota((7, 6, DaySpan(0, 1440, 1)), weeks=8, ends_on=MONDAY),
])
def test_split_days_nights_and_breaks_across_two_clinics_are_sound(sound: RotaWeeks) -> None:
    assert judge_rota(sound) == ()


def test_the_rota_that_began_last_holds_until_it_ends_and_none_before_it_comes_back() -> None:
    first = rota((0, 0, NINE_TO_FIVE), starts_on=date(2027, 2, 1))
    second = rota((0, 0, DaySpan(600, 660, 1)), ends_on=date(2027, 3, 8))
    known = Timetable((first, second), {date(2027, 3, 8): ()})

    assert [known.spans_on(date(2027, month, day)) for month, day in ((1, 25), (2, 22), (3, 1), (3, 8), (3, 15))] == [
        (), (NINE_TO_FIVE,), (DaySpan(600, 660, 1),), (), ()]


def test_the_weeks_of_a_rota_come_round_in_turn() -> None:
    two = rota((0, 0, NINE_TO_FIVE), (1, 2, NINE_TO_FIVE), weeks=2)

    assert [on for on in range(1, 29) if two.spans_on(date(2027, 3, on))] == [1, 10, 15, 24]
