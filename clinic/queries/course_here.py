"""A course that begins at a free time of the diary: by which protocols it could, and its first session there."""
from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from clinic.care.protocols import steps_for
from clinic.planning import Gap
from clinic.planning.local import day_of, zone
from clinic.queries.booking_here import bookable_days
from clinic.queries.course_asks import CourseRequest, course_problem
from clinic.queries.new_course import protocol_choices
from clinic.queries.problems import Asked, earliest_start, planned_step, problem_of
from clinic.queries.protocol_contents import contents_of, protocol_of
from clinic.queries.series import LONGEST
from clinic.queries.spots import AROUND, Asking, Possible, Spot, fits, further, possible
from clinic.store.clinics import Clinic

FIRST = 1


@dataclass(frozen=True, slots=True)
class ProtocolHere:
    """An approved protocol, and whether its first session could be at that time as far as the diary says."""

    code: str
    name: str
    fits: bool


def protocols_here(db: Session, patient_id: int, spot: Spot, *, now: datetime) -> tuple[ProtocolHere, ...]:
    """Every approved protocol, those that fit first; the diary of the day is read once for all of them."""
    choices = {each.version_id: each for each in protocol_choices(db) if each.version_id is not None}
    contents = contents_of(db, choices.keys())
    clinic = db.get_one(Clinic, spot.clinic_id)
    on = day_of(spot.starts_at, zone(clinic.zone))
    steps = {version_id: planned_step(steps_for(contents[version_id], FIRST)[0], None) for version_id in choices}
    if not steps or not bookable_days(clinic, now)[0] <= on <= bookable_days(clinic, now)[1]:
        return tuple(ProtocolHere(each.code, each.name, fits=False) for each in choices.values())
    first, *others = steps.values()
    problem = problem_of(db, Asked(
        clinic_id=clinic.id, patient_id=patient_id, protocol=None,
        # One after the other, so that the diary is read for all; each is then asked for alone.
        steps=(first, *(replace(each, gap=Gap(1, 1, LONGEST)) for each in others)),
        not_before=earliest_start(on, clinic.zone, now), until_on=on), now=now)
    found = [
        ProtocolHere(choices[version_id].code, choices[version_id].name,
                     fits(Asking(replace(problem, steps=(step,)), FIRST, FIRST).asking, spot))
        for version_id, step in steps.items()]
    return tuple(sorted(found, key=lambda each: (not each.fits, each.name)))


def first_session_here(db: Session, request: CourseRequest, spot: Spot, *, now: datetime) -> Possible:
    """The first session of a new course at that time, by every rule of its protocol; else when it could be."""
    clinic = db.get_one(Clinic, spot.clinic_id)
    protocol = protocol_of(db, request.protocol_version_id)
    first_on, last_on = bookable_days(clinic, now)
    on = day_of(spot.starts_at, zone(clinic.zone))
    near = max(first_on, min(on, last_on) - AROUND), min(last_on, max(on, first_on) + AROUND)

    def asking(days: tuple[date, date]) -> Asking:
        problem = course_problem(
            db, request, protocol, steps_for(protocol, FIRST), days[0], now=now, until_on=days[1])
        return Asking(problem, FIRST, FIRST, days=days)

    found = possible(spot, [asking(near)])
    if found.has_nothing and first_on <= on <= last_on:
        return replace(found, beyond=further(spot, [asking((on, last_on))]))
    return found
