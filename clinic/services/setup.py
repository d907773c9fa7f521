"""Setting a business up: its rooms, devices, and who works when and where."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from clinic.services.clinics import Hours
from clinic.services.work import Done, UnitOfWork, record
from clinic.store.resources import Absence, Device, Practitioner, Qualification, Room, Rota, RotaSpan


@dataclass(frozen=True, slots=True)
class WorkSpan:
    """Hours of work at a clinic in one week of a rota, or (no clinic) the span in which a break of so long lies."""

    hours: Hours
    clinic_id: int | None
    break_minutes: int | None = None
    week: int = 0


def add_room(work: UnitOfWork, clinic_id: int, *, name: str, features: Iterable[str] = ()) -> Done[int]:
    """Adds a room with what it offers, such as a numbing chair."""
    room = Room(clinic_id=clinic_id, name=name, features=sorted(features))
    work.db.add(room)
    work.db.flush()
    record(work, "room-added", "room", room.id, clinic_id=clinic_id)
    work.commit()
    return Done(room.id)


def add_device(work: UnitOfWork, clinic_id: int, *, name: str, device_type: str) -> Done[int]:
    """Adds a device of a type that treatments ask for."""
    device = Device(clinic_id=clinic_id, name=name, device_type=device_type)
    work.db.add(device)
    work.db.flush()
    record(work, "device-added", "device", device.id, clinic_id=clinic_id)
    work.commit()
    return Done(device.id)


def add_practitioner(
    work: UnitOfWork, *, name: str, qualifications: Sequence[tuple[str, date, date | None]] = (),
) -> Done[int]:
    """Adds a practitioner with qualifications: code, first valid date, last valid date (none: no expiry)."""
    person = Practitioner(name=name)
    work.db.add(person)
    work.db.flush()
    work.db.add_all(
        Qualification(practitioner_id=person.id, code=code, valid_from=valid_from, expires_on=expires_on)
        for code, valid_from, expires_on in qualifications)
    record(work, "practitioner-added", "practitioner", person.id)
    work.commit()
    return Done(person.id)


def set_rota(
    work: UnitOfWork, practitioner_id: int, spans: Sequence[WorkSpan], *, starts_on: date,
    ends_on: date | None = None, weeks: int = 1,
) -> Done[int]:
    """Gives a practitioner a rota of so many weeks from a date on, until another begins."""
    rota = Rota(practitioner_id=practitioner_id, starts_on=starts_on, ends_on=ends_on, weeks=weeks)
    work.db.add(rota)
    work.db.flush()
    work.db.add_all(
        RotaSpan(rota_id=rota.id, week=span.week, weekday=day, opens=span.hours.opens, closes=span.hours.closes,
                 clinic_id=span.clinic_id, break_minutes=span.break_minutes)
        for span in spans for day in span.hours.weekdays)
    record(work, "rota-set", "practitioner", practitioner_id, rota_id=rota.id)
    work.commit()
    return Done(rota.id)


def add_absence(
    work: UnitOfWork, resource_id: int, *, starts_at: datetime, ends_at: datetime, reason: str
) -> Done[int]:
    """Notes when a practitioner is away, or a room or device out of service."""
    absence = Absence(resource_id=resource_id, starts_at=starts_at, ends_at=ends_at, reason=reason)
    work.db.add(absence)
    work.db.flush()
    record(work, "absence-added", "absence", absence.id)
    work.commit()
    return Done(absence.id)
