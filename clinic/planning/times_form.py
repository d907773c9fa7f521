"""Reading the times of a planning document: clocks, dates with a time, spans and weekly hours."""
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from clinic.planning.form import Form, readable
from clinic.planning.hours import Hours
from clinic.planning.local import resolve
from clinic.planning.ruler import MINUTES_OF_A_DAY

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(Z|[+-]\d\d:\d\d)?", re.ASCII)
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)
PASSED_AT = {f"{minute // 60:02}:{minute % 60:02}": timedelta(minutes=minute) for minute in range(MINUTES_OF_A_DAY)}
# Plans are not made at the ends of the calendar, where its dates could not be counted on.
FIRST_AT, LAST_AT = datetime(1, 1, 20, tzinfo=UTC), datetime(9999, 12, 10, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Time:
    """A time as written: a wall-clock reading, or an instant where it came with an offset."""

    wall: datetime
    offset: timedelta | None

    def at(self, where: ZoneInfo, *, last: bool = False) -> datetime:
        """The instant that is meant, kept from the ends of the calendar."""
        try:
            if self.offset is not None:
                found = self.wall.replace(tzinfo=UTC) - self.offset
            else:
                found = resolve(self.wall, where, last=last)
        except OverflowError:
            found = self.wall.replace(tzinfo=UTC)
        return min(max(found, FIRST_AT), LAST_AT)


class TimesReader:
    """Reads times; without a known zone they are looked at, but stay unresolved."""

    def __init__(self, form: Form, zone: ZoneInfo | None) -> None:
        self.form, self.zone = form, zone
        self._midnights: dict[str, datetime | None] = {}

    def time(self, value: Any, place: str) -> Time | None:
        """A date and time of day that exist, with an offset or without."""
        match = TIME.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.form.fault(place, "must be a time such as 2027-03-01T09:00, with an offset or without")
            return None
        year, month, day, hour, minute = (int(part) for part in match.groups()[:5])
        try:
            midnight = datetime(year, month, day)  # noqa: DTZ001 - a wall-clock reading; its zone is applied later
        except ValueError:
            self.form.fault(place, "is on no date that exists")
            return None
        if minute > 59 or hour > 24 or (hour == 24 and minute):
            self.form.fault(place, "is no time of day that exists")
            return None
        offset = self._offset(match.group(6), place)
        if match.group(6) is not None and offset is None:
            return None
        try:
            return Time(midnight + timedelta(hours=hour, minutes=minute), offset)
        except OverflowError:
            return Time(midnight, offset)

    def _offset(self, written: str | None, place: str) -> timedelta | None:
        if written is None:
            return None
        if written == "Z":
            return timedelta(0)
        hours, minutes = int(written[1:3]), int(written[4:6])
        if hours > 23 or minutes > 59:
            self.form.fault(place, "has an offset that does not exist")
            return None
        return timedelta(hours=hours, minutes=minutes) * (-1 if written[0] == "-" else 1)

    def span(self, value: Any, place: str) -> tuple[datetime, datetime] | None:
        """A span that ends after it begins, as instants."""
        known = self._known_span(value)
        if known is not None:
            return known
        found = self.form.members(value, place, ("from", "to"))
        if found is None:
            return None
        begins = self.time(found["from"], f"{place}.from") if "from" in found else None
        ends = self.time(found["to"], f"{place}.to") if "to" in found else None
        if begins is None or ends is None or self.zone is None:
            return None
        span = begins.at(self.zone), ends.at(self.zone, last=True)
        if span[0] >= span[1] and not span[0] == span[1] == LAST_AT and not span[0] == span[1] == FIRST_AT:
            self.form.fault(f"{place}.to", "must be after from")
            return None
        return span

    def _known_span(self, value: Any) -> tuple[datetime, datetime] | None:
        """A right span between wall-clock times of ordinary dates, which is nearly every span; None for all others."""
        if type(value) is not dict or len(value) != 2:
            return None
        begins, ends = self._known(value.get("from")), self._known(value.get("to"))
        return (begins, ends) if begins is not None and ends is not None and begins < ends else None

    def _known(self, value: Any) -> datetime | None:
        if type(value) is not str:
            return None
        passed = PASSED_AT.get(value[11:])
        if passed is None:
            return None
        begun = value[:11]
        if begun not in self._midnights:
            self._midnights[begun] = self._midnight(begun)
        midnight = self._midnights[begun]
        return None if midnight is None else midnight + passed

    def _midnight(self, begun: str) -> datetime | None:
        """When a date begins, written as 2027-03-01T, if the clock runs through it without a change; else None."""
        match = TIME.fullmatch(f"{begun}00:00")
        if match is None or self.zone is None:
            return None
        try:
            year, month, day = (int(part) for part in match.groups()[:3])
            begins = datetime(year, month, day, tzinfo=self.zone)
            hours = [begins + timedelta(hours=hour) for hour in range(25)]
            offsets = {hour.replace(fold=fold).utcoffset() for hour in hours for fold in (0, 1)}
            midnight = begins.astimezone(UTC)
        except (ValueError, OverflowError):
            return None
        return midnight if len(offsets) == 1 and FIRST_AT <= midnight <= LAST_AT - timedelta(days=1) else None

    def hours(self, value: Any, place: str) -> Hours | None:
        """Weekly hours."""
        found = self.form.members(value, place, ("days", "from", "to"))
        if found is None:
            return None
        days: list[str | None] = []
        if "days" in found:
            days = self.form.items(
                found["days"], f"{place}.days", lambda day, at: self.form.one_of(day, at, WEEKDAYS), least=1
            )
        begins, ends = self.clocks(found, place)
        if begins is None or ends is None:
            return None
        return Hours(frozenset(WEEKDAYS.index(day) for day in readable(days)), begins, ends)

    def clocks(self, found: Mapping[str, Any], place: str) -> tuple[int | None, int | None]:
        """From and to of a day, in minutes after midnight."""
        begins = self._clock(found["from"], f"{place}.from") if "from" in found else None
        ends = self._clock(found["to"], f"{place}.to") if "to" in found else None
        return begins, ends

    def _clock(self, value: Any, place: str) -> int | None:
        match = CLOCK.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.form.fault(place, "must be a time of day such as 09:00, at most 24:00")
            return None
        hour, minute = match.groups()
        return MINUTES_OF_A_DAY if hour is None else int(hour) * 60 + int(minute)
