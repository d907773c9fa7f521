"""Times and lists as staff say them."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

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


def listed(names: Sequence[str], last: str = "and") -> str:
    """A, B and C."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"
