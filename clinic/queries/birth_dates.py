"""A birth date as somebody at the desk types it."""
from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

_ISO = re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})", re.ASCII)
_SPOKEN = re.compile(r"(\d{1,2})([./ -])(\d{1,2})\2(\d{4}|\d{2})", re.ASCII)
_CENTURIES = (1900, 2000)


def births(text: str) -> tuple[date, ...]:
    """The dates that may be meant: 1980-04-03, 3.4.1980, 03/04/80; none where it is no date.

    The day comes before the month; between slashes, as some write it the other way round, either may. A year of two
    figures is one of either century.
    """
    if found := _ISO.fullmatch(text.strip()):
        return tuple(_dates([(int(found[1]), int(found[2]), int(found[3]))]))
    found = _SPOKEN.fullmatch(text.strip())
    if found is None:
        return ()
    one, other, year = int(found[1]), int(found[3]), int(found[4])
    years = (year,) if len(found[4]) == 4 else tuple(century + year for century in _CENTURIES)
    orders = ((other, one), (one, other)) if found[2] == "/" else ((other, one),)
    return tuple(dict.fromkeys(_dates([(each, *order) for each in years for order in orders])))


def _dates(readings: list[tuple[int, int, int]]) -> Iterator[date]:
    for year, month, day in readings:
        try:
            yield date(year, month, day)
        except ValueError:
            continue
