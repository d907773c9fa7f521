"""What a page about one appointment, or about the session that is to get one, shows."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.course_changes import interval_before
from clinic.care.other_visits import OTHER_KINDS
from clinic.care.protocols import Interval, Protocol, steps_for
from clinic.care.states import SessionState
from clinic.care.windows import Fit, Window, windows
from clinic.queries.course_changes import interval_changes, not_before_on
from clinic.queries.courses import PatientLine, patient_line, treatment_names
from clinic.queries.protocol_contents import content_of
from clinic.queries.timetables import who_works_at
from clinic.queries.treatment_sessions import (
    AppointmentLine,
    SessionLine,
    appointment_lines,
    last_held_on,
    session_lines,
)
from clinic.store.clinics import Clinic
from clinic.store.courses import Course, MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.protocols import ProtocolVersion, Treatment
from clinic.store.resources import Practitioner

_TO_COME = frozenset({SessionState.OWED, SessionState.BOOKED})


@dataclass(frozen=True, slots=True)
class KnockOn:
    """A later session, and the window that it would have."""

    line: SessionLine
    window: Window | None

    @property
    def changes(self) -> bool:
        """Whether that window is another one than its present one."""
        now = (self.line.earliest_on, self.line.ideal_on, self.line.latest_on)
        return self.window is not None and now != (
            self.window.earliest_on, self.window.ideal_on, self.window.latest_on)

    @property
    def fit(self) -> Fit | None:
        """How the date that it has would lie in that window; nothing where either is missing."""
        return self.window.fit(self.line.held_on) if self.window and self.line.held_on else None


@dataclass(frozen=True, slots=True)
class SessionPage:
    """A treatment session among the others of its owner, with the intervals that tie them together."""

    line: SessionLine
    others: tuple[SessionLine, ...]
    intervals: tuple[Interval | None, ...]
    not_before_on: date | None
    patient: PatientLine
    course_id: int
    of_maintenance: bool
    protocol: str
    clinic_id: int
    clinic: str
    zone: str
    practitioners: tuple[tuple[int, str], ...]

    is_session = True

    def appointments(self) -> Mapping[int, AppointmentLine]:
        """The appointments of its course or its upkeep, cancelled and missed ones too, by their ids."""
        return {each.id: each for line in self.others
                for each in (*line.past, *([line.appointment] if line.appointment else []))}

    def knock_on(self, day: date) -> tuple[KnockOn, ...]:
        """What a new date of this session means for each later one that is still to come."""
        rest = [line for line in self.others if line.number > self.line.number and line.state in _TO_COME]
        dates = [day if line.number == self.line.number else line.held_on for line in self.others]
        floors = [self.not_before_on if line.state in _TO_COME else None for line in self.others]
        moved = dict(zip((line.number for line in self.others), windows(self.intervals, dates, floors), strict=True))
        return tuple(KnockOn(line, moved[line.number]) for line in rest)


@dataclass(frozen=True, slots=True)
class VisitSubject:
    """A visit that belongs to no course: whose, what, where, and who may be asked for."""

    patient: PatientLine
    code: str
    what: str
    clinic_id: int
    clinic: str
    zone: str
    practitioners: tuple[tuple[int, str], ...]

    is_session = False


@dataclass(frozen=True, slots=True)
class AppointmentPage:
    """One appointment, and what it is for: a treatment session among its others, or a visit by itself."""

    appointment: AppointmentLine
    patient: PatientLine
    subject: SessionPage | VisitSubject

    @property
    def treatment_session(self) -> SessionPage | None:
        """The session that it is for; none where it is for none."""
        return self.subject if isinstance(self.subject, SessionPage) else None


def clinic_of_appointment(db: Session, appointment_id: int) -> int | None:
    """The clinic of an appointment, which decides who may see it; none where there is no such appointment."""
    return db.scalar(sa.select(Appointment.clinic_id).where(Appointment.id == appointment_id))


def clinic_of_session(db: Session, treatment_session_id: int) -> int | None:
    """The clinic of a treatment session's course; none where there is no such session."""
    return db.scalar(
        sa.select(Course.clinic_id).where(Course.id == _course_of_session(treatment_session_id).scalar_subquery()))


