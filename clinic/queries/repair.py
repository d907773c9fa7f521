"""Putting a running course right: what still fits stays; what must move is proposed, in ways to choose from."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from clinic.care.parts import patient_minutes
from clinic.care.states import CourseState
from clinic.care.windows import Fit, Window, windows
from clinic.planning import Finding, Kind, Pin, PlannedSession, blocks, judge, plan, repair
from clinic.planning.local import day_of, local_of, zone
from clinic.queries.course_asks import HORIZON_MARGIN_DAYS
from clinic.queries.offers import names_of, sayable
from clinic.queries.rest_of_course import OPEN, Rest, choice_of, rest_of_course, token_of
from clinic.queries.series import Place, course_series
from clinic.queries.visit_choice import VisitChoice
from clinic.store.clinics import Clinic

_OURS = frozenset({"not-open", "busy", "lacks-skill", "unknown-resource", "wrong-kind"})
"""What speaks against a time that was booked: the clinic is closed, or somebody or something of it is not there."""
MINUTE = timedelta(minutes=1)
PATIENCE = 2.0
"""Seconds after which a desk takes the best that was found of one way. Our default: usual answers take milliseconds."""


class Way(StrEnum):
    """How the rest of a course follows a change."""

    KEEP = "keep"
    SHIFT = "shift"
    NEXT = "next"
    UNDATED = "undated"


class Becomes(StrEnum):
    """What a proposal makes of one session."""

    STAYS = "stays"
    MOVES = "moves"
    DATED = "dated"
    LOSES_DATE = "loses-date"
    UNDATED = "undated"


@dataclass(frozen=True, slots=True)
class Slot:
    """One time of a session, with whom and where."""

    local_start: datetime
    local_end: datetime
    practitioner: str | None
    room: str | None
    device: str | None


@dataclass(frozen=True, slots=True)
class RepairLine:
    """One open session of a proposal: what it has, what it would have, and why it cannot stay.

    `is_ours`: it cannot because somebody or something of the clinic is not there.
    """

    number: int
    treatment: str
    becomes: Becomes
    old: Slot | None
    new: Slot | None
    window: Window | None
    fit: Fit | None
    is_fixed: bool
    why: str | None
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """One way to put a course right. `warnings` are by the session's number, and each needs a reason."""

    way: Way
    lines: tuple[RepairLine, ...]
    choices: tuple[VisitChoice, ...]
    undated: tuple[int, ...]
    warnings: tuple[tuple[int, Finding], ...]

    @property
    def changes(self) -> int:
        """How many sessions get another time, a first one, or lose theirs."""
        return len(self.choices) + len(self.undated)

    @property
    def is_ours(self) -> bool:
        """Whether the clinic is the cause of any of it, as far as can be seen."""
        return any(line.is_ours for line in self.lines)


@dataclass(frozen=True, slots=True)
class Repairs:
    """The proposals, the default one first, each different from the others; none: nothing needs to change, or why.

    `token` tells a later change apart. `standing_in_the_way` is what speaks against the time just chosen.
    """

    course_id: int
    token: str
    proposals: tuple[Proposal, ...]
    reason: str | None = None
    relaxations: tuple[str, ...] = ()
    standing_in_the_way: tuple[Finding, ...] = ()


def propose_repairs(
    db: Session, course_id: int, *, now: datetime, wanted: VisitChoice | None = None
) -> Repairs:
    """How the open sessions of a course can follow what has happened, or the time `wanted` for one of them.

    By default what is still inside its window stays, and the fewest others get a new time; sessions without a date
    get one when their time has come. Appointments that are fixed, begun or arrived never move.
    """
    series = course_series(db, course_id, now=now)
    token = token_of(series)
    if series.course.state != CourseState.ACTIVE or not any(place.row.state in OPEN for place in series.places):
        return Repairs(course_id, token, (), "This course is not active: it has no session to place now.")
    rest = rest_of_course(db, series, now=now, wanted=wanted)
    against = judged_alone(rest, wanted.number, rest.fixed[wanted.number], {}) if wanted else ()
    if blocks(against):
        return Repairs(course_id, token, (), standing_in_the_way=against)
    ripe = _ripe(db, rest, now) if wanted is None else frozenset[int]()
    laid = _Laying(rest, ripe, wanted)
    best, reason, relaxations = laid.kept()
    found: list[Proposal] = []
    for way, pins in ((Way.KEEP, best), *laid.others(best)):
        if pins is None:
            continue
        proposal = laid.proposal(way, pins)
        if proposal.changes and all(
            (proposal.choices, proposal.undated) != (each.choices, each.undated) for each in found
        ):
            found.append(proposal)
    return Repairs(course_id, token, tuple(found), reason, relaxations)


