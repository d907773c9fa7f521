"""Times and lists as staff say them."""
from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Protocol

from clinic.planning.problem import Kind

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)
NOUNS = {Kind.PRACTITIONER: "practitioner", Kind.ROOM: "room", Kind.DEVICE: "device"}


def day_words(day: date) -> str:
    """Monday 1 March 2027."""
    return f"{WEEKDAYS[day.weekday()]} {date_words(day)}"


def date_words(day: date) -> str:
    """1 March 2027."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def clock_words(local: datetime) -> str:
    """09:05."""
    return f"{local.hour:02}:{local.minute:02}"


def days_words(count: int) -> str:
    """1 day, 2 days."""
    return f"{count} day" if count == 1 else f"{count} days"


class Times(Protocol):
    """Times on some weekdays (Monday is 0), in minutes after midnight."""

    @property
    def weekdays(self) -> Collection[int]: ...
    @property
    def begins(self) -> int: ...
    @property
    def ends(self) -> int: ...


def times_words(times: Iterable[Times]) -> str:
    """Mon, Wed 09:00 – 12:00; Fri all day."""
    return "; ".join(
        f"{', '.join(WEEKDAYS[each][:3] for each in sorted(one.weekdays))} "
        + ("all day" if (one.begins, one.ends) == (0, 1440) else f"{_minutes(one.begins)} – {_minutes(one.ends)}")
        for one in times)


def _minutes(after_midnight: int) -> str:
    return f"{after_midnight // 60:02}:{after_midnight % 60:02}"


def listed(names: Sequence[str], last: str = "and") -> str:
    """A, B and C."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"
