"""What resources are booked for, packed: a page of bits for seven weeks, and each change since as a span.

The database itself notes every change of `resource_booking` in `occupancy_change`, whoever makes it: so pages and
changes together always say what the rows say. A transaction that booked something merges what it has changed into
the pages before it commits; what others left is merged by the worker. A reader takes both, as they lie.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from clinic.store.base import Row
from clinic.store.diary import ResourceBooking
from clinic.store.expressions import epoch, instant_of
from clinic.store.resources import Resource

GRANULE = 300
PAGE = 49 * 86_400 // GRANULE
"""Granules of a page; page 0 begins in 1970, as an instant. A longer one would not lie in its row on PostgreSQL."""
PAGE_BYTES = PAGE // 8
MERGED_AT_ONCE = 2000


class Occupancy(Row):
    """A page of one resource at one clinic: bit `i` is the granule `page * PAGE + i` since 1970, set where it is held.

    Spans are rounded outward to whole granules; trailing zero bytes are left out. Patients have no pages.
    """

    __tablename__ = "occupancy"
    resource_id: Mapped[int] = mapped_column(sa.ForeignKey("resource.id", ondelete="CASCADE"), primary_key=True)
    page: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True)
    bits: Mapped[bytes]


class OccupancyChange(Row):
    """A span that is held from now on, or no more, and is not in the pages yet. Only triggers write these."""

    __tablename__ = "occupancy_change"
    id: Mapped[int] = mapped_column(primary_key=True)
    resource_id: Mapped[int] = mapped_column(sa.ForeignKey("resource.id", ondelete="CASCADE"), index=True)
    clinic_id: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    is_held: Mapped[bool]


class Span(NamedTuple):
    """Whole seconds since 1970, from and to; held, or (in a change) free again."""

    starts: int
    ends: int
    is_held: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether no granule of it can be another span's too."""
        return not (self.starts % GRANULE or self.ends % GRANULE)


def applied(bits: int, first: int, spans: Iterable[Span]) -> int:
    """The bits, of which bit 0 is the granule `first` since 1970, after these changes in their order."""
    for span in spans:
        low, high = max(span.starts // GRANULE - first, 0), -(-span.ends // GRANULE) - first
        if high > low:
            touched = ((1 << (high - low)) - 1) << low
            bits = bits | touched if span.is_held else bits & ~touched
    return bits


Key = tuple[int, int, int]
"""Resource, page and clinic."""


def merge_changes(db: Session, at_once: int = MERGED_AT_ONCE) -> int:
    """Puts the oldest changes into their pages, in the caller's transaction; how many. Waits for nobody.

    A resource that another transaction has locked is left to that one, or to whoever comes next.
    """
    # Two that merge for one resource would each miss what the other has not committed: its row is the lock, and the
    # changes are read after it is had. Of a resource only its oldest changes are taken, so that they stay in order.
    changes: Any = OccupancyChange.__table__
    oldest = sa.select(changes.c.resource_id).order_by(changes.c.id).limit(at_once)
    mine = db.scalars(
        sa.select(Resource.__table__.c.id).where(Resource.__table__.c.id.in_(oldest))
        .with_for_update(skip_locked=True, key_share=True)).all()
    if not mine:
        return 0
    chosen = sa.select(changes.c.id).where(changes.c.resource_id.in_(mine)).order_by(changes.c.id).limit(at_once)
    taken = sorted(tuple(row) for row in db.execute(
        sa.delete(changes).where(changes.c.id.in_(chosen)).returning(
            changes.c.id, changes.c.resource_id, changes.c.clinic_id,
            epoch(changes.c.starts_at), epoch(changes.c.ends_at), changes.c.is_held)))
    spans: defaultdict[Key, list[Span]] = defaultdict(list)
    for _, resource_id, clinic_id, starts, ends, is_held in taken:
        span = Span(starts, ends, is_held)
        for page in pages_of(span):
            spans[resource_id, page, clinic_id].append(span)
    _write(db, _merged(db, spans))
    return len(taken)


def pages_of(span: Span) -> range:
    """The pages that a span touches."""
    return range(span.starts // GRANULE // PAGE, (-(-span.ends // GRANULE) - 1) // PAGE + 1)


def _merged(db: Session, spans: Mapping[Key, list[Span]]) -> dict[Key, bytes]:
    old = _pages(db, spans)
    # A span that ends inside a granule may share it with its neighbour: what is left then only the rows know.
    doubtful = [key for key, changed in spans.items() if not all(span.is_held or span.is_whole for span in changed)]
    rows = _rows(db, doubtful)
    found = {}
    for key, changed in spans.items():
        before, changed = (b"", rows[key]) if key in rows else (old.get(key, b""), changed)
        bits = applied(int.from_bytes(before, "little"), key[1] * PAGE, changed) & ((1 << PAGE) - 1)
        found[key] = bits.to_bytes(PAGE_BYTES, "little").rstrip(b"\0")
    return {key: bits for key, bits in found.items() if bits or key in old}


def _pages(db: Session, keys: Iterable[Key]) -> dict[Key, bytes]:
    page = Occupancy.__table__
    wanted = set(keys)
    rows = db.execute(
        sa.select(page.c.resource_id, page.c.page, page.c.clinic_id, page.c.bits)
        .where(page.c.resource_id.in_({key[0] for key in wanted}), page.c.page.in_({key[1] for key in wanted})))
    return {(resource_id, at, clinic_id): bits for resource_id, at, clinic_id, bits in rows}


def _rows(db: Session, keys: list[Key]) -> dict[Key, list[Span]]:
    """What the rows themselves say of these pages."""
    found: dict[Key, list[Span]] = {key: [] for key in keys}
    if not keys:
        return found
    row = ResourceBooking.__table__
    begins, ends = (instant_of(at * PAGE * GRANULE) for at in (min(k[1] for k in keys), max(k[1] for k in keys) + 1))
    for resource_id, clinic_id, starts, stops in db.execute(
        sa.select(row.c.resource_id, row.c.clinic_id, epoch(row.c.starts_at), epoch(row.c.ends_at))
        .where(row.c.resource_id.in_({key[0] for key in keys}), row.c.ends_at > begins, row.c.starts_at < ends)
    ):
        span = Span(starts, stops)
        for page in pages_of(span):
            if (resource_id, page, clinic_id) in found:
                found[resource_id, page, clinic_id].append(span)
    return found


def _write(db: Session, pages: Mapping[Key, bytes]) -> None:
    if not pages:
        return
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    table: Any = Occupancy.__table__
    statement: Any = insert(table)
    db.execute(
        statement.on_conflict_do_update(
            index_elements=["resource_id", "page", "clinic_id"], set_={"bits": statement.excluded.bits}),
        [{"resource_id": resource_id, "page": page, "clinic_id": clinic_id, "bits": bits}
         for (resource_id, page, clinic_id), bits in pages.items()])
