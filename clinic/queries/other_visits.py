"""Visits that belong to no course: which kinds there are, what is known of one, and when it can be."""
from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.other_visits import OTHER_KINDS
from clinic.care.parts import Part, patient_minutes, read_parts
from clinic.planning import Finding, Placement, Problem, Weight, judge
from clinic.planning.local import DAY, day_of, zone
from clinic.queries.problems import Asked, earliest_start, planned_visit, problem_of
from clinic.queries.times import MOST_DAYS, Beyond, Sought, TimesPage, WayToAsk, books_until, keeps_to, no_other
from clinic.queries.visit_choice import VisitChoice
from clinic.store.clinics import Clinic
from clinic.store.diary import Appointment
from clinic.store.protocols import Treatment

NUMBER = 1
"""A visit of no course is the only one that its form chooses a time for."""
UNKNOWN = "How long such a visit takes and who it needs is not known here: book one of another kind in its place"


@dataclass(frozen=True, slots=True)
class VisitWish:
    """Who is to come, where and for what; `appointment_id` names the visit that is to be moved, if one is."""

    patient_id: int
    clinic_id: int
    treatment_code: str
    appointment_id: int | None = None


@dataclass(frozen=True, slots=True)
class VisitType:
    """A treatment that is booked by itself."""

    code: str
    name: str
    kind: str
    minutes: int
    parts: tuple[Part, ...]
    active: bool


def visit_types(db: Session) -> tuple[VisitType, ...]:
    """What can be booked by itself, consultations first."""
    rows = db.scalars(
        sa.select(Treatment).where(Treatment.kind.in_(OTHER_KINDS), Treatment.active)
        .order_by(Treatment.name, Treatment.id)).all()
    found = (_type(row) for row in rows)
    return tuple(sorted(found, key=lambda each: OTHER_KINDS.index(each.kind)))


def visit_type(db: Session, code: str) -> VisitType | None:
    """That treatment, in use or not; none where no such visit is known."""
    row = db.scalar(sa.select(Treatment).where(Treatment.code == code, Treatment.kind.in_(OTHER_KINDS)))
    return None if row is None else _type(row)


def wish_of(appointment: Appointment) -> VisitWish:
    """What a booked visit is for, as it would be asked for again."""
    return VisitWish(appointment.patient_id, appointment.clinic_id, appointment.treatment_code, appointment.id)


def judge_visit(db: Session, wish: VisitWish, choice: VisitChoice, *, now: datetime) -> tuple[Finding, ...]:
    """What speaks against that visit at the chosen time, in the diary as it stands."""
    asked = visit_type(db, wish.treatment_code)
    if asked is None:
        return (Finding("not-offered", Weight.BLOCKS, UNKNOWN),)
    # No further than the choice, for everybody else waits while we read: the next day, whichever zone it is.
    problem = _problem(db, wish, asked, now, until_on=choice.starts_at.date() + DAY)
    found = judge(problem, [Placement(NUMBER, choice.starts_at, tuple(map(str, choice.resource_ids)))])
    return tuple(replace(each, text=each.text.replace(f"Session {NUMBER}", "This visit")) for each in found)


def visit_problem(db: Session, appointment: Appointment, *, now: datetime, until_on: date) -> Problem:
    """A booked visit as a problem of one step, in the diary as it would be without it."""
    asked = visit_type(db, appointment.treatment_code)
    assert asked is not None  # so it was booked
    return _problem(db, wish_of(appointment), asked, now, until_on=until_on)


def offer_visit_times(
    db: Session, wish: VisitWish, *, now: datetime, from_on: date | None = None, days: int = 14,
    practitioner_id: int | None = None, asking: bool = False, look_on: bool = False,
) -> TimesPage:
    """Every start of the visit in those days, in order; none lies past the clinic's booking horizon. `asking`: also
    those outside the only times of the patient. `look_on`: where there is none, what lies beyond those days, for which
    the diary is read once more."""
    asked = visit_type(db, wish.treatment_code)
    clinic = db.get_one(Clinic, wish.clinic_id)
    today = day_of(now, zone(clinic.zone))
    bookable_to = today + timedelta(days=clinic.booking_horizon_days - 1)
    wanted_on = max(today, from_on or today)
    first_on = min(wanted_on, bookable_to)
    last_on = min(first_on + timedelta(days=min(max(days, 1), MOST_DAYS) - 1), bookable_to)
    if asked is None:
        return TimesPage((), first_on, last_on, None, UNKNOWN)
    near = _problem(db, wish, asked, now, not_before_on=first_on, until_on=last_on)
    times = _sought(near, practitioner_id, asking=asking).times(first_on, last_on)
    own_at = db.get_one(Appointment, wish.appointment_id).starts_at if wish.appointment_id else None
    beyond = None
    if look_on and no_other(times, own_at):
        every = _problem(db, wish, asked, now, until_on=bookable_to)
        beyond = _told(_sought(every, practitioner_id, asking=asking).beyond(
            (first_on, last_on), (today, bookable_to), own_at), asked.name)
    reason = books_until(clinic, bookable_to) if wanted_on > bookable_to and not times else None
    return TimesPage(times, first_on, last_on, None, reason, keeps_to(near), beyond)


def this_visit(words: str, name: str) -> str:
    """What was said of the one session of such a problem, as it is said of a visit by itself."""
    return words.replace(f"Session {NUMBER} ({name})", "This visit").replace(f"Session {NUMBER}", "This visit")


def _sought(problem: Problem, practitioner_id: int | None, *, asking: bool) -> Sought:
    return Sought((WayToAsk(problem, NUMBER),), NUMBER, None, practitioner_id, asking)


def _told(beyond: Beyond, name: str) -> Beyond:
    return replace(beyond, why=this_visit(beyond.why, name))


def _problem(
    db: Session, wish: VisitWish, asked: VisitType, now: datetime, *, not_before_on: date | None = None, until_on: date
) -> Problem:
    clinic = db.get_one(Clinic, wish.clinic_id)
    not_before = now if not_before_on is None else earliest_start(not_before_on, clinic.zone, now)
    return problem_of(db, Asked(
        clinic_id=wish.clinic_id, patient_id=wish.patient_id, protocol=None,
        steps=(planned_visit(asked.code, asked.name, asked.parts),), not_before=not_before,
        ignore=() if wish.appointment_id is None else (wish.appointment_id,), until_on=until_on), now=now)


def _type(row: Treatment) -> VisitType:
    parts = read_parts(row.parts)
    return VisitType(row.code, row.name, row.kind, patient_minutes(parts), parts, row.active)
