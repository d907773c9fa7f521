"""The content of protocol versions, read once: a version never changes, and the database forbids that it does."""
from __future__ import annotations

from collections.abc import Collection, Mapping
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from clinic.care.protocols import Protocol
from clinic.store.protocols import ProtocolVersion

_READ: WeakKeyDictionary[Pool, dict[int, Protocol]] = WeakKeyDictionary()
"""What was read, by the pool of connections that it came through: another database has another pool."""


def protocol_of(db: Session, version_id: int) -> Protocol:
    """The content of a protocol version; raises NoResultFound for one that is not there."""
    read = _read(db)
    if version_id not in read:
        document = db.scalars(sa.select(ProtocolVersion.document).where(ProtocolVersion.id == version_id)).one()
        read[version_id] = Protocol.from_document(document)
    return read[version_id]


def content_of(db: Session, version: ProtocolVersion) -> Protocol:
    """The content of a protocol version whose row is at hand."""
    read = _read(db)
    if version.id not in read:
        read[version.id] = Protocol.from_document(version.document)
    return read[version.id]


def read_ahead(db: Session, version_ids: Collection[int]) -> None:
    """Reads those of these versions that were not read yet, in one statement at most."""
    read = _read(db)
    if missing := set(version_ids) - read.keys():
        for row in db.execute(sa.select(ProtocolVersion.id, ProtocolVersion.document)
                              .where(ProtocolVersion.id.in_(missing))):
            read[row.id] = Protocol.from_document(row.document)


def contents_of(db: Session, version_ids: Collection[int]) -> Mapping[int, Protocol]:
    """The contents of these protocol versions, in one statement at most."""
    read_ahead(db, version_ids)
    read = _read(db)
    return {each: read[each] for each in version_ids}


def _read(db: Session) -> dict[int, Protocol]:
    return _READ.setdefault(db.get_bind().engine.pool, {})
