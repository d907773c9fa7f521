"""Breaks: a fixed one stands, a movable one lies where it is nearest to the middle of what is left."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from clinic.planning import Ruler, ruler
from clinic.planning.local import zone
from clinic.queries.breaks import Weeks, WorkHours, without_breaks

MONDAY = date(2027, 3, 1)


def line(days: int = 14) -> Ruler:
    return ruler(zone("Europe/London"), MONDAY, days)


def rota(*hours: WorkHours, weeks: int = 1, starts_on: date = MONDAY, ends_on: date | None = None) -> Weeks:
    return Weeks(starts_on, ends_on, weeks, hours)


def work(weekday: int = 0, opens: int = 540, closes: int = 1020, *, week: int = 0) -> WorkHours:
    return WorkHours(week, weekday, opens, closes)


def rest(opens: int, closes: int, minutes: int, weekday: int = 0) -> WorkHours:
    return WorkHours(0, weekday, opens, closes, minutes)


def busy(on: Ruler, *spans: tuple[str, str]) -> int:
    found = 0
    for begins, ends in spans:
        found |= on.covering(*(datetime.fromisoformat(f"2027-03-01T{each}+00:00") for each in (begins, ends)))
    return found


def pauses(on: Ruler, bits: int, day: date = MONDAY) -> list[str]:
    """The spans of that day between 09:00 and 17:00 (UTC) at which nobody is at work."""
    at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    steps = [at + timedelta(minutes=5 * step) for step in range(96)]
    closed = [each for each in steps if not bits >> on.down(each) & 1]
    found: list[list[datetime]] = []
    for each in closed:
        if found and found[-1][1] == each:
            found[-1][1] = each + timedelta(minutes=5)
        else:
            found.append([each, each + timedelta(minutes=5)])
    return [f"{begins:%H:%M}-{ends:%H:%M}" for begins, ends in found]


@pytest.mark.parametrize("taken, pause", [
    ((), "12:45-13:15"),
    ((("12:00", "13:00"),), "13:00-13:30"),
    ((("12:30", "13:05"),), "13:05-13:35"),
    ((("12:50", "14:00"),), "12:20-12:50"),
    ((("12:25", "13:35"),), None),
    ((("12:00", "14:00"),), None),
])
def test_a_movable_break_gives_way_and_where_it_cannot_it_is_given_up(
    taken: tuple[tuple[str, str], ...], pause: str | None
) -> None:
    on = line()

    bits = without_breaks(on, [rota(work(), rest(720, 840, 30))], busy(on, *taken))

    assert pauses(on, bits) == ([pause] if pause else [])


def test_a_fixed_break_stands_where_it_is() -> None:
    on = line()

    bits = without_breaks(on, [rota(work(), rest(780, 810, 30))], 0)

    assert pauses(on, bits) == ["13:00-13:30"]


def test_two_breaks_of_a_day_are_both_kept() -> None:
    on = line()

    bits = without_breaks(on, [rota(work(), rest(600, 660, 15), rest(840, 900, 15))], 0)

    assert pauses(on, bits) == ["10:20-10:35", "14:20-14:35"]


def test_each_week_of_a_rota_comes_round_in_turn_and_counts_from_its_first_monday() -> None:
    on = line(28)
    two = rota(work(0, week=0), work(2, week=1), weeks=2, starts_on=date(2027, 2, 17))

    bits = without_breaks(on, [two], 0)

    open_on = [
        MONDAY + timedelta(days=day) for day in range(28)
        if pauses(on, bits, MONDAY + timedelta(days=day)) != ["09:00-17:00"]]
    assert open_on == [date(2027, 3, 1), date(2027, 3, 10), date(2027, 3, 15), date(2027, 3, 24)]


def test_the_rota_that_began_last_holds_and_one_that_ended_does_not() -> None:
    on = line()
    first = rota(work(0), work(1), starts_on=date(2026, 1, 5))
    second = rota(work(1), starts_on=date(2027, 3, 8), ends_on=date(2027, 3, 9))

    bits = without_breaks(on, [first, second], 0)

    days = [day for day in range(14) if pauses(on, bits, MONDAY + timedelta(days=day)) != ["09:00-17:00"]]
    assert days == [0, 1, 8]


def test_a_break_that_a_clock_change_swallows_is_given_up() -> None:
    """From 01:00 to 02:00 on 28 March 2027 there is no time in London."""
    on = ruler(zone("Europe/London"), date(2027, 3, 28), 1)
    night = rota(work(6, 0, 600), rest(60, 120, 30, weekday=6), starts_on=date(2027, 3, 22))

    bits = without_breaks(on, [night], 0)

    day = on.span(0)
    assert (bits >> day.low & ((1 << day.high - day.low) - 1)).bit_count() * 5 == 9 * 60
