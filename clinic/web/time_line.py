"""The time line of a page: what of it the address asks for, and its rows and links."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import request, url_for

from clinic.care.time_line import Entry, Place, Stretch, Theme, TimeLine, parse_place
from clinic.planning.local import local_of
from clinic.queries.away import away_words
from clinic.queries.treatment_sessions import AppointmentLine
from clinic.web.time_line_words import THEMES, Line, line_of

ANCHOR = "time-line"


@dataclass(frozen=True, slots=True)
class TimeLineView:
    """What the panel shows: its choices, the rows to come and behind, and where it goes on."""

    themes: tuple[tuple[str, str, bool], ...]
    ahead: tuple[Line, ...]
    behind: tuple[Line, ...]
    now: datetime
    is_around_today: bool
    later: str | None
    older: str | None
    today: str

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.ahead and not self.behind


def asked_theme() -> Theme | None:
    """What the list is narrowed to; none: everything."""
    asked = request.args.get("show", "")
    return Theme(asked) if asked in {each.value for each in Theme} else None


def asked_stretch() -> Stretch:
    """Which part of the list is asked for."""
    older, later = (parse_place(request.args.get(name, "")[:60]) for name in ("older", "later"))
    return Stretch(older=older) if older else Stretch(later=later)


def time_line_view(
    found: TimeLine, where: ZoneInfo, coming: Iterable[AppointmentLine | None], *, now: datetime,
    of_one_course: bool = False,
) -> TimeLineView:
    """The time line as the panel takes it; the visits `coming` are what the page knows of them anyway. On the page of a
    course nothing says which course it is about."""
    theme = asked_theme()
    choices = [("All", _address(None), theme is None),
               *((THEMES[each], _address(each), theme is each) for each in Theme
                 if each is not Theme.RECORD or not of_one_course)]

    away = {visit.id: away_words(visit.away) for visit in coming if visit is not None}

    def line(entry: Entry) -> Line:
        told = line_of(replace(entry, about="") if of_one_course else entry, where, now=now)
        return replace(told, away=away.get(entry.id, "")) if told.is_visit else told

    def lines(entries: Iterable[Entry]) -> tuple[Line, ...]:
        return tuple(map(line, entries))

    return TimeLineView(
        tuple(choices), lines(found.ahead), lines(found.behind), local_of(now, where), found.stretch.is_around_today,
        _address(theme, later=found.later) if found.later else None,
        _address(theme, older=found.older) if found.older else None, _address(theme))


def _address(theme: Theme | None, **places: Place) -> str:
    named: dict[str, Any] = {**(request.view_args or {}), **{name: str(place) for name, place in places.items()}}
    return url_for(request.endpoint or "", show=theme.value if theme else None, _anchor=ANCHOR, **named)
