"""Rooms and devices: added, changed, put out of use."""
from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from clinic.care.parts import DEVICE_TYPES, ROOM_FEATURES
from clinic.planning.findings import Finding, Weight
from clinic.services.work import Done, Refused, UnitOfWork, check_version, record
from clinic.store.resources import Device, Room

LONGEST_NAME = 100


def add_room(
    work: UnitOfWork, clinic_id: int, *, name: str, features: Iterable[str] = ()
) -> Done[int] | Refused:
    """Adds a room with what it offers, such as a numbing chair."""
    offered = sorted(set(features))
    findings = (*_judge_name(work, Room, clinic_id, name), *_judge_features(offered, ()))
    if findings:
        return Refused(findings)
    room = Room(clinic_id=clinic_id, name=name.strip(), features=offered)
    return _added(work, room, "room")


def edit_room(
    work: UnitOfWork, room_id: int, *, name: str, features: Iterable[str], is_in_use: bool = True, lock_version: int
) -> Done[int] | Refused:
    """Gives a room another name or other features, or puts it out of use; what is booked stays booked."""
    room = work.db.get_one(Room, room_id, with_for_update=True)
    check_version("room", room, lock_version)
    offered = sorted(set(features))
    findings = (*_judge_name(work, Room, room.clinic_id, name, except_id=room_id),
                *_judge_features(offered, room.features))
    if findings:
        return Refused(findings)
    room.name, room.features = name.strip(), offered
    return _edited(work, room, is_in_use, "room")


def add_device(work: UnitOfWork, clinic_id: int, *, name: str, device_type: str) -> Done[int] | Refused:
    """Adds a device of a type that treatments ask for."""
    findings = (*_judge_name(work, Device, clinic_id, name), *_judge_type(device_type, None))
    if findings:
        return Refused(findings)
    return _added(work, Device(clinic_id=clinic_id, name=name.strip(), device_type=device_type), "device")


def edit_device(
    work: UnitOfWork, device_id: int, *, name: str, device_type: str, is_in_use: bool = True, lock_version: int
) -> Done[int] | Refused:
    """Gives a device another name or type, or puts it out of use; what is booked stays booked."""
    device = work.db.get_one(Device, device_id, with_for_update=True)
    check_version("device", device, lock_version)
    findings = (*_judge_name(work, Device, device.clinic_id, name, except_id=device_id),
                *_judge_type(device_type, device.device_type))
    if findings:
        return Refused(findings)
    device.name, device.device_type = name.strip(), device_type
    return _edited(work, device, is_in_use, "device")


def _edited(work: UnitOfWork, row: Room | Device, is_in_use: bool, kind: str) -> Done[int]:
    if row.active != is_in_use:
        row.active = is_in_use
        record(work, f"{kind}-in-use" if is_in_use else f"{kind}-out-of-use", kind, row.id, clinic_id=row.clinic_id)
    return _changed(work, row, f"{kind}-changed", kind)


def _added(work: UnitOfWork, row: Room | Device, kind: str) -> Done[int]:
    work.db.add(row)
    work.db.flush()
    return _changed(work, row, f"{kind}-added", kind)


def _changed(work: UnitOfWork, row: Room | Device, action: str, kind: str) -> Done[int]:
    record(work, action, kind, row.id, clinic_id=row.clinic_id)
    work.commit()
    return Done(row.id)


def _judge_name(
    work: UnitOfWork, kind: type[Room] | type[Device], clinic_id: int, name: str, *, except_id: int = 0
) -> tuple[Finding, ...]:
    given, noun = name.strip(), "room" if kind is Room else "device"
    if not given:
        return (_wrong("missing", f"Enter a name for the {noun}.", "name"),)
    if len(given) > LONGEST_NAME:
        return (_wrong("name", f"The name may have at most {LONGEST_NAME} characters.", "name"),)
    table = kind.__table__
    other = work.db.scalar(sa.select(table.c.id).where(
        table.c.clinic_id == clinic_id, sa.func.lower(table.c.name) == given.lower(), table.c.id != except_id).limit(1))
    if other is not None:
        return (_wrong("twice", f"This clinic has a {noun} {given} already. Choose another name.", "name"),)
    return ()


def _judge_features(offered: Iterable[str], known_before: Iterable[str]) -> tuple[Finding, ...]:
    unknown = set(offered) - set(ROOM_FEATURES) - set(known_before)
    return tuple(_wrong("unknown-feature", f"There is no feature {code} of rooms.", None) for code in sorted(unknown))


def _judge_type(device_type: str, known_before: str | None) -> tuple[Finding, ...]:
    if device_type in DEVICE_TYPES or device_type == known_before:
        return ()
    return (_wrong("unknown-type", "Choose the type of the device from the list.", "device_type"),)


def _wrong(code: str, words: str, place: str | None) -> Finding:
    return Finding(code, Weight.BLOCKS, words, place)
