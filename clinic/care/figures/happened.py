"""What happened, as rows that the figures are counted from: sessions given, other visits, and courses that ended.

Each says in which month (by the calendar of the clinic), where, after which protocol, by whom, and for whom: every
figure can be asked for by any of them.
"""
from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from clinic.care.endings import (
    BY_PATIENT,
    CANCELLATION,
    MISTAKE,
    RESULT_REACHED,
    STOPPING,
    Whose,
    cancelled_by,
    cause_of,
)
from clinic.care.figures.months import Month, month_of
from clinic.care.outcomes import NoShowCause
from clinic.care.states import AppointmentState

QUIET_AFTER = timedelta(days=56)
"""So long after the last day of its next session's window a course without any date counts as given up. Our default:
eight weeks, longer than most intervals; no source gives a figure."""
GONE_QUIET = "Gone quiet: nothing booked any more"
DATED_WITHIN = timedelta(hours=12)
"""The next session has its date by so long after this one was given: that day, whenever the desk is asked. Our
default."""


class Given(NamedTuple):
    """The sessions given in a month at one clinic, after one protocol and by one practitioner, and how each lies in its
    window as that stood then: the lists have a place for each session, in one order.

    `numbers` are those within their courses; none for upkeep. `from_ideal` is how many days after its ideal date a
    session was given (before it: negative), and `outside` by how many it missed its window (too early: negative); none
    where it had none. `next_dated` is none where none was owed next, or nobody can know: it was moved in.
    """

    month: Month
    clinic_id: int
    protocol_id: int
    practitioner_id: int | None
    patients: Sequence[int]
    numbers: Sequence[int | None]
    from_ideal: Sequence[int | None]
    outside: Sequence[int | None]
    next_dated: Sequence[bool | None]


class End(StrEnum):
    """How a visit ended that was no session given."""

    KEPT = "kept"
    NOT_TREATED = "not-treated"
    NO_SHOW = "no-show"
    LATE = "late"
    IN_TIME = "in-time"
    OURS = "ours"
    WITH_COURSE = "with-course"
    OPEN = "open"
    NONE = "none"


DUE = frozenset({End.KEPT, End.NOT_TREATED, End.NO_SHOW, End.LATE})
"""Visits whose time was kept for the patient to the last: with the sessions given, what misses are counted among."""


class Visit(NamedTuple):
    """An appointment whose time came, or that was cancelled, and at which no session was given."""

    on: date
    clinic_id: int
    protocol_id: int | None
    practitioner_id: int | None
    patient_id: int
    end: End
    cause: str
    notice: timedelta | None

    @property
    def month(self) -> Month:
        """The month of it."""
        return month_of(self.on)


class CourseEnd(StrEnum):
    """How a course ended: wholly given, ended early because its aim was reached, stopped, or never taken up again."""

    COMPLETED = "completed"
    REACHED = "reached"
    STOPPED = "stopped"
    QUIET = "quiet"
    NONE = "none"


DONE = frozenset({CourseEnd.COMPLETED, CourseEnd.REACHED})
DROPPED = frozenset({CourseEnd.STOPPED, CourseEnd.QUIET})


class Ended(NamedTuple):
    """A course that ended after so many sessions given, the first and the last of them on these dates."""

    on: date
    clinic_id: int
    protocol_id: int
    practitioner_id: int | None
    patient_id: int
    end: CourseEnd
    cause: str
    given: int
    first_on: date | None
    last_on: date | None

    @property
    def month(self) -> Month:
        """The month in which it ended."""
        return month_of(self.on)


def visit_end(
    state: AppointmentState, *, ended_cause: str | None, reason: str | None, by_clinic: bool, notice: timedelta | None,
    notice_hours: int,
) -> tuple[End, str]:
    """How an appointment ended that is past or cancelled, and its cause.

    `notice` is how long before it the patient asked for that on their page, or else it was cancelled: less than the
    `notice_hours` of its clinic is late. What the clinic caused is never the patient's miss. A hold that ran out, a
    slip of the desk and a date that is to be planned anew are no cancellations.
    """
    if state is AppointmentState.NOSHOW:
        return (End.OURS if ended_cause == NoShowCause.BY_CLINIC else End.NO_SHOW), ended_cause or NoShowCause.FORGOT
    if state is AppointmentState.FULFILLED:
        return End.KEPT, ""
    if state is not AppointmentState.CANCELLED:
        return End.OPEN, ""
    if ended_cause:
        return End.NOT_TREATED, ended_cause
    cause = cause_of(reason, (*CANCELLATION, BY_PATIENT))
    whose = cancelled_by(reason, by_clinic=by_clinic)
    if whose is Whose.PATIENT:
        return (End.LATE if notice is not None and notice < timedelta(hours=notice_hours) else End.IN_TIME), cause
    return {Whose.CLINIC: End.OURS, Whose.COURSE: End.WITH_COURSE, Whose.NOBODY: End.NONE}[whose], cause


def course_end(is_completed: bool, reason: str | None, given: int) -> tuple[CourseEnd, str]:
    """How a course ended that was completed or stopped, and why; one that never began, or was a slip, is none."""
    if is_completed:
        return CourseEnd.COMPLETED, ""
    cause = cause_of(reason, STOPPING)
    if not given or cause == MISTAKE:
        return CourseEnd.NONE, cause
    return (CourseEnd.REACHED if cause == RESULT_REACHED else CourseEnd.STOPPED), cause
