"""What a message to a patient is written from: each statement is put together once, as those of `owner_facts` are."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.owner_facts import NO_SESSION, Owner, OwnerKind
from clinic.care.states import AppointmentState, SessionState
from clinic.queries.away import in_absence
from clinic.queries.own_texts import NO_TEXTS, OwnTexts, own_texts
from clinic.queries.owner_facts import OWNER_ID, OwnerHead, sessions_of, visits_of
from clinic.store.clinics import Clinic
from clinic.store.courses import MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.resources import Patient, Practitioner


@dataclass(frozen=True, slots=True)
class ClinicFacts:
    """A clinic as it signs its messages; `texts` are its own words, of the clinic that writes."""

    id: int
    name: str
    zone: str
    address: str
    phone: str
    sender_name: str
    sender_email: str
    out_of_hours_phone: str | None = None
    emergency_phone: str | None = None
    review_url: str | None = None
    texts: OwnTexts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """An appointment as a message tells it. One held subject to a consultation says until when; it is not standing."""

    appointment_id: int
    treatment_session_id: int
    clinic_id: int
    treatment_code: str
    number: int
    uid: str
    revision: int
    starts_at: datetime
    ends_at: datetime
    local_start: datetime
    fold: int
    zone: str
    is_standing: bool
    practitioner: str | None
    held_until_at: datetime | None = None
    by_clinic: bool = False
    is_in_absence: bool = False


@dataclass(frozen=True, slots=True)
class PartFacts:
    """A treatment session as a message tells it."""

    id: int
    number: int
    treatment_code: str
    state: SessionState
    performed_at: datetime | None
    earliest_on: date | None
    latest_on: date | None


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """Everything about an owner that its messages may say. `upkeep` is there for a course: what follows it."""

    head: OwnerHead
    given_name: str
    language: str
    clinics: Mapping[int, ClinicFacts]
    visits: Mapping[int, VisitFacts]
    parts: Mapping[int, PartFacts]
    upkeep: LetterFacts | None = None

    @property
    def clinic(self) -> ClinicFacts:
        """The clinic that writes."""
        return self.clinics[self.head.clinic_id]

    @property
    def undated(self) -> int:
        """How many sessions are owed without a date."""
        dated = {visit.treatment_session_id for visit in self.visits.values()
                 if visit.is_standing or visit.held_until_at}
        return sum(part.state in (SessionState.OWED, SessionState.BOOKED) and part.id not in dated
                   for part in self.parts.values())


SIGNATURE = (Clinic.id, Clinic.name, Clinic.zone, Clinic.address, Clinic.phone, Clinic.sender_name, Clinic.sender_email,
             Clinic.out_of_hours_phone, Clinic.emergency_phone, Clinic.review_url)
"""What of a clinic its messages say."""


def clinic_facts(row: Any, texts: OwnTexts = NO_TEXTS) -> ClinicFacts:
    """The clinic of a row that has the columns of its signature."""
    return ClinicFacts(row.id, row.name, row.zone, row.address, row.phone, row.sender_name, row.sender_email,
                       row.out_of_hours_phone, row.emergency_phone, row.review_url, texts)


def letter_facts(db: Session, head: OwnerHead) -> LetterFacts:
    """What the messages of this owner are written from, in a fixed number of statements."""
    given_name, language = db.execute(_whom(), {"patient_id": head.patient_id}).one()
    texts = own_texts(db, head.clinic_id)
    clinics = {row.id: clinic_facts(row, texts if row.id == head.clinic_id else NO_TEXTS)
               for row in db.execute(_every_clinic())}
    upkeep = None
    if head.owner.kind == "course":
        plan_id = db.scalar(_plan_of(), {OWNER_ID: head.owner.id})
        plan = Owner("maintenance-plan", plan_id) if plan_id is not None else None
        upkeep = LetterFacts(head, given_name, language, clinics, _visits(db, plan) if plan else {},
                             _parts(db, plan) if plan else {})
    return LetterFacts(
        head, given_name, language, clinics, _visits(db, head.owner), _parts(db, head.owner), upkeep)


@cache
def _whom() -> sa.Select[*tuple[Any, ...]]:
    patient = Patient.__table__.c
    return sa.select(patient.given_name, patient.language).where(patient.id == sa.bindparam("patient_id"))


@cache
def _plan_of() -> sa.Select[int]:
    return sa.select(MaintenancePlan.id).where(MaintenancePlan.course_id == sa.bindparam(OWNER_ID))


@cache
def _every_clinic() -> sa.Select[*tuple[Any, ...]]:
    return sa.select(*SIGNATURE)


def _visits(db: Session, owner: Owner) -> dict[int, VisitFacts]:
    return {row.id: _visit(row) for row in db.execute(_visits_of(owner.kind), {OWNER_ID: owner.id})}


@cache
def _visits_of(kind: OwnerKind) -> sa.Select[*tuple[Any, ...]]:
    practitioner = Practitioner.__table__.c
    # One practitioner stands for the visit even where several hold it: the first that the treatment needs.
    name = (
        sa.select(practitioner.name)
        .join(ResourceBooking, ResourceBooking.resource_id == practitioner.id)
        .where(ResourceBooking.appointment_id == Appointment.id, ResourceBooking.need > 0)
        .order_by(ResourceBooking.need).limit(1).correlate(Appointment).scalar_subquery()
    )
    return (
        sa.select(Appointment.id, Appointment.treatment_session_id, Appointment.clinic_id, Appointment.treatment_code,
                  Appointment.uid, Appointment.revision, Appointment.starts_at, Appointment.ends_at,
                  Appointment.local_start, Appointment.fold, Appointment.zone, Appointment.state,
                  Appointment.hold_expires_at, Appointment.changed_by_clinic, TreatmentSession.number,
                  name.label("practitioner"), in_absence(Appointment.id).label("is_in_absence"))
        .outerjoin(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
        .where(visits_of(kind)))


def _visit(row: Any) -> VisitFacts:
    return VisitFacts(
        appointment_id=row.id, treatment_session_id=row.treatment_session_id or NO_SESSION, clinic_id=row.clinic_id,
        treatment_code=row.treatment_code, number=row.number or 1, uid=row.uid, revision=row.revision,
        starts_at=row.starts_at, ends_at=row.ends_at, local_start=row.local_start, fold=row.fold, zone=row.zone,
        is_standing=row.state in (AppointmentState.BOOKED, AppointmentState.ARRIVED), practitioner=row.practitioner,
        held_until_at=row.hold_expires_at, by_clinic=row.changed_by_clinic,
        is_in_absence=bool(row.is_in_absence),
    )


def _parts(db: Session, owner: Owner) -> dict[int, PartFacts]:
    rows = db.execute(_parts_of(owner.kind), {OWNER_ID: owner.id})
    return {row.id: PartFacts(row.id, row.number, row.treatment_code, SessionState(row.state), row.performed_at,
                              row.earliest_on, row.latest_on) for row in rows}


@cache
def _parts_of(kind: OwnerKind) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(TreatmentSession.id, TreatmentSession.number, TreatmentSession.treatment_code,
                  TreatmentSession.state, TreatmentSession.performed_at, TreatmentSession.earliest_on,
                  TreatmentSession.latest_on)
        .where(sessions_of(kind)).order_by(TreatmentSession.number))
