"""Everything that happened to a patient or a course and that is to come, as one list in order of time."""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any

SHOWN = 50
"""So many entries at a time."""
AHEAD, BEHIND = 10, 40
"""Of those around today: so many to come, and so many behind."""
_FORM = re.compile(r"([12]\d{3}[01]\d[0-3]\dT[0-2]\d[0-5]\d[0-5]\d)\.(\d{1,2})\.(\d{1,9})", re.ASCII)


class Theme(StrEnum):
    """What the list can be narrowed to."""

    VISITS = "visits"
    MESSAGES = "messages"
    FINDINGS = "findings"
    COURSE = "course"
    NOTES = "notes"
    RECORD = "record"


class Source(IntEnum):
    """Where an entry comes from; of one instant, the later of these stands first in the list."""

    OFFERS = 1
    NEWSLETTER = 2
    NO_NEWSLETTER = 3
    DEED_ON_PATIENT = 4
    SCREENING = 5
    OVERRIDE = 6
    DEED_ON_COURSE = 7
    DEED_ON_UPKEEP = 8
    DEED_ON_SESSION = 9
    DEED_ON_VISIT = 10
    TASK = 11
    NOTE = 12
    CLINICAL_NOTE = 13
    MESSAGE = 14
    CONTACT = 15
    BOUNCE = 16
    VISIT = 17
    PERFORMED = 18


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an entry stands: newer ones come after it."""

    at: datetime
    source: int
    id: int

    def __str__(self) -> str:
        return f"{self.at.astimezone(UTC):%Y%m%dT%H%M%S}.{self.source}.{self.id}"


def parse_place(text: str) -> Place | None:
    """The place that an address carried; none for anything that no page of ours has said."""
    found = _FORM.fullmatch(text)
    try:
        at = datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if found else None
    except ValueError:
        return None
    return Place(at, int(found[2]), int(found[3])) if found and at else None


def end_of(now: datetime) -> Place:
    """The place after all that is not to come any more."""
    return Place(now.replace(microsecond=0), 99, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing: `what` is its code and `why` one more, `words` what somebody wrote.

    `who` did or does it, `by` is a second person: who closed a visit, read a note, did a task, and `then` is when.
    `number` is of its session, `about` names a treatment or protocol, `local_start` is the visit's in its own zone.
    `ref` is what it leads to: the message of a call, the course of a visit, the protocol version of a screening.
    """

    at: datetime
    source: Source
    id: int
    what: str
    why: str = ""
    who: str = ""
    by: str = ""
    number: int | None = None
    is_upkeep: bool = False
    about: str = ""
    words: str = ""
    local_start: datetime | None = None
    then: datetime | None = None
    ref: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    said: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.at, self.source, self.id)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which part of the list is asked for: what is older than a place, what is later, or with neither what lies around
    today."""

    older: Place | None = None
    later: Place | None = None

    @property
    def is_around_today(self) -> bool:
        """Whether the line between what was and what comes is within it."""
        return self.older is None and self.later is None


@dataclass(frozen=True, slots=True)
class TimeLine:
    """A part of the list, the latest first: what is to come above what was."""

    ahead: tuple[Entry, ...]
    behind: tuple[Entry, ...]
    later: Place | None
    older: Place | None
    stretch: Stretch = Stretch()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All that is shown."""
        return self.ahead + self.behind


def laid_out(found: Iterable[Entry], stretch: Stretch, *, now: datetime) -> TimeLine:
    """The entries of that stretch in their order. Of each source as many were read as are shown, and one more."""
    entries, today = sorted(found, key=lambda each: each.place, reverse=True), end_of(now)
    coming = [each for each in entries if each.place > (stretch.later or today)]
    past = [each for each in entries if each.place < (stretch.older or today)]
    if stretch.older is not None:
        return _of(stretch, [], coming=[], past=past, most=SHOWN)
    ahead = coming[-(SHOWN if stretch.later else AHEAD):]
    if stretch.later is not None:
        return _of(stretch, ahead, coming=coming, past=[], most=0)
    return _of(stretch, ahead, coming=coming, past=past, most=BEHIND)


def _of(stretch: Stretch, ahead: list[Entry], *, coming: list[Entry], past: list[Entry], most: int) -> TimeLine:
    behind = past[:most]
    return TimeLine(
        tuple(ahead), tuple(behind), ahead[0].place if len(ahead) < len(coming) else None,
        behind[-1].place if len(behind) < len(past) else None, stretch)
