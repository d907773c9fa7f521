"""What the desk needs to know before a course is planned: the patient, the protocols, who may treat."""
from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.consultations import Consultations
from clinic.care.parts import ResourceKind
from clinic.care.protocols import Protocol
from clinic.care.states import CourseState
from clinic.queries.consultations import consultations_of
from clinic.queries.courses import PatientLine, patient_line
from clinic.queries.protocol_contents import content_of
from clinic.queries.timetables import who_works_at
from clinic.store.courses import Course
from clinic.store.protocols import Protocol as ProtocolRow
from clinic.store.protocols import ProtocolVersion
from clinic.store.resources import Practitioner, Qualification


@dataclass(frozen=True, slots=True)
class ProtocolChoice:
    """A protocol of the library; one without an approved version waits for a clinician."""

    code: str
    name: str
    version_id: int | None
    least: int
    most: int
    ideal_days: int

    @property
    def approved(self) -> bool:
        """Whether a course may be planned on it."""
        return self.version_id is not None


@dataclass(frozen=True, slots=True)
class ChosenProtocol:
    """The approved version that the course will stand on, and who at the clinic may treat by it today.

    `consultations` is what it asks of the patient, where one is chosen.
    """

    version_id: int
    number: int
    protocol: Protocol
    practitioners: tuple[tuple[int, str], ...]
    consultations: Consultations | None = None


@dataclass(frozen=True, slots=True)
class RunningCourse:
    """A course of the patient that is not over."""

    id: int
    protocol_code: str
    name: str
    state: CourseState


@dataclass(frozen=True, slots=True)
class NewCoursePage:
    """What the page of a new course shows; what is not chosen yet is missing."""

    patient: PatientLine | None
    running: tuple[RunningCourse, ...]
    protocols: tuple[ProtocolChoice, ...]
    chosen: ChosenProtocol | None


def new_course_page(
    db: Session, *, patient_id: int | None, protocol_code: str | None, clinic_id: int, today: date
) -> NewCoursePage:
    """The page of a new course at a clinic, in a fixed number of statements."""
    choices = protocol_choices(db)
    version_id = next((each.version_id for each in choices if each.code == protocol_code), None)
    chosen = chosen_protocol(db, version_id, clinic_id=clinic_id, today=today) if version_id is not None else None
    if chosen is not None and patient_id is not None:
        known = consultations_of(db, patient_id, chosen.version_id, today=today)
        chosen = replace(chosen, consultations=known)
    return NewCoursePage(
        patient=patient_line(db, patient_id) if patient_id is not None else None,
        running=_running(db, patient_id) if patient_id is not None else (),
        protocols=choices,
        chosen=chosen,
    )


def protocol_choices(db: Session) -> tuple[ProtocolChoice, ...]:
    """Every protocol by its name, with its approved version where it has one, else with its newest."""
    newest = (sa.select(sa.func.max(ProtocolVersion.number))
              .where(ProtocolVersion.protocol_id == ProtocolRow.id).correlate(ProtocolRow).scalar_subquery())
    # The database takes out the three figures: whole documents would take longer to read than all the rest of the page.
    contents = ProtocolVersion.document
    rows = db.execute(
        sa.select(ProtocolRow.code, ProtocolRow.name, ProtocolVersion.id, ProtocolVersion.state,
                  contents["sessions"]["least"].as_integer(), contents["sessions"]["most"].as_integer(),
                  contents["cycle"][0]["interval"]["ideal"].as_integer())
        .join(ProtocolVersion, ProtocolVersion.protocol_id == ProtocolRow.id)
        .where(sa.or_(ProtocolVersion.state == "approved", ProtocolVersion.number == newest))
        .order_by(ProtocolRow.name, ProtocolRow.code, ProtocolVersion.state != "approved")
    )
    found: dict[str, ProtocolChoice] = {}
    for code, name, version_id, state, least, most, ideal_days in rows:
        approved = version_id if state == "approved" else None
        found.setdefault(code, ProtocolChoice(code, name, approved, least, most, ideal_days))
    return tuple(found.values())


def chosen_protocol(db: Session, version_id: int, *, clinic_id: int, today: date) -> ChosenProtocol | None:
    """An approved version with those of the clinic who are qualified for any of its treatments today."""
    version = db.scalar(
        sa.select(ProtocolVersion).where(ProtocolVersion.id == version_id, ProtocolVersion.state == "approved"))
    if version is None:
        return None
    protocol = content_of(db, version)
    practitioners = _qualified(db, _skills(protocol), clinic_id, today)
    return ChosenProtocol(version.id, version.number, protocol, practitioners)


def _running(db: Session, patient_id: int) -> tuple[RunningCourse, ...]:
    rows = db.execute(
        sa.select(Course.id, ProtocolRow.code, ProtocolRow.name, Course.state)
        .join(ProtocolVersion, ProtocolVersion.id == Course.protocol_version_id)
        .join(ProtocolRow, ProtocolRow.id == ProtocolVersion.protocol_id)
        .where(Course.patient_id == patient_id, Course.state.in_(
            (CourseState.DRAFT, CourseState.ACTIVE, CourseState.ON_HOLD)))
        .order_by(Course.id)
    )
    return tuple(RunningCourse(ident, code, name, CourseState(state)) for ident, code, name, state in rows)


def _skills(protocol: Protocol) -> frozenset[str]:
    """The qualifications that any part of any of its treatments asks of a practitioner."""
    return frozenset(
        skill
        for treatment in protocol.treatments for part in treatment.parts for hold in part.holds
        if hold.kind is ResourceKind.PRACTITIONER for skill in hold.skills
    )


def _qualified(db: Session, skills: frozenset[str], clinic_id: int, today: date) -> tuple[tuple[int, str], ...]:
    table = Practitioner.__table__
    holders = sa.select(Qualification.practitioner_id).where(
        Qualification.code.in_(skills), Qualification.valid_from <= today,
        sa.or_(Qualification.expires_on.is_(None), Qualification.expires_on >= today),
    )
    rows = db.execute(
        sa.select(table.c.id, table.c.name)
        .where(table.c.active, table.c.id.in_(holders), table.c.id.in_(who_works_at(clinic_id)))
        .order_by(table.c.name, table.c.id)
    )
    return tuple((ident, name) for ident, name in rows)
