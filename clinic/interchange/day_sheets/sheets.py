"""The lists of some days at one clinic, as the page shows them once it is open."""
from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class SheetVisit:
    """Somebody who comes, in the words of the printed day list.

    `held` are the people, rooms and devices of it; `away` says who and what of them is noted absent then.
    """

    time: str
    ends: str
    expected: str
    patient: str
    phone: str
    what: str
    mark: str
    alerts: str
    notes: tuple[str, ...]
    held: tuple[str, ...]
    away: str = ""


@dataclass(frozen=True, slots=True)
class SheetDay:
    """One day, whoever comes on it."""

    on: date
    words: str
    short: str
    visits: tuple[SheetVisit, ...]


@dataclass(frozen=True, slots=True)
class DaySheets:
    """Some days at a clinic as they stood at one instant, in its own time.

    `whose` are those for whom a list of their own can be asked: what they are, and their names.
    """

    clinic: str
    as_of: str
    as_of_on: date
    days: tuple[SheetDay, ...]
    whose: tuple[tuple[str, tuple[str, ...]], ...]

    def document(self) -> bytes:
        """All of it, as the script of the page reads it."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"), default=date.isoformat).encode()
