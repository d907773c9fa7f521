"""Days on which a clinic is open: a message that asks for a call waits for one."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from clinic.planning.local import DAY

_FARTHEST_DAYS = 366


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """The weekdays (Monday 0) on which a clinic opens, and the spans of dates, ends included, when it is closed."""

    weekdays: frozenset[int]
    closures: tuple[tuple[date, date], ...] = ()

    def next_after(self, day: date) -> date:
        """The first day after this one on which the clinic is open; simply the next day where none is in a year."""
        for ahead in range(1, _FARTHEST_DAYS + 1):
            if self._is_open(day + ahead * DAY):
                return day + ahead * DAY
        return day + DAY

    def _is_open(self, day: date) -> bool:
        return day.weekday() in self.weekdays and not any(begins <= day <= ends for begins, ends in self.closures)


EVERY_DAY = BusinessDays(frozenset(range(7)))
