"""The sessions of a course that are still open, as one planner's problem that can be asked in several ways."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.parts import needs_of, patient_minutes
from clinic.care.states import AppointmentState, SessionState
from clinic.planning import UNWILLING, Pin, Placement, Problem
from clinic.queries.problems import Asked, problem_of
from clinic.queries.series import Place, Series, course_series, held_by, steps_of
from clinic.queries.visit_choice import VisitChoice, parse_choice
from clinic.store.accounts import AuditEntry
from clinic.store.courses import CourseOverride

REPAIRED = "course-repaired"
"""What the audit calls putting a course right."""
TOO_LATE = "too-late"
"""The code under which a reason is kept for a session after its window."""
MINUTE = timedelta(minutes=1)
OPEN = frozenset({SessionState.OWED, SessionState.BOOKED})


@dataclass(frozen=True, slots=True)
class Rest:
    """The open sessions of a course, read from the diary once, by their numbers.

    `before` are the times that sessions have now; `standing` those of them that could be given up; `fixed` those that
    never move: pinned by the desk, arrived, begun, brought from elsewhere without what they hold, or just chosen.
    `late` stand after their windows with a reason on record. In the diary behind `problem` all are free.
    """

    series: Series
    problem: Problem
    before: Mapping[int, Pin]
    standing: Mapping[int, Pin]
    fixed: Mapping[int, Pin]
    late: frozenset[int]

    def asked(
        self, free: Iterable[int], stay: Mapping[int, Pin], *, late: Iterable[int] = ()
    ) -> tuple[Problem, list[int]]:
        """The problem with these sessions free and those as they stand, and the session number of each step.

        Every other session has no date: it stretches the interval around it. Sessions in `late`, and those that stand
        late with a reason on record, have no last date.
        """
        pins: dict[int, Pin | None] = {**self.fixed, **stay, **dict.fromkeys(free)}
        allowed = {number for number in self.late if pins.get(number) == self.before.get(number)}
        steps = steps_of(self.series, pins, allowed | set(late))
        return replace(self.problem, steps=tuple(step for _, step in steps)), [number for number, _ in steps]

    def with_wanted(self, wanted: VisitChoice) -> Rest:
        """The same with a time just chosen for one session, which then does not move."""
        standing = {number: pin for number, pin in self.standing.items() if number != wanted.number}
        return replace(self, fixed={**self.fixed, wanted.number: pin_of(wanted)}, standing=standing)

    def place(self, number: int) -> Place:
        """The open session of that number."""
        return next(place for place in self.series.places if place.row.number == number)

    def placements(self, numbers: list[int], chosen: Mapping[int, Pin]) -> list[Placement]:
        """Chosen times as the problem counts its steps: `numbers` are those of the steps."""
        return [
            Placement(numbers.index(number) + 1, pin.start_at, pin.resources) for number, pin in chosen.items()]


def rest_of_course(
    db: Session, series: Series, *, now: datetime, wanted: VisitChoice | None = None, until_on: date | None = None
) -> Rest:
    """The open sessions of that course, in the diary as it stands; `wanted` is a time just chosen for one of them."""
    held = held_by(db, [place.appointment.id for place in series.places if place.appointment])
    before, fixed = dict[int, Pin](), dict[int, Pin]()
    for place in series.places:
        if place.appointment is not None and place.row.state in OPEN:
            pin = before[place.row.number] = Pin(place.appointment.starts_at, held.get(place.appointment.id, ()))
            if _is_fixed(place, now) or len(pin.resources) != len(needs_of(place.step.parts)):
                fixed[place.row.number] = before[place.row.number]
    if wanted is not None:
        fixed[wanted.number] = pin_of(wanted)
    every: dict[int, Pin | None] = {place.row.number: None for place in series.places if place.row.state in OPEN}
    asked = Asked(
        clinic_id=series.course.clinic_id, patient_id=series.course.patient_id, protocol=series.protocol,
        steps=tuple(step for _, step in steps_of(series, every)), not_before=now,
        practitioner_id=series.course.practitioner_id, last_session_on=series.last_on,
        ignore=tuple(place.appointment.id for place in series.places
                     if place.appointment and place.row.state in OPEN),
        except_course_id=series.course.id if series.plan is None else None,
        except_plan_id=series.plan.id if series.plan else None, until_on=until_on)
    standing = {number: pin for number, pin in before.items() if number not in fixed}
    reasons = _reasons(db, series)
    problem = _agreed(problem_of(db, asked, now=now), series, before, reasons.get(UNWILLING, frozenset()))
    return Rest(series, problem, before, standing, fixed, reasons.get(TOO_LATE, frozenset()))


def pin_of(choice: VisitChoice) -> Pin:
    """A chosen time as the planner takes it."""
    return Pin(choice.starts_at, tuple(map(str, choice.resource_ids)))


def choice_of(number: int, pin: Pin) -> VisitChoice:
    """A time of that session as a form carries it."""
    return VisitChoice(number, pin.start_at, tuple(map(int, pin.resources)))


def token_of(series: Series) -> str:
    """What the course's appointments were when they were shown: a form sends it back, and a change since is seen."""
    return ",".join(
        f"{place.row.number}.{place.row.lock_version}" +
        (f".{place.appointment.id}.{place.appointment.lock_version}" if place.appointment else "")
        for place in series.places)


