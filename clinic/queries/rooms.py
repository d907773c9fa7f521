"""Rooms and devices of a clinic, as the set-up lists them."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.queries.folding import by_name
from clinic.store.resources import Device, Room

PAGE = 40


@dataclass(frozen=True, slots=True)
class RoomLine:
    """A room with what it offers."""

    id: int
    clinic_id: int
    name: str
    features: tuple[str, ...]
    active: bool
    lock_version: int


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A device with its type."""

    id: int
    clinic_id: int
    name: str
    device_type: str
    active: bool
    lock_version: int


@dataclass(frozen=True, slots=True)
class RoomsPage:
    """A page of rooms, those in use first."""

    rows: tuple[RoomLine, ...]
    total: int
    number: int

    @property
    def has_next(self) -> bool:
        """Whether there is another page."""
        return self.number * PAGE < self.total


@dataclass(frozen=True, slots=True)
class DevicesPage:
    """A page of devices, those in use first."""

    rows: tuple[DeviceLine, ...]
    total: int
    number: int

    @property
    def has_next(self) -> bool:
        """Whether there is another page."""
        return self.number * PAGE < self.total


def rooms_page(db: Session, clinic_id: int, *, number: int = 1) -> RoomsPage:
    """A page of a clinic's rooms, in two statements."""
    total = _total(db, Room.__table__, clinic_id)
    number = max(1, min(number, -(-total // PAGE)))
    rows = sorted((_room(row) for row in db.execute(_page(_ROOMS, Room.__table__, clinic_id, number))), key=_order)
    return RoomsPage(tuple(rows), total, number)


def devices_page(db: Session, clinic_id: int, *, number: int = 1) -> DevicesPage:
    """A page of a clinic's devices, in two statements."""
    total = _total(db, Device.__table__, clinic_id)
    number = max(1, min(number, -(-total // PAGE)))
    found = db.execute(_page(_DEVICES, Device.__table__, clinic_id, number))
    rows = sorted((DeviceLine(*row) for row in found), key=_order)
    return DevicesPage(tuple(rows), total, number)


def room_line(db: Session, room_id: int) -> RoomLine | None:
    """One room; none where there is no such room."""
    row = db.execute(_ROOMS.where(Room.__table__.c.id == room_id)).one_or_none()
    return _room(row) if row else None


def device_line(db: Session, device_id: int) -> DeviceLine | None:
    """One device; none where there is no such device."""
    row = db.execute(_DEVICES.where(Device.__table__.c.id == device_id)).one_or_none()
    return DeviceLine(*row) if row else None


def _page(of: sa.Select[Any], table: sa.FromClause, clinic_id: int, number: int) -> sa.Select[Any]:
    return (of.where(table.c.clinic_id == clinic_id)
            .order_by(table.c.active.desc(), sa.func.lower(table.c.name), table.c.id)
            .limit(PAGE).offset((number - 1) * PAGE))


def _order(line: RoomLine | DeviceLine) -> tuple[bool, tuple[str | int, ...], int]:
    return (not line.active, by_name(line.name), line.id)


def _total(db: Session, table: sa.FromClause, clinic_id: int) -> int:
    return db.scalar(sa.select(sa.func.count()).select_from(table).where(table.c.clinic_id == clinic_id)) or 0


def _select(table: sa.FromClause, told: str) -> sa.Select[Any]:
    return sa.select(*(table.c[name] for name in ("id", "clinic_id", "name", told, "active", "lock_version")))


def _room(row: sa.Row[Any]) -> RoomLine:
    ident, clinic_id, name, features, active, lock_version = tuple(row)
    return RoomLine(ident, clinic_id, name, tuple(features), active, lock_version)


_ROOMS = _select(Room.__table__, "features")
_DEVICES = _select(Device.__table__, "device_type")
