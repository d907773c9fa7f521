"""What people keep in their calendars, in no program's words, and when that makes them busy: worked out day by day.

All of it happens on the clock of Berlin, whose changes lie on 28 March and 31 October 2027 and 26 March 2028.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
FROM = datetime(2027, 3, 1, 9, tzinfo=UTC)
TO = FROM + timedelta(days=400)

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Entry:
    """An entry: local times, or whole days."""

    starts: datetime
    ends: datetime
    is_day: bool = False
    rule: str = ""
    exceptions: tuple[datetime, ...] = ()
    further: tuple[datetime, ...] = ()
    replaces: datetime | None = None
    status: str = "CONFIRMED"
    shown: str = "BUSY"
    uid: str = "one"


@dataclass(frozen=True)
class Scenario:
    """Entries, and the busy spans that they mean (UTC)."""

    entries: tuple[Entry, ...]
    busy: tuple[Span, ...]
    has_series: bool = field(default=False)


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A local time."""
    return datetime.combine(date(year, month, day), time(hour, minute))


def timed(day: date, begins: str, ends: str, *, over_night: bool = False) -> Span:
    """A span of local times as instants."""
    last = day + timedelta(days=1) if over_night else day
    return (_utc(datetime.combine(day, time.fromisoformat(begins))),
            _utc(datetime.combine(last, time.fromisoformat(ends))))


def whole(first: date, days: int = 1) -> Span:
    """Whole local days as instants."""
    return (_utc(datetime.combine(first, time())), _utc(datetime.combine(first + timedelta(days=days), time())))


def every_day() -> Iterator[date]:
    """Each date that can matter."""
    day = date(2026, 1, 1)
    while day < date(2028, 6, 1):
        yield day
        day += timedelta(days=1)


def merged(spans: list[Span] | tuple[Span, ...]) -> tuple[Span, ...]:
    """The minutes of the window that are busy, counted one by one, as spans."""
    minute = timedelta(minutes=1)
    marks: set[int] = set()
    for starts, ends in spans:
        low, high = (max(starts, FROM) - FROM) // minute, (min(ends, TO) - FROM) // minute
        marks.update(range(low, high))
    found: list[Span] = []
    for mark in sorted(marks):
        if found and found[-1][1] == FROM + mark * minute:
            found[-1] = (found[-1][0], FROM + (mark + 1) * minute)
        else:
            found.append((FROM + mark * minute, FROM + (mark + 1) * minute))
    return tuple(found)


def _utc(wall: datetime) -> datetime:
    return wall.replace(tzinfo=BERLIN).astimezone(UTC)


def _scenario(entries: list[Entry], spans: list[Span]) -> Scenario:
    return Scenario(tuple(entries), merged(spans),
                    any(entry.rule or entry.further or entry.replaces for entry in entries))


def one_meeting() -> Scenario:
    """One meeting."""
    return _scenario([Entry(at(2027, 3, 9, 14), at(2027, 3, 9, 15, 30))], [timed(date(2027, 3, 9), "14:00", "15:30")])


def weekly_without_end() -> Scenario:
    """Every Tuesday for ever, over every clock change."""
    return _scenario([Entry(at(2024, 1, 2, 14), at(2024, 1, 2, 15), rule="FREQ=WEEKLY;BYDAY=TU")],
                     [timed(day, "14:00", "15:00") for day in every_day() if day.weekday() == 1])


def ten_times() -> Scenario:
    """Ten dates on Mondays, Wednesdays and Fridays, the first two of which are over."""
    days = [day for day in every_day() if day >= date(2027, 2, 24) and day.weekday() in (0, 2, 4)][:10]
    return _scenario([Entry(at(2027, 2, 24, 8), at(2027, 2, 24, 9, 15), rule="FREQ=WEEKLY;COUNT=10;BYDAY=MO,WE,FR")],
                     [timed(day, "08:00", "09:15") for day in days])


def every_other_week() -> Scenario:
    """Every other Thursday until the end of June, without two of them."""
    out = (at(2027, 4, 8, 17), at(2027, 6, 3, 17))
    days = [date(2027, 3, 11) + timedelta(days=14 * number) for number in range(8)]
    return _scenario(
        [Entry(at(2027, 3, 11, 17), at(2027, 3, 11, 18), rule="FREQ=WEEKLY;INTERVAL=2;UNTIL=20270617T150000Z",
               exceptions=out)],
        [timed(day, "17:00", "18:00") for day in days if day not in {each.date() for each in out}])


