"""Repetitions: the same dates as another library's, from any window, and never more work than was given."""
from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from clinic.interchange.recurrence import Budget, Unusable, parse_rule, starts_of

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FAR = date(2029, 6, 1)


def wall(text: str) -> datetime:
    """A time by the clock, of no zone."""
    return datetime.fromisoformat(text)


def _some(values: st.SearchStrategy[object], most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=most, unique=True).map(lambda each: ",".join(map(str, each)))


def _either(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high) | st.integers(-high, -low)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """A rule of any form that another library reads as the format means it."""
    frequency = draw(st.sampled_from(("YEARLY", "MONTHLY", "WEEKLY", "DAILY")))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 5))}", f"WKST={draw(st.sampled_from(DAYS))}"]
    counted = frequency in ("YEARLY", "MONTHLY")
    weekdays = st.sampled_from(DAYS)
    if counted and draw(st.booleans()):
        weekdays = st.builds(lambda place, day: f"{place}{day}", _either(1, 5), weekdays)
    offered = {"BYMONTH": _some(st.integers(1, 12)), "BYDAY": _some(weekdays),
               "BYHOUR": _some(st.integers(0, 23), 2), "BYMINUTE": _some(st.integers(0, 59), 2)}
    if frequency != "WEEKLY":
        offered["BYMONTHDAY"] = _some(_either(1, 31))
    if frequency == "YEARLY":
        offered["BYYEARDAY"] = _some(_either(1, 366))
    chosen = draw(st.lists(st.sampled_from(sorted(offered)), max_size=3, unique=True))
    # Where the two never meet, the other library looks for them until the year 9999.
    assume(frequency == "YEARLY" or not {"BYMONTH", "BYMONTHDAY"} <= set(chosen))
    parts += [f"{name}={draw(offered[name])}" for name in chosen]
    # Of a week, the other library counts the places from the first date on instead of from the week's beginning.
    if chosen and frequency != "WEEKLY" and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(_some(_either(1, 4), 2))}")
    return ";".join(parts)


def by_another(rule: str, first: datetime) -> list[datetime]:
    """The dates as another library finds them, with the first one, which always belongs."""
    found = []
    for each in rrulestr(rule, dtstart=first):
        if each.date() > FAR:
            break
        found.append(each)
    return sorted({first, *found})


@given(rules(), st.datetimes(wall("2024-01-01 00:00"), wall("2026-12-31 00:00")), st.integers(0, 400),
       st.integers(0, 400))
@example("FREQ=YEARLY;INTERVAL=1;WKST=MO;BYDAY=5MO", wall("2024-02-29 10:00"), 0, 400)
@settings(max_examples=120)
def test_a_window_shows_the_dates_that_another_library_finds(
    rule: str, first: datetime, later: int, size: int
) -> None:
    first = first.replace(microsecond=0)
    begins = first.date() + timedelta(days=later)
    ends = begins + timedelta(days=size)

    found = list(starts_of(parse_rule(rule), first, begins, ends, Budget(10_000_000)))

    assert found == [each for each in by_another(rule, first) if begins <= each.date() <= ends]


@given(rules(), st.datetimes(wall("2024-01-01 00:00"), wall("2026-12-31 00:00")), st.integers(1, 40))
@settings(max_examples=60)
def test_a_count_ends_a_series_wherever_the_window_begins(rule: str, first: datetime, count: int) -> None:
    first = first.replace(microsecond=0)
    counted = parse_rule(f"{rule};COUNT={count}")
    whole = list(starts_of(counted, first, first.date(), FAR, Budget(10_000_000)))
    endless = list(starts_of(parse_rule(rule), first, first.date(), FAR, Budget(10_000_000)))

    assert whole == endless[:count]
    assume(whole)
    middle = whole[len(whole) // 2].date()
    assert list(starts_of(counted, first, middle, FAR, Budget(10_000_000))) == [
        each for each in whole if each.date() >= middle]


@given(_either(1, 53), st.integers(0, 6), st.integers(0, 6))
@settings(max_examples=60)
def test_the_first_week_of_a_year_has_four_of_its_days(week: int, day: int, starts: int) -> None:
    # The last days of 2033 may lie in the first week of 2034, so the weeks of that year are counted to its end too.
    first, ends = wall("2024-01-01 09:00"), date(2035, 2, 1)
    numbered: dict[int, list[date]] = {}
    for number in range(date(2022, 12, 20).toordinal(), ends.toordinal()):
        begins = date.fromordinal(number)
        if begins.weekday() == starts:
            days = [begins + timedelta(days=each) for each in range(7)]
            numbered.setdefault(sorted(each.year for each in days)[3], []).append(begins)
    expected = {
        begins + timedelta(days=(day - starts) % 7)
        for weeks in numbered.values() for place, begins in enumerate(weeks)
        if week in (place + 1, place - len(weeks))}
    rule = parse_rule(f"FREQ=YEARLY;BYWEEKNO={week};BYDAY={DAYS[day]};WKST={DAYS[starts]}")

    found = {each.date() for each in starts_of(rule, first, first.date(), date(2033, 12, 31), Budget(10_000_000))}

    assert found == {each for each in expected if first.date() <= each <= date(2033, 12, 31)} | {first.date()}


@given(st.integers(1, 30), st.lists(st.integers(0, 23), max_size=4, unique=True), st.integers(0, 60))
@settings(max_examples=60)
def test_hours_are_those_of_another_library(interval: int, hours: list[int], later: int) -> None:
    rule = f"FREQ=HOURLY;INTERVAL={interval}" + (f";BYHOUR={','.join(map(str, hours))}" if hours else "")
    first = wall("2027-01-01 05:20")
    begins, ends = date(2027, 1, 1) + timedelta(days=later), date(2027, 4, 1)
    # The other library gives up at rules that never meet an hour; they have no dates.
    possible = not hours or any((5 + interval * number) % 24 in hours for number in range(24))
    known = rrulestr(rule, dtstart=first).between(first, wall("2027-04-02 00:00")) if possible else []

    found = list(starts_of(parse_rule(rule), first, begins, ends, Budget(10_000_000)))

    assert found == [each for each in sorted({first, *known}) if begins <= each.date() <= ends]


@pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=HOURLY", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
                                  "FREQ=DAILY;BYMONTH=1"])
def test_a_series_without_end_costs_what_its_window_costs(rule: str) -> None:
    first, begins = wall("1601-01-01 00:00"), date(2027, 3, 1)

    list(starts_of(parse_rule(rule), first, begins, begins + timedelta(days=400), Budget(24 * 401 * 3)))


def test_work_ends_when_its_budget_does() -> None:
    rule = parse_rule("FREQ=DAILY;COUNT=100000")
    endless = starts_of(rule, wall("1901-01-01 00:00"), date(2027, 3, 1), FAR, Budget(1000))

    with pytest.raises(Unusable, match="too many to work out"):
        list(endless)
