"""Small builders of what pages show; each adds its rows and answers an id."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count

from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.planning.local import local_of, zone
from clinic.store.accounts import Account, AccountRole, Task
from clinic.store.clinics import Business, Clinic
from clinic.store.courses import Course, TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.outbox import Message, MessageItem
from clinic.store.protocols import Protocol, ProtocolVersion, Treatment
from clinic.store.resources import Patient, Practitioner, Room

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
PASSWORD = "seven quiet herons"
HASTY = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Keeps passwords as the app does, a thousand times as fast: nearly every test of a page signs somebody in."""
PASSWORD_HASH = HASTY.hash(PASSWORD)

_NUMBERS = count(1)


def add_clinic(db: Session, name: str = "Harbour Clinic", where: str = "Europe/London") -> int:
    """A clinic, and the business where there is none."""
    if db.get(Business, 1) is None:
        db.add(Business(id=1, name="Harbour & Hill"))
    row = Clinic(name=name, zone=where, address="1 Quay", phone="+44 20 7946 0000", sender_name=name,
                 sender_email="desk@example.org")
    db.add(row)
    db.flush()
    return row.id


def add_account(db: Session, email: str, roles: dict[int, Role], *, name: str = "Ruth Vale") -> int:
    """An account with one role at each of these clinics, whose password is PASSWORD."""
    row = Account(email=email, name=name, password_hash=PASSWORD_HASH, created_at=NOW)
    db.add(row)
    db.flush()
    db.add_all(AccountRole(account_id=row.id, clinic_id=clinic_id, role=role) for clinic_id, role in roles.items())
    db.flush()
    return row.id


def add_patient(db: Session, given_name: str = "Anna", family_name: str = "Nováková", **more: object) -> int:
    """A patient who has an address."""
    values: dict[str, object] = {
        "birth_on": date(1984, 3, 12), "email": "anna@example.org", "phone": "+44 7700 900123",
        "search_text": f" {family_name} {given_name} ".lower(), "created_at": NOW, **more,
    }
    row = Patient(given_name=given_name, family_name=family_name, **values)
    db.add(row)
    db.flush()
    return row.id


def add_practitioner(db: Session, name: str = "Dr Ada Park") -> int:
    """A practitioner."""
    row = Practitioner(name=name)
    db.add(row)
    db.flush()
    return row.id


def add_room(db: Session, clinic_id: int, name: str = "Room 2") -> int:
    """A room of a clinic."""
    row = Room(clinic_id=clinic_id, name=name, features=[])
    db.add(row)
    db.flush()
    return row.id


def add_treatment(db: Session, code: str = "skin-needling", name: str = "Skin needling") -> int:
    """A treatment without parts."""
    row = Treatment(code=code, name=name, kind="session", parts=[])
    db.add(row)
    db.flush()
    return row.id


def add_protocol(db: Session, document: dict[str, object], *, state: str = "draft", by: int | None = None) -> int:
    """A protocol with one version; answers the version's id."""
    protocol = Protocol(code=str(document["code"]), name=str(document["name"]))
    db.add(protocol)
    db.flush()
    approved = {} if state == "draft" else {"approved_by": by, "approved_at": NOW}
    row = ProtocolVersion(protocol_id=protocol.id, number=1, document=document, state=state, created_at=NOW, **approved)
    db.add(row)
    db.flush()
    return row.id


def add_course(
    db: Session, patient_id: int, clinic_id: int, version_id: int, *, sessions: int = 4, state: str = "active",
    treatment: str = "skin-needling",
) -> tuple[int, list[int]]:
    """A course with all its sessions owed; answers its id and theirs."""
    course = Course(patient_id=patient_id, clinic_id=clinic_id, protocol_version_id=version_id, state=state,
                    indication="fine_lines", laxity="none", created_at=NOW)
    db.add(course)
    db.flush()
    rows = [TreatmentSession(course_id=course.id, number=number, treatment_code=treatment, state="owed",
                             earliest_on=date(2027, 3, 1) + timedelta(days=28 * (number - 1)),
                             ideal_on=date(2027, 3, 1) + timedelta(days=28 * (number - 1)),
                             latest_on=date(2027, 3, 15) + timedelta(days=28 * (number - 1)))
            for number in range(1, sessions + 1)]
    db.add_all(rows)
    db.flush()
    return course.id, [row.id for row in rows]


def add_appointment(
    db: Session, patient_id: int, clinic_id: int, starts_at: datetime, *, where: str = "Europe/London",
    minutes: int = 45, state: str = "booked", treatment_session_id: int | None = None, kind: str | None = None,
    treatment: str = "skin-needling", resources: tuple[int, ...] = (),
) -> int:
    """An appointment with its bookings."""
    wall = local_of(starts_at, zone(where))
    ends_at = starts_at + timedelta(minutes=minutes)
    row = Appointment(
        clinic_id=clinic_id, patient_id=patient_id, treatment_session_id=treatment_session_id,
        kind=kind or ("session" if treatment_session_id else "consultation"), treatment_code=treatment, state=state,
        uid=f"seed-{next(_NUMBERS)}@example.org", local_start=wall.replace(tzinfo=None), zone=where, fold=wall.fold,
        minutes=minutes, starts_at=starts_at, ends_at=ends_at, scheduled_at=NOW, created_at=NOW,
    )
    db.add(row)
    db.flush()
    if state in ("booked", "arrived", "fulfilled"):
        db.add_all(
            ResourceBooking(appointment_id=row.id, resource_id=resource_id, clinic_id=clinic_id, need=need,
                            starts_at=starts_at, ends_at=ends_at)
            for need, resource_id in enumerate((patient_id, *resources)))
        db.flush()
    if treatment_session_id is not None and state in ("booked", "arrived"):
        db.get_one(TreatmentSession, treatment_session_id).state = "booked"
        db.flush()
    return row.id


def add_message(
    db: Session, patient_id: int, clinic_id: int, *, state: str = "pending", kind: str = "confirmation",
    course_id: int = 1, reason: str | None = None, **more: object,
) -> int:
    """A message with one item about a course."""
    values: dict[str, object] = {"due_at": NOW, "useless_after": NOW + timedelta(days=30), "created_at": NOW, **more}
    row = Message(patient_id=patient_id, clinic_id=clinic_id, state=state, reason=reason, **values)
    db.add(row)
    db.flush()
    db.add(MessageItem(message_id=row.id, kind=kind, owner_kind="course", owner_id=course_id, subject_kind="course",
                       subject_id=course_id, generation=next(_NUMBERS)))
    db.flush()
    return row.id


def add_task(db: Session, patient_id: int, clinic_id: int, text: str = "Arrange a consultation",
             due_on: date = date(2027, 3, 1)) -> int:
    """An open task."""
    row = Task(clinic_id=clinic_id, patient_id=patient_id, kind="consultation", text=text, due_on=due_on,
               created_at=NOW)
    db.add(row)
    db.flush()
    return row.id