def last_repair(db: Session, series: Series) -> tuple[VisitChoice, ...] | None:
    """The times before the course was last put right; none where anything has changed since, or it never was."""
    return _before(_repair_facts(db, series.course.id), series)


def _before(facts: Mapping[str, Any] | None, series: Series) -> tuple[VisitChoice, ...] | None:
    if facts is None or facts["token"] != token_of(series):
        return None
    return tuple(parse_choice(each) for each in facts["before"])


def undo_token(db: Session, course_id: int, *, now: datetime, series: Series | None = None) -> str | None:
    """What a form sends to take the last repair of a course back; none where there is none to take back any more.

    `series` is the course as it was just read, where it was.
    """
    facts = _repair_facts(db, course_id)
    if facts is None:
        return None
    series = series or course_series(db, course_id, now=now)
    before = _before(facts, series)
    stands = {place.row.number: place.appointment.starts_at for place in series.places if place.appointment}
    if not before or any(
        choice.starts_at <= now for choice in before if stands.get(choice.number) != choice.starts_at
    ):
        return None
    return token_of(series)


def _repair_facts(db: Session, course_id: int) -> Mapping[str, Any] | None:
    return db.scalar(
        sa.select(AuditEntry.facts)
        .where(AuditEntry.subject_kind == "course", AuditEntry.subject_id == course_id, AuditEntry.action == REPAIRED)
        .order_by(AuditEntry.id.desc()).limit(1))


def _reasons(db: Session, series: Series) -> dict[str, frozenset[int]]:
    """The sessions that stand past a warning because somebody gave the reason when that time was chosen, by its code.
    """
    chosen_at = {place.row.number: place.appointment.scheduled_at for place in series.places if place.appointment}
    rows = db.execute(
        sa.select(CourseOverride.code, CourseOverride.value, CourseOverride.made_at)
        .where(CourseOverride.course_id == series.course.id, CourseOverride.code.in_((TOO_LATE, UNWILLING))))
    found: dict[str, frozenset[int]] = {}
    for code, value, made_at in rows:
        number = value.get("number")
        if number and chosen_at.get(number) == made_at:
            found[code] = found.get(code, frozenset()) | {number}
    return found


def _agreed(problem: Problem, series: Series, before: Mapping[int, Pin], numbers: Iterable[int]) -> Problem:
    """The problem in which the patient comes at the times that they agreed to, whatever they asked for otherwise."""
    minutes = {place.row.number: patient_minutes(place.step.parts) for place in series.places}
    spans = (problem.ruler.covering(pin.start_at, pin.start_at + minutes[each] * MINUTE)
             for each in numbers if (pin := before.get(each)))
    times = reduce(or_, spans, 0)
    return replace(problem, unwilling=tuple(
        replace(each, times=each.times & ~times) if each.asks else each for each in problem.unwilling))


def _is_fixed(place: Place, now: datetime) -> bool:
    visit = place.appointment
    return visit is not None and (
        visit.state != AppointmentState.BOOKED or visit.starts_at <= now or bool(getattr(visit, "pinned", False)))
