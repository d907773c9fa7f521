"""Months as the figures count them: whole months of the clinic's own calendar, and the same number of months before."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from clinic.planning.local import instant

MOST_MONTHS = 12
USUAL_MONTHS = 3


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of the calendar."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if not (1 <= self.number <= 12 and 1 < self.year < 9998):
            raise ValueError(f"no such month: {self.year}-{self.number}")

    @property
    def first_on(self) -> date:
        """Its first date."""
        return date(self.year, self.number, 1)

    @property
    def code(self) -> str:
        """Such as "2027-03"."""
        return f"{self.year:04}-{self.number:02}"

    def plus(self, months: int) -> Month:
        """The month so many later; earlier where negative."""
        year, place = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(year, place + 1)


@dataclass(frozen=True, slots=True)
class Months:
    """Some months in a row, from the first to the last."""

    first: Month
    last: Month

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"months out of order: {self.first.code} to {self.last.code}")

    def __iter__(self) -> Iterator[Month]:
        return (self.first.plus(each) for each in range(self.count))

    @property
    def count(self) -> int:
        """How many months they are."""
        return (self.last.year - self.first.year) * 12 + self.last.number - self.first.number + 1

    @property
    def from_on(self) -> date:
        """The first date."""
        return self.first.first_on

    @property
    def until_on(self) -> date:
        """The date after the last one."""
        return self.last.plus(1).first_on

    @property
    def before(self) -> Months:
        """As many months, directly before these."""
        return Months(self.first.plus(-self.count), self.last.plus(-self.count))

    def covers(self, on: date) -> bool:
        """Whether a date lies in these months."""
        return self.from_on <= on < self.until_on

    def instants(self, where: ZoneInfo) -> tuple[datetime, datetime]:
        """From when until when they last in that zone: midnight there, whatever its clocks do in between."""
        return instant(self.from_on, 0, where), instant(self.until_on, 0, where)


@lru_cache(maxsize=1000)
def month_of(on: date) -> Month:
    """The month in which a date lies."""
    return Month(on.year, on.month)


def month_named(code: str) -> Month | None:
    """The month of a code such as "2027-03"; none where it is none."""
    year, _, number = code.partition("-")
    if not (len(year) == 4 and len(number) == 2 and (year + number).isdecimal() and (year + number).isascii()):
        return None
    try:
        return Month(int(year), int(number))
    except ValueError:
        return None


def usual_months(today: date) -> Months:
    """The last three months that are over."""
    last = month_of(today).plus(-1)
    return Months(last.plus(1 - USUAL_MONTHS), last)


def week_of(on: date) -> date:
    """The Monday of a date's week."""
    return on - timedelta(days=on.weekday())
