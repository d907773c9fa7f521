"""The form of a clinic: its fields, its hours by weekday, and the zones of the world by region."""
from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from zoneinfo import available_timezones

from clinic.web.forms import Form

_REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
Choices = list[tuple[str, object]]


def read_closing(form: Form, opens: str, closes: str, *, required: bool) -> tuple[int, int] | None:
    """Hours as two times of day: an end at or before the beginning is of the next date, 00:00 being midnight."""
    begins = form.time(opens, "The opening time", required=required)
    ends = form.time(closes, "The closing time", required=required)
    if begins is None and ends is None:
        return None
    if begins is None or ends is None:
        form.fault(opens if begins is None else closes, "Say both: from when, and until when.")
        return None
    return begins, ends if ends > begins else ends + 1440


def zone_choices(current: str = "") -> Choices:
    """The zones of the world by region, for a select; the current one too where no region has it."""
    groups: Choices = list(_zones())
    known = {code for _, zones in _zones() for code, _ in zones}
    return groups if not current or current in known else [("Now", [(current, current)]), *groups]


@lru_cache(maxsize=1)
def _zones() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for code in available_timezones():
        region, _, place = code.partition("/")
        if place and region in _REGIONS:
            found[region].append((code, place.replace("_", " ").replace("/", " – ")))
    return tuple((region, tuple(sorted(found[region], key=lambda each: each[1]))) for region in _REGIONS)
