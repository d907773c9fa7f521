"""A birth date as somebody at the desk types it."""
from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from clinic.planning.words import MONTHS

_ISO = re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})", re.ASCII)
_SPOKEN = re.compile(r"(\d{1,2})([./ -])(\d{1,2})\2(\d{4}|\d{2})", re.ASCII)
_NAMED = re.compile(r"(?:(\d{1,2})(?:st|nd|rd|th|\.)? ?([a-z]{3,9})|([a-z]{3,9}) (\d{1,2})(?:st|nd|rd|th)?)"
                    r",? ?(\d{4}|\d{2})", re.ASCII)
_BARE = re.compile(r"(\d{2})(\d{2})(\d{4}|\d{2})", re.ASCII)
_BARE_ISO = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})", re.ASCII)
_CENTURIES = (1900, 2000)


def births(text: str) -> tuple[date, ...]:
    """The dates that may be meant: 1980-04-03, 3.4.1980, 03/04/80, 3 April 1980, 030480; none where it is no date.

    The day comes before the month; between slashes, as some write it the other way round, either may. A year of two
    figures is one of either century.
    """
    return tuple(dict.fromkeys(_dates(_readings(" ".join(text.lower().split())))))


def _readings(text: str) -> list[tuple[int, int, int]]:
    if found := _ISO.fullmatch(text):
        return [(int(found[1]), int(found[2]), int(found[3]))]
    if found := _SPOKEN.fullmatch(text):
        one, other = int(found[1]), int(found[3])
        orders = [(other, one), (one, other)] if found[2] == "/" else [(other, one)]
        return [(year, *order) for year in _years(found[4]) for order in orders]
    if found := _NAMED.fullmatch(text):
        month, day = found[2] or found[3], int(found[1] or found[4])
        months = [number for number, name in enumerate(MONTHS, start=1) if name.lower().startswith(month)]
        return [(year, number, day) for year in _years(found[5]) for number in months]
    iso, bare = _BARE_ISO.fullmatch(text), _BARE.fullmatch(text)
    return [*([(int(iso[1]), int(iso[2]), int(iso[3]))] if iso else []),
            *([(year, int(bare[2]), int(bare[1])) for year in _years(bare[3])] if bare else [])]


def _years(typed: str) -> list[int]:
    return [int(typed)] if len(typed) == 4 else [century + int(typed) for century in _CENTURIES]


def _dates(readings: list[tuple[int, int, int]]) -> Iterator[date]:
    for year, month, day in readings:
        try:
            yield date(year, month, day)
        except ValueError:
            continue
