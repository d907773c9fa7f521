"""What could be booked for a patient at a free time of the diary: sessions that are owed, and visits by themselves."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.owner_facts import Owner
from clinic.care.states import CourseState, MaintenanceState, SessionState
from clinic.care.windows import Fit, Window, windows
from clinic.planning import Gap
from clinic.planning.local import DAY, day_of, zone
from clinic.queries.foretold import Foretold, foretold_of_session, foretold_of_visit
from clinic.queries.other_visits import NUMBER, VisitType, this_visit, visit_types
from clinic.queries.problems import Asked, earliest_start, planned_visit, problem_of
from clinic.queries.repair import Becomes, Proposal, RepairLine, following
from clinic.queries.rest_of_course import OPEN, Rest, rest_of_course, token_of
from clinic.queries.series import LONGEST, Place, Series, course_series, maintenance_series
from clinic.queries.spots import AROUND, Asking, Possible, Spot, elsewhere, further, possible
from clinic.queries.visit_choice import parse_choice
from clinic.store.clinics import Clinic
from clinic.store.courses import Course, MaintenancePlan

MOST_COURSES = 6
MOST_KINDS = 20


@dataclass(frozen=True, slots=True)
class Follows:
    """A later session that stays as it is: its date, if it has one, and the window that it then has."""

    number: int
    on: date | None
    window: Window | None

    @property
    def fit(self) -> Fit | None:
        """How its date lies in that window."""
        return self.window.fit(self.on) if self.window and self.on else None


@dataclass(frozen=True, slots=True)
class SessionHere:
    """The first session of a course or its upkeep that has no date, at that time.

    Where later sessions have to follow it, `with_it` is how the course then stands, and `token` what it is now; else
    `follows` are those whose windows change. `told` is what the patient is sent about it.
    """

    treatment_session_id: int
    number: int
    of: int
    of_maintenance: bool
    course_id: int
    protocol: str
    treatment: str
    window: Window | None
    possible: Possible
    with_it: Proposal | None = None
    token: str = ""
    follows: tuple[Follows, ...] = ()
    told: tuple[Foretold, ...] = ()

    @property
    def others(self) -> tuple[RepairLine, ...]:
        """The later sessions that move along."""
        lines = self.with_it.lines if self.with_it else ()
        return tuple(line for line in lines
                     if line.number != self.number and line.becomes is not Becomes.STAYS and line.new)


@dataclass(frozen=True, slots=True)
class VisitHere:
    """A visit that belongs to no course, at that time."""

    code: str
    name: str
    minutes: int
    possible: Possible


@dataclass(frozen=True, slots=True)
class BookedCourse:
    """A course of the patient that has nothing to book: every session has a date, or it rests."""

    id: int
    protocol: str
    state: CourseState


@dataclass(frozen=True, slots=True)
class Here:
    """All that could be booked at that time, what fits first. `told` is what the patient is sent about any visit by
    itself."""

    sessions: tuple[SessionHere, ...]
    visits: tuple[VisitHere, ...]
    others: tuple[BookedCourse, ...]
    told: tuple[Foretold, ...] = ()


def booking_here(db: Session, patient_id: int, spot: Spot, *, now: datetime) -> Here:
    """What is owed to a patient, and which visits by themselves, could be at that time. Of so many courses at most;
    each is read once."""
    clinic = db.get_one(Clinic, spot.clinic_id)
    found, others = list[SessionHere](), list[BookedCourse]()
    for series, state in running(db, patient_id, spot.clinic_id, now):
        place = first_undated(series) if state == CourseState.ACTIVE else None
        if place is None:
            others.append(BookedCourse(series.course.id, series.protocol.name, CourseState(state)))
        else:
            found.append(_session_here(db, series, place, spot, clinic, now))
    found.sort(key=lambda each: (
        each.possible.rank, each.possible.offer is not None and each.possible.offer.moves_others,
        each.window.latest_on if each.window else date.max, each.course_id))
    visits = sorted(visits_here(db, patient_id, spot, now=now), key=lambda each: each.possible.rank)
    fits = any(each.possible.offer for each in visits)
    told = foretold_of_visit(db, patient_id, clinic.id, spot.starts_at, now=now) if fits else ()
    return Here(tuple(found), tuple(visits), tuple(others), told)


def visits_here(db: Session, patient_id: int, spot: Spot, *, now: datetime) -> tuple[VisitHere, ...]:
    """The kinds of visit that are booked by themselves, at that time; the diary is read once for all of them, and once
    more for those that have nothing near it."""
    kinds = visit_types(db)[:MOST_KINDS]
    clinic = db.get_one(Clinic, spot.clinic_id)
    first_on, last_on = bookable_days(clinic, now)
    on = day_of(spot.starts_at, zone(clinic.zone))
    near = max(first_on, min(on, last_on) - AROUND), min(last_on, max(on, first_on) + AROUND)
    found = {code: possible(spot, [asking])
             for code, asking in _asked_alone(db, patient_id, clinic, kinds, near, now).items()}
    without = [kind for kind in kinds if found[kind.code].has_nothing]
    if without and first_on <= on <= last_on:
        found |= {code: replace(found[code], beyond=further(spot, [asking]))
                  for code, asking in _asked_alone(db, patient_id, clinic, without, (on, last_on), now).items()}
    return tuple(_visit_here(kind, found[kind.code]) for kind in kinds)


def _asked_alone(
    db: Session, patient_id: int, clinic: Clinic, kinds: Sequence[VisitType], days: tuple[date, date], now: datetime
) -> dict[str, Asking]:
    """Each of the kinds, by its code, as it is asked for on those days, in the diary that is read once."""
    if not kinds:
        return {}
    steps = [planned_visit(each.code, each.name, each.parts) for each in kinds]
    problem = problem_of(db, Asked(
        clinic_id=clinic.id, patient_id=patient_id, protocol=None,
        # One after the other, so that the diary is read for all; each is then asked for alone.
        steps=(steps[0], *(replace(each, gap=Gap(1, 1, LONGEST)) for each in steps[1:])),
        not_before=earliest_start(days[0], clinic.zone, now), until_on=days[1]), now=now)
    return {kind.code: Asking(replace(problem, steps=(step,)), NUMBER, NUMBER, days=days)
            for kind, step in zip(kinds, steps, strict=True)}


def bookable_days(clinic: Clinic, now: datetime) -> tuple[date, date]:
    """The first and the last date that the clinic books."""
    today = day_of(now, zone(clinic.zone))
    return today, today + (clinic.booking_horizon_days - 1) * DAY


def _visit_here(kind: VisitType, found: Possible) -> VisitHere:
    told = replace(found, why=tuple(this_visit(each, kind.name) for each in found.why))
    if told.beyond is not None:
        told = replace(told, beyond=replace(told.beyond, why=this_visit(told.beyond.why, kind.name)))
    return VisitHere(kind.code, kind.name, kind.minutes, told)


def running(db: Session, patient_id: int, clinic_id: int, now: datetime) -> Iterator[tuple[Series, str]]:
    """The patient's courses here that are not over, and the upkeep that goes on, with the state of the one or other."""
    mine = (Course.patient_id == patient_id, Course.clinic_id == clinic_id)
    courses = db.execute(
        sa.select(Course.id, Course.state)
        .where(*mine, Course.state.in_((CourseState.ACTIVE, CourseState.DRAFT, CourseState.ON_HOLD)))
        .order_by(Course.id.desc()).limit(MOST_COURSES))
    plans = db.scalars(
        sa.select(MaintenancePlan.id).join(Course, Course.id == MaintenancePlan.course_id)
        .where(*mine, MaintenancePlan.state == MaintenanceState.ACTIVE)
        .order_by(MaintenancePlan.id.desc()).limit(MOST_COURSES))
    for course_id, state in courses.all():
        yield course_series(db, course_id, now=now), state
    for plan_id in plans.all():
        yield maintenance_series(db, plan_id, now=now), CourseState.ACTIVE


