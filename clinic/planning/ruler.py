"""The line on which a problem counts time: granules from an origin, so that a set of times is one integer.

Bit `i` of such an integer is the granule `[origin + i * granule, origin + (i + 1) * granule)`. A date is counted as
days from the ruler's first date. Clock changes are here and in `local` only: elsewhere a granule is a granule.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from math import gcd
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
SECONDS_OF_A_DAY = 86_400
MINUTES_OF_A_DAY = 1440
# A session may hold a resource from a day before its start to four days after; a repeated date may come once more.
DAYS_BEFORE, DAYS_AFTER = 3, 6


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Where one local date lies on the ruler: the granules `[low, high)`, of which it is `pieces`.

    A date is one piece, except where a clock change runs over midnight: then it may be several or none.
    Each piece is (first granule, granule after the last, seconds after local midnight at the first).
    """

    low: int
    high: int
    pieces: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days, first and last, on which every reading up to 48:00 comes once, so many granules after midnight.

    `midnight` is the granule at which day 0 would begin, were the clock never changed.
    """

    first: int
    last: int
    midnight: int


@dataclass(frozen=True, slots=True, eq=False)
class Ruler:
    """Granules over the dates that a plan may use, and those that its sessions may reach into."""

    zone: ZoneInfo
    first_on: date
    days: int
    granule: int
    origin: datetime
    length: int
    full: int = field(repr=False)
    spans: tuple[DaySpan, ...] = field(repr=False)
    # Each stretch of one UTC offset: from, to (seconds since the origin) and offset; the outer ones are open-ended.
    offsets: tuple[tuple[int, int, int], ...] = field(repr=False)
    stretches: tuple[Stretch, ...] = field(repr=False)
    odd_days: tuple[int, ...] = field(repr=False)  # those of no stretch
    # So many dates on, a start may still come before one of a date: 0, unless a clock goes back over midnight.
    days_out_of_order: int = field(repr=False)

    def down(self, at: datetime) -> int:
        """The granule that contains an instant, clipped to the ruler."""
        return min(max(self._seconds(at) // self.granule, 0), self.length)

    def up(self, at: datetime) -> int:
        """The first granule that begins at or after an instant, clipped to the ruler."""
        return min(max(-(-self._seconds(at) // self.granule), 0), self.length)

    def instant(self, bit: int) -> datetime:
        """The instant (aware UTC) at which a granule begins."""
        return self.origin + timedelta(seconds=bit * self.granule)

    def covering(self, from_at: datetime, to_at: datetime) -> int:
        """Every granule that `[from_at, to_at)` touches: what something busy takes away."""
        return bits(self.down(from_at), self.up(to_at))

    def inside(self, from_at: datetime, to_at: datetime) -> int:
        """Every granule that lies wholly inside `[from_at, to_at)`: what something open gives."""
        return bits(self.up(from_at), self.down(to_at))

    def day(self, on: date) -> int:
        """A date as days from the first one; negative before it."""
        return on.toordinal() - self.first_on.toordinal()

    def date_of(self, day: int) -> date:
        """The date that lies so many days after the first one."""
        return date.fromordinal(self.first_on.toordinal() + day)

    def span(self, day: int) -> DaySpan:
        """Where a day of the plan, from -1 (a clock set back over midnight) to the last, lies on the ruler."""
        return self.spans[day + 1]

    @property
    def granules_of_a_day(self) -> int:
        """The granules of a day on which the clock is not changed."""
        return SECONDS_OF_A_DAY // self.granule

    def reading(self, day: int, minute: int, *, last: bool = False) -> int:
        """Seconds from the origin to a wall-clock reading, as `local.instant` says; any minute, of any day."""
        wall = (self.first_on.toordinal() - EPOCH_ORDINAL + day) * SECONDS_OF_A_DAY + minute * 60 - self._origin
        found = [wall - offset for since, until, offset in self.offsets if since <= wall - offset < until]
        if found:
            return found[-1] if last else found[0]
        return next(since for since, until, offset in self.offsets if wall - offset < until)

    @property
    def _origin(self) -> int:
        since = self.origin - EPOCH
        return since.days * SECONDS_OF_A_DAY + since.seconds

    def _seconds(self, at: datetime) -> int:
        since = at - self.origin
        return since.days * SECONDS_OF_A_DAY + since.seconds


def bits(low: int, high: int) -> int:
    """The integer whose bits `low` to `high - 1` are set; 0 where there are none."""
    return ((1 << (high - low)) - 1) << low if high > low else 0


@lru_cache(maxsize=64)
def ruler(where: ZoneInfo, first_on: date, days: int, granule: int = 300) -> Ruler:
    """The ruler for plans of so many days from `first_on` on; ValueError where a clock change does not fit."""
    offsets = _offsets(where, first_on, days)
    if SECONDS_OF_A_DAY % granule or any((offset - offsets[0][2]) % granule for _, _, offset in offsets):
        raise ValueError(f"a granule of {granule} s does not divide the day or a clock change of {where.key}")
    first = first_on.toordinal() - EPOCH_ORDINAL
    origin = (first - DAYS_BEFORE) * SECONDS_OF_A_DAY - offsets[0][2]
    length = (DAYS_BEFORE + days + DAYS_AFTER) * SECONDS_OF_A_DAY // granule
    spans = tuple(_day_spans(offsets, first, days, origin, granule))
    stretches = tuple(_stretches(offsets, first, days, origin, granule))
    in_order = all(one.high <= other.low for one, other in pairwise(span for span in spans if span.pieces))
    return Ruler(
        zone=where, first_on=first_on, days=days, granule=granule, origin=EPOCH + timedelta(seconds=origin),
        length=length, full=(1 << length) - 1, spans=spans,
        offsets=tuple((since - origin, until - origin, offset) for since, until, offset in _open_ended(offsets)),
        stretches=stretches,
        odd_days=tuple(
            day for day in range(-DAYS_BEFORE - 2, days + DAYS_AFTER + 1)
            if not any(each.first <= day <= each.last for each in stretches)),
        days_out_of_order=0 if in_order else 2,
    )


def granule_for(step_minutes: int, minutes: Iterable[int], where: ZoneInfo, first_on: date, days: int) -> int:
    """The largest granule, in seconds, on which starts and durations of these minutes are exact."""
    common = gcd(step_minutes, MINUTES_OF_A_DAY, *minutes) * 60
    offsets = _offsets(where, first_on, days)
    return gcd(common, *(offset - offsets[0][2] for _, _, offset in offsets))


def busy_bits(on: Ruler, spans: Iterable[tuple[datetime, datetime]]) -> int:
    """Every granule that one of the spans touches."""
    return union(on, ((on.down(from_at), on.up(to_at)) for from_at, to_at in spans))


def union(on: Ruler, spans: Iterable[tuple[int, int]]) -> int:
    """Every granule of these spans, each from a granule to the one after its last, clipped to the ruler."""
    marks = _Marks(on.length)
    until = 0
    # In order, so that no granule is marked twice, however long the spans are and however often they overlap.
    for low, high in sorted(spans):
        marks.add(max(low, until), high)
        until = max(until, high)
    return marks.union()


@lru_cache(maxsize=64)
def grid_bits(on: Ruler, step_minutes: int) -> int:
    """The granules whose beginning reads, on the clock of its date, a whole number of steps after midnight."""
    step = step_minutes * 60
    if step % on.granule:
        raise ValueError("the grid of starts does not lie on the granules")
    marks = _Marks(on.length)
    for span in on.spans:
        for low, high, reads in span.pieces:
            first = low + -reads % step // on.granule
            if high > first:
                marks.put(first, _comb(high - first, step // on.granule), high - first)
    return marks.union()


@lru_cache(maxsize=256)
def _comb(width: int, stride: int) -> int:
    """Every `stride`-th bit of `width`, from bit 0."""
    pattern, have = 1, stride
    while have < width:
        pattern |= pattern << have
        have *= 2
    return pattern & ((1 << width) - 1)


class _Marks:
    """A growing set of granules: small spans are joined where they lie, without copying the whole each time."""

    __slots__ = ("_bytes", "_length")

    def __init__(self, length: int) -> None:
        self._length = length
        self._bytes = bytearray(length // 8 + 2)

    def add(self, low: int, high: int) -> None:
        low, high = max(low, 0), min(high, self._length)
        if high > low:
            self.put(low, (1 << (high - low)) - 1, high - low)

    def put(self, low: int, pattern: int, width: int) -> None:
        first, last = low >> 3, (low + width + 7) >> 3
        old = int.from_bytes(self._bytes[first:last], "little")
        self._bytes[first:last] = (old | pattern << (low & 7)).to_bytes(last - first, "little")

    def union(self) -> int:
        return int.from_bytes(self._bytes, "little") & ((1 << self._length) - 1)


def _open_ended(offsets: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The stretches of one offset, as if the first had always been and the last stayed for ever."""
    ages = 1 << 50
    return [
        (since - (ages if at == 0 else 0), until + (ages if at == len(offsets) - 1 else 0), offset)
        for at, (since, until, offset) in enumerate(offsets)
    ]


