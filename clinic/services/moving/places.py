"""Clinics, rooms and devices that are moved in; one of the same name that is here already is taken as the same."""
from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from clinic.interchange.moving_in.folder import Said
from clinic.interchange.moving_in.forms import CLINICS, DEVICES, ROOMS
from clinic.interchange.moving_in.records import ClinicRecord
from clinic.services.clinics import ClinicDetails, Hours, judge_clinic, let_its_maker_in, put_clinic, put_name
from clinic.services.moving.state import Moving
from clinic.store.clinics import Business, Clinic
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
                continue
            added = _add_clinic(moving, said)
            if added is not None:
                known[said.record.name] = added
                kept.append((said, added))
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


def _add_clinic(moving: Moving, said: Said) -> int | None:
    """The new clinic, judged and written as when it is opened on its page; none, and its faults, where it cannot be."""
    record: ClinicRecord = said.record
    details = ClinicDetails(
        record.name, record.zone, record.address, record.phone, record.sender_name, record.sender_email,
        tuple(Hours(days, opens, closes) for days, opens, closes in record.hours))
    findings = judge_clinic(moving.work, details)
    for finding in findings:
        moving.wrong(said, finding.field if finding.field in CLINICS.names else "hours", finding.text)
    if findings:
        return None
    if moving.db.get(Business, 1) is None:
        put_name(moving.work, record.sender_name)
    clinic = put_clinic(moving.work, details)
    let_its_maker_in(moving.work, clinic.id)
    moving.db.flush()
    return clinic.id
