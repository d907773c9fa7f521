"""A course in words: its states, its sessions for the drawing of its windows."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from clinic.care.outcomes import CONTRAINDICATION_OF, MissedRule, NoShowCause, NotTreatedCause
from clinic.care.protocols import Protocol
from clinic.care.states import AppointmentState, CourseState, MaintenanceState, SessionState
from clinic.care.windows import Fit
from clinic.queries.courses import CoursePage
from clinic.queries.treatment_sessions import AppointmentLine, SessionLine
from clinic.queries.undated import Due
from clinic.web.words import day, moment, plural

FITS = {
    Fit.TOO_EARLY: ("Too early", "bad", "alert"), Fit.EARLY: ("Early", "info", "clock"),
    Fit.IDEAL: ("Ideal", "ok", "check"), Fit.LATE: ("Late", "info", "clock"),
    Fit.TOO_LATE: ("After its window", "warn", "alert"),
}
"""How a date lies in its window: word, tone and icon of its badge."""

DUES = {
    Due.OVERDUE: ("Overdue", "bad", "alert"), Due.NEAR: ("Due now", "warn", "clock"),
    Due.PLANNABLE: ("Can be planned", "info", "calendar"), Due.LATER: ("Later", "neutral", "ring"),
}
"""How a session without a date stands: word, tone and icon of its badge."""

STATES = {
    CourseState.DRAFT: "Dates held", CourseState.ACTIVE: "Active", CourseState.ON_HOLD: "On hold",
    CourseState.COMPLETED: "Completed", CourseState.REVOKED: "Stopped early",
}

APPOINTMENT_STATES = {
    AppointmentState.PROPOSED: "Held", AppointmentState.BOOKED: "Booked", AppointmentState.ARRIVED: "Arrived",
    AppointmentState.FULFILLED: "Done", AppointmentState.CANCELLED: "Cancelled",
    AppointmentState.NOSHOW: "Did not come",
}

NOT_TREATED = {
    NotTreatedCause.TAN: "Tan or sunburn", NotTreatedCause.COLD_SORE: "Cold sore",
    NotTreatedCause.OTHER_HEALTH: "Another health reason", NotTreatedCause.DEVICE: "The device does not work",
    NotTreatedCause.CLINIC_REASON: "A reason of our own", NotTreatedCause.LEFT: "The patient left",
}
NO_SHOW = {
    NoShowCause.FORGOT: "Forgot, or no reason known", NoShowCause.ILL: "Ill",
    NoShowCause.PREVENTED: "Prevented, by travel, weather or work",
    NoShowCause.BY_CLINIC: "Our doing: wrong date told, or we were closed",
}
CAUSES: dict[str, str] = {cause.value: words for cause, words in (*NOT_TREATED.items(), *NO_SHOW.items())}
"""Why a visit ended without a treatment, by its code."""

_RULES = {
    MissedRule.KEEP: "nothing is added", MissedRule.EXTEND: "one session is added",
    MissedRule.RESTART: "the series is given again",
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
    fit: Fit | None
    when: str
    detail: str
    href: str | None
    is_held: bool = False


def timeline(lines: Iterable[SessionLine]) -> tuple[TimelineItem, ...]:
    """The sessions as the time line draws them."""
    return tuple(
        TimelineItem(
            number=line.number, state=line.state, earliest_on=line.earliest_on, ideal_on=line.ideal_on,
            latest_on=line.latest_on, held_on=line.held_on, fit=line.fit, when=_when(line), detail="", href=None,
            is_held=is_held(line))
        for line in lines
    )


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


def missed_words(protocol: Protocol) -> str:
    """What a missed session that passes its window adds, by the patient's cause where that matters."""
    rules = {"forgot": protocol.missed.forgot, "ill": protocol.missed.ill, "prevented": protocol.missed.prevented}
    if len(set(rules.values())) == 1:
        return _RULES[protocol.missed.forgot].capitalize()
    return "; ".join(f"{cause}: {_RULES[rule]}" for cause, rule in rules.items()).capitalize()


def counts_as_words(number: int) -> str:
    """What the desk reads before a visit is closed that is counted as an earlier session."""
    return f"Session {number} is still owed: this visit counts as it, and the last session is owed instead."


def visit_state(line: AppointmentLine) -> str:
    """The state for its badge: a visit at which nothing was done is not simply cancelled."""
    if line.state is AppointmentState.CANCELLED and line.ended_cause:
        return "not-treated"
    return "in-treatment" if line.begun_at and line.state is AppointmentState.ARRIVED else line.state


def item_of(protocol: Protocol, code: str) -> int:
    """The place of a contraindication in its protocol's list, from 1: what an address may say of it."""
    return next(place for place, each in enumerate(protocol.contraindications, 1) if each.code == code)


def to_note(course: CoursePage) -> tuple[str, str] | None:
    """The contraindication for which a patient was last sent home and that nobody has noted yet: code and title."""
    upkeep = course.maintenance.treatment_sessions if course.maintenance else ()
    ended = [line.past[-1] for line in (*course.treatment_sessions, *upkeep)
             if line.state is SessionState.OWED and line.past and line.past[-1].closed_at]
    last = max(ended, key=lambda visit: visit.closed_at or visit.local_end, default=None)
    code = CONTRAINDICATION_OF.get(last.ended_cause or "") if last else None
    title = next((each.title for each in course.protocol.contraindications if each.code == code), None)
    if last is None or last.closed_at is None or code is None or title is None:
        return None
    noted = any(each.answered_at > last.closed_at for each in course.screenings)
    return None if noted else (code, title)


def may_move(line: SessionLine) -> bool:
    """Whether its appointment is still to come."""
    return line.appointment is not None and line.appointment.state is AppointmentState.BOOKED


def off_track(lines: Iterable[SessionLine]) -> tuple[SessionLine, ...]:
    """The booked sessions that lie outside their windows as things now stand."""
    return tuple(line for line in lines if may_move(line) and line.fit in (Fit.TOO_EARLY, Fit.TOO_LATE))


def is_on_hold(found: CoursePage) -> bool:
    """Whether the course rests, or the upkeep that follows it."""
    return found.state is CourseState.ON_HOLD or (
        found.state is CourseState.COMPLETED and found.maintenance is not None
        and found.maintenance.state is MaintenanceState.ON_HOLD)


def lives(found: CoursePage) -> bool:
    """Whether the course, or its upkeep, runs or rests."""
    return found.state in (CourseState.ACTIVE, CourseState.ON_HOLD) or (
        found.state is CourseState.COMPLETED and found.maintenance is not None
        and found.maintenance.state is not MaintenanceState.REVOKED)


def is_open(line: SessionLine) -> bool:
    """Whether its patient may be treated now: booked, or here already."""
    return line.appointment is not None and line.appointment.state in (
        AppointmentState.BOOKED, AppointmentState.ARRIVED)


def is_held(line: SessionLine) -> bool:
    """Whether its date waits for a consultation."""
    return line.appointment is not None and line.appointment.state is AppointmentState.PROPOSED


def is_owed(line: SessionLine) -> bool:
    """Whether it waits for a date."""
    return line.state is SessionState.OWED


def _when(line: SessionLine) -> str:
    if line.performed_local:
        # Of one that another system had seen done only the date is known.
        return moment(line.performed_local) if line.appointment else day(line.performed_local)
    return moment(line.appointment.local_start) if line.appointment else ""
