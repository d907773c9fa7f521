"""Who and what is held from when to when, packed: a million spans in little memory, and where two of them meet."""
from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

_BASE: Final = datetime(2020, 1, 1, tzinfo=UTC)
_BASE_SECONDS: Final = int(_BASE.timestamp())
_MINUTES: Final = 24
_LENGTH: Final = 12
_NEED: Final = 4
_PLACE: Final = 24
HERE: Final = (1 << _PLACE) - 1
"""The place of a span that the diary holds already."""
MOST_APPOINTMENTS: Final = HERE


class Held(NamedTuple):
    """A span of a resource: seconds since 1970, which need of which appointment (by its place in the file) it is."""

    starts: int
    ends: int
    need: int
    place: int


class Spans:
    """Spans of each resource, each of whole minutes and one word of memory."""

    def __init__(self) -> None:
        """Nothing is held."""
        self._words: defaultdict[int, array[int]] = defaultdict(lambda: array("Q"))

    def add(self, resource_id: int, held: Held) -> None:
        """Notes that a resource is held."""
        minute = (held.starts - _BASE_SECONDS) // 60
        length = -(-(held.ends - held.starts) // 60)
        if not (0 <= minute < 1 << _MINUTES and 0 < length < 1 << _LENGTH and 0 <= held.need < 1 << _NEED):
            raise ValueError(f"no span of a diary: {held}")
        word = ((minute << _LENGTH | length) << _NEED | held.need) << _PLACE | held.place
        self._words[resource_id].append(word)

    def resources(self) -> list[int]:
        """Every resource that is held, in the order of their ids."""
        return sorted(self._words)

    def of(self, resource_id: int) -> Iterator[Held]:
        """The spans of a resource in the order of time, those of the diary left out."""
        return (held for held in self._sorted(resource_id) if held.place != HERE)

    def clashes(self) -> Iterator[tuple[int, Held, Held]]:
        """Each span that begins before another of its resource has ended: the resource, that other one, and it.

        Two that the diary holds already do not count.
        """
        for resource_id in self.resources():
            latest: Held | None = None
            for held in self._sorted(resource_id):
                if latest and held.starts < latest.ends and not held.place == latest.place == HERE:
                    yield resource_id, latest, held
                if latest is None or held.ends > latest.ends:
                    latest = held

    def _sorted(self, resource_id: int) -> Iterator[Held]:
        for word in sorted(self._words[resource_id]):
            place, rest = word & HERE, word >> _PLACE
            need, rest = rest & ((1 << _NEED) - 1), rest >> _NEED
            length, minute = rest & ((1 << _LENGTH) - 1), rest >> _LENGTH
            starts = _BASE_SECONDS + minute * 60
            yield Held(starts, starts + length * 60, need, place)
