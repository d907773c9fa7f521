"""What the desk is offered: whole courses laid on the calendar, and other times for one session."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from clinic.care.consultations import Consultations, HoldSpan, hold_span, judge_consultation
from clinic.care.protocols import Protocol, Step, sessions_for, steps_for
from clinic.care.screening import screen
from clinic.care.windows import Window, windows
from clinic.planning import Choice, Finding, Kind, Problem, Relaxation, blocks, choices, plan
from clinic.planning.local import DAY, day_of, local_of, zone
from clinic.planning.words import date_words
from clinic.queries.consultations import consultations_of
from clinic.queries.course_asks import CourseAsk, course_problem, dated_sessions, not_askable
from clinic.queries.course_wishes import finished, wished
from clinic.queries.finishing import Deadline, met, missed
from clinic.queries.kept_dates import KeptDates, LostDate, around, still_stand
from clinic.queries.protocol_contents import protocol_of
from clinic.queries.visit_choice import VisitChoice
from clinic.store.clinics import Clinic

NOT_AROUND = "The other sessions do not fit around it."
"""Why a date that stands by itself cannot stay."""


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

    With `hold` the dates can only be held for now, until a day that lies in it. `kept` says which of the dates that
    were agreed on still stand; `deadline`, how the course stands to the event it is to be finished before.
    """

    offers: tuple[CourseOffer, ...]
    findings: tuple[Finding, ...]
    not_before_on: date
    reason: str | None = None
    relaxations: tuple[str, ...] = ()
    hold: HoldSpan | None = None
    known: Consultations | None = None
    kept: KeptDates = KeptDates()
    deadline: Deadline | None = None


def offer_course(
    db: Session, request: CourseAsk, *, now: datetime, reason_within: float | None = None
) -> Offers:
    """The best plan of the whole course, the soonest done and the one with one practitioner, without repeats.

    Where nothing fits, the reason and what would help are looked for, in so many seconds at the most.

    Where screening makes the patient wait until a date, the plans begin on that date; where dates wait for a
    consultation, on the day after it. Where no plan ends before the event of the patient, it is the soonest alone.
    """
    asked = ask(db, request, now=now)
    if isinstance(asked, Offers):
        return asked
    found = _found(asked, request)
    if not found.choices:
        answer = plan(found.problem, seconds=reason_within)
        return Offers((), asked.said, asked.first_on, answer.reason, sayable(answer.relaxations), kept=found.kept,
                      deadline=found.deadline)
    offers = tuple(_offer(each, found.problem, asked.steps) for each in found.choices)
    first_on = min(each.visits[0].local_start.date() for each in offers)
    hold = hold_span(asked.known, today=asked.today, first_on=first_on) if asked.known.must_hold(asked.today) else None
    return Offers(offers, asked.said, asked.first_on, hold=hold, known=asked.known, kept=found.kept,
                  deadline=found.deadline)


@dataclass(frozen=True, slots=True)
class AskedProblem:
    """A request in the diary as it stands: the sessions it asks for, and the problem of those that can be dated now.

    `problem` has the rules and what is on record of the patient; the wishes of the request are not in it yet.
    """

    protocol: Protocol
    steps: tuple[Step, ...]
    problem: Problem
    today: date
    first_on: date
    said: tuple[Finding, ...]
    known: Consultations


def ask(db: Session, request: CourseAsk, *, now: datetime) -> AskedProblem | Offers:
    """What the planner is asked for that request; no offers, and why, where screening or the clinic stop it before."""
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
    last_on = today + timedelta(days=clinic.booking_horizon_days - 1)
    if first_on > last_on:
        late_by = None if request.not_before_on > last_on else first_on - last_on
        return Offers((), said, first_on, _too_far(clinic, first_on, today + late_by if late_by else None))
    steps, finish = steps_for(protocol, request.sessions), request.wishes.finish
    # Before an event the course may be closer together than ideal, so that all of it lies before the horizon too.
    dated = len(steps) if finish and finish.last_on <= last_on else dated_sessions(steps, (last_on - first_on).days + 1)
    problem = course_problem(db, request, protocol, steps[:dated], first_on, now=now)
    return AskedProblem(protocol, steps, problem, today, first_on, said, known)


def _too_far(clinic: Clinic, first_on: date, from_on: date | None) -> str:
    """Why nothing is booked yet; `from_on`, when it could be, where the first date was nobody's wish."""
    ahead = f"{clinic.name} books {clinic.booking_horizon_days} days ahead"
    if from_on is None:
        return f"{ahead}: choose an earlier first date"
    return (f"{ahead}, and the patient has to wait until {date_words(first_on)}: that can be booked from "
            f"{date_words(from_on)} on")


@dataclass(frozen=True, slots=True)
class _Found:
    """The plans for a request, with the problem that they solve."""

    choices: tuple[Choice, ...]
    problem: Problem
    kept: KeptDates
    deadline: Deadline | None = None


def _found(asked: AskedProblem, request: CourseAsk) -> _Found:
    """The plans around the dates that still stand; around none of them where that leaves no plan."""
    free, finish = wished(asked.problem, request.wishes), request.wishes.finish
    problem = finished(free, asked.steps, finish) if finish else free
    rest = asked.steps[len(free.steps):]
    kept = still_stand(problem, request.kept)
    found = choices(around(problem, kept.kept))
    if not found and kept.kept:
        kept = KeptDates((), (*kept.lost, *(LostDate(each, NOT_AROUND) for each in kept.kept)))
        found = choices(problem)
    if finish is None or found:
        problem = around(problem, kept.kept)
        return _Found(found, problem, kept, met(problem, finish, is_whole=not rest) if finish else None)
    unwished = asked.problem if request.wishes.binds else None
    rest_days = sum(step.interval.shortest for step in rest if step.interval)
    least = sessions_for(asked.protocol, request.answers.indication).least
    deadline, late = missed(finish, asked.protocol, free, unwished, rest_days=rest_days, least=least)
    return _Found((late,) if late else (), free, kept, deadline)


def names_of(problem: Problem, resources: Sequence[str]) -> dict[Kind, str]:
    """The name of the first resource of each kind, as staff know it."""
    by_id = {resource.id: resource for resource in problem.resources}
    found: dict[Kind, str] = {}
    for ident in resources:
        if ident in by_id:
            found.setdefault(by_id[ident].kind, by_id[ident].words)
    return found


def sayable(relaxations: Iterable[Relaxation]) -> tuple[str, ...]:
    """What would help, as the desk may hear it: never to treat sooner than protocol and patient allow."""
    return tuple(each.text for each in relaxations if not each.change.endswith((".gap_days.min", ".dates.from")))


def _offer(choice: Choice, problem: Problem, steps: Sequence[Step]) -> CourseOffer:
    found, where = choice.plan, problem.ruler.zone
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
    return CourseOffer(choice.labels, found.cost, parts, found.why, tuple(visits), undated)
