"""What a cell of the figures holds: a count, a share, or the middle of many days; and who stands behind it."""
from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from math import sqrt

from clinic.care.figures.small import FEWEST

Who = frozenset[int]
"""The patients behind a figure."""
NOBODY: Who = frozenset()


@dataclass(frozen=True, slots=True)
class Count:
    """So many."""

    number: int
    who: Who = field(default=NOBODY, repr=False)

    @property
    def is_shown(self) -> bool:
        """Whether it is about enough patients, or about none."""
        return not self.who or len(self.who) >= FEWEST


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many; `who` stands behind the whole."""

    part: int
    whole: int
    who: Who = field(default=NOBODY, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.part <= self.whole:
            raise ValueError(f"{self.part} of {self.whole}")

    @property
    def is_shown(self) -> bool:
        """Whether it is about enough patients."""
        return len(self.who) >= FEWEST

    @property
    def percent(self) -> float:
        """The part in a hundred."""
        return 100 * self.part / self.whole if self.whole else 0.0


@dataclass(frozen=True, slots=True)
class Middle:
    """The median of some numbers of days, and between which days the middle half of them lies."""

    median: float
    low: float
    high: float
    count: int
    who: Who = field(default=NOBODY, repr=False)

    @property
    def is_shown(self) -> bool:
        """Whether it is about enough patients."""
        return len(self.who) >= FEWEST


Cell = Count | Share | Middle


def middle(numbers: Collection[int], who: Who) -> Middle:
    """The median, of an even number the mean of the two in the middle; the quarters are the medians of the halves.

    An odd number's median belongs to neither half (the method of Moore and McCabe).
    """
    ordered = sorted(numbers)
    half = len(ordered) // 2
    low, high = (ordered[:half], ordered[-half:]) if half else (ordered, ordered)
    return Middle(_median(ordered), _median(low), _median(high), len(ordered), who)


def _median(ordered: Sequence[int]) -> float:
    if not ordered:
        return 0.0
    place, is_odd = divmod(len(ordered), 2)
    return float(ordered[place]) if is_odd else (ordered[place - 1] + ordered[place]) / 2


SURE = 1.96
"""So many standard errors apart, two shares differ by more than chance brings about in 19 of 20 cases."""


def differ(one: Share, other: Share) -> bool:
    """Whether two shares differ by more than chance easily brings about (the pooled test of two proportions)."""
    whole = one.whole + other.whole
    pooled = (one.part + other.part) / whole if whole else 0.0
    if not (one.whole and other.whole and 0 < pooled < 1):
        return False
    error = sqrt(pooled * (1 - pooled) * (1 / one.whole + 1 / other.whole))
    return abs(one.part / one.whole - other.part / other.whole) > SURE * error
