"""Clinics, rooms and devices that are moved in; one of the same name that is here already is taken as the same."""
from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from clinic.interchange.moving_in.folder import Said
from clinic.interchange.moving_in.forms import CLINICS, DEVICES, ROOMS
from clinic.interchange.moving_in.records import ClinicRecord
from clinic.messages.envelope import check_address
from clinic.planning.local import zone
from clinic.services.moving.state import Moving
from clinic.store.clinics import Business, Clinic, OpeningHours
from clinic.store.resources import Device, Room


def move_clinics(moving: Moving) -> None:
    """Adds the clinics with their hours, and the business where there is none."""
    moving.file = CLINICS.file
    known = {name: ident for ident, name in moving.db.execute(sa.select(Clinic.id, Clinic.name))}
    here = frozenset(known.values())
    for batch in moving.batches(CLINICS):
        kept = []
        for said in batch:
            if said.record.name in known:
                kept.append((said, _linked(moving, said, known[said.record.name], here)))
            elif _is_sound(moving, said):
                known[said.record.name] = _add_clinic(moving, said.record)
                kept.append((said, known[said.record.name]))
        moving.keep(CLINICS, [each for each in kept if each[1]], linked=here)


def move_rooms(moving: Moving) -> None:
    """Adds the rooms."""
    moving.file = ROOMS.file
    rows = moving.db.execute(sa.select(Room.id, Room.clinic_id, Room.name))
    _move_things(moving, ROOMS.file, {(clinic_id, name): ident for ident, clinic_id, name in rows})


def move_devices(moving: Moving) -> None:
    """Adds the devices."""
    moving.file = DEVICES.file
    rows = moving.db.execute(sa.select(Device.id, Device.clinic_id, Device.name))
    _move_things(moving, DEVICES.file, {(clinic_id, name): ident for ident, clinic_id, name in rows})


def _move_things(moving: Moving, file: str, known: dict[tuple[int, str], int]) -> None:
    form = ROOMS if file == ROOMS.file else DEVICES
    here = frozenset(known.values())
    for batch in moving.batches(form):
        moving.look_up("clinic", [said.record.clinic for said in batch])
        kept: list[tuple[Said, int]] = []
        for said in batch:
            clinic_id = moving.find(said, "clinic", "clinic", said.record.clinic)
            if clinic_id is None:
                continue
            place = (clinic_id, said.record.name)
            if place in known:
                kept.append((said, _linked(moving, said, known[place], here)))
                continue
            record = said.record
            row: Room | Device = Room(
                clinic_id=clinic_id, name=record.name, features=sorted(record.features), active=record.active
            ) if form is ROOMS else Device(
                clinic_id=clinic_id, name=record.name, device_type=record.device_type, active=record.active)
            moving.db.add(row)
            moving.db.flush()
            known[place] = row.id
            kept.append((said, row.id))
        moving.keep(form, [each for each in kept if each[1]], linked=here)


def _linked(moving: Moving, said: Said, row_id: int, here: Sequence[int] | frozenset[int]) -> int:
    """The row of that name that was here before; 0, and a fault, where another row of the file has the name."""
    if row_id not in here:
        moving.wrong(said, "name", f"{said.record.name!r} stands in this file twice")
        return 0
    moving.warn(said, "name", f"{said.record.name!r} is here already and taken as the same: nothing of it is changed")
    return row_id


def _is_sound(moving: Moving, said: Said) -> bool:
    before = moving.faults.count
    try:
        zone(said.record.zone)
    except ValueError:
        moving.wrong(said, "zone", f"there is no time zone {said.record.zone!r}: use one such as Europe/London")
    try:
        check_address(said.record.sender_email)
    except ValueError as error:
        moving.wrong(said, "sender_email", str(error))
    return moving.faults.count == before


def _add_clinic(moving: Moving, record: ClinicRecord) -> int:
    if moving.db.get(Business, 1) is None:
        moving.db.add(Business(id=1, name=record.sender_name))
    clinic = Clinic(
        name=record.name, zone=record.zone, address=record.address, phone=record.phone,
        sender_name=record.sender_name, sender_email=check_address(record.sender_email))
    moving.db.add(clinic)
    moving.db.flush()
    moving.db.add_all(
        OpeningHours(clinic_id=clinic.id, weekday=day, opens=opens, closes=closes)
        for days, opens, closes in record.hours for day in days)
    moving.db.flush()
    return clinic.id
