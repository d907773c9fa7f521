"""Times at which two people's visits can be together: of each what it needs, found with the other one in the diary."""
from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice

from sqlalchemy.orm import Session

from clinic.care.states import CourseState, MaintenanceState, SessionState
from clinic.planning import starts, why_none
from clinic.planning.local import DAY, day_of, instant, zone
from clinic.planning.together import Free, Order, Pair, pairs, without
from clinic.planning.words import date_words
from clinic.queries.booking_here import bookable_days, first_undated, running, ways
from clinic.queries.other_visits import NUMBER, this_visit, visit_type, visit_types
from clinic.queries.problems import Asked, earliest_start, planned_visit, problem_of
from clinic.queries.rest_of_course import rest_of_course
from clinic.queries.series import Series, series_of
from clinic.queries.spots import Asking, Spot
from clinic.queries.times import TimeOffer, keeps_to, stretches, told_of
from clinic.store.clinics import Clinic
from clinic.store.courses import TreatmentSession

MOST_OFFERS = 5
MOST_TRIED = 60
DAYS = 10 * DAY
"""How far after the day asked for both are looked for, to choose from. Our default."""
IN_THE_WAY = "Whenever both could come, they would need the same people, rooms or devices."
NEVER = {Order.SAME: "There is no time at which both could begin.",
         Order.AFTER: "There is no time at which one could begin as the other ends.",
         Order.ANY: "There is no day on which both could come."}


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


@dataclass(frozen=True, slots=True)
class Together:
    """The first times at which both fit. Where there are none near the day asked for, `first` is the first one after it
    until `until_on`; without one `why` says what stands in the way, `of` only one of them (0 or 1) where it is so.

    `keeps` says at which times alone each comes, where they asked for that.
    """

    found: tuple[Both, ...]
    keeps: tuple[str, str] = ("", "")
    first: Both | None = None
    until_on: date | None = None
    why: str = ""
    of: int | None = None


def wants(db: Session, patient_id: int, clinic_id: int, *, now: datetime) -> tuple[tuple[str, str], ...]:
    """What a patient could come for, as choices: the first session of each course that has no date, then visits."""
    owed = []
    for series, state in running(db, patient_id, clinic_id, now):
        place = first_undated(series) if state == CourseState.ACTIVE else None
        if place is not None:
            owed.append((f"session:{place.row.id}", f"Session {place.row.number}, {series.protocol.name}"))
    return (*owed, *((f"visit:{each.code}", each.name) for each in visit_types(db)))


def both_together(
    db: Session, one: Want, other: Want, spot: Spot, order: Order, *, now: datetime, asking: bool = False
) -> Together:
    """The first times from the day of the spot on at which both fit, in that order to each other. `asking`: also those
    at which one of them does not come unless they agree.

    Of two who come one after the other both are with whom or what the spot names; else the first of them alone. Who
    and what is free is given to one of them first and then to the other, and the other way round where that does not
    do: with several in the way of each other a pair may be missed, but none is offered that does not fit.
    """
    clinic = db.get_one(Clinic, spot.clinic_id)
    first_on, last_on = bookable_days(clinic, now)
    on = max(first_on, day_of(spot.starts_at, zone(clinic.zone)))
    near = on, min(last_on, on + DAYS)
    asked = [_asking(db, want, clinic, near, now) for want in (one, other)] if on <= last_on else [None, None]
    if asked[0] is None or asked[1] is None or one.patient_id == other.patient_id:
        return Together(())
    anybody = replace(spot, resource_id=None, kind=None)
    spots = spot, spot if order is Order.AFTER else anybody
    beside = _Beside((asked[0], asked[1]), spots, order, clinic, asking)
    found = tuple(islice(filter(None, map(beside.offer, beside.pairs(near, spot.starts_at)[:MOST_TRIED])), MOST_OFFERS))
    keeps = keeps_to(asked[0].problem), keeps_to(asked[1].problem)
    if found:
        return Together(found, keeps)
    # A session knows the diary as far as its clinic books; of a visit by itself only the days near were read.
    wide = [(not want.code and each) or _asking(db, want, clinic, (on, last_on), now) or each
            for want, each in ((one, asked[0]), (other, asked[1]))]
    further = _further(_Beside((wide[0], wide[1]), (anybody, anybody), order, clinic, asking), on, last_on)
    if further.of is not None and (one, other)[further.of].code:
        further = replace(further, why=this_visit(further.why, wide[further.of].problem.steps[0].words))
    return replace(further, keeps=keeps)


