"""When practitioners, rooms and devices are booked: the packed diary laid on a ruler, in one statement.

A second statement reads the rows themselves, of those for whom the pages say less than the rows do: where the ruler
counts in less than five minutes, or a span that is set aside or free again ends inside a granule of the pages.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.planning import Ruler, busy_bits
from clinic.planning.bits import spread
from clinic.queries.diary_facts import Change, Facts, SetAside
from clinic.store.diary import ResourceBooking
from clinic.store.expressions import epoch, instant_of, seconds_of
from clinic.store.occupancy import GRANULE, PAGE, PAGE_BYTES, Occupancy, Span, applied
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
    """The clinic that asks, how long the way is between it and each other one, and who goes it."""

    clinic_id: int
    travel: Mapping[int, timedelta]
    travellers: frozenset[int]

    def way(self, resource_id: int, clinic_id: int, granule: int) -> int:
        """Granules, whole ones, that a resource needs between there and here."""
        if clinic_id == self.clinic_id or resource_id not in self.travellers:
            return 0
        return -(-int(self.travel.get(clinic_id, NO_WAY).total_seconds()) // granule)

    @property
    def longest(self) -> int:
        """The seconds of the longest way."""
        return max((int(each.total_seconds()) for each in self.travel.values()), default=0)


def occupied(
    db: Session, on: Ruler, resource_ids: Collection[int], site: Site, facts: Facts
) -> Mapping[int, Occupied]:
    """For each of these resources when it is booked, travel included; a hold that lapsed is nothing.

    One statement, two where pages do not suffice.
    """
    if on.granule != GRANULE or seconds_of(on.origin) % GRANULE:
        return _from_rows(db, on, resource_ids, site, facts)
    doubtful = {each.resource_id for each in (*facts.ignored, *facts.lapsed) if not each.span.is_whole} | {
        each.resource_id for each in facts.changes if not (each.span.is_held or each.span.is_whole)}
    doubtful &= set(resource_ids)
    pages = _Pages(db, on, [each for each in resource_ids if each not in doubtful], site, facts)
    return pages.occupied | (_from_rows(db, on, doubtful, site, facts) if doubtful else {})


class _Pages:
    """The pages of some resources around a ruler, with what has changed since they were written."""

    def __init__(self, db: Session, on: Ruler, resource_ids: Collection[int], site: Site, facts: Facts) -> None:
        self._on, self._site = on, site
        margin, origin = site.longest // GRANULE + 1, seconds_of(on.origin) // GRANULE
        first, last = (origin - margin) // PAGE, (origin + on.length + margin) // PAGE
        self._range, self._first, self._before = range(first, last + 1), first * PAGE, origin - first * PAGE
        self._changed = by_place((*facts.changes, *facts.lapsed))
        self._may_move = by_place(facts.ignored)
        # Where something has changed there may be no page yet.
        self._pages: defaultdict[int, dict[int, dict[int, bytes]]] = defaultdict(dict)
        for resource_id, clinic_id in self._changed:
            self._pages[resource_id][clinic_id] = {}
        for resource_id, clinic_id, page, bits in db.execute(
            _PAGES, {"resource_ids": list(resource_ids), "first": first, "last": last}
        ).all():
            self._pages[resource_id].setdefault(clinic_id, {})[page] = bits
        self.occupied = {each: self._of(each) for each in resource_ids}

    def _of(self, resource_id: int) -> Occupied:
        """When a resource is booked at any clinic, as it bears on this one."""
        booked = busy = 0
        for clinic_id, pages in self._pages[resource_id].items():
            place = (resource_id, clinic_id)
            way = self._site.way(resource_id, clinic_id, GRANULE)
            changed, may_move = self._changed.get(place, ()), self._may_move.get(place, ())
            if not (way or changed or may_move):
                laid = self._cut(pages)
                booked, busy = booked | laid, busy | laid
                continue
            held = applied(int.from_bytes(self._joined(pages), "little"), self._first, changed)
            booked |= self._laid(held, way)
            busy |= self._laid(applied(held, self._first, may_move), way)
        return Occupied(booked, busy)

    def _joined(self, pages: Mapping[int, bytes]) -> bytes:
        return b"".join([pages.get(page, b"").ljust(PAGE_BYTES, b"\0") for page in self._range])

    def _cut(self, pages: Mapping[int, bytes]) -> int:
        """Pages as bits of the ruler, as they are: less is read and moved so than by `_laid`."""
        begins, shift = divmod(self._before, 8)
        cut = self._joined(pages)[begins:begins + -(-(shift + self._on.length) // 8)]
        bits = int.from_bytes(cut, "little") >> shift
        return bits & self._on.full if bits.bit_length() > self._on.length else bits

    def _laid(self, bits: int, way: int) -> int:
        """Bits of the pages, widened both ways by so many granules, as bits of the ruler."""
        return spread(bits, 2 * way + 1) >> (self._before + way) & self._on.full


def _from_rows(
    db: Session, on: Ruler, resource_ids: Collection[int], site: Site, facts: Facts
) -> dict[int, Occupied]:
    """The same from the rows, at any granule."""
    margin = site.longest + on.granule
    begins, ends = seconds_of(on.origin) - margin, seconds_of(on.origin) + on.length * on.granule + margin
    rows = db.execute(_ROWS, {
        "resource_ids": list(resource_ids), "begins": instant_of(begins), "ends": instant_of(ends)})
    gone, may_move = {each.appointment_id for each in facts.lapsed}, {each.appointment_id for each in facts.ignored}
    spans: defaultdict[int, list[tuple[bool, int, int]]] = defaultdict(list)
    for resource_id, clinic_id, appointment_id, starts, stops in rows:
        if appointment_id not in gone:
            way = site.way(resource_id, clinic_id, on.granule) * on.granule
            spans[resource_id].append((appointment_id in may_move, starts - way, stops + way))
    return {
        each: Occupied(_bits(on, spans[each]), _bits(on, (span for span in spans[each] if not span[0])))
        for each in resource_ids}


def _bits(on: Ruler, spans: Iterable[tuple[bool, int, int]]) -> int:
    return busy_bits(on, ((instant_of(starts), instant_of(ends)) for _, starts, ends in spans))


def by_place(spans: Iterable[SetAside | Change]) -> Mapping[Place, list[Span]]:
    """The spans by resource and clinic, in their order."""
    found: dict[Place, list[Span]] = {}
    for each in spans:
        found.setdefault((each.resource_id, each.clinic_id), []).append(each.span)
    return found


def _pages_statement() -> sa.Select[Any]:
    page = Occupancy.__table__
    return sa.select(page.c.resource_id, page.c.clinic_id, page.c.page, page.c.bits).where(
        page.c.resource_id.in_(sa.bindparam("resource_ids", expanding=True, type_=sa.Integer)),
        page.c.page.between(sa.bindparam("first", type_=sa.Integer), sa.bindparam("last", type_=sa.Integer)))


def _rows_statement() -> sa.Select[Any]:
    row = ResourceBooking.__table__
    return sa.select(
        row.c.resource_id, row.c.clinic_id, row.c.appointment_id, epoch(row.c.starts_at), epoch(row.c.ends_at),
    ).where(
        row.c.resource_id.in_(sa.bindparam("resource_ids", expanding=True, type_=sa.Integer)),
        row.c.ends_at > sa.bindparam("begins", type_=Instant()),
        row.c.starts_at < sa.bindparam("ends", type_=Instant()))


_PAGES, _ROWS = _pages_statement(), _rows_statement()
