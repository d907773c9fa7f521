"""One patient as the desk sees them: who they are, their courses and what comes."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.outcomes import NoShowCause
from clinic.care.states import AppointmentState, CourseState, SessionState
from clinic.queries.bounces import DeadAddress, dead_address
from clinic.queries.handover import HandoverLine, unread_notes_of
from clinic.queries.links import living_links
from clinic.queries.patients import COMING
from clinic.queries.tasks import TaskRow, open_tasks_of_patient
from clinic.queries.treatment_sessions import AppointmentLine, appointment_lines, of_courses
from clinic.store.clinics import Clinic
from clinic.store.courses import Course, MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.protocols import Protocol, ProtocolVersion, Treatment
from clinic.store.resources import Patient
from clinic.store.types import Instant


@dataclass(frozen=True, slots=True)
class WishTimes:
    """Times on some weekdays (Monday 0), in minutes after midnight, that a patient wishes for."""

    weekdays: tuple[int, ...]
    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class PatientCard:
    """What is kept about a patient, apart from clinical notes."""

    id: int
    given_name: str
    family_name: str
    birth_on: date | None
    email: str | None
    phone: str | None
    language: str
    channel: str
    wants_service_messages: bool
    marketing_consent_at: datetime | None
    only_times: tuple[WishTimes, ...]
    rather_times: tuple[WishTimes, ...]
    alerts: str
    lock_version: int

    @property
    def name(self) -> str:
        """First name and family name."""
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True, slots=True)
class SessionMark:
    """A treatment session on the line that draws a course."""

    id: int
    number: int
    state: SessionState
    earliest_on: date | None
    ideal_on: date | None
    latest_on: date | None
    held_on: date | None
    when: str = ""
    detail: str = ""
    href: str | None = None


@dataclass(frozen=True, slots=True)
class CourseCard:
    """A course with its sessions, and those of the upkeep that followed it."""

    id: int
    protocol: str
    clinic_id: int
    clinic: str
    state: CourseState
    marks: tuple[SessionMark, ...]
    upkeep: tuple[SessionMark, ...]

    @property
    def done(self) -> int:
        """How many sessions are completed."""
        return sum(mark.state is SessionState.COMPLETED for mark in self.marks)

    @property
    def to_book(self) -> SessionMark | None:
        """The first session, of the course or of its upkeep, that is owed and has no date."""
        return next((mark for mark in (*self.marks, *self.upkeep) if mark.state is SessionState.OWED), None)


@dataclass(frozen=True, slots=True)
class Visit:
    """An appointment that is to come."""

    line: AppointmentLine
    clinic_id: int
    clinic: str
    what: str


@dataclass(frozen=True, slots=True)
class PatientPage:
    """What the page of one patient shows besides their time line.

    `missed` counts the visits that the patient missed, without those for which the clinic was the cause; `links` those
    that open the patient's own page; `dead_address` says why nothing goes to their e-mail address.
    """

    card: PatientCard
    courses: tuple[CourseCard, ...]
    coming: tuple[Visit, ...]
    tasks: tuple[TaskRow, ...]
    missed: int
    links: int
    dead_address: DeadAddress | None
    handover: tuple[HandoverLine, ...] = ()


def patient_card(db: Session, patient_id: int) -> PatientCard | None:
    """What is kept about a patient; none where there is no such patient, or they were merged into another record."""
    row = db.get(Patient, patient_id)
    if row is None or row.merged_into_id is not None:
        return None
    return PatientCard(
        row.id, row.given_name, row.family_name, row.birth_on, row.email, row.phone, row.language, row.channel,
        row.wants_service_messages, row.marketing_consent_at, _wishes(row.only_times), _wishes(row.rather_times),
        row.alerts, row.lock_version)


def patient_page(
    db: Session, patient_id: int, *, clinic_ids: Sequence[int], now: datetime
) -> PatientPage | None:
    """The page of a patient: their courses, coming visits and tasks at these clinics."""
    card = patient_card(db, patient_id)
    if card is None:
        return None
    return PatientPage(
        card,
        _courses(db, patient_id, clinic_ids),
        _coming(db, patient_id, clinic_ids, now),
        open_tasks_of_patient(db, patient_id, clinic_ids),
        _missed(db, patient_id, clinic_ids),
        living_links(db, patient_id, now=now),
        dead_address(db, card.email),
        unread_notes_of(db, patient_id))


def _wishes(documents: Sequence[Any]) -> tuple[WishTimes, ...]:
    return tuple(WishTimes(tuple(each["weekdays"]), each["begins"], each["ends"]) for each in documents)


def _courses(db: Session, patient_id: int, clinic_ids: Sequence[int]) -> tuple[CourseCard, ...]:
    rows = db.execute(_COURSES, {"patient_id": patient_id, "clinic_ids": list(clinic_ids)}).all()
    marks = _marks(db, [row.id for row in rows])
    return tuple(
        CourseCard(row.id, row.name, row.clinic_id, row.clinic, CourseState(row.state),
                   marks.get((row.id, False), ()), marks.get((row.id, True), ()))
        for row in rows)


def _marks(db: Session, course_ids: list[int]) -> Mapping[tuple[int, bool], tuple[SessionMark, ...]]:
    """The sessions of each course and of its upkeep, by number."""
    found: dict[tuple[int, bool], dict[int, SessionMark]] = {}
    for row in db.execute(_MARKS, {"course_ids": course_ids}):
        held_on = row.performed_on or (row.local_start.date() if row.local_start else None)
        found.setdefault((row.owner_id, row.course_id is None), {})[row.id] = SessionMark(
            row.id, row.number, SessionState(row.state), row.earliest_on, row.ideal_on, row.latest_on, held_on)
    return {key: tuple(marks.values()) for key, marks in found.items()}


def _coming(db: Session, patient_id: int, clinic_ids: Sequence[int], now: datetime) -> tuple[Visit, ...]:
    names = {row.id: row for row in db.execute(
        _NAMES, {"patient_id": patient_id, "clinic_ids": list(clinic_ids), "now": now})}
    return tuple(
        Visit(line, names[line.id].clinic_id, names[line.id].clinic, names[line.id].what)
        for _, line in appointment_lines(db, _is_coming(patient_id, clinic_ids, now)) if line.id in names)


def _missed(db: Session, patient_id: int, clinic_ids: Sequence[int]) -> int:
    by_clinic = sa.func.coalesce(Appointment.ended_cause, "") == NoShowCause.BY_CLINIC
    return db.scalar(sa.select(sa.func.count()).select_from(Appointment).where(
        Appointment.patient_id == patient_id, Appointment.clinic_id.in_(clinic_ids),
        Appointment.state == AppointmentState.NOSHOW, ~by_clinic)) or 0


def _courses_of_patient() -> sa.Select[int, str, int, str, str]:
    """Those that go on first, and then the newest."""
    goes_on = Course.state.in_((CourseState.ACTIVE, CourseState.ON_HOLD, CourseState.DRAFT))
    return (
        sa.select(Course.id, Course.state, Course.clinic_id, Clinic.name.label("clinic"), Protocol.name)
        .join(Clinic, Clinic.id == Course.clinic_id)
        .join(ProtocolVersion, ProtocolVersion.id == Course.protocol_version_id)
        .join(Protocol, Protocol.id == ProtocolVersion.protocol_id)
        .where(Course.patient_id == _PATIENT_ID, Course.clinic_id.in_(_several("clinic_ids")))
        .order_by(sa.case((goes_on, 0), else_=1), Course.id.desc()))


def _marks_of_courses() -> Any:
    each = TreatmentSession
    return (
        sa.select(each.id, each.course_id, each.number, each.state, each.earliest_on, each.ideal_on, each.latest_on,
                  each.performed_on, sa.func.coalesce(each.course_id, MaintenancePlan.course_id).label("owner_id"),
                  Appointment.local_start)
        .outerjoin(MaintenancePlan, MaintenancePlan.id == each.maintenance_plan_id)
        .outerjoin(Appointment, sa.and_(Appointment.treatment_session_id == each.id,
                                        Appointment.state.in_((*COMING, "fulfilled"))))
        .where(of_courses(_several("course_ids"))).order_by(each.number, Appointment.id))


def _names_of_coming() -> sa.Select[int, int, str, str]:
    return (
        sa.select(Appointment.id, Appointment.clinic_id, Clinic.name.label("clinic"),
                  sa.func.coalesce(Treatment.name, Appointment.treatment_code).label("what"))
        .join(Clinic, Clinic.id == Appointment.clinic_id)
        .outerjoin(Treatment, Treatment.code == Appointment.treatment_code)
        .where(_is_coming(_PATIENT_ID, _several("clinic_ids"), sa.bindparam("now", type_=Instant()))))


def _is_coming(patient_id: Any, clinic_ids: Any, now: Any) -> sa.ColumnElement[bool]:
    # A sum, or SQLite would read all that the clinic ever had in order of time to find what one patient has.
    return sa.and_(Appointment.patient_id == patient_id, (Appointment.clinic_id + 0).in_(clinic_ids),
                   Appointment.state.in_(COMING), Appointment.ends_at > now)


def _several(name: str) -> sa.BindParameter[int]:
    return sa.bindparam(name, type_=sa.Integer, expanding=True)


_PATIENT_ID = sa.bindparam("patient_id", type_=sa.Integer)
# Put together once: it takes longer than their answers.
_COURSES, _MARKS, _NAMES = _courses_of_patient(), _marks_of_courses(), _names_of_coming()
