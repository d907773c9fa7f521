"""Times at which two people's visits can be together: of each what it needs, found with the other one in the diary."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from clinic.care.states import CourseState, MaintenanceState, SessionState
from clinic.planning import starts
from clinic.planning.local import DAY, day_of, zone
from clinic.planning.together import Free, Order, pairs, without
from clinic.queries.booking_here import bookable_days, first_undated, running, ways
from clinic.queries.other_visits import NUMBER, visit_type, visit_types
from clinic.queries.problems import Asked, earliest_start, planned_visit, problem_of
from clinic.queries.rest_of_course import rest_of_course
from clinic.queries.series import Series, series_of
from clinic.queries.spots import Asking, Spot
from clinic.queries.times import TimeOffer
from clinic.store.clinics import Clinic
from clinic.store.courses import TreatmentSession

MOST_OFFERS = 5
MOST_TRIED = 60
DAYS = 10 * DAY
"""How far after the day asked for both are looked for. Our default."""


@dataclass(frozen=True, slots=True)
class Want:
    """What one of the two comes for: a session that is owed, or a visit by itself."""

    patient_id: int
    clinic_id: int
    treatment_session_id: int | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Both:
    """One time of each that fit beside each other."""

    one: TimeOffer
    other: TimeOffer


def wants(db: Session, patient_id: int, clinic_id: int, *, now: datetime) -> tuple[tuple[str, str], ...]:
    """What a patient could come for, as choices: the first session of each course that has no date, then visits."""
    owed = []
    for series, state in running(db, patient_id, clinic_id, now):
        place = first_undated(series) if state == CourseState.ACTIVE else None
        if place is not None:
            owed.append((f"session:{place.row.id}", f"Session {place.row.number}, {series.protocol.name}"))
    return (*owed, *((f"visit:{each.code}", each.name) for each in visit_types(db)))


def both_together(
    db: Session, one: Want, other: Want, spot: Spot, order: Order, *, now: datetime
) -> tuple[Both, ...]:
    """The first times from the day of the spot on at which both fit, in that order to each other.

    Of two who come one after the other both are with whom or what the spot names; else the first of them alone. Who
    and what is free is given to one of them first and then to the other, and the other way round where that does not
    do: with several in the way of each other a pair may be missed, but none is offered that does not fit.
    """
    clinic = db.get_one(Clinic, spot.clinic_id)
    first_on, last_on = bookable_days(clinic, now)
    on = max(first_on, day_of(spot.starts_at, zone(clinic.zone)))
    days = on, min(last_on, on + DAYS)
    asked = [_asking(db, want, clinic, days, now) for want in (one, other)]
    if days[0] > days[1] or asked[0] is None or asked[1] is None or one.patient_id == other.patient_id:
        return ()
    free_spot = replace(spot, resource_id=None, kind=None)
    spots = spot, spot if order is Order.AFTER else free_spot
    found = _Beside((asked[0], asked[1]), spots)
    tried = pairs(*found.free, order, near=spot.starts_at, where=zone(clinic.zone), step=clinic.start_step_minutes)
    return tuple(_first(found, tried[:MOST_TRIED]))


def _first(found: _Beside, tried: tuple[tuple[datetime, datetime], ...]) -> Iterator[Both]:
    count = 0
    for pair in tried:
        both = found.offer(pair)
        if both is not None:
            yield both
            count += 1
        if count == MOST_OFFERS:
            return


class _Beside:
    """Two visits, each as it is asked for alone, and beside the other."""

    def __init__(self, asked: tuple[Asking, Asking], spots: tuple[Spot, Spot]) -> None:
        self._asked, self._spots = asked, spots
        self.free = _free(asked[0], spots[0]), _free(asked[1], spots[1])

    def offer(self, pair: tuple[datetime, datetime]) -> Both | None:
        """The two at these times, where each has what it needs while the other has its own."""
        for first in (0, 1):
            taken = self._alone(first, pair[first])
            beside = taken and self._beside(first, taken, pair[1 - first])
            if taken and beside:
                return Both(taken, beside) if first == 0 else Both(beside, taken)
        return None

    def _alone(self, which: int, at: datetime) -> TimeOffer | None:
        return self._at(self._asked[which], self._spots[which], at)

    def _beside(self, first: int, taken: TimeOffer, at: datetime) -> TimeOffer | None:
        held, own = self._asked[first], self._asked[1 - first]
        left = without(held.problem, held.step, taken.starts_at, tuple(map(str, taken.resource_ids)),
                       taken_from=own.problem)
        return self._at(replace(own, problem=left), self._spots[1 - first], at)

    @staticmethod
    def _at(asking: Asking, spot: Spot, at: datetime) -> TimeOffer | None:
        on = day_of(at, asking.problem.ruler.zone)
        problem = asking.of_days(on, on, spot)
        return asking.offer(problem, at) if at in (starts(problem, asking.step).starts or ()) else None


def _free(asking: Asking, spot: Spot) -> Free:
    found = starts(asking.of_days(*asking.days, spot), asking.step).starts if asking.days[0] <= asking.days[1] else ()
    return Free(found or (), asking.problem.steps[asking.step - 1].minutes)


def _asking(db: Session, want: Want, clinic: Clinic, days: tuple[date, date], now: datetime) -> Asking | None:
    """One of the two as the planner takes it; none where it is not to be booked, or not here."""
    if want.treatment_session_id is not None:
        return _session_asking(db, want, want.treatment_session_id, days, now)
    kind = visit_type(db, want.code)
    if kind is None or not kind.active:
        return None
    problem = problem_of(db, Asked(
        clinic_id=clinic.id, patient_id=want.patient_id, protocol=None,
        steps=(planned_visit(kind.code, kind.name, kind.parts),),
        not_before=earliest_start(days[0], clinic.zone, now), until_on=days[1]), now=now)
    return Asking(problem, NUMBER, NUMBER, days=days)


def _session_asking(
    db: Session, want: Want, treatment_session_id: int, days: tuple[date, date], now: datetime
) -> Asking | None:
    row = db.get(TreatmentSession, treatment_session_id)
    series = series_of(db, row, now=now) if row and row.state == SessionState.OWED else None
    if row is None or series is None or not _goes_on(series) or (series.course.patient_id, series.course.clinic_id) != (
        want.patient_id, want.clinic_id
    ):
        return None
    place = series.place(row.id)
    window = dict(zip((each.row.id for each in series.places), series.windows(), strict=True))[row.id]
    # Nothing else of a course moves for a visit together: of the ways only the first.
    asking = next(ways(rest_of_course(db, series, now=now), place, window, days)) if place.appointment is None else None
    if asking is None or window is None:
        return asking
    # Nobody is asked for a reason here: what would lie after its window is not offered.
    return replace(asking, days=(days[0], min(days[1], window.latest_on)))


def _goes_on(series: Series) -> bool:
    if series.plan is not None:
        return series.plan.state == MaintenanceState.ACTIVE
    return series.course.state == CourseState.ACTIVE