def appointment_page(db: Session, appointment_id: int) -> AppointmentPage | None:
    """One appointment with its patient and its session, in a fixed number of statements."""
    found = db.execute(
        sa.select(Appointment.treatment_session_id, Appointment.patient_id, Appointment.treatment_code,
                  Appointment.clinic_id)
        .where(Appointment.id == appointment_id)).one_or_none()
    if found is None:
        return None
    about: SessionPage | VisitSubject | None
    if found.treatment_session_id is not None:
        about = session_page(db, found.treatment_session_id)
        assert about is not None  # a foreign key says so
        line = about.appointments().get(appointment_id)
    else:
        about, line = _visit(db, found.patient_id, found.treatment_code, found.clinic_id), None
        assert about is not None  # foreign keys say so
    if line is None:
        [(_, line)] = appointment_lines(db, Appointment.id == appointment_id)
    return AppointmentPage(line, about.patient, about)


def visit_subject(db: Session, *, patient_id: int, code: str, clinic_id: int) -> VisitSubject | None:
    """A visit that belongs to no course, as it would be booked; none where there is no such patient or treatment."""
    known = sa.select(Treatment.id).where(
        Treatment.code == code, Treatment.kind.in_(OTHER_KINDS), Treatment.active)
    return None if db.scalar(known) is None else _visit(db, patient_id, code, clinic_id)


def _visit(db: Session, patient_id: int, code: str, clinic_id: int) -> VisitSubject | None:
    """A visit as it is called; one of a treatment that is not known here goes by its code."""
    patient = patient_line(db, patient_id)
    if patient is None:
        return None
    what, clinic, where = db.execute(
        sa.select(sa.func.coalesce(Treatment.name, code), Clinic.name, Clinic.zone)
        .select_from(Clinic).outerjoin(Treatment, Treatment.code == code).where(Clinic.id == clinic_id)).one()
    return VisitSubject(patient, code, what, clinic_id, clinic, where, practitioners_of(db, clinic_id))


def session_page(db: Session, treatment_session_id: int) -> SessionPage | None:
    """A treatment session with the others of its course or maintenance plan, in a fixed number of statements."""
    found = db.execute(
        sa.select(Course, MaintenancePlan, ProtocolVersion, Clinic)
        .select_from(TreatmentSession)
        .outerjoin(MaintenancePlan, MaintenancePlan.id == TreatmentSession.maintenance_plan_id)
        .join(Course, Course.id == _course_of_session(treatment_session_id).scalar_subquery())
        .join(ProtocolVersion, ProtocolVersion.id == Course.protocol_version_id)
        .join(Clinic, Clinic.id == Course.clinic_id)
        .where(TreatmentSession.id == treatment_session_id)
    ).one_or_none()
    if found is None:
        return None
    course, plan, version, clinic = found
    protocol = content_of(db, version)
    names = treatment_names(protocol)
    lines = session_lines(db, TreatmentSession.course_id == course.id, zone_name=clinic.zone, names=names)
    if plan is not None:
        lines = session_lines(db, TreatmentSession.maintenance_plan_id == plan.id, zone_name=clinic.zone, names=names,
                              before_on=last_held_on(lines))
    patient = patient_line(db, course.patient_id)
    assert patient is not None  # a foreign key says so
    return SessionPage(
        line=next(line for line in lines if line.id == treatment_session_id), others=lines,
        intervals=_intervals(db, course, protocol, plan, len(lines)),
        not_before_on=not_before_on(db, course, protocol), patient=patient, course_id=course.id,
        of_maintenance=plan is not None, protocol=protocol.name, clinic_id=clinic.id, clinic=clinic.name,
        zone=clinic.zone, practitioners=practitioners_of(db, clinic.id),
    )


def practitioners_of(db: Session, clinic_id: int) -> tuple[tuple[int, str], ...]:
    """Id and name of the practitioners who are active and work at a clinic, by name."""
    table = Practitioner.__table__
    rows = db.execute(
        sa.select(table.c.id, table.c.name)
        .where(table.c.active, table.c.id.in_(who_works_at(clinic_id))).order_by(table.c.name, table.c.id)
    )
    return tuple((ident, name) for ident, name in rows)


def _course_of_session(treatment_session_id: int) -> sa.Select[int]:
    return (
        sa.select(sa.func.coalesce(TreatmentSession.course_id, MaintenancePlan.course_id))
        .outerjoin(MaintenancePlan, MaintenancePlan.id == TreatmentSession.maintenance_plan_id)
        .where(TreatmentSession.id == treatment_session_id)
    )


def _intervals(
    db: Session, course: Course, protocol: Protocol, plan: MaintenancePlan | None, count: int
) -> tuple[Interval | None, ...]:
    if plan is None:
        changes = interval_changes(db, course.id)
        return tuple(interval_before(step, changes) for step in steps_for(protocol, count))
    upkeep = Interval(plan.shortest_days, plan.interval_days, plan.longest_days)
    return (None, *[upkeep] * (count - 1))