def first_undated(series: Series) -> Place | None:
    return next((place for place in series.places
                 if place.row.state == SessionState.OWED and place.appointment is None), None)


def _session_here(
    db: Session, series: Series, place: Place, spot: Spot, clinic: Clinic, now: datetime
) -> SessionHere:
    rest = rest_of_course(db, series, now=now)
    window = dict(zip((each.row.id for each in series.places), series.windows(), strict=True))[place.row.id]
    days = bookable_days(clinic, now)
    if series.not_before_on is not None:
        days = max(days[0], series.not_before_on), days[1]
    asked = list(ways(rest, place, window, days))
    found = possible(spot, asked)
    with_it = None
    if found.offer and found.offer.moves_others:
        with_it = following(rest, parse_choice(found.offer.choice))
        if with_it is None:
            found = elsewhere(spot, asked[0], ("The sessions after it could not all follow this time.",))
    if found.has_nothing:
        found = replace(found, beyond=further(spot, asked))
    told: tuple[Foretold, ...] = ()
    if found.offer is not None:
        owner = Owner("maintenance-plan", series.plan.id) if series.plan else Owner("course", series.course.id)
        told = foretold_of_session(db, owner, place.row.id, spot.starts_at, now=now)
    return SessionHere(
        treatment_session_id=place.row.id, number=place.row.number, of=len(series.places),
        of_maintenance=series.plan is not None, course_id=series.course.id, protocol=series.protocol.name,
        treatment=place.step.name, window=window, possible=found, with_it=with_it,
        token=token_of(series) if with_it else "", told=told,
        follows=tuple(_follows(series, place, found.offer.local_start.date())) if found.offer and not with_it else ())


def _follows(series: Series, chosen: Place, on: date) -> Iterator[Follows]:
    """The later open sessions whose windows a date of that one changes."""
    dates = [series.before_on, *(on if place is chosen else place.on for place in series.places)]
    spans = windows([None, *(place.interval for place in series.places)], dates, [None, *series.floors])[1:]
    for place, before, window in zip(series.places, series.windows(), spans, strict=True):
        if place.row.number > chosen.row.number and place.row.state in OPEN and window != before:
            yield Follows(place.row.number, place.on, window)


def ways(rest: Rest, place: Place, window: Window | None, days: tuple[date, date]) -> Iterator[Asking]:
    """With every other date where it is, and then with the later ones free to follow."""
    number = place.row.number
    later = [each for each in rest.standing if each > number]
    for follow in ([], later) if later else ([],):
        others = {each: pin for each, pin in rest.before.items() if each != number and each not in follow}
        problem, numbers = rest.asked((number, *follow), others, late=(number,))
        yield Asking(problem, numbers.index(number) + 1, number, window, bool(follow), days)
