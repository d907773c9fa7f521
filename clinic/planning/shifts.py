"""Spans that all shift at once, each by its own: which of them cannot, and what is in their way."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple


class Span(NamedTuple):
    """A resource, held from an instant to another."""

    resource_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Shift:
    """What one holder holds now, and by how much all of it is to shift."""

    holder_id: int
    held: tuple[Span, ...]
    by: timedelta

    @property
    def wanted(self) -> tuple[Span, ...]:
        """What it would hold then."""
        return tuple(Span(each.resource_id, each.starts_at + self.by, each.ends_at + self.by) for each in self.held)


class _Claim(NamedTuple):
    """Who lays claim to a span; none: it is held by something that does not shift."""

    span: Span
    shift: Shift | None


def left_behind(shifts: Sequence[Shift], others: Iterable[Span]) -> Mapping[int, Span]:
    """Which holders must stay as they are so that nothing is held twice, each with the span that it could not have.

    What does not shift keeps its place; of two that would meet, the one with the lower id goes. Who stays is in the way
    of others in its turn. What is held now must be free of overlaps.
    """
    fixed = [_Claim(span, None) for span in others]
    staying: dict[int, Span] = {}
    while True:
        claims = [*fixed, *(_Claim(span, None) for each in shifts if each.holder_id in staying for span in each.held),
                  *(_Claim(span, each) for each in shifts if each.holder_id not in staying for span in each.wanted)]
        found = _losers(list(_overlaps(claims)))
        if not found:
            return staying
        staying |= found


def _overlaps(claims: Iterable[_Claim]) -> Iterator[tuple[_Claim, _Claim]]:
    """Pairs of claims that overlap: none only where no two do."""
    of_resource: defaultdict[int, list[_Claim]] = defaultdict(list)
    for claim in claims:
        of_resource[claim.span.resource_id].append(claim)
    for mine in of_resource.values():
        mine.sort(key=lambda claim: claim.span[1:])
        reaching = mine[0]
        for claim in mine[1:]:
            if claim.span.starts_at < reaching.span.ends_at and claim.shift is not reaching.shift:
                yield reaching, claim
            if claim.span.ends_at > reaching.span.ends_at:
                reaching = claim


def _losers(pairs: Sequence[tuple[_Claim, _Claim]]) -> dict[int, Span]:
    """Who gives way in these pairs: first to what does not shift, and to others only where nobody has to do that."""
    for are_all_shifting in (False, True):
        lost: dict[int, Span] = {}
        for pair in pairs:
            going = {claim.shift.holder_id: claim.span for claim in pair if claim.shift is not None}
            # Who has given way already is in nobody's way any more.
            if (len(going) == 2) is are_all_shifting and not going.keys() & lost.keys():
                lost[max(going)] = going[max(going)]
        if lost:
            return lost
    return {}
