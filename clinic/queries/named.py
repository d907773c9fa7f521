"""What a clinic calls by a name: practitioners, rooms, devices and protocols. They are few, and found by any word."""
from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.queries.folding import words
from clinic.store.protocols import Protocol
from clinic.store.resources import Device, Practitioner, Room

MOST_NAMES = 1000


@dataclass(frozen=True, slots=True)
class Named:
    """Something with a name; a protocol is known by its code, the others by the id of the resource."""

    kind: str
    key: str
    name: str


def named(db: Session, clinic_id: int, search: str) -> tuple[Named, ...]:
    """The practitioners, rooms and devices in use and the protocols that every word of the search fits, by kind and
    name; in one statement."""
    if not words(search):
        return ()
    kinds = [
        _names("practitioner", Practitioner.__table__, Practitioner.__table__.c.active),
        _names("room", Room.__table__, Room.__table__.c.active, Room.__table__.c.clinic_id == clinic_id),
        _names("device", Device.__table__, Device.__table__.c.active, Device.__table__.c.clinic_id == clinic_id),
        sa.select(sa.literal("protocol").label("kind"), Protocol.code.label("key"), Protocol.name.label("name")),
    ]
    rows = db.execute(sa.union_all(*kinds).order_by("kind", "name").limit(MOST_NAMES))
    return tuple(Named(row.kind, row.key, row.name) for row in rows if fits(search, row.name))


def fits(search: str, *names: str) -> bool:
    """Whether every word of the search begins a word of the names, in any order, without case or accents."""
    parts = [part for name in names for part in words(name)]
    return all(any(part.startswith(word) for part in parts) for word in words(search))


def _names(kind: str, table: sa.FromClause, *where: sa.ColumnElement[bool]) -> sa.Select[tuple[str, str, str]]:
    return sa.select(sa.literal(kind).label("kind"), sa.cast(table.c.id, sa.String).label("key"),
                     table.c.name.label("name")).where(*where)
