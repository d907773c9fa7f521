"""The small words of each language, and dates and times said in them."""
from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from clinic import paths


@dataclass(frozen=True, slots=True)
class Labels:
    """What templates/messages/labels/<language>.toml holds: every key, and no other.

    `cities` has those that the language calls by another name than the time zones do; `on_paper` what a text says of
    itself as an e-mail, each with what it says when it is read out or printed.
    """

    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    weekday_tiles: tuple[str, ...]
    month_tiles: tuple[str, ...]
    day: str
    date: str
    short_day: str
    time: str
    hours: str
    zone_time: str
    greeting: str
    greeting_without_name: str
    session_number: str
    practitioner: str
    added: str
    moved: str
    cancelled: str
    old_time: str
    from_day: str
    from_now_on: str
    on_the_day: str
    first_hours: str
    between_days: str
    from_day_on: str
    expect: str
    do: str
    avoid: str
    emergency: str
    emergency_number: str
    same_day: str
    same_day_out_of_hours: str
    next_working_day: str
    merged_subject: str
    preheader_with_date: str
    preheader: str
    reply_or_call: str
    call: str
    sign_off: str
    directions: str
    cancellation: str
    cancellation_of: str
    phone: str
    automatic: str
    calendar_summary: str
    calendar_summary_unnamed: str
    calendar_description: str
    cities: Mapping[str, str]
    on_paper: Mapping[str, str]

    def __post_init__(self) -> None:
        lengths = tuple(map(len, (self.weekdays, self.months, self.weekday_tiles, self.month_tiles)))
        if lengths != (7, 12, 7, 12):
            raise ValueError("a language needs seven weekdays and twelve months, long and short")


def folder() -> Path:
    """Where the small words of all languages lie."""
    return paths.templates() / "messages" / "labels"


@lru_cache(maxsize=32)
def labels(language: str) -> Labels:
    """The small words of a language; LookupError where there are none, ValueError where a key is missing or unknown."""
    if not language.replace("-", "").isalnum():
        raise LookupError(f"no messages in the language {language!r}")
    try:
        found = tomllib.loads((folder() / f"{language}.toml").read_text("utf-8"))
    except FileNotFoundError as error:
        raise LookupError(f"no messages in the language {language!r}") from error
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}
    wanted = {field.name for field in fields(Labels)}
    if wanted != set(found):
        raise ValueError(f"labels of {language!r} are missing or unknown: {sorted(wanted ^ set(found))}")
    return Labels(**values)


def day_in_words(day: date, words: Labels) -> str:
    """A date with weekday, month and year: Monday 1 March 2027."""
    return _day(words.day, day, words)


def date_in_words(day: date, words: Labels) -> str:
    """A date without its weekday: 1 March 2027."""
    return _day(words.date, day, words)


def short_day_in_words(day: date, words: Labels) -> str:
    """A date with weekday and month: Monday 1 March."""
    return _day(words.short_day, day, words)


def clock(at: datetime) -> str:
    """The wall time of an aware datetime, in its own zone: 09:00."""
    return at.strftime("%H:%M")


def time_in_words(at: datetime, words: Labels) -> str:
    """The wall time of an aware datetime as it is said in a sentence."""
    return words.time.format(start=clock(at))


def zone_in_words(zone: ZoneInfo, words: Labels) -> str:
    """A zone as people say it: Lisbon time; the bare name where it has no city."""
    area, _, place = zone.key.rpartition("/")
    city = place.replace("_", " ")
    return words.zone_time.format(city=words.cities.get(city, city)) if area and area != "Etc" else zone.key


def _day(pattern: str, day: date, words: Labels) -> str:
    return pattern.format(
        weekday=words.weekdays[day.weekday()], day=day.day, month=words.months[day.month - 1], year=day.year
    )
