"""A section as its texts see it: every date and number already said in words."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from clinic.messages.letters import (
    AftercarePhase,
    Instruction,
    Kind,
    KindWords,
    Letter,
    RedFlag,
    RequestKind,
    Section,
    Urgency,
    VisitLine,
    VisitState,
)
from clinic.messages.words import Labels, clock, day_in_words, short_day_in_words, time_in_words, zone_in_words

AHEAD = frozenset(
    {Kind.CONFIRMATION, Kind.PRECARE, Kind.REMINDER_7D, Kind.REMINDER_2D, Kind.CHANGE, Kind.COURSE_COMPLETE,
     Kind.DATES_HELD, Kind.CLINIC_CHANGE}
)
"""What is about a date to come, and names it before it is opened."""


@dataclass(frozen=True, slots=True)
class DateView:
    """One date: its tile (weekday, day, month), the line beside it, and what is to be known of it."""

    day: str
    short_day: str
    time: str
    hours: str
    tile_weekday: str
    tile_day: str
    tile_month: str
    state: str
    mark: str
    old: str
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListView:
    """A headed list of lines."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CareView:
    """One stretch of time and its lists of what to expect, do and avoid."""

    heading: str
    lists: tuple[ListView, ...]


@dataclass(frozen=True, slots=True)
class FlagsView:
    """Signs of one urgency, what to do about them, and whom to call."""

    heading: str
    lines: tuple[str, ...]
    urgent: bool


@dataclass(frozen=True, slots=True)
class SectionView:
    """Everything that the texts of a section may name."""

    kind: str
    clinic: str
    phone: str
    dates: tuple[DateView, ...]
    other_dates: tuple[DateView, ...]
    undated: int
    checklist: tuple[ListView, ...]
    care: tuple[CareView, ...]
    expected: tuple[str, ...]
    red_flags: tuple[FlagsView, ...]
    treated_day: str
    offer_from: str
    offer_to: str
    held_until: str
    note: str
    link: str
    files: int
    shows_dates_ahead: bool
    by_clinic: bool
    first_name: str
    own: KindWords

    def plain(self) -> dict[str, object]:
        """The placeholders that are words or numbers."""
        first = self.dates[0] if self.dates else None
        return {
            "clinic": self.clinic,
            "phone": self.phone,
            "day": first.day if first else "",
            "short_day": first.short_day if first else "",
            "time": first.time if first else "",
            "count": len(self.dates),
            "other_count": len(self.other_dates),
            "only_new": all(date.state == VisitState.NEW.value for date in self.dates),
            "undated": self.undated,
            "treated_day": self.treated_day,
            "offer_from": self.offer_from,
            "offer_to": self.offer_to,
            "held_until": self.held_until,
            "has_expectations": bool(self.expected),
            "has_flags": bool(self.red_flags),
            "note": self.note,
            "link": self.link,
            "calendar_files": self.files,
            "by_clinic": self.by_clinic,
        }


def see_section(section: Section, letter: Letter, words: Labels) -> SectionView:
    """The section in the words of its language."""
    clinic, visits = letter.clinic, _in_order(section.visits)
    other = _others(section.kind, visits)
    zones = {visit.zone for each in letter.sections for visit in each.visits}
    names_zone = clinic.names_zone or not zones <= {clinic.zone}
    marks = _marks(section.kind, words)
    shown = [_see_date(visit, words, marks, names_zone) for visit in visits if visit not in other]
    treated = section.treated_at.astimezone(ZoneInfo(clinic.zone)) if section.treated_at else None
    return SectionView(
        kind=section.kind.value,
        clinic=clinic.name,
        phone=clinic.phone,
        dates=tuple(shown),
        other_dates=tuple(_see_date(visit, words, marks, names_zone) for visit in other),
        undated=section.undated,
        checklist=tuple(_see_checklist(section, visits, words)),
        care=tuple(_see_phase(phase, treated, words) for phase in section.phases),
        expected=tuple(_capitalised(line) for phase in section.phases for line in phase.expect),
        red_flags=tuple(_see_flags(section.red_flags, letter, words)),
        treated_day=short_day_in_words(treated.date(), words) if treated else "",
        offer_from=day_in_words(section.offer.from_on, words) if section.offer else "",
        offer_to=day_in_words(section.offer.to_on, words) if section.offer else "",
        held_until=day_in_words(section.held_until, words) if section.held_until else "",
        note=section.note or "",
        link=section.link or "",
        files=len(letter.calendars),
        shows_dates_ahead=section.kind in AHEAD,
        by_clinic=section.by_clinic,
        first_name=letter.first_name.strip(),
        own=section.own,
    )


def _in_order(visits: Iterable[VisitLine]) -> tuple[VisitLine, ...]:
    return tuple(sorted(visits, key=lambda visit: visit.starts_at.timestamp()))


def _others(kind: Kind | RequestKind, visits: tuple[VisitLine, ...]) -> tuple[VisitLine, ...]:
    """The dates that a message about changes repeats only to say that they stay."""
    if kind not in {Kind.CHANGE, Kind.CLINIC_CHANGE, Kind.CANCELLATION}:
        return ()
    return tuple(visit for visit in visits if visit.state is VisitState.KEPT)