def following(rest: Rest, wanted: VisitChoice) -> Proposal | None:
    """How the later sessions follow the time `wanted` for one of them, the fewest moved; none where any rule speaks
    against it, or one would lose its date. Reads nothing."""
    laid = _Laying(rest.with_wanted(wanted), frozenset(), wanted)
    best, _, _ = laid.kept()
    proposal = laid.proposal(Way.KEEP, best) if best is not None else None
    return proposal if proposal and not proposal.warnings and not proposal.undated else None


Dates = Mapping[int, Pin]
"""The sessions that have a time, by number."""


class _Laying:
    """The rest of one course laid out in each way."""

    def __init__(self, rest: Rest, ripe: frozenset[int], wanted: VisitChoice | None) -> None:
        self.rest, self._ripe, self._wanted = rest, ripe, wanted

    def kept(self) -> tuple[Dates | None, str | None, tuple[str, ...]]:
        """Every session that still fits where it is, the fewest others elsewhere; none: why, and what would help."""
        rest = self.rest
        reason: str | None = None
        relaxations: tuple[str, ...] = ()
        free = {*rest.standing, *self._ripe}
        if not free and not rest.fixed:
            return {}, None, ()  # the time of none has come
        for late in (rest.late, free):
            problem, numbers = rest.asked(free, {}, late=late)
            found = repair(problem, rest.placements(numbers, rest.standing), seconds=PATIENCE)
            if found.plan is not None:
                return _pins(numbers, found.plan.sessions), None, ()
            if reason is None:
                reason, relaxations = found.reason, sayable(found.relaxations)
        return None, reason, relaxations

    def others(self, best: Dates | None) -> Iterable[tuple[Way, Dates | None]]:
        """The other ways, where something has to follow at all."""
        left = self._fitting(self.rest.standing, {})
        if best is not None:
            changed = self._changed(best)
            first = self._wanted.number if self._wanted else min(changed, default=0)
            if first:
                yield Way.SHIFT, self._shifted(first)
            if changed:
                yield Way.NEXT, self._next(min(changed))
        yield Way.UNDATED, left

    def proposal(self, way: Way, dates: Dates) -> Proposal:
        """What those dates mean for each open session."""
        rest = self.rest
        dates = {**dates, **rest.fixed}
        before = rest.before
        choices = tuple(
            choice_of(number, pin) for number, pin in sorted(dates.items()) if before.get(number) != pin)
        undated = tuple(number for number in sorted(before) if number not in dates)
        return Proposal(way, tuple(self._lines(dates, before)), choices, undated, self._warnings(dates, choices))

    def _lines(self, dates: Dates, before: Dates) -> Iterable[RepairLine]:
        rest = self.rest
        where = rest.problem.ruler.zone
        days = [
            day_of(dates[place.row.number].start_at, where) if place.row.number in dates else place.row.performed_on
            for place in rest.series.places]
        intervals = (place.interval for place in rest.series.places)
        spans = windows(
            [None, *intervals], [rest.series.before_on, *days], [None, *rest.series.floors])[1:]
        for place, day, window in zip(rest.series.places, days, spans, strict=True):
            if place.row.state not in OPEN:
                continue
            number = place.row.number
            old, new = before.get(number), dates.get(number)
            becomes = _becomes(old, new)
            changes = becomes in (Becomes.MOVES, Becomes.LOSES_DATE)
            yield RepairLine(
                number=number, treatment=place.step.name, becomes=becomes,
                old=self._slot(place, old), new=self._slot(place, new), window=window,
                fit=window.fit(day) if window and day else None, is_fixed=number in rest.fixed,
                why=self._why(number, before[number], dates) if changes else None,
                is_ours=changes and self._is_ours(number, before[number], dates))

    def _slot(self, place: Place, pin: Pin | None) -> Slot | None:
        if pin is None:
            return None
        where, names = self.rest.problem.ruler.zone, names_of(self.rest.problem, pin.resources)
        return Slot(
            local_of(pin.start_at, where), local_of(pin.start_at + patient_minutes(place.step.parts) * MINUTE, where),
            names.get(Kind.PRACTITIONER), names.get(Kind.ROOM), names.get(Kind.DEVICE))

    def _why(self, number: int, old: Pin, dates: Dates) -> str | None:
        """What speaks against the old time of a session among the new times of the others."""
        if self._wanted is not None and number == self._wanted.number:
            return None
        found = self._against(number, old, dates)
        return found[0].text if found else None

    def _is_ours(self, number: int, old: Pin, dates: Dates) -> bool:
        return any(finding.code in _OURS for finding in self._against(number, old, dates))

    def _warnings(self, dates: Dates, choices: tuple[VisitChoice, ...]) -> tuple[tuple[int, Finding], ...]:
        found: dict[Finding, int] = {}
        for choice in choices:
            for finding in self._against(choice.number, dates[choice.number], dates):
                found.setdefault(finding, choice.number)
        return tuple((number, finding) for finding, number in found.items())

    def _against(self, number: int, pin: Pin, dates: Dates) -> tuple[Finding, ...]:
        return judged_alone(self.rest, number, pin, dates)

    def _changed(self, dates: Dates) -> set[int]:
        """The sessions that have another time than now, or a first one; the one just chosen aside."""
        return {number for number, pin in dates.items()
                if number not in self.rest.fixed and self.rest.standing.get(number) != pin}

    def _shifted(self, first: int) -> Dates | None:
        """Every session from that one on at the best time there is, and those before as they are."""
        rest = self.rest
        stay = {number: pin for number, pin in rest.standing.items() if number < first}
        free = {*rest.standing, *self._ripe} - set(stay)
        return self._planned(free, stay)

    def _next(self, number: int) -> Dates | None:
        """A time for that one session; those after it stay where they then fit, and have no date otherwise."""
        stay = {each: pin for each, pin in self.rest.standing.items() if each < number}
        found = self._planned({number}, stay)
        if found is None:
            return None
        later = {each: pin for each, pin in self.rest.standing.items() if each > number}
        return self._fitting(later, found)

    def _planned(self, free: set[int], stay: Dates) -> Dates | None:
        for late in ((), free):
            problem, numbers = self.rest.asked(free, stay, late=late)
            if not numbers:
                return stay
            found = plan(problem, seconds=PATIENCE).plans
            if found:
                return _pins(numbers, found[0].sessions)
        return None

    def _fitting(self, standing: Dates, among: Dates) -> Dates:
        """Those of `standing` that fit as they are beside `among`, taken in order."""
        kept = {**among, **self.rest.fixed}
        for number, pin in sorted(standing.items()):
            if not self._against(number, pin, kept):
                kept[number] = pin
        return kept


