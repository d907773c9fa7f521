"""What the desk is offered: whole courses laid on the calendar, and other times for one session."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from clinic.care.consultations import Consultations, HoldSpan, hold_span, judge_consultation
from clinic.care.protocols import Protocol, Step, steps_for
from clinic.care.screening import ScreeningAnswers, screen
from clinic.care.windows import Window, windows
from clinic.planning import Answer, Finding, Kind, Plan, Problem, Relaxation, Weight, blocks, choices, plan
from clinic.planning.local import DAY, day_of, local_of, zone
from clinic.queries.consultations import consultations_of
from clinic.queries.problems import Asked, earliest_start, planned_step, problem_of
from clinic.queries.protocol_contents import protocol_of
from clinic.queries.visit_choice import VisitChoice
from clinic.store.clinics import Clinic
from clinic.store.protocols import ProtocolVersion

HORIZON_MARGIN_DAYS = 7
"""A session whose ideal date lies closer than this to the clinic's booking horizon is left undated. Our default."""


@dataclass(frozen=True, slots=True)
class CourseRequest:
    """What reception asks for: whose course, which protocol, how many sessions, from when, with whom."""

    patient_id: int
    clinic_id: int
    protocol_version_id: int
    sessions: int
    answers: ScreeningAnswers
    not_before_on: date
    practitioner_id: int | None = None


@dataclass(frozen=True, slots=True)
class VisitOffer:
    """One session of an offered course: when, with whom, where, and how it lies in its window."""

    number: int
    treatment_code: str
    treatment_name: str
    starts_at: datetime
    local_start: datetime
    local_end: datetime
    gap_days: int | None
    window: Window | None
    resource_ids: tuple[int, ...]
    practitioner: str | None
    room: str | None
    device: str | None

    @property
    def choice(self) -> str:
        """What a form sends back for this time."""
        return str(VisitChoice(self.number, self.starts_at, self.resource_ids))


@dataclass(frozen=True, slots=True)
class UndatedOffer:
    """A session past the booking horizon: owed, with the window that the plan gives it."""

    number: int
    treatment_name: str
    window: Window | None


@dataclass(frozen=True, slots=True)
class CourseOffer:
    """A whole course as it could be booked now; `labels` say in what it is the best."""

    labels: tuple[str, ...]
    cost: int
    parts: Mapping[str, int]
    why: str
    visits: tuple[VisitOffer, ...]
    undated: tuple[UndatedOffer, ...]


@dataclass(frozen=True, slots=True)
class Offers:
    """The offers, best first, with what screening says; none: why, and what would help.

    With `hold` the dates can only be held for now, until a day that lies in it.
    """

    offers: tuple[CourseOffer, ...]
    findings: tuple[Finding, ...]
    not_before_on: date
    reason: str | None = None
    relaxations: tuple[str, ...] = ()
    hold: HoldSpan | None = None
    known: Consultations | None = None


def offer_course(db: Session, request: CourseRequest, *, now: datetime) -> Offers:
    """The best plan of the whole course, the soonest done and the one with one practitioner, without repeats.

    Where screening makes the patient wait until a date, the plans begin on that date; where dates wait for a
    consultation, on the day after it.
    """
    clinic = db.get_one(Clinic, request.clinic_id)
    protocol = protocol_of(db, request.protocol_version_id)
    today = day_of(now, zone(clinic.zone))
    first_on = max(request.not_before_on, today)
    wrong = not_askable(db, request)
    if wrong:
        return Offers((), wrong, first_on, wrong[0].text)
    known = consultations_of(db, request.patient_id, request.protocol_version_id, today=today)
    if known.must_hold(today):
        first_on = max(first_on, (known.next_on or today) + DAY)
    screened = screen(protocol, request.answers, today=today, first_on=first_on)
    said = (*screened.findings, *judge_consultation(known, today=today))
    if screened.earliest_on is not None and screened.earliest_on > first_on:
        first_on = screened.earliest_on
    if blocks(screen(protocol, request.answers, today=today, first_on=first_on).findings):
        return Offers((), said, first_on)
    if (first_on - today).days >= clinic.booking_horizon_days:
        return Offers((), said, first_on,
                      f"{clinic.name} books {clinic.booking_horizon_days} days ahead: choose an earlier first date")
    steps = steps_for(protocol, request.sessions)
    dated = dated_sessions(steps, clinic.booking_horizon_days - (first_on - today).days)
    problem = course_problem(db, request, protocol, steps[:dated], first_on, now=now)
    found = choices(problem)
    if not found:
        return _nothing(plan(problem), said, first_on)
    offers = tuple(_offer(each.labels, each.plan, problem, steps) for each in found)
    hold = hold_span(known, today=today, first_on=min(each.visits[0].local_start.date() for each in offers))
    return Offers(offers, said, first_on, hold=hold if known.must_hold(today) else None, known=known)


