"""What is asked for when a course is to be planned, and the problem that it is to the planner."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

from sqlalchemy.orm import Session

from clinic.care.protocols import Protocol, Step, sessions_for
from clinic.care.screening import ScreeningAnswers
from clinic.planning import Finding, Problem, Weight
from clinic.queries.course_wishes import CourseWishes
from clinic.queries.problems import Asked, earliest_start, planned_step, problem_of
from clinic.queries.protocol_contents import protocol_of
from clinic.queries.visit_choice import VisitChoice
from clinic.store.clinics import Clinic
from clinic.store.protocols import ProtocolVersion

HORIZON_MARGIN_DAYS = 7
"""A session whose ideal date lies closer than this to the clinic's booking horizon is left undated. Our default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseAsk:
    """What reception asks for: which protocol, how many sessions, from when, with whom; `patient_id` once it is known.

    `wishes` are of this course alone. The dates in `kept` are agreed on, and the others are planned around them.
    """

    clinic_id: int
    protocol_version_id: int
    sessions: int
    answers: ScreeningAnswers
    not_before_on: date
    practitioner_id: int | None = None
    wishes: CourseWishes = CourseWishes()
    kept: tuple[VisitChoice, ...] = ()
    patient_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseRequest(CourseAsk):
    """A course for a patient: it can be offered and booked."""

    patient_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseEnquiry(CourseAsk):
    """The same while nobody is chosen whom it is for: it can be offered, and never booked."""

    patient_id: None = None

    def by(self, patient_id: int) -> CourseRequest:
        """The request of that patient."""
        asked = {field.name: getattr(self, field.name) for field in fields(self)}
        return CourseRequest(**{**asked, "patient_id": patient_id})


def course_problem(
    db: Session, request: CourseAsk, protocol: Protocol, steps: Sequence[Step], first_on: date, *, now: datetime,
    until_on: date | None = None,
) -> Problem:
    """The planner's problem of a new course: the same for offering and, only as far as `until_on`, for booking.

    It has the rules in it, and no wishes for this course: a date that was chosen against them is booked all the same.
    """
    clinic = db.get_one(Clinic, request.clinic_id)
    return problem_of(db, Asked(
        clinic_id=clinic.id, patient_id=request.patient_id, protocol=protocol,
        steps=tuple(planned_step(step, step.interval) for step in steps),
        not_before=earliest_start(first_on, clinic.zone, now), practitioner_id=request.practitioner_id,
        until_on=until_on,
    ), now=now)


def not_askable(db: Session, request: CourseAsk) -> tuple[Finding, ...]:
    """Why no course can be offered or booked for that request, whatever the diary says; nothing if one can."""
    version = db.get_one(ProtocolVersion, request.protocol_version_id)
    protocol = protocol_of(db, version.id)
    if version.state != "approved":
        return (Finding("draft", Weight.BLOCKS, f"This version of {protocol.name} is not approved: a clinician has to "
                        "approve it, or a newer one is to be used", "protocol"),)
    most = sessions_for(protocol, request.answers.indication).most
    if not 1 <= request.sessions <= most:
        return (Finding("sessions", Weight.BLOCKS, f"{protocol.name} has 1 to {most} sessions", "sessions"),)
    return ()


def dated_sessions(steps: Sequence[Step], days: int) -> int:
    """How many sessions can be given a date: those whose ideal dates lie before the booking horizon."""
    reached, dated = 0, 1
    for step in steps[1:]:
        reached += step.interval.ideal if step.interval else 0
        if reached + HORIZON_MARGIN_DAYS > days:
            break
        dated += 1
    return dated
