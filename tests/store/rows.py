"""A small clinic in rows: one of everything that an appointment needs."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.states import AppointmentState
from clinic.store.clinics import Clinic
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.engine import for_writing
from clinic.store.resources import Device, Patient, Practitioner, Room

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of the small clinic, and of a second patient."""

    clinic: int
    practitioner: int
    room: int
    device: int
    patient: int
    other_patient: int


def open_clinic(engine: Engine) -> Ids:
    """Write the small clinic and commit it."""
    with Session(for_writing(engine)) as db:
        clinic = Clinic(name="Harbour", zone="Europe/Berlin", address="Quay 1", phone="+49 40 1",
                        sender_name="Harbour", sender_email="desk@harbour.example")
        db.add(clinic)
        db.flush()
        rows = [
            Practitioner(name="Dr Ada Lind"),
            Room(name="Room 1", clinic_id=clinic.id),
            Device(name="Laser", device_type="laser", clinic_id=clinic.id),
            patient("Ida"),
            patient("Olaf"),
        ]
        db.add_all(rows)
        db.commit()
        return Ids(clinic.id, *(row.id for row in rows))


def patient(name: str) -> Patient:
    """A patient of that name."""
    return Patient(given_name=name, family_name="Berg", search_text=f"{name.lower()} berg", created_at=NOW)


def add_appointment(
    db: Session, ids: Ids, starts_at: datetime = NOW, *, state: AppointmentState = AppointmentState.BOOKED,
) -> Appointment:
    """Add an hour's consultation that holds nothing yet."""
    row = Appointment(
        clinic_id=ids.clinic, patient_id=ids.patient, kind="consultation", treatment_code="consultation", state=state,
        uid=f"{uuid4()}@harbour.example", local_start=starts_at.replace(tzinfo=None), zone="UTC", fold=0,
        minutes=60, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1), scheduled_at=NOW, created_at=NOW,
    )
    db.add(row)
    db.flush()
    return row


def hold(
    db: Session, appointment: Appointment, resource_id: int, starts_at: datetime, ends_at: datetime,
) -> ResourceBooking:
    """Let the appointment hold that resource for that span."""
    needs = db.query(ResourceBooking).filter_by(appointment_id=appointment.id).count()
    row = ResourceBooking(appointment_id=appointment.id, resource_id=resource_id, clinic_id=appointment.clinic_id,
                          need=needs, starts_at=starts_at, ends_at=ends_at)
    db.add(row)
    db.flush()
    return row
