"""How a practitioner's lateness runs through the rest of their day: free time between visits makes it shorter."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from clinic.planning.local import MINUTE

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Late:
    """So many minutes late, as was said at an instant."""

    minutes: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Load:
    """What one visit asks of a practitioner, in order of time, and when it was begun and ended, as far as is known."""

    visit_id: int
    spans: tuple[Span, ...]
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    is_here: bool = False


@dataclass(frozen=True, slots=True)
class Delay:
    """By how much later than planned the practitioner begins and ends a visit."""

    begins: timedelta
    ends: timedelta


def delays(loads: Iterable[Load], late: Late) -> Mapping[int, Delay]:
    """The delay of each visit that has not begun; those that begin on time, and those that are over, are not named.

    Who is so many minutes late is where the plan was so many minutes before. What is under way ends that much later;
    where nothing is, what comes next begins that much later. From there on each visit begins as planned or as soon as
    the practitioner is free, whichever is later: time between two visits, a break too, shortens the delay, and nothing
    is hurried. What was noted since counts more than what was said: a visit that began later, or is over, is where it
    is.
    """
    planned = sorted(((*span, load, place) for load in loads for place, span in enumerate(load.spans)),
                     key=lambda each: (each[0], each[1], each[2].visit_id))
    free_at: datetime | None = None
    found: dict[int, Delay] = {}
    under_way = set()
    for starts_at, ends_at, load, place in planned:
        known = _known_end(starts_at, ends_at, load, place, late)
        if known is None:
            least = starts_at + late.minutes * MINUTE if free_at is None else free_at
            before = found.get(load.visit_id)
            begins = max(starts_at + (before.ends if before else timedelta(0)), least)
            found[load.visit_id] = Delay(before.begins if before else begins - starts_at, begins - starts_at)
            free_at = begins + (ends_at - starts_at)
            continue
        if place == 0:
            under_way.add(load.visit_id)
        if known > late.at:
            free_at = known if free_at is None else max(free_at, known)
    return {visit_id: delay for visit_id, delay in found.items()
            if visit_id not in under_way and delay.ends > timedelta(0)}


def _known_end(starts_at: datetime, ends_at: datetime, load: Load, place: int, late: Late) -> datetime | None:
    """When the practitioner has done with a span that began already, or never will; none where it is still to come."""
    behind = late.minutes * MINUTE
    if load.ended_at is not None:
        return min(load.ended_at, ends_at + behind)
    if load.begun_at is not None and place == 0:
        return ends_at + behind if load.begun_at <= late.at else load.begun_at + (ends_at - starts_at)
    if starts_at + behind <= late.at:
        # A patient who is here is treated by now; one who is not keeps nobody.
        return ends_at + behind if load.is_here else late.at
    return None