def course_problem(
    db: Session, request: CourseRequest, protocol: Protocol, steps: Sequence[Step], first_on: date, *, now: datetime,
    until_on: date | None = None,
) -> Problem:
    """The planner's problem of a new course: the same for offering and, only as far as `until_on`, for booking."""
    clinic = db.get_one(Clinic, request.clinic_id)
    return problem_of(db, Asked(
        clinic_id=clinic.id, patient_id=request.patient_id, protocol=protocol,
        steps=tuple(planned_step(step, step.interval) for step in steps),
        not_before=earliest_start(first_on, clinic.zone, now), practitioner_id=request.practitioner_id,
        until_on=until_on,
    ), now=now)


def not_askable(db: Session, request: CourseRequest) -> tuple[Finding, ...]:
    """Why no course can be offered or booked for that request, whatever the diary says; nothing if one can."""
    version = db.get_one(ProtocolVersion, request.protocol_version_id)
    protocol = protocol_of(db, version.id)
    if version.state != "approved":
        return (Finding("draft", Weight.BLOCKS, f"This version of {protocol.name} is not approved: a clinician has to "
                        "approve it, or a newer one is to be used", "protocol"),)
    if not 1 <= request.sessions <= protocol.sessions.most:
        return (Finding("sessions", Weight.BLOCKS,
                        f"{protocol.name} has 1 to {protocol.sessions.most} sessions", "sessions"),)
    return ()


def names_of(problem: Problem, resources: Sequence[str]) -> dict[Kind, str]:
    """The name of the first resource of each kind, as staff know it."""
    by_id = {resource.id: resource for resource in problem.resources}
    found: dict[Kind, str] = {}
    for ident in resources:
        if ident in by_id:
            found.setdefault(by_id[ident].kind, by_id[ident].words)
    return found


def dated_sessions(steps: Sequence[Step], days: int) -> int:
    """How many sessions can be given a date: those whose ideal dates lie before the booking horizon."""
    reached, dated = 0, 1
    for step in steps[1:]:
        reached += step.interval.ideal if step.interval else 0
        if reached + HORIZON_MARGIN_DAYS > days:
            break
        dated += 1
    return dated


def sayable(relaxations: Iterable[Relaxation]) -> tuple[str, ...]:
    """What would help, as the desk may hear it: never to treat sooner than protocol and patient allow."""
    return tuple(each.text for each in relaxations if not each.change.endswith((".gap_days.min", ".dates.from")))


def _nothing(answer: Answer, findings: tuple[Finding, ...], first_on: date) -> Offers:
    return Offers((), findings, first_on, answer.reason, sayable(answer.relaxations))


def _offer(labels: tuple[str, ...], found: Plan, problem: Problem, steps: Sequence[Step]) -> CourseOffer:
    where = problem.ruler.zone
    dates = [day_of(each.start_at, where) for each in found.sessions]
    spans = windows([step.interval for step in steps], [*dates, *[None] * (len(steps) - len(dates))])
    visits = []
    for step, each, window in zip(steps, found.sessions, spans, strict=False):
        names = names_of(problem, each.resources)
        visits.append(VisitOffer(
            number=step.number, treatment_code=step.treatment, treatment_name=step.name, starts_at=each.start_at,
            local_start=local_of(each.start_at, where), local_end=local_of(each.end_at, where),
            gap_days=each.gap_days, window=window, resource_ids=tuple(map(int, each.resources)),
            practitioner=names.get(Kind.PRACTITIONER), room=names.get(Kind.ROOM), device=names.get(Kind.DEVICE)))
    undated = tuple(
        UndatedOffer(step.number, step.name, window)
        for step, window in zip(steps[len(dates):], spans[len(dates):], strict=True))
    parts = {
        name: getattr(found.parts, name)
        for name in ("gap", "wait", "practitioner_change", "other_practitioner", "outside_windows")}
    return CourseOffer(labels, found.cost, parts, found.why, tuple(visits), undated)
