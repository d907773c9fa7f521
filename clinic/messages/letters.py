"""What a message says, as values: a letter is one e-mail to one patient, a section one thing it tells."""
from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class Kind(StrEnum):
    """What a section is about; the value is the folder of its texts."""

    CONFIRMATION = "confirmation"
    PRECARE = "precare"
    REMINDER_7D = "reminder-7d"
    REMINDER_2D = "reminder-2d"
    CHANGE = "change"
    CLINIC_CHANGE = "clinic-change"
    CANCELLATION = "cancellation"
    AFTERCARE = "aftercare"
    CHECK_IN_24H = "check-in-24h"
    CHECK_IN_72H = "check-in-72h"
    COURSE_COMPLETE = "course-complete"
    RECALL = "recall"
    NUDGE_14D = "nudge-14d"
    NUDGE_IDEAL = "nudge-ideal"
    OUT_OF_WINDOW = "out-of-window"
    MISSED = "missed"
    DATES_HELD = "dates-held"
    DATES_RELEASED = "dates-released"
    REVIEW_VISIT = "review-visit"
    REVIEW_REQUEST = "review-request"


class RequestKind(StrEnum):
    """What is written because the patient asked for it just now: no clinic switches it off or dates it."""

    FRESH_LINK = "fresh-link"


class VisitState(StrEnum):
    """What has become of a date since the patient last heard of it."""

    NEW = "new"
    KEPT = "kept"
    MOVED = "moved"
    CANCELLED = "cancelled"


class Urgency(StrEnum):
    """How soon a red flag must be acted on; the values are those of the protocols."""

    EMERGENCY = "emergency"
    SAME_DAY = "same_day"
    NEXT_WORKING_DAY = "next_working_day"


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What a clinic adds in its own words, line by line: how to find it, what it asks of who cannot come, a closing.

    `cancellation_of` is the date of the version of its rule for who cannot come.
    """

    directions: tuple[str, ...] = ()
    cancellation: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    cancellation_of: date | None = None

    def __post_init__(self) -> None:
        _require_one_line(*self.directions, *self.cancellation, *self.closing)


@dataclass(frozen=True, slots=True)
class KindWords:
    """What a clinic says of its own in one kind of message, with its placeholders unfilled; empty: ours stands.

    `subject_several` is for a message that tells several dates, `opening` is line by line.
    """

    subject: str = ""
    subject_several: str = ""
    preheader: str = ""
    opening: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require_one_line(self.subject, self.subject_several, self.preheader, *self.opening)


@dataclass(frozen=True, slots=True)
class ClinicCard:
    """Who writes: the clinic as its patients know it.

    `names_zone` says after each time whose time it is, for a business with sites in several zones.
    """

    name: str
    address: tuple[str, ...]
    phone: str
    zone: str
    sender_email: str
    sender_name: str = ""
    out_of_hours_phone: str | None = None
    emergency_phone: str | None = None
    names_zone: bool = False
    own: OwnWords = field(default_factory=OwnWords)

    def __post_init__(self) -> None:
        _require_one_line(self.name, *self.address, self.phone, self.sender_name, self.out_of_hours_phone,
                          self.emergency_phone)
        if not self.name.strip() or not self.phone.strip():
            raise ValueError("a clinic that writes needs a name and a phone number")
        _require_zone(self.zone)


@dataclass(frozen=True, slots=True)
class VisitLine:
    """One date as a patient reads it; shown in the wall time of `zone`, whatever zone its instants are in.

    `place` is given only where it is not the letter's clinic; `practitioner` is a name, never a speciality.
    """

    starts_at: datetime
    ends_at: datetime
    zone: str
    state: VisitState = VisitState.NEW
    number: int | None = None
    of: int | None = None
    old_starts_at: datetime | None = None
    place: str | None = None
    practitioner: str | None = None

    def __post_init__(self) -> None:
        _require_aware(self.starts_at, self.ends_at, self.old_starts_at)
        _require_zone(self.zone)
        _require_one_line(self.place, self.practitioner)
        if self.ends_at <= self.starts_at:
            raise ValueError(f"a visit ends before it starts: {self.starts_at} to {self.ends_at}")
        if (self.state is VisitState.MOVED) is not (self.old_starts_at is not None):
            raise ValueError("a moved visit, and only a moved one, has an old time")
        if self.number is not None and self.of is not None and not 1 <= self.number <= self.of:
            raise ValueError(f"session {self.number} of {self.of} does not exist")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One thing to do or leave before a visit, and the first day on which it counts."""

    text: str
    starts_on: date | None = None

    def __post_init__(self) -> None:
        _require_text(self.text)


@dataclass(frozen=True, slots=True)
class AftercarePhase:
    """A stretch of time after a treatment: what is to be expected, done and avoided in it."""

    from_hours: int
    to_hours: int | None
    expect: tuple[str, ...] = ()
    do: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require_text(*self.expect, *self.do, *self.avoid)
        if self.from_hours < 0 or (self.to_hours is not None and self.to_hours <= self.from_hours):
            raise ValueError(f"aftercare phase out of order: {self.from_hours} to {self.to_hours} hours")