def _see_date(visit: VisitLine, words: Labels, marks: dict[VisitState, str], names_zone: bool) -> DateView:
    where = ZoneInfo(visit.zone)
    start, end = visit.starts_at.astimezone(where), visit.ends_at.astimezone(where)
    place_in_time = f" ({zone_in_words(where, words)})" if names_zone else ""
    hours = words.hours.format(start=clock(start), end=clock(end)) + place_in_time
    return DateView(
        day=day_in_words(start.date(), words),
        short_day=short_day_in_words(start.date(), words),
        time=time_in_words(start, words) + place_in_time,
        hours=hours,
        tile_weekday=words.weekday_tiles[start.weekday()],
        tile_day=str(start.day),
        tile_month=words.month_tiles[start.month - 1],
        state=visit.state.value,
        mark=marks[visit.state],
        old=_old(visit, where, words),
        details=tuple(_details(visit, words)),
    )


def _marks(kind: Kind | RequestKind, words: Labels) -> dict[VisitState, str]:
    """What is written over a date; a new one is only remarkable among others that changed."""
    return {
        VisitState.NEW: words.added if kind in {Kind.CHANGE, Kind.CLINIC_CHANGE} else "",
        VisitState.KEPT: "",
        VisitState.MOVED: words.moved,
        VisitState.CANCELLED: words.cancelled,
    }


def _old(visit: VisitLine, where: ZoneInfo, words: Labels) -> str:
    if visit.old_starts_at is None:
        return ""
    old = visit.old_starts_at.astimezone(where)
    return words.old_time.format(when=f"{day_in_words(old.date(), words)}, {time_in_words(old, words)}")


def _details(visit: VisitLine, words: Labels) -> Iterable[str]:
    number = visit.number is not None and visit.of is not None and visit.of > 1
    who = [words.session_number.format(number=visit.number, of=visit.of)] if number else []
    if visit.practitioner:
        who.append(words.practitioner.format(name=visit.practitioner))
    if who:
        yield _capitalised(" ".join(who))
    if visit.place:
        yield visit.place


def _see_checklist(section: Section, visits: tuple[VisitLine, ...], words: Labels) -> Iterable[ListView]:
    """The instructions by the day from which they count, the earliest first; those without a day lead.

    What should have begun already begins now, except on the day itself, which needs no other word.
    """
    now = section.written_on
    day = visits[0].starts_at.astimezone(ZoneInfo(visits[0].zone)).date() if visits else None

    def starts(instruction: Instruction) -> date:
        if instruction.starts_on is None:
            return date.min
        return max(instruction.starts_on, now) if now else instruction.starts_on

    for from_on, group in groupby(sorted(section.instructions, key=starts), key=starts):
        if from_on == date.min:
            heading = ""
        elif from_on == day:
            heading = words.on_the_day
        elif from_on == now:
            heading = words.from_now_on
        else:
            heading = words.from_day.format(day=short_day_in_words(from_on, words))
        yield ListView(heading, tuple(instruction.text for instruction in group))


def _see_phase(phase: AftercarePhase, treated: datetime | None, words: Labels) -> CareView:
    lists = ((words.expect, phase.expect), (words.do, phase.do), (words.avoid, phase.avoid))
    return CareView(
        _phase_heading(phase, treated, words),
        tuple(ListView(heading, tuple(map(_capitalised, lines))) for heading, lines in lists if lines),
    )


def _capitalised(line: str) -> str:
    return line[0].upper() + line[1:]


def _phase_heading(phase: AftercarePhase, treated: datetime | None, words: Labels) -> str:
    if phase.from_hours == 0 and phase.to_hours is not None and phase.to_hours <= 48:
        return words.first_hours.format(hours=phase.to_hours)
    if treated is None:
        raise ValueError("an aftercare phase needs the time of the treatment")
    # Days are counted on the calendar: a treatment on Monday begins its second day on Tuesday at any hour.
    begins = treated.date() + timedelta(days=phase.from_hours // 24)
    if phase.to_hours is None:
        return words.from_day_on.format(day=short_day_in_words(begins, words))
    ends = treated.date() + timedelta(days=phase.to_hours // 24)
    return words.between_days.format(
        from_day=short_day_in_words(begins, words), to_day=short_day_in_words(ends, words)
    )


def _see_flags(flags: tuple[RedFlag, ...], letter: Letter, words: Labels) -> Iterable[FlagsView]:
    clinic = letter.clinic
    same_day = words.same_day_out_of_hours if clinic.out_of_hours_phone else words.same_day
    headings = {
        Urgency.EMERGENCY: words.emergency_number.format(emergency=clinic.emergency_phone) if clinic.emergency_phone
        else words.emergency,
        Urgency.SAME_DAY: same_day.format(phone=clinic.phone, out_of_hours=clinic.out_of_hours_phone),
        Urgency.NEXT_WORKING_DAY: words.next_working_day.format(phone=clinic.phone),
    }
    for urgency, heading in headings.items():
        lines = tuple(flag.text for flag in flags if flag.urgency is urgency)
        if lines:
            yield FlagsView(heading, lines, urgency is Urgency.EMERGENCY)
