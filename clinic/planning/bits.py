"""Sets of granules as integers: the three operations that the search is made of."""
from __future__ import annotations

from collections.abc import Iterator


def runs(free: int, length: int) -> int:
    """The bits from which `length` bits in a row are set."""
    have = 1
    while have * 2 <= length:
        free &= free >> have
        have *= 2
    return free & free >> (length - have) if length > have else free


def shifted(bits: int, by: int) -> int:
    """The bits moved towards the later by `by`, which may be negative."""
    if by == 0:
        return bits
    return bits << by if by > 0 else bits >> -by


def spread(bits: int, count: int) -> int:
    """Every bit that is set, or follows a set one within less than `count` bits."""
    have = 1
    while have * 2 <= count:
        bits |= bits << have
        have *= 2
    return bits | bits << (count - have) if count > have else bits


def each_bit(bits: int) -> Iterator[int]:
    """The places of the set bits, from the lowest."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low
