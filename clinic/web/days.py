"""Which day a page is asked for, and the ways from there to others."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import request

from clinic.web import entry
from clinic.web.numbers import number_of

FARTHEST = timedelta(days=3660)
WEEK_STEPS = ((-28, "4 weeks back"), (-7, "1 week back"), (7, "1 week on"), (28, "4 weeks on"))
"""Steps that keep the weekday, in days."""


@dataclass(frozen=True, slots=True)
class AskedSlot:
    """Free time of the diary that somebody wants to book: when, by the clinic's clock, and with whom or what."""

    at: datetime | None = None
    resource_id: int | None = None

    def address(self) -> dict[str, Any]:
        """What an address says that carries it on."""
        found = {"at": f"{self.at:%Y-%m-%dT%H:%M}" if self.at else None, "with": self.resource_id}
        return {name: value for name, value in found.items() if value is not None}

    def wishes(self, practitioners: Iterable[tuple[int, str]]) -> dict[str, Any]:
        """What the form of a course begins with: that day, unless it is over, and that practitioner."""
        found: dict[str, Any] = {}
        if self.at and entry.today() <= self.at.date():
            found["not_before"] = self.at.date()
        if self.resource_id in {ident for ident, _ in practitioners}:
            found["practitioner"] = self.resource_id
        return found


def asked_slot() -> AskedSlot:
    """The free time that the address names, as far as it makes sense."""
    try:
        at = datetime.strptime(request.args.get("at", ""), "%Y-%m-%dT%H:%M")  # noqa: DTZ007  (a reading of the clock)
    except ValueError:
        at = None
    return AskedSlot(at, number_of(request.args, "with"))


def asked_day() -> date:
    """The day that the address names; today where none or none of sense is named."""
    try:
        asked = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return entry.today()
    return asked if abs(asked - entry.today()) <= FARTHEST else entry.today()
