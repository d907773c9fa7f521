"""Who gets an edition: chosen by language and interest among those who asked for the newsletter, and by nothing else.

This is the only place that chooses readers. It reads the table of readers and no other, so that no edition can be
addressed by a condition, a treatment or anything else that is known of patients; a test holds it to that.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.newsletter import Audience
from clinic.store.newsletter import Subscriber

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of an audience: the readers, the last id that it got to, and whether it is the last stretch."""

    reader_ids: tuple[int, ...]
    reached: int
    is_last: bool


def count_audience(db: Session, audience: Audience, *, consented_by: datetime) -> Mapping[str, int]:
    """How many readers get it, by language."""
    found = (language for _, language, interests in _readers(db, 0, consented_by)
             if audience.holds(language, interests))
    return dict(Counter(found))


def stretch_of(db: Session, audience: Audience, *, after: int, most: int, consented_by: datetime) -> Stretch:
    """The next readers in the order of their ids, at most so many."""
    ids: list[int] = []
    for reader_id, language, interests in _readers(db, after, consented_by):
        if audience.holds(language, interests):
            if len(ids) == most:
                return Stretch(tuple(ids), ids[-1] if ids else after, is_last=False)
            ids.append(reader_id)
    return Stretch(tuple(ids), ids[-1] if ids else after, is_last=True)


def count_readers(db: Session) -> Mapping[str, int]:
    """How many addresses there are in each state."""
    return dict(db.execute(sa.select(Subscriber.state, sa.func.count()).group_by(Subscriber.state)).all())


def _readers(db: Session, after: int, consented_by: datetime) -> Iterator[tuple[int, str, list[str]]]:
    """Those who want it and did so by then, in the order of their ids, read in pieces."""
    while True:
        rows = db.execute(
            sa.select(Subscriber.id, Subscriber.language, Subscriber.interests)
            .where(Subscriber.id > after, Subscriber.state == "subscribed", Subscriber.consented_at <= consented_by)
            .order_by(Subscriber.id).limit(_AT_ONCE)).all()
        yield from ((row.id, row.language, row.interests) for row in rows)
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1].id