def _stretches(
    offsets: Sequence[tuple[int, int, int]], first: int, days: int, origin: int, granule: int
) -> Iterator[Stretch]:
    """The stretches of ordinary days; `first` is the first date and `origin` an instant, both since 1970."""
    stretches = _open_ended(offsets)
    for at, (since, until, offset) in enumerate(stretches):
        before = stretches[at - 1][2] if at else offset
        after = stretches[at + 1][2] if at + 1 < len(stretches) else offset
        # Where the clock goes back, readings before and after come twice: they belong to no stretch.
        since, until = since + max(before - offset, 0), until - max(offset - after, 0)
        midnight = first * SECONDS_OF_A_DAY - offset
        low = max(-((midnight - since) // SECONDS_OF_A_DAY), -DAYS_BEFORE - 2)
        high = min((until - 1 - midnight) // SECONDS_OF_A_DAY - 2, days + DAYS_AFTER)
        if low <= high:
            yield Stretch(low, high, (midnight - origin) // granule)


@lru_cache(maxsize=64)
def _offsets(where: ZoneInfo, first_on: date, days: int) -> list[tuple[int, int, int]]:
    """The stretches of one UTC offset around the ruler's dates: from, to (seconds since 1970) and offset, in order."""
    begin = (first_on.toordinal() - EPOCH_ORDINAL - DAYS_BEFORE - 2) * SECONDS_OF_A_DAY
    end = begin + (days + DAYS_BEFORE + DAYS_AFTER + 4) * SECONDS_OF_A_DAY
    found = []
    since, offset = begin, _offset_at(where, begin)
    for at in range(begin + SECONDS_OF_A_DAY, end + 1, SECONDS_OF_A_DAY):
        now = _offset_at(where, at)
        if now != offset:
            changed = _change_between(where, at - SECONDS_OF_A_DAY, at, offset)
            found.append((since, changed, offset))
            since, offset = changed, now
    found.append((since, end, offset))
    return found


def _change_between(where: ZoneInfo, low: int, high: int, before: int) -> int:
    """The second from which on the offset is no longer `before`."""
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_at(where, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _offset_at(where: ZoneInfo, seconds: int) -> int:
    shift = (EPOCH + timedelta(seconds=seconds)).astimezone(where).utcoffset()
    assert shift is not None
    return shift.days * SECONDS_OF_A_DAY + shift.seconds


def _day_spans(
    offsets: Sequence[tuple[int, int, int]], first: int, days: int, origin: int, granule: int
) -> Iterator[DaySpan]:
    """The spans of the days from -1 on; `first` is the first date and `origin` an instant, both since 1970."""
    for day in range(first - 1, first + days):
        midnight = day * SECONDS_OF_A_DAY
        pieces = []
        for since, until, offset in offsets:
            low, high = max(midnight - offset, since), min(midnight + SECONDS_OF_A_DAY - offset, until)
            if low < high:
                # A piece that a change cuts inside a granule begins with the first whole one.
                bit = -(-(low - origin) // granule)
                pieces.append((bit, -(-(high - origin) // granule), origin + bit * granule + offset - midnight))
        lows, highs = [piece[0] for piece in pieces], [piece[1] for piece in pieces]
        yield DaySpan(min(lows, default=0), max(highs, default=0), tuple(pieces))