def second_tuesday() -> Scenario:
    """The second Tuesday of each month; May's was moved, July's called off."""
    days = [day for day in every_day() if day.weekday() == 1 and 8 <= day.day <= 14 and day >= date(2026, 9, 8)]
    kept = [day for day in days if day not in (date(2027, 5, 11), date(2027, 7, 13))]
    return _scenario(
        [Entry(at(2026, 9, 8, 12), at(2026, 9, 8, 13), rule="FREQ=MONTHLY;BYDAY=2TU"),
         Entry(at(2027, 5, 12, 16), at(2027, 5, 12, 18), replaces=at(2027, 5, 11, 12)),
         Entry(at(2027, 7, 13, 12), at(2027, 7, 13, 13), replaces=at(2027, 7, 13, 12), status="CANCELLED")],
        [*(timed(day, "12:00", "13:00") for day in kept), timed(date(2027, 5, 12), "16:00", "18:00")])


def birthdays_and_leave() -> Scenario:
    """A birthday that is marked free, and leave of five days over the clock change."""
    return _scenario(
        [Entry(at(1984, 4, 12), at(1984, 4, 13), is_day=True, rule="FREQ=YEARLY", shown="FREE", uid="birthday"),
         Entry(at(2027, 10, 29), at(2027, 11, 3), is_day=True, shown="OOF", uid="leave")],
        [whole(date(2027, 10, 29), 5)])


def school_runs() -> Scenario:
    """Every working day in the morning."""
    return _scenario(
        [Entry(at(2027, 1, 4, 7, 30), at(2027, 1, 4, 8, 15), rule="FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR")],
        [timed(day, "07:30", "08:15") for day in every_day() if day.weekday() < 5])


def last_days() -> Scenario:
    """The last day of every month, whole; also in February of a leap year."""
    days = [day for day in every_day() if (day + timedelta(days=1)).day == 1]
    return _scenario([Entry(at(2026, 1, 31), at(2026, 2, 1), is_day=True, rule="FREQ=MONTHLY;BYMONTHDAY=-1")],
                     [whole(day) for day in days])


def nights() -> Scenario:
    """Two single nights in which the clock changes."""
    return _scenario(
        [Entry(at(2027, 3, 27, 22), at(2027, 3, 28, 6), uid="spring"),
         Entry(at(2027, 10, 30, 22), at(2027, 10, 31, 6), uid="autumn")],
        [timed(date(2027, 3, 27), "22:00", "06:00", over_night=True),
         timed(date(2027, 10, 30), "22:00", "06:00", over_night=True)])


def named_dates() -> Scenario:
    """A date with three further ones."""
    more = (at(2027, 4, 20, 10), at(2027, 5, 3, 10), at(2027, 11, 8, 10))
    return _scenario([Entry(at(2027, 3, 15, 10), at(2027, 3, 15, 10, 45), further=more)],
                     [timed(each.date(), "10:00", "10:45") for each in (at(2027, 3, 15), *more)])


def states() -> Scenario:
    """Tentative is busy; called off and free are not."""
    return _scenario(
        [Entry(at(2027, 3, 16, 9), at(2027, 3, 16, 10), status="TENTATIVE", shown="TENTATIVE", uid="maybe"),
         Entry(at(2027, 3, 16, 11), at(2027, 3, 16, 12), status="CANCELLED", uid="off"),
         Entry(at(2027, 3, 16, 13), at(2027, 3, 16, 14), shown="FREE", uid="free")],
        [timed(date(2027, 3, 16), "09:00", "10:00")])


def overlapping() -> Scenario:
    """Times that overlap, touch and lie in each other; one began before now."""
    return _scenario(
        [Entry(at(2027, 2, 28, 9), at(2027, 3, 1, 12), uid="a"), Entry(at(2027, 3, 1, 11), at(2027, 3, 1, 14), uid="b"),
         Entry(at(2027, 3, 1, 14), at(2027, 3, 1, 15), uid="c"),
         Entry(at(2027, 3, 1, 11, 30), at(2027, 3, 1, 12), uid="d")],
        [(datetime(2027, 2, 28, 8, tzinfo=UTC), datetime(2027, 3, 1, 14, tzinfo=UTC))])


SCENARIOS: dict[str, Callable[[], Scenario]] = {
    each.__name__: each for each in (
        one_meeting, weekly_without_end, ten_times, every_other_week, second_tuesday, birthdays_and_leave, school_runs,
        last_days, nights, named_dates, states, overlapping)}