@dataclass(frozen=True, slots=True)
class RedFlag:
    """A sign that must not wait, and how soon somebody must be told of it."""

    text: str
    urgency: Urgency

    def __post_init__(self) -> None:
        _require_text(self.text)


@dataclass(frozen=True, slots=True)
class Offer:
    """The span of dates in which the patient is due again."""

    from_on: date
    to_on: date

    def __post_init__(self) -> None:
        if self.to_on < self.from_on:
            raise ValueError(f"an offer ends before it begins: {self.from_on} to {self.to_on}")


@dataclass(frozen=True, slots=True)
class Section:
    """One thing that a letter tells; a message item becomes one section.

    `undated` counts sessions that are owed but have no date yet, `treated_at` turns the hours of aftercare
    into dates, `held_until` is the last day on which dates are held, and `note` is a sentence of the clinic's own
    (its cancellation rule, or a reason). What was `by_clinic` is said with an apology; `own` is what the clinic says in
    words of its own. With `written_on`, instructions whose first day has passed by then count "from now on".
    """

    kind: Kind | RequestKind
    visits: tuple[VisitLine, ...] = ()
    instructions: tuple[Instruction, ...] = ()
    phases: tuple[AftercarePhase, ...] = ()
    red_flags: tuple[RedFlag, ...] = ()
    treated_at: datetime | None = None
    offer: Offer | None = None
    undated: int = 0
    link: str | None = None
    note: str | None = None
    written_on: date | None = None
    held_until: date | None = None
    by_clinic: bool = False
    own: KindWords = field(default_factory=KindWords)

    def __post_init__(self) -> None:
        _require_aware(self.treated_at)
        if self.undated < 0:
            raise ValueError(f"{self.undated} undated sessions")
        if self.note is not None:
            _require_text(self.note)
        if self.link is not None:
            _require_link(self.link)
        _require_facts(self)


@dataclass(frozen=True, slots=True)
class Letter:
    """One e-mail to one patient, before it is put into words. `calendars` are whole calendar files.

    `note` is what a person at the clinic added for this patient alone, line by line.
    """

    language: str
    first_name: str
    clinic: ClinicCard
    sections: tuple[Section, ...]
    calendars: tuple[bytes, ...] = ()
    note: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require_one_line(self.first_name, *self.note)
        if not self.sections:
            raise ValueError("a letter without sections says nothing")


_DATED = frozenset(
    {Kind.CONFIRMATION, Kind.PRECARE, Kind.REMINDER_7D, Kind.REMINDER_2D, Kind.CHANGE, Kind.CANCELLATION, Kind.MISSED,
     Kind.DATES_HELD, Kind.DATES_RELEASED, Kind.CLINIC_CHANGE}
)
_ASKS = frozenset({Kind.RECALL, Kind.NUDGE_14D, Kind.NUDGE_IDEAL, Kind.OUT_OF_WINDOW, Kind.REVIEW_VISIT})
_AFTER = frozenset({Kind.AFTERCARE, Kind.CHECK_IN_24H, Kind.CHECK_IN_72H})


def _require_facts(section: Section) -> None:
    kind, states = section.kind, {visit.state for visit in section.visits}
    if kind in _DATED and not section.visits:
        raise ValueError(f"{kind} needs the visits that it is about")
    if kind in _AFTER and section.treated_at is None:
        raise ValueError(f"{kind} needs the time of the treatment")
    if kind in _ASKS and section.offer is None:
        raise ValueError(f"{kind} needs the dates between which the patient is due")
    if kind is Kind.PRECARE and not section.instructions:
        raise ValueError("precare needs its instructions")
    if kind in (Kind.CHANGE, Kind.CLINIC_CHANGE) and not states & {VisitState.MOVED, VisitState.NEW}:
        raise ValueError("change needs a visit that moved or is new")
    if kind is Kind.REVIEW_REQUEST and section.link is None:
        raise ValueError("whoever is asked for an opinion needs to know where to write it")
    if kind is Kind.DATES_HELD and section.held_until is None:
        raise ValueError("dates that are held need the day until which they are")
    if kind is Kind.CANCELLATION and VisitState.CANCELLED not in states:
        raise ValueError("cancellation needs a cancelled visit")


def _require_aware(*instants: datetime | None) -> None:
    for at in instants:
        if at is not None and at.utcoffset() is None:
            raise ValueError(f"a time without its zone: {at}")


def _require_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone: {name!r}") from error


def _require_one_line(*texts: str | None) -> None:
    for text in texts:
        if not text or text.isprintable():
            continue  # most texts by far, and found out at once
        if any(unicodedata.category(sign) in {"Cc", "Zl", "Zp", "Cs"} for sign in text):
            raise ValueError(f"line breaks and control characters are not allowed here: {text!r}")


def _require_text(*texts: str) -> None:
    for text in texts:
        if not text.strip():
            raise ValueError("an empty line says nothing")
        _require_one_line(text)


def _require_link(link: str) -> None:
    _require_one_line(link)
    if urlsplit(link).scheme not in {"https", "http"} or " " in link:
        raise ValueError(f"not a web address: {link!r}")
