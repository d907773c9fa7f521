"""Setting a business up: its clinics, rooms, devices, and who works when and where."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from clinic.messages.envelope import check_address
from clinic.planning import Finding, Weight
from clinic.planning.local import zone
from clinic.services.work import Done, Refused, UnitOfWork, record
from clinic.store.clinics import Business, Clinic, Closure, OpeningHours, TravelTime
from clinic.store.resources import Absence, Device, Practitioner, Qualification, Room, Rota, RotaSpan


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of some weekdays (Monday 0), in minutes after midnight."""

    weekdays: tuple[int, ...]
    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class WorkSpan:
    """Hours of work at a clinic in one week of a rota, or (no clinic) the span in which a break of so long lies."""

    hours: Hours
    clinic_id: int | None
    break_minutes: int | None = None
    week: int = 0


@dataclass(frozen=True, slots=True)
class ClinicDetails:
    """What a clinic is: its zone decides every local time, its quiet hours hold back messages."""

    name: str
    zone: str
    address: str
    phone: str
    sender_name: str
    sender_email: str
    hours: tuple[Hours, ...] = ()
    booking_horizon_days: int = 400


def name_business(work: UnitOfWork, name: str) -> Done[int]:
    """Gives the business its name."""
    business = work.db.get(Business, 1)
    if business is None:
        work.db.add(Business(id=1, name=name))
    else:
        business.name = name
    record(work, "business-named", "business", 1)
    work.commit()
    return Done(1)


def open_clinic(work: UnitOfWork, details: ClinicDetails) -> Done[int] | Refused:
    """Adds a clinic with its opening hours, or says what is wrong with its details."""
    findings = tuple(_judge_clinic(work, details))
    if findings:
        return Refused(findings)
    clinic = Clinic(
        name=details.name, zone=details.zone, address=details.address, phone=details.phone,
        sender_name=details.sender_name, sender_email=check_address(details.sender_email),
        booking_horizon_days=details.booking_horizon_days)
    work.db.add(clinic)
    work.db.flush()
    for hours in details.hours:
        work.db.add_all(
            OpeningHours(clinic_id=clinic.id, weekday=day, opens=hours.opens, closes=hours.closes)
            for day in hours.weekdays)
    record(work, "clinic-opened", "clinic", clinic.id, clinic_id=clinic.id)
    work.commit()
    return Done(clinic.id)


def set_travel_time(work: UnitOfWork, one_clinic_id: int, other_clinic_id: int, *, minutes: int) -> Done[None]:
    """Says how long a practitioner needs between two clinics."""
    one, other = sorted((one_clinic_id, other_clinic_id))
    work.db.merge(TravelTime(one_clinic_id=one, other_clinic_id=other, minutes=minutes))
    record(work, "travel-time-set", "clinic", one, clinic_id=one, other=other, minutes=minutes)
    work.commit()
    return Done(None)


def close_clinic(work: UnitOfWork, clinic_id: int, *, from_on: date, to_on: date, reason: str) -> Done[int]:
    """Closes a clinic on these dates, both included."""
    closure = Closure(clinic_id=clinic_id, from_on=from_on, to_on=to_on, reason=reason)
    work.db.add(closure)
    work.db.flush()
    record(work, "closure-added", "closure", closure.id, clinic_id=clinic_id)
    work.commit()
    return Done(closure.id)


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


def _judge_clinic(work: UnitOfWork, details: ClinicDetails) -> Iterable[Finding]:
    for name in ("name", "address", "phone", "sender_name"):
        if not getattr(details, name).strip():
            yield Finding("missing", Weight.BLOCKS, f"Say the clinic's {name.replace('_', ' ')}", name)
    try:
        zone(details.zone)
    except ValueError:
        yield Finding("zone", Weight.BLOCKS, f"There is no time zone {details.zone}: use one such as Europe/London",
                      "zone")
    try:
        check_address(details.sender_email)
    except ValueError as error:
        yield Finding("address", Weight.BLOCKS, str(error), "sender_email")
    if work.db.scalar(sa.select(Clinic.id).where(Clinic.name == details.name)) is not None:
        yield Finding("twice", Weight.BLOCKS, f"There is a clinic {details.name} already", "name")
