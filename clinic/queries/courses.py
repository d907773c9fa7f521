"""One course as the desk sees it: its sessions, and what was asked and overridden."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.protocols import Protocol
from clinic.care.states import CourseState, MaintenanceState, SessionState
from clinic.planning.local import local_of, zone
from clinic.queries.protocol_contents import content_of
from clinic.queries.treatment_sessions import SessionLine, last_held_on, session_lines
from clinic.store.accounts import Account
from clinic.store.clinics import Clinic
from clinic.store.courses import Course, CourseOverride, MaintenancePlan, Recall, Screening, TreatmentSession
from clinic.store.protocols import ProtocolVersion
from clinic.store.resources import Patient, Practitioner

# Joined as tables: of a practitioner and a patient only these columns are read, not what all resources have.
_PATIENT = Patient.__table__
_PRACTITIONER = Practitioner.__table__


@dataclass(frozen=True, slots=True)
class PatientLine:
    """The patient at the head of a page; `alerts` are those that reception may see."""

    id: int
    name: str
    birth_on: date | None
    alerts: str
    channel: str
    email: str | None
    phone: str | None
    wants_service_messages: bool


@dataclass(frozen=True, slots=True)
class ScreeningLine:
    """What was asked; `applies` names the contraindications that apply, `cleared` those called over, with the words."""

    answered_at: datetime
    answered_by: str | None
    applies: tuple[str, ...]
    cleared: tuple[tuple[str, str], ...]
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OverrideLine:
    """A warning that was passed, or a departure from the protocol: what, why, by whom and when."""

    code: str
    what: str
    reason: str
    made_at: datetime
    made_by: str | None


@dataclass(frozen=True, slots=True)
class MaintenanceLine:
    """The upkeep of a completed course; `ask_on` is when the patient is asked to come back."""

    id: int
    state: MaintenanceState
    interval_days: int
    shortest_days: int
    longest_days: int
    treatment_sessions: tuple[SessionLine, ...]
    ask_on: date | None
    lock_version: int


@dataclass(frozen=True, slots=True)
class CoursePage:
    """What the page of one course shows besides its time line."""

    id: int
    state: CourseState
    patient: PatientLine
    clinic_id: int
    clinic: str
    zone: str
    protocol: Protocol
    version: int
    version_state: str
    indication: str
    laxity: str
    practitioner: str | None
    created_at: datetime
    created_by: str | None
    ended_on: date | None
    ended_reason: str | None
    lock_version: int
    treatment_sessions: tuple[SessionLine, ...]
    maintenance: MaintenanceLine | None
    screenings: tuple[ScreeningLine, ...]
    overrides: tuple[OverrideLine, ...]

    @property
    def all_sessions(self) -> tuple[SessionLine, ...]:
        """Its sessions and those of its upkeep."""
        return (*self.treatment_sessions, *(self.maintenance.treatment_sessions if self.maintenance else ()))

    @property
    def done(self) -> int:
        """How many of its sessions were performed."""
        return sum(line.state is SessionState.COMPLETED for line in self.treatment_sessions)

    @property
    def owed(self) -> int:
        """How many of its sessions have no date yet."""
        return sum(line.state is SessionState.OWED for line in self.treatment_sessions)


def clinic_of_course(db: Session, course_id: int) -> int | None:
    """The clinic of a course, which decides who may see it; none where there is no such course."""
    return db.scalar(sa.select(Course.clinic_id).where(Course.id == course_id))


def course_page(db: Session, course_id: int) -> CoursePage | None:
    """The page of one course, in a number of statements that does not grow with what it shows."""
    made_by = sa.orm.aliased(Account)
    found = db.execute(
        sa.select(Course, Clinic, ProtocolVersion, made_by.name, _PRACTITIONER.c.name, *_patient_columns())
        .join(Clinic, Clinic.id == Course.clinic_id)
        .join(ProtocolVersion, ProtocolVersion.id == Course.protocol_version_id)
        .join(_PATIENT, _PATIENT.c.id == Course.patient_id)
        .outerjoin(made_by, made_by.id == Course.created_by)
        .outerjoin(_PRACTITIONER, _PRACTITIONER.c.id == Course.practitioner_id)
        .where(Course.id == course_id)
    ).one_or_none()
    if found is None:
        return None
    course, clinic, version, author, practitioner, *patient = found
    protocol = content_of(db, version)
    names = treatment_names(protocol)
    lines = session_lines(db, TreatmentSession.course_id == course_id, zone_name=clinic.zone, names=names)
    maintenance = _maintenance(db, course_id, clinic.zone, names, last_held_on(lines))
    return CoursePage(
        id=course.id, state=CourseState(course.state), patient=PatientLine(*patient), clinic_id=clinic.id,
        clinic=clinic.name, zone=clinic.zone, protocol=protocol, version=version.number, version_state=version.state,
        indication=_indication_name(protocol, course.indication), laxity=course.laxity, practitioner=practitioner,
        created_at=local_of(course.created_at, zone(clinic.zone)), created_by=author, ended_on=course.ended_on,
        ended_reason=course.ended_reason, lock_version=course.lock_version, treatment_sessions=lines,
        maintenance=maintenance, screenings=_screenings(db, course_id, protocol, clinic.zone),
        overrides=_overrides(db, course_id, protocol, clinic.zone),
    )


def treatment_names(protocol: Protocol) -> dict[str, str]:
    """The name of each treatment that a protocol gives."""
    return {treatment.code: treatment.name for treatment in protocol.treatments}


def patient_line(db: Session, patient_id: int) -> PatientLine | None:
    """The patient at the head of a page; none where there is no such patient."""
    found = db.execute(sa.select(*_patient_columns()).where(
        _PATIENT.c.id == patient_id, _PATIENT.c.merged_into_id.is_(None))).one_or_none()
    return PatientLine(*found) if found else None


def _patient_columns() -> tuple[sa.ColumnElement[Any], ...]:
    each = _PATIENT.c
    return (
        each.id, each.given_name + " " + each.family_name, each.birth_on, each.alerts, each.channel, each.email,
        each.phone, each.wants_service_messages,
    )


def _indication_name(protocol: Protocol, code: str) -> str:
    return next((each.name for each in protocol.indications if each.code == code), code)


def _maintenance(
    db: Session, course_id: int, zone_name: str, names: Mapping[str, str], before_on: date | None
) -> MaintenanceLine | None:
    found = db.execute(
        sa.select(MaintenancePlan, sa.func.min(Recall.ask_on))
        .outerjoin(TreatmentSession, sa.and_(
            TreatmentSession.maintenance_plan_id == MaintenancePlan.id,
            TreatmentSession.state == SessionState.OWED,
        ))
        .outerjoin(Recall, Recall.treatment_session_id == TreatmentSession.id)
        .where(MaintenancePlan.course_id == course_id)
        .group_by(MaintenancePlan.id)
    ).one_or_none()
    plan_id = found[0].id if found else 0
    lines = session_lines(db, TreatmentSession.maintenance_plan_id == plan_id, zone_name=zone_name, names=names,
                          before_on=before_on)
    if found is None:
        return None
    row, ask_on = found
    return MaintenanceLine(
        id=row.id, state=MaintenanceState(row.state), interval_days=row.interval_days,
        shortest_days=row.shortest_days, longest_days=row.longest_days, treatment_sessions=lines, ask_on=ask_on,
        lock_version=row.lock_version,
    )


def _screenings(db: Session, course_id: int, protocol: Protocol, zone_name: str) -> tuple[ScreeningLine, ...]:
    rows = db.execute(
        sa.select(Screening, Account.name).outerjoin(Account, Account.id == Screening.answered_by)
        .where(Screening.course_id == course_id).order_by(Screening.answered_at, Screening.id)
    )
    titles = {each.code: each.title for each in protocol.contraindications}
    return tuple(
        ScreeningLine(
            answered_at=local_of(row.answered_at, zone(zone_name)), answered_by=author,
            applies=tuple(titles.get(code, code) for code in row.answers.get("applies", {})),
            cleared=tuple((titles.get(code, code), said) for code, said in row.answers.get("cleared", {}).items()),
            findings=tuple(str(finding["text"]) for finding in row.findings),
        )
        for row, author in rows
    )


def _overrides(db: Session, course_id: int, protocol: Protocol, zone_name: str) -> tuple[OverrideLine, ...]:
    rows = db.execute(
        sa.select(CourseOverride, Account.name).outerjoin(Account, Account.id == CourseOverride.made_by)
        .where(CourseOverride.course_id == course_id).order_by(CourseOverride.made_at, CourseOverride.id)
    )
    titles = {each.code: each.title for each in protocol.contraindications}
    return tuple(
        OverrideLine(
            code=row.code,
            what=str(row.value.get("finding") or titles.get(row.code, row.code)), reason=row.reason,
            made_at=local_of(row.made_at, zone(zone_name)), made_by=author,
        )
        for row, author in rows
    )
