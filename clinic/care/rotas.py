"""Who works when and where: weeks that come round, and dates with hours of their own; and what is wrong with them."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from clinic.planning.findings import Finding, Weight
from clinic.planning.local import DAY, day_of, instant

MOST_WEEKS = 8
MOST_SPANS = 12
"""Spans of one day; a form has to end somewhere."""
WHOLE_DAY = 1440
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_At = TypeVar("_At", int, datetime)


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Hours of a day in minutes after midnight, past 1440 into the next date: of work at a clinic, or of a break.

    A break has no clinic; one shorter than its span may be moved within it.
    """

    opens: int
    closes: int
    clinic_id: int | None
    break_minutes: int | None = None

    @property
    def is_break(self) -> bool:
        """Whether nobody works then."""
        return self.clinic_id is None


@dataclass(frozen=True, slots=True)
class WeekSpan:
    """A day's span in one week of a rota (from 0), on a weekday (Monday is 0)."""

    week: int
    weekday: int
    span: DaySpan


@dataclass(frozen=True, slots=True)
class RotaWeeks:
    """A rota: weeks that come round from `starts_on`, a Monday, until `ends_on` or until a later one begins."""

    starts_on: date
    spans: tuple[WeekSpan, ...]
    weeks: int = 1
    ends_on: date | None = None

    def spans_on(self, day: date) -> tuple[DaySpan, ...]:
        """The spans that begin on a date on which this rota holds."""
        at = (day - self.starts_on).days % (self.weeks * 7)
        return tuple(each.span for each in self.spans if (each.week, each.weekday) == (at // 7, at % 7))


@dataclass(frozen=True, slots=True)
class Timetable:
    """All rotas of a practitioner, and the dates (`days`) that have hours of their own; a date without spans is off."""

    rotas: tuple[RotaWeeks, ...] = ()
    days: Mapping[date, tuple[DaySpan, ...]] = field(default_factory=dict)

    def spans_on(self, day: date) -> tuple[DaySpan, ...]:
        """The spans that begin on a date: its own, else those of the rota that began last, unless it has ended."""
        if day in self.days:
            return self.days[day]
        begun = [rota for rota in self.rotas if rota.starts_on <= day]
        if not begun:
            return ()
        newest = max(begun, key=lambda rota: rota.starts_on)
        return newest.spans_on(day) if newest.ends_on is None or day <= newest.ends_on else ()

    def is_at_work(self, starts_at: datetime, ends_at: datetime, *, clinic_id: int, where: ZoneInfo) -> bool:
        """Whether all of a span of time is work at that clinic, in its zone, and no fixed break lies in it."""
        first, last = day_of(starts_at, where) - 2 * DAY, day_of(ends_at, where)
        spans = [(day, span) for day in _dates(first, last) for span in self.spans_on(day)]
        work = [_instants(day, span, where) for day, span in spans if span.clinic_id == clinic_id]
        fixed = [_instants(day, span, where) for day, span in spans
                 if span.is_break and span.break_minutes == span.closes - span.opens]
        rested = any(begins < ends_at and starts_at < ends for begins, ends in fixed)
        return not rested and _covers(work, starts_at, ends_at)


def judge_rota(rota: RotaWeeks) -> tuple[Finding, ...]:
    """What is wrong with a rota, each at the day that it is about (`w<week>-d<weekday>`)."""
    found = list(_judge_frame(rota))
    days: dict[tuple[int, int], list[DaySpan]] = {}
    for each in rota.spans:
        days.setdefault((each.week, each.weekday), []).append(each.span)
    for (week, weekday), spans in sorted(days.items()):
        if not (0 <= week < rota.weeks and 0 <= weekday <= 6):
            found.append(_wrong("no-such-week", f"This rota has {_weeks(rota.weeks)}: week {week + 1} comes never.",
                                "weeks"))
            continue
        name = WEEKDAYS[weekday] if rota.weeks == 1 else f"{WEEKDAYS[weekday]} of week {week + 1}"
        place = f"w{week}-d{weekday}"
        found += judge_day(spans, name=name, place=place)
        before = (week - (weekday == 0)) % rota.weeks, (weekday - 1) % 7
        found += _judge_night(spans, days.get(before, ()), name, place)
    if not any(not each.span.is_break for each in rota.spans):
        found.append(_wrong("no-work", "Enter hours of work for at least one day.", "w0-d0"))
    return tuple(found)


def judge_day(spans: Sequence[DaySpan], *, name: str, place: str) -> tuple[Finding, ...]:
    """What is wrong with the spans of one day."""
    odd = [span for span in spans if not _is_sound(span)]
    if odd:
        return tuple(_wrong("hours", _odd_words(span, name), place) for span in odd)
    if len(spans) > MOST_SPANS:
        return (_wrong("too-many", f"{name}: at most {MOST_SPANS} rows fit into one day.", place),)
    work = sorted((span for span in spans if not span.is_break), key=lambda span: span.opens)
    breaks = sorted((span for span in spans if span.is_break), key=lambda span: span.opens)
    found = [
        _wrong("overlap", f"{name}: {hours_words(one)} and {hours_words(other)} overlap. Nobody can be at two places.",
               place)
        for one, other in zip(work, work[1:], strict=False) if other.opens < one.closes]
    found += [
        _wrong("breaks-overlap", f"{name}: the breaks {hours_words(one)} and {hours_words(other)} overlap.", place)
        for one, other in zip(breaks, breaks[1:], strict=False) if other.opens < one.closes]
    found += [
        _wrong("break-outside", f"{name}: the break {hours_words(rest)} lies outside the hours of work.", place)
        for rest in breaks if not _covers(((span.opens, span.closes) for span in work), rest.opens, rest.closes)]
    return tuple(found)


def hours_words(span: DaySpan) -> str:
    """Such as "09:00 – 17:00"."""
    return f"{_clock(span.opens)} – {_clock(span.closes)}"


def _judge_frame(rota: RotaWeeks) -> Iterator[Finding]:
    if not 1 <= rota.weeks <= MOST_WEEKS:
        yield _wrong("weeks", f"A rota has 1 to {MOST_WEEKS} weeks.", "weeks")
    if rota.starts_on.weekday() != 0:
        yield _wrong("not-monday", "A rota starts on a Monday.", "starts_on")
    if rota.ends_on is not None and rota.ends_on < rota.starts_on:
        yield _wrong("ends-early", "The last day lies before the first one.", "ends_on")


def _judge_night(spans: Sequence[DaySpan], before: Sequence[DaySpan], name: str, place: str) -> Iterator[Finding]:
    """Hours past midnight that run into those of the next day."""
    runs_until = max((span.closes - WHOLE_DAY for span in before if not span.is_break), default=0)
    begins = min((span.opens for span in spans if not span.is_break), default=WHOLE_DAY)
    if begins < runs_until:
        yield _wrong("overlap", f"{name} begins at {_clock(begins)}, but the day before ends at {_clock(runs_until)}.",
                     place)


def _is_sound(span: DaySpan) -> bool:
    length = span.closes - span.opens
    if not (0 <= span.opens < WHOLE_DAY and 0 < length <= WHOLE_DAY):
        return False
    return (span.break_minutes is None) != span.is_break and (
        span.break_minutes is None or 0 < span.break_minutes <= length)


def _odd_words(span: DaySpan, name: str) -> str:
    if not 0 <= span.opens < WHOLE_DAY:
        return f"{name}: hours begin at a time from 00:00 to 23:59."
    if span.closes <= span.opens:
        return f"{name}: the end must be after the beginning ({hours_words(span)})."
    if span.closes - span.opens > WHOLE_DAY:
        return f"{name}: hours of one day are at most 24."
    if span.break_minutes is not None and span.is_break:
        return (f"{name}: the break takes {span.break_minutes} minutes, but between {hours_words(span)} there are "
                f"{span.closes - span.opens}.")
    return f"{name}: hours are work at a clinic, or a break with its minutes."


def _covers(spans: Iterable[tuple[_At, _At]], first: _At, last: _At) -> bool:
    reached = first
    for begins, ends in sorted(spans):
        if begins <= reached:
            reached = max(reached, ends)
    return reached >= last


def _instants(day: date, span: DaySpan, where: ZoneInfo) -> tuple[datetime, datetime]:
    return instant(day, span.opens, where), instant(day, span.closes, where, last=True)


def _dates(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}" if minutes != WHOLE_DAY else "24:00"


def _weeks(number: int) -> str:
    return "1 week" if number == 1 else f"{number} weeks"


def _wrong(code: str, words: str, place: str) -> Finding:
    return Finding(code, Weight.BLOCKS, words, place)
