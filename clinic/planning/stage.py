"""One step made ready for searching, and where a day lies in a set of granules."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache

from clinic.planning.problem import Step
from clinic.planning.ruler import Ruler, bits
from clinic.planning.supply import Supply

# Where something lies on the ruler, in granules: whole for all that the search places, exact for what stands between.
Position = int | Fraction


@dataclass(frozen=True, slots=True)
class Option:
    """A way to place a session on a day: its own cost, where it starts, leader, and its resources where they matter."""

    cost: int
    start: Position
    leader: int
    resources: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Only:
    """Bounds one step to a day and to the granules `first` to `last`."""

    at: int
    day: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a day lies in the bytes of a set of granules."""

    first: int
    last: int
    shift: int
    mask: int
    low: int

    def of(self, packed: bytes) -> int:
        """The granules of the day, counted from `low`."""
        return int.from_bytes(packed[self.first:self.last], "little") >> self.shift & self.mask


@lru_cache(maxsize=64)
def cuts_of(on: Ruler) -> tuple[Cut, ...]:
    """A cut for each day from -1 on."""
    found = []
    for span in on.spans:
        mask = 0
        for low, high, _ in span.pieces:
            mask |= bits(low - span.low, high - span.low)
        found.append(Cut(span.low >> 3, (span.high + 7) >> 3, span.low & 7, mask, span.low))
    return tuple(found)


@lru_cache(maxsize=64)
def _places_of_days(on: Ruler) -> tuple[tuple[int, int, int, int, int], ...]:
    """The cut of each day as plain numbers, after the bit that stands for the day: quicker to walk than the cuts."""
    return tuple((1 << at, cut.first, cut.last, cut.shift, cut.mask) for at, cut in enumerate(cuts_of(on)))


def days_in(on: Ruler, packed: bytes) -> int:
    """The days from -1 on that have one of some granules; bit d + 1 is day d."""
    found = 0
    for bit, first, last, shift, mask in _places_of_days(on):
        if int.from_bytes(packed[first:last], "little") >> shift & mask:
            found |= bit
    return found


class Stage:
    """One step on the board."""

    __slots__ = (
        "at", "cells", "days", "ends", "first_bit", "gap", "last_bit", "may_stay", "pin_day", "pin_option", "stay",
        "stay_day", "step", "supply", "windows",
    )

    def __init__(self, at: int, step: Step, length: int) -> None:
        self.at, self.step, self.gap = at, step, step.gap
        self.first_bit, self.last_bit = 0, length
        self.days = 0  # bit d + 1 is set where the session alone could be on day d
        self.pin_day = 0
        self.pin_option: Option | None = None
        self.stay_day = 0
        self.may_stay = False  # whether nothing speaks against its appointment by itself
        self.stay: Option | None = None  # keeping that, where gaps also lead on from it
        self.supply: Supply | None = None
        self.windows: bytes | None = None
        self.ends = 0  # how many granules after its start the patient leaves
        self.cells: dict[int, tuple[Option, ...]] = {}


def packed(granules: int, length: int) -> bytes:
    """A set of granules as bytes, in which a day can be cut out without touching the rest."""
    return granules.to_bytes((length >> 3) + 2, "little")


def position(on: Ruler, at: datetime) -> Position:
    """Where an instant lies, exactly; off the ruler too."""
    found = Fraction((at - on.origin) // timedelta(microseconds=1), on.granule * 1_000_000)
    return found.numerator if found.denominator == 1 else found
