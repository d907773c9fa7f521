"""Every clock change of every zone from 2015 to 2037, at each quarter of an hour of the days around it.

A sample of zones each time, the odd ones among them; all of them with `--full`.
"""
from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from clinic.planning.local import day_of, instant, local_of, readings, resolve, zone
from tests.databases import is_full
from tests.planning.reading import readings as readings_by_the_page
from tests.planning.reading import resolve as resolve_by_the_page
from tests.planning.reading import seconds

DAY, QUARTER = timedelta(days=1), timedelta(minutes=15)
ODD = ("Africa/Casablanca", "America/Havana", "America/St_Johns", "Antarctica/Troll", "Asia/Gaza", "Asia/Pyongyang",
       "Australia/Lord_Howe", "Europe/Dublin", "Europe/Lisbon", "Pacific/Bougainville")
ALL = sorted(available_timezones() - {"localtime", "posixrules"}) if is_full() else ODD
YEARS = (2015, 2037) if is_full() else (2026, 2028)
ONCE = {"Asia/Pyongyang": (2015, 2018), "Pacific/Bougainville": (2014, 2015)}
"""Zones whose clocks were set lately and are not any more."""


def changes(where: ZoneInfo) -> Iterator[datetime]:
    """The instants at which the clock of `where` is set, found by looking at it once a week and halving."""
    first, last = YEARS if is_full() else ONCE.get(where.key, YEARS)
    at = datetime(first, 1, 1, tzinfo=UTC)
    while at.year <= last:
        low, high = at, at + 7 * DAY
        if low.astimezone(where).utcoffset() != high.astimezone(where).utcoffset():
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
                if middle.astimezone(where).utcoffset() == low.astimezone(where).utcoffset():
                    low = middle
                else:
                    high = middle
            yield high
        at += 7 * DAY


@pytest.mark.parametrize("name", ALL)
def test_a_weekly_series_keeps_its_wall_clock_and_odd_hours_mean_what_the_page_says(name: str) -> None:
    where = zone(name)
    for change in changes(where):
        on = day_of(change, where)
        for minute in range(0, 1440, 15):
            for day in (on - 7 * DAY, on - DAY, on, on + 7 * DAY):
                follow(where, day, minute, change)


def follow(where: ZoneInfo, day: date, minute: int, change: datetime) -> None:
    """One date of a series at that time of day."""
    wall = datetime.combine(day, time(minute // 60, minute % 60))
    at, last = instant(day, minute, where), resolve(wall, where, last=True)
    count = readings(wall, where)
    said = f"{wall} {where.key}"
    assert (seconds(at), count) == (resolve_by_the_page(wall, where), len(readings_by_the_page(wall, where))), said
    if count == 0:
        assert at == last, said
        assert local_of(at - timedelta(seconds=1), where).replace(tzinfo=None, fold=0) < wall, said
        assert local_of(at, where).replace(tzinfo=None, fold=0) > wall, said
        return
    assert local_of(at, where).replace(tzinfo=None, fold=0) == wall, said
    # The two passes of a repeated hour are as far apart as the clock was set back: only instants tell what overlaps.
    set_back = (change - timedelta(seconds=1)).astimezone(where).utcoffset(), change.astimezone(where).utcoffset()
    if count == 2 and day == day_of(change, where):
        assert last - at == set_back[0] - set_back[1], said  # type: ignore[operator]
    assert (last == at) is (count == 1), said


@pytest.mark.parametrize("name", ALL)
def test_what_is_kept_of_an_instant_leads_back_to_it_and_half_an_hour_lasts_half_an_hour(name: str) -> None:
    where = zone(name)
    for change in changes(where):
        for after in range(-14, 15):
            at = (change + after * QUARTER).replace(second=0)
            local = local_of(at, where)

            kept, fold = local.replace(tzinfo=None, fold=0), local.fold

            assert resolve(kept, where, last=fold == 1) == at, f"{kept} {fold} {name}"
            assert local_of(at + 2 * QUARTER, where) - at == 2 * QUARTER