def judged_alone(rest: Rest, number: int, pin: Pin, dates: Dates) -> tuple[Finding, ...]:
    """What speaks against one session at a time, with all others at those dates; nothing where it fits.

    A session that keeps its time is not asked again whether it lies on the grid of starts or ahead far enough.
    """
    stands = rest.before.get(number) == pin
    problem, numbers = rest.asked((number,), dates, late=rest.late & {number} if stands else ())
    found = judge(problem, rest.placements(numbers, {number: pin}))
    return tuple(each for each in found if not (stands and each.code in _ONLY_OF_NEW_TIMES))


_ONLY_OF_NEW_TIMES = ("off-grid", "not-before", "horizon")


def _pins(numbers: Sequence[int], sessions: Sequence[PlannedSession]) -> Dates:
    return {numbers[each.step - 1]: Pin(each.start_at, each.resources) for each in sessions}


def _becomes(old: Pin | None, new: Pin | None) -> Becomes:
    if new is None:
        return Becomes.LOSES_DATE if old else Becomes.UNDATED
    if old is None:
        return Becomes.DATED
    return Becomes.STAYS if old == new else Becomes.MOVES


def _ripe(db: Session, rest: Rest, now: datetime) -> frozenset[int]:
    """The sessions without a date whose ideal one lies inside the clinic's booking horizon."""
    clinic = db.get_one(Clinic, rest.series.course.clinic_id)
    last_on = day_of(now, zone(clinic.zone)) + timedelta(days=clinic.booking_horizon_days - HORIZON_MARGIN_DAYS)
    return frozenset(
        place.row.number for place, window in zip(rest.series.places, rest.series.windows(), strict=True)
        if place.row.state in OPEN and place.appointment is None and (window is None or window.ideal_on <= last_on))
