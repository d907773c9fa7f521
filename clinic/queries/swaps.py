"""Another room or device for one visit at the time that it has: which are free then, and fit for it."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from clinic.care.states import AppointmentState
from clinic.planning import Kind, Placement, Problem, judge
from clinic.planning.local import DAY
from clinic.queries.other_visits import NUMBER, visit_problem
from clinic.queries.rest_of_course import rest_of_course
from clinic.queries.series import held_by, series_of
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment

SWAPPABLE = (AppointmentState.BOOKED, AppointmentState.ARRIVED)
_OF_RESOURCES = frozenset({
    "busy", "held-twice", "lacks-skill", "not-open", "same-resource", "unknown-resource", "wrong-kind"})
"""What can speak against a room or device; the time stays, so nothing about the time is asked again."""


@dataclass(frozen=True, slots=True)
class Swap:
    """A room or device that the visit holds, and one that could take its place from now on."""

    kind: Kind
    instead_of: int
    held: str
    take: int
    name: str


def swaps(db: Session, appointment_id: int, *, now: datetime) -> tuple[Swap, ...]:
    """Every free and fit room or device for each that the visit holds, at its own time, the rest of it as it is; none
    once it is over."""
    visit = db.get_one(Appointment, appointment_id)
    if visit.state not in SWAPPABLE:
        return ()
    held = held_by(db, [visit.id]).get(visit.id, ())
    # Of a visit that has begun, the whole time is asked for, as it was before.
    problem, step = _problem(db, visit, min(now, visit.starts_at))
    known = {resource.id: resource for resource in problem.resources}
    found = []
    for old in dict.fromkeys(each for each in held if each in known and known[each].kind is not Kind.PRACTITIONER):
        for new in problem.resources:
            if new.kind is known[old].kind and new.id not in held:
                instead = tuple(new.id if each == old else each for each in held)
                against = judge(problem, [Placement(step, visit.starts_at, instead)])
                if not any(each.code in _OF_RESOURCES for each in against):
                    found.append(Swap(new.kind, int(old), known[old].words, int(new.id), new.words))
    return tuple(found)


def _problem(db: Session, visit: Appointment, now: datetime) -> tuple[Problem, int]:
    """The visit as a step of a problem in whose diary its own time is free."""
    until_on = visit.local_start.date() + DAY
    if visit.treatment_session_id is None:
        return visit_problem(db, visit, now=now, until_on=until_on), NUMBER
    row = db.get_one(TreatmentSession, visit.treatment_session_id)
    rest = rest_of_course(db, series_of(db, row, now=now), now=now, until_on=until_on)
    problem, numbers = rest.asked((row.number,), rest.before)
    return problem, numbers.index(row.number) + 1
