"""When practitioners, rooms and devices are booked: the packed diary laid on a ruler, in one statement.

A second statement reads the rows themselves, of those for whom the pages say less than the rows do: where the ruler
counts in less than five minutes, or a span that is set aside or free again ends inside a granule of the pages.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.planning import Ruler, busy_bits
from clinic.planning.bits import spread
from clinic.queries.diary_facts import SetAside
from clinic.store.diary import ResourceBooking
from clinic.store.expressions import epoch, instant_of, seconds_of
from clinic.store.occupancy import GRANULE, PAGE, PAGE_BYTES, Occupancy, OccupancyChange, Span, applied
from clinic.store.types import Instant

NO_WAY = timedelta()
Place = tuple[int, int]
"""Resource and clinic."""


@dataclass(frozen=True, slots=True)
class Occupied:
    """The granules of one resource that are `booked`, and those that stay `busy` where some appointments may move."""

    booked: int
    busy: int


@dataclass(frozen=True, slots=True)
class Site:
    """The clinic that asks, and how long the way is between it and each other one."""

    clinic_id: int
    travel: Mapping[int, timedelta]

    def way(self, clinic_id: int, granule: int) -> int:
        """Granules, whole ones, that a practitioner needs between here and there."""
        away = NO_WAY if clinic_id == self.clinic_id else self.travel.get(clinic_id, NO_WAY)
        return -(-int(away.total_seconds()) // granule)


def occupied(
    db: Session, on: Ruler, resource_ids: Collection[int], site: Site, *,
    ignored: Sequence[SetAside], lapsed: Sequence[SetAside],
) -> Mapping[int, Occupied]:
    """For each of these resources when it is booked, travel included; a hold that lapsed is nothing.

    One statement, two where pages do not suffice.
    """
    origin = seconds_of(on.origin)
    if on.granule != GRANULE or origin % GRANULE:
        return _from_rows(db, on, resource_ids, site, ignored, lapsed)
    found = _Pages(db, on, resource_ids, site)
    doubtful = {each.resource_id for each in (*ignored, *lapsed) if not each.span.is_whole} | {
        place[0] for place, changes in found.changes.items()
        if not all(change.is_held or change.is_whole for change in changes)}
    doubtful &= set(resource_ids)
    may_move, gone = by_place(ignored), by_place(lapsed)
    packed = {each: found.of(each, may_move, gone) for each in resource_ids if each not in doubtful}
    return packed | (_from_rows(db, on, doubtful, site, ignored, lapsed) if doubtful else {})


class _Pages:
    """The pages of some resources around a ruler, and what has changed since they were written."""

    def __init__(self, db: Session, on: Ruler, resource_ids: Collection[int], site: Site) -> None:
        self._on, self._site = on, site
        margin = max((site.way(each, GRANULE) for each in site.travel), default=0)
        origin = seconds_of(on.origin) // GRANULE
        first, last = (origin - margin) // PAGE, (origin + on.length + margin) // PAGE
        self._range, self._first, self._before = range(first, last + 1), first * PAGE, origin - first * PAGE
        self.changes: defaultdict[Place, list[Span]] = defaultdict(list)
        self._pages: defaultdict[int, defaultdict[int, dict[int, bytes]]] = defaultdict(lambda: defaultdict(dict))
        changes = []
        for resource_id, clinic_id, number, bits, starts, ends, is_held in db.execute(
            _PAGES, {"resource_ids": list(resource_ids), "first": first, "last": last}
        ):
            pages = self._pages[resource_id][clinic_id]
            if bits is None:
                changes.append((number, resource_id, clinic_id, Span(starts, ends, bool(is_held))))
            else:
                pages[number] = bits
        for _, resource_id, clinic_id, span in sorted(changes):
            self.changes[resource_id, clinic_id].append(span)

    def of(
        self, resource_id: int, ignored: Mapping[Place, list[Span]], lapsed: Mapping[Place, list[Span]]
    ) -> Occupied:
        """When a resource is booked at any clinic, as it bears on this one."""
        booked = busy = 0
        for clinic_id, pages in self._pages[resource_id].items():
            place = (resource_id, clinic_id)
            bits = int.from_bytes(
                b"".join([pages.get(page, b"").ljust(PAGE_BYTES, b"\0") for page in self._range]), "little")
            held = applied(bits, self._first, (*self.changes.get(place, ()), *lapsed.get(place, ())))
            left = applied(held, self._first, ignored.get(place, ()))
            way = self._site.way(clinic_id, GRANULE)
            booked |= self._laid(held, way)
            busy |= self._laid(left, way)
        return Occupied(booked, busy)

    def _laid(self, bits: int, way: int) -> int:
        """Bits of the pages, widened both ways by so many granules, as bits of the ruler."""
        return spread(bits, 2 * way + 1) >> (self._before + way) & self._on.full


def _from_rows(
    db: Session, on: Ruler, resource_ids: Collection[int], site: Site, ignored: Sequence[SetAside],
    lapsed: Sequence[SetAside],
) -> dict[int, Occupied]:
    """The same from the rows, at any granule."""
    margin = max((site.way(each, on.granule) for each in site.travel), default=0) * on.granule
    begins, ends = seconds_of(on.origin) - margin, seconds_of(on.origin) + on.length * on.granule + margin
    rows = db.execute(_ROWS, {
        "resource_ids": list(resource_ids), "begins": instant_of(begins), "ends": instant_of(ends)})
    gone, may_move = {each.appointment_id for each in lapsed}, {each.appointment_id for each in ignored}
    spans: defaultdict[int, list[tuple[bool, int, int]]] = defaultdict(list)
    for resource_id, clinic_id, appointment_id, starts, stops in rows:
        if appointment_id not in gone:
            way = site.way(clinic_id, on.granule) * on.granule
            spans[resource_id].append((appointment_id in may_move, starts - way, stops + way))
    return {
        each: Occupied(_bits(on, spans[each]), _bits(on, (span for span in spans[each] if not span[0])))
        for each in resource_ids}


def _bits(on: Ruler, spans: Iterable[tuple[bool, int, int]]) -> int:
    return busy_bits(on, ((instant_of(starts), instant_of(ends)) for _, starts, ends in spans))


def by_place(set_aside: Iterable[SetAside]) -> Mapping[Place, list[Span]]:
    """The spans that are set aside, by resource and clinic."""
    found: defaultdict[Place, list[Span]] = defaultdict(list)
    for each in set_aside:
        found[each.resource_id, each.clinic_id].append(each.span)
    return found


def _pages_statement() -> sa.CompoundSelect[Any]:
    page, change = Occupancy.__table__, OccupancyChange.__table__
    resource_ids = sa.bindparam("resource_ids", expanding=True, type_=sa.Integer)
    first, last = sa.bindparam("first", type_=sa.Integer), sa.bindparam("last", type_=sa.Integer)
    nothing = sa.null()
    return sa.select(
        page.c.resource_id, page.c.clinic_id, page.c.page, page.c.bits,
        sa.cast(nothing, sa.BigInteger), sa.cast(nothing, sa.BigInteger), sa.cast(nothing, sa.Boolean),
    ).where(page.c.resource_id.in_(resource_ids), page.c.page.between(first, last)).union_all(
        sa.select(
            change.c.resource_id, change.c.clinic_id, change.c.id, sa.cast(nothing, sa.LargeBinary),
            epoch(change.c.starts_at), epoch(change.c.ends_at), change.c.is_held,
        ).where(change.c.resource_id.in_(resource_ids)))


def _rows_statement() -> sa.Select[Any]:
    row = ResourceBooking.__table__
    return sa.select(
        row.c.resource_id, row.c.clinic_id, row.c.appointment_id, epoch(row.c.starts_at), epoch(row.c.ends_at),
    ).where(
        row.c.resource_id.in_(sa.bindparam("resource_ids", expanding=True, type_=sa.Integer)),
        row.c.ends_at > sa.bindparam("begins", type_=Instant()),
        row.c.starts_at < sa.bindparam("ends", type_=Instant()))


_PAGES, _ROWS = _pages_statement(), _rows_statement()
