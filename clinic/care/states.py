"""The states of things and the moves between them, as data; `docs/states.md` is generated from here."""
from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class CourseState(StrEnum):
    """Codes of FHIR CarePlan.status.

    A draft is a course whose dates are held until a consultation: it becomes active when the dates are confirmed, and
    is revoked when the last day of the hold has passed (its sessions are not done then, for it was never begun) or
    when the desk stops it. A course that is booked outright begins as active.
    """

    DRAFT = "draft"
    ACTIVE = "active"
    ON_HOLD = "on-hold"
    COMPLETED = "completed"
    REVOKED = "revoked"


class MaintenanceState(StrEnum):
    """Codes of FHIR CarePlan.status that upkeep can have."""

    ACTIVE = "active"
    ON_HOLD = "on-hold"
    REVOKED = "revoked"


class SessionState(StrEnum):
    """A treatment session is owed until it is completed, or will not be done."""

    OWED = "owed"
    BOOKED = "booked"
    COMPLETED = "completed"
    NOT_DONE = "not-done"


class AppointmentState(StrEnum):
    """Codes of FHIR Appointment.status. A visit at which the patient was not treated is cancelled, with its cause.

    One that is proposed holds its time until an instant: then it blocks nothing and nobody, and the worker cancels it.
    """

    PROPOSED = "proposed"
    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NOSHOW = "noshow"


class MessageState(StrEnum):
    """Where a message stands; only the first two still move by themselves. What was sent fails if it comes back."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    HELD = "held"
    WITHHELD = "withheld"


class MessageDecision(StrEnum):
    """What a person decided about a message instead of sending it; told and printed mean that the patient knows.

    Taken over is not the end: somebody means to tell it, and until then it may still be overtaken by what happens.
    """

    TAKEN_OVER = "taken-over"
    SKIPPED = "skipped"
    TOLD = "told"
    PRINTED = "printed"


FINAL_DECISIONS = frozenset({MessageDecision.SKIPPED, MessageDecision.TOLD, MessageDecision.PRINTED})
"""Decisions after which the machine leaves a message alone, whatever happens."""
TELLING_DECISIONS = frozenset({MessageDecision.TOLD, MessageDecision.PRINTED})
"""Decisions after which the patient knows what the message says."""


class PatientsMay(StrEnum):
    """What patients may do with their dates on their own page: nothing, ask for it, or do it at once."""

    NEVER = "never"
    ASK = "ask"
    AT_ONCE = "at-once"


class ContactOutcome(StrEnum):
    """How it ended when a person tried to tell a patient."""

    NO_ANSWER = "no-answer"
    CALLED = "called"
    TOLD = "told"
    PRINTED = "printed"


HOLDS_TIME = frozenset({
    AppointmentState.PROPOSED, AppointmentState.BOOKED, AppointmentState.ARRIVED, AppointmentState.FULFILLED,
})
"""States in which an appointment blocks its patient, practitioner, room and device."""

COURSE_MOVES: Mapping[CourseState, frozenset[CourseState]] = {
    CourseState.DRAFT: frozenset({CourseState.ACTIVE, CourseState.REVOKED}),
    CourseState.ACTIVE: frozenset({CourseState.ON_HOLD, CourseState.COMPLETED, CourseState.REVOKED}),
    CourseState.ON_HOLD: frozenset({CourseState.ACTIVE, CourseState.COMPLETED, CourseState.REVOKED}),
    CourseState.COMPLETED: frozenset(),
    CourseState.REVOKED: frozenset(),
}
MAINTENANCE_MOVES: Mapping[MaintenanceState, frozenset[MaintenanceState]] = {
    MaintenanceState.ACTIVE: frozenset({MaintenanceState.ON_HOLD, MaintenanceState.REVOKED}),
    MaintenanceState.ON_HOLD: frozenset({MaintenanceState.ACTIVE, MaintenanceState.REVOKED}),
    MaintenanceState.REVOKED: frozenset(),
}
SESSION_MOVES: Mapping[SessionState, frozenset[SessionState]] = {
    SessionState.OWED: frozenset({SessionState.BOOKED, SessionState.NOT_DONE}),
    SessionState.BOOKED: frozenset({SessionState.OWED, SessionState.COMPLETED, SessionState.NOT_DONE}),
    SessionState.COMPLETED: frozenset(),
    SessionState.NOT_DONE: frozenset(),
}
APPOINTMENT_MOVES: Mapping[AppointmentState, frozenset[AppointmentState]] = {
    AppointmentState.PROPOSED: frozenset({AppointmentState.BOOKED, AppointmentState.CANCELLED}),
    AppointmentState.BOOKED: frozenset({
        AppointmentState.ARRIVED, AppointmentState.FULFILLED, AppointmentState.CANCELLED, AppointmentState.NOSHOW,
    }),
    AppointmentState.ARRIVED: frozenset({AppointmentState.FULFILLED, AppointmentState.CANCELLED}),
    AppointmentState.FULFILLED: frozenset(),
    AppointmentState.CANCELLED: frozenset(),
    AppointmentState.NOSHOW: frozenset(),
}
MESSAGE_MOVES: Mapping[MessageState, frozenset[MessageState]] = {
    MessageState.PENDING: frozenset({
        MessageState.SENDING, MessageState.SUPERSEDED, MessageState.EXPIRED, MessageState.HELD,
        MessageState.WITHHELD, MessageState.FAILED,
    }),
    MessageState.SENDING: frozenset({
        MessageState.SENT, MessageState.PENDING, MessageState.UNCERTAIN, MessageState.FAILED,
        MessageState.SUPERSEDED, MessageState.EXPIRED, MessageState.HELD, MessageState.WITHHELD,
    }),
    MessageState.UNCERTAIN: frozenset({MessageState.PENDING, MessageState.SENT, MessageState.FAILED}),
    MessageState.HELD: frozenset({
        MessageState.PENDING, MessageState.SUPERSEDED, MessageState.EXPIRED, MessageState.WITHHELD,
    }),
    MessageState.WITHHELD: frozenset({MessageState.PENDING, MessageState.SUPERSEDED, MessageState.EXPIRED}),
    MessageState.SENT: frozenset({MessageState.FAILED}),
    MessageState.FAILED: frozenset({MessageState.PENDING}),
    MessageState.SUPERSEDED: frozenset(),
    MessageState.EXPIRED: frozenset(),
}
