"""A course in words: its sessions for the time line, the audit trail as sentences."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from clinic.care.protocols import Protocol
from clinic.care.states import AppointmentState, CourseState, SessionState
from clinic.care.windows import Fit
from clinic.queries.courses import HistoryLine
from clinic.queries.treatment_sessions import AppointmentLine, SessionLine
from clinic.web.words import moment, plural

FITS = {
    Fit.TOO_EARLY: ("Too early", "bad", "alert"), Fit.EARLY: ("Early", "info", "clock"),
    Fit.IDEAL: ("Ideal", "ok", "check"), Fit.LATE: ("Late", "info", "clock"),
    Fit.TOO_LATE: ("After its window", "warn", "alert"),
}
"""How a date lies in its window: word, tone and icon of its badge."""

STATES = {
    CourseState.DRAFT: "Draft", CourseState.ACTIVE: "Active", CourseState.ON_HOLD: "On hold",
    CourseState.COMPLETED: "Completed", CourseState.REVOKED: "Stopped early",
}

APPOINTMENT_STATES = {
    AppointmentState.PROPOSED: "Held", AppointmentState.BOOKED: "Booked", AppointmentState.ARRIVED: "Arrived",
    AppointmentState.FULFILLED: "Done", AppointmentState.CANCELLED: "Cancelled",
    AppointmentState.NOSHOW: "Did not come",
}

_ACTIONS = {
    "course-repaired": "Course put right", "repair-undone": "Putting right undone",
    "course-booked": "Course booked", "course-stopped": "Course stopped early", "course-completed": "Course completed",
    "session-booked": "Session {number} booked", "appointment-moved": "Session {number} moved",
    "appointment-cancelled": "Session {number} cancelled", "appointment-noshow": "Did not come to session {number}",
    "appointment-arrived": "Arrived for session {number}", "session-completed": "Session {number} completed",
    "upkeep-owed": "Maintenance session {number} owed",
}


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One row of the time line."""

    number: int
    state: str
    earliest_on: date | None
    ideal_on: date | None
    latest_on: date | None
    held_on: date | None
    when: str
    detail: str
    href: str | None


def timeline(lines: Iterable[SessionLine]) -> tuple[TimelineItem, ...]:
    """The sessions as the time line draws them."""
    return tuple(
        TimelineItem(
            number=line.number, state=line.state, earliest_on=line.earliest_on, ideal_on=line.ideal_on,
            latest_on=line.latest_on, held_on=line.held_on, when=_when(line), detail="", href=None)
        for line in lines
    )


def history_words(line: HistoryLine) -> str:
    """One entry of the audit trail as a sentence."""
    usual = line.action.replace("-", " ").capitalize() + (" (session {number})" if line.number else "")
    return _ACTIONS.get(line.action, usual).format(number=line.number or "")


def protocol_facts(protocol: Protocol) -> list[tuple[str, str]]:
    """What the desk should know of a protocol, as terms and words."""
    sessions, down = protocol.sessions, protocol.downtime
    spans = list(dict.fromkeys(
        f"{turn.interval.shortest} to {turn.interval.longest} days, ideally {turn.interval.ideal}"
        for turn in protocol.cycle))
    usual = f"{sessions.least} to {sessions.most}, usually {sessions.typical}"
    return [
        ("Sessions", usual if sessions.least != sessions.most else str(sessions.most)),
        ("Apart", "; ".join(spans) if sessions.most > 1 else ""),
        ("Shows for", f"{down.shortest} to {plural(down.longest, 'day')}" if down.longest else "not at all"),
        ("Result judged", f"{protocol.assessment.after_days} days after the last session"),
    ]


def place_words(line: AppointmentLine) -> str:
    """With whom, where and with which device."""
    return " · ".join(each for each in (line.practitioner, line.room, line.device) if each)


def may_move(line: SessionLine) -> bool:
    """Whether its appointment is still to come."""
    return line.appointment is not None and line.appointment.state is AppointmentState.BOOKED


def off_track(lines: Iterable[SessionLine]) -> tuple[SessionLine, ...]:
    """The booked sessions that lie outside their windows as things now stand."""
    return tuple(line for line in lines if may_move(line) and line.fit in (Fit.TOO_EARLY, Fit.TOO_LATE))


def is_open(line: SessionLine) -> bool:
    """Whether its patient may be treated now: booked, or here already."""
    return line.appointment is not None and line.appointment.state in (
        AppointmentState.BOOKED, AppointmentState.ARRIVED)


def is_owed(line: SessionLine) -> bool:
    """Whether it waits for a date."""
    return line.state is SessionState.OWED


def _when(line: SessionLine) -> str:
    if line.performed_local:
        return moment(line.performed_local)
    return moment(line.appointment.local_start) if line.appointment else ""