def _further(beside: _Beside, on: date, last_on: date) -> Together:
    """The first pair from that day on; so few are tried that nobody waits."""
    tried = 0
    for span in stretches(on, last_on):
        found = beside.pairs(span, instant(span[0], 0, zone(beside.clinic.zone)))[:MOST_TRIED - tried]
        first = next(filter(None, map(beside.offer, found)), None)
        if first is not None:
            return Together((), first=first)
        tried += len(found)
        if tried == MOST_TRIED:
            return Together((), until_on=day_of(found[-1][0], zone(beside.clinic.zone)), why=IN_THE_WAY)
    which, why = beside.why(on, last_on)
    return Together((), until_on=last_on, why=IN_THE_WAY if tried else why or NEVER[beside.order], of=which)


class _Beside:
    """Two visits, each as it is asked for alone, and beside the other."""

    def __init__(
        self, asked: tuple[Asking, Asking], spots: tuple[Spot, Spot], order: Order, clinic: Clinic, asking: bool
    ) -> None:
        self._keeps, self._spots, self.order, self.clinic = asked, spots, order, clinic
        self._asked = (asked[0].asking, asked[1].asking) if asking else asked

    def pairs(self, days: tuple[date, date], near: datetime) -> tuple[Pair, ...]:
        """The starts of both on those days that keep the order, those near that instant first."""
        free = [Free(self._free(which, *days), asking.problem.steps[asking.step - 1].minutes)
                for which, asking in enumerate(self._asked)]
        return pairs(free[0], free[1], self.order, near=near, where=zone(self.clinic.zone),
                     step=self.clinic.start_step_minutes)

    def why(self, first_on: date, last_on: date) -> tuple[int | None, str]:
        """Which of them has no time at all on those days, and why; none where each has one."""
        for which, asking in enumerate(self._asked):
            ends_on = min(last_on, asking.days[1])
            if first_on > ends_on:
                return which, f"Its window closed on {date_words(ends_on)}: book it by itself, with the reason."
            if not self._free(which, first_on, last_on):
                return which, why_none(asking.of_days(first_on, ends_on, self._spots[which]))
        return None, ""

    def offer(self, pair: Pair) -> Both | None:
        """The two at these times, where each has what it needs while the other has its own."""
        for first in (0, 1):
            taken = self._at(self._asked[first], first, pair[first])
            beside = taken and self._beside(first, taken, pair[1 - first])
            if taken and beside:
                offers = (taken, beside) if first == 0 else (beside, taken)
                return Both(*(told_of(each.problem, offer) for each, offer in zip(self._keeps, offers, strict=True)))
        return None

    def _beside(self, first: int, taken: TimeOffer, at: datetime) -> TimeOffer | None:
        held, own = self._asked[first], self._asked[1 - first]
        left = without(held.problem, held.step, taken.starts_at, tuple(map(str, taken.resource_ids)),
                       taken_from=own.problem)
        return self._at(replace(own, problem=left), 1 - first, at)

    def _at(self, asking: Asking, which: int, at: datetime) -> TimeOffer | None:
        on = day_of(at, asking.problem.ruler.zone)
        problem = asking.of_days(on, on, self._spots[which])
        return asking.offer(problem, at) if at in (starts(problem, asking.step).starts or ()) else None

    def _free(self, which: int, first_on: date, last_on: date) -> tuple[datetime, ...]:
        asking = self._asked[which]
        begins_on, ends_on = max(first_on, asking.days[0]), min(last_on, asking.days[1])
        if begins_on > ends_on:
            return ()
        return starts(asking.of_days(begins_on, ends_on, self._spots[which]), asking.step).starts or ()


def _asking(db: Session, want: Want, clinic: Clinic, days: tuple[date, date], now: datetime) -> Asking | None:
    """One of the two as the planner takes it, a session from the first of those days on; none where it is not to be
    booked, or not here."""
    if want.treatment_session_id is not None:
        return _session_asking(db, want, want.treatment_session_id, (days[0], bookable_days(clinic, now)[1]), now)
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
