"""Who and what of a visit is away: a practitioner, a room or a device with an absence that was noted here.

Outside calendars often hold the very visits that were copied to them: what comes from those does not count.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from clinic.care.parts import ResourceKind
from clinic.store.diary import ResourceBooking
from clinic.store.expressions import instant_of
from clinic.store.resources import Absence

Span = tuple[datetime, datetime]
Noted = Mapping[int, Sequence[Span]]


@dataclass(frozen=True, slots=True)
class Away:
    """Somebody who is away, or something that is out of service, while a visit to come needs them."""

    kind: ResourceKind
    name: str

    @property
    def words(self) -> str:
        """Such as "Dr Amari away" or "Laser 2 out of service"."""
        return f"{self.name} {'away' if self.kind is ResourceKind.PRACTITIONER else 'out of service'}"


def away_words(away: Iterable[Away]) -> str:
    """All of them in words; empty where there is nobody."""
    return ", ".join(each.words for each in away)


def noted(rows: Iterable[Sequence[Any]]) -> Noted:
    """When each resource is away, from the rows of the absences of some days."""
    found: defaultdict[int, list[Span]] = defaultdict(list)
    for ident, starts, ends, _reason, source in rows:
        if source is None:
            found[ident].append((instant_of(starts), instant_of(ends)))
    return found


def is_within(spans: Iterable[Span], starts_at: datetime, ends_at: datetime) -> bool:
    """Whether any of these absences meets what is held from one instant to the other."""
    return any(begins < ends_at and starts_at < ends for begins, ends in spans)


def is_away(held: Any) -> sa.Exists:
    """The same, asked of the database: whether whoever or whatever a booking holds is away for some of it."""
    return sa.exists().where(
        Absence.resource_id == held.resource_id, Absence.source.is_(None), Absence.ends_at > held.starts_at,
        Absence.starts_at < held.ends_at)


def in_absence(appointment_id: Any) -> sa.Exists:
    """Whether anybody or anything that an appointment holds is away then."""
    return sa.exists().where(ResourceBooking.appointment_id == appointment_id, is_away(ResourceBooking))
