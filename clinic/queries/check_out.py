"""What the desk reads while a patient leaves: what becomes of the aftercare, the next date, and what has none yet."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import product

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.message_kinds import MessageKind
from clinic.care.outcomes import MissedEffect
from clinic.care.states import (
    AppointmentState,
    CourseState,
    MaintenanceState,
    MessageDecision,
    MessageState,
    SessionState,
)
from clinic.care.windows import Window
from clinic.planning import starts
from clinic.planning.local import DAY, day_of, local_of, zone
from clinic.planning.words import date_words
from clinic.queries.appointments import SessionPage
from clinic.queries.counting import row_counted
from clinic.queries.missed import effect_of_lateness
from clinic.queries.repair import Becomes, Proposal, RepairLine, following
from clinic.queries.rest_of_course import rest_of_course, token_of, undo_token
from clinic.queries.series import Place, Series, course_series, maintenance_series
from clinic.queries.times import TimeOffer, narrowed, time_offer
from clinic.queries.treatment_sessions import AppointmentLine, appointment_lines
from clinic.queries.visit_choice import parse_choice
from clinic.store.clinics import Clinic
from clinic.store.courses import MaintenancePlan
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageItem

_OPEN = (AppointmentState.BOOKED, AppointmentState.ARRIVED)
WEEKS = (-1, 1, 2)
"""How far one press moves the next date: what desks ask for most. Our default: no source gives figures."""
AROUND = 3 * DAY
"""A date moved by weeks may lie this far from the same weekday; so no two weeks offer one time. Our default."""
ABOUT_IDEAL = 14 * DAY
"""How far from its ideal date a session without a date is offered one. Our default: no source gives a figure."""


@dataclass(frozen=True, slots=True)
class Shift:
    """The next date, moved by that many weeks: the nearest time that keeps all windows, or why there is none.

    `with_it` is how the course then stands, `others` the later sessions that move along; upkeep has nothing later.
    """

    weeks: int
    offer: TimeOffer | None
    reason: str
    with_it: Proposal | None = None

    @property
    def others(self) -> tuple[RepairLine, ...]:
        """The later sessions that move along."""
        if self.offer is None or self.with_it is None:
            return ()
        return tuple(line for line in self.with_it.lines
                     if line.number != self.offer.number and line.becomes is not Becomes.STAYS and line.new)


@dataclass(frozen=True, slots=True)
class NextVisit:
    """The appointment that comes next in the course or its upkeep."""

    treatment_session_id: int
    number: int
    appointment: AppointmentLine
    shifts: tuple[Shift, ...]


@dataclass(frozen=True, slots=True)
class UndatedVisit:
    """The first session that is owed and has no date: the best time for it, or why there is none.

    `more` counts those that wait after it.
    """

    treatment_session_id: int
    number: int
    window: Window | None
    best: TimeOffer | None
    reason: str
    more: int


@dataclass(frozen=True, slots=True)
class AftercareMessage:
    """The message with the aftercare of the visit, and what became of it."""

    id: int
    state: MessageState
    reason: str | None
    decision: MessageDecision | None


@dataclass(frozen=True, slots=True)
class CheckOut:
    """What is left to do for a patient whose visit is over; `of_upkeep` says that the course itself is behind them."""

    aftercare: AftercareMessage | None
    following: NextVisit | None
    undated: UndatedVisit | None
    of_upkeep: bool
    goes_on: bool
    late: MissedEffect | None
    counts_as: int | None = None
    token: str = ""
    undo: str | None = None


def check_out(db: Session, visit: AppointmentLine, subject: SessionPage, *, now: datetime) -> CheckOut:
    """What follows that visit of a course or its upkeep, in a fixed number of statements: its page was read before.

    Every time that is offered keeps all windows, and every other date where it can: it is taken with one press.
    `token` is what the course now is, so that a change since is seen; `undo` takes the last move back, and `late` is
    what a visit that is open adds to its course for having been missed before, `counts_as` the earlier session that is
    owed and that it is: what is left without a date is only known once it is closed.
    """
    own = _own_series(db, subject, now)
    row = own.place(subject.line.id).row
    given = row_counted(own, row) if visit.state in _OPEN else row
    late = effect_of_lateness(db, own, given, day_of(now, zone(visit.zone))) if visit.state in _OPEN else None
    counts_as = given.number if given is not row else None
    series, aftercare, added = _going_on(db, own, now), _aftercare(db, row.id), late[1] if late else None
    if not _goes_on(series):
        return CheckOut(aftercare, None, None, series.plan is not None, False, added, counts_as)
    times = _Times(db, series, now)
    following = next((place for place in series.places if _is_to_come(place, visit.id, now)), None)
    undated = [place for place in series.places if place.row.state == SessionState.OWED and not place.appointment]
    return CheckOut(
        aftercare, _next_visit(db, times, following, subject.appointments()) if following else None,
        _undated_visit(times, undated[0], len(undated) - 1, visit) if undated and counts_as is None else None,
        series.plan is not None, True, added, counts_as, token_of(series),
        undo_token(db, subject.course_id, now=now, series=own if own.plan is None else None))


class _Times:
    """Times for one session of a course, from the diary as it was read once."""

    def __init__(self, db: Session, series: Series, now: datetime) -> None:
        clinic = db.get_one(Clinic, series.course.clinic_id)
        self.clinic, self.where, self.of_upkeep = clinic, zone(clinic.zone), series.plan is not None
        self.today = day_of(now, self.where)
        self.bookable_to = self.today + (clinic.booking_horizon_days - 1) * DAY
        self._rest = rest_of_course(db, series, now=now)
        self._windows = dict(zip((place.row.id for place in series.places), series.windows(), strict=True))

    def window(self, place: Place) -> Window | None:
        """The window of that session as the sessions before it now stand."""
        return self._windows[place.row.id]

    def nearest(
        self, place: Place, asked: Sequence[datetime], within: timedelta, practitioner_id: int | None
    ) -> list[TimeOffer | None]:
        """For each local time the nearest that fits, so many days around it, every other date staying where it is; with
        that practitioner, else anyone; else one that later sessions have to follow."""
        first_on = max(self.today, min(asked).date() - within)
        last_on = min(self.bookable_to, max(asked).date() + within)
        found: list[TimeOffer | None] = [None] * len(asked)
        if first_on > last_on:
            return found
        later = [number for number in self._rest.standing if number > place.row.number]
        for person, follow in product(dict.fromkeys((practitioner_id, None)), ([], later) if later else ([],)):
            if None in found:
                offers = self._offers(place, asked, within, (first_on, last_on), person, follow)
                found = [known or offer for known, offer in zip(found, offers, strict=True)]
        return found

    def followed(self, offer: TimeOffer | None) -> Proposal | None:
        """How the course stands with that time."""
        return following(self._rest, parse_choice(offer.choice)) if offer else None

    def _offers(
        self, place: Place, asked: Sequence[datetime], within: timedelta, days: tuple[date, date],
        practitioner_id: int | None, follow: list[int],
    ) -> list[TimeOffer | None]:
        number = place.row.number
        others = {each: pin for each, pin in self._rest.before.items() if each != number and each not in follow}
        whole, numbers = self._rest.asked((number, *follow), others)
        step = numbers.index(number) + 1
        problem = narrowed(whole, step, *days, practitioner_id)
        free = [local_of(at, self.where) for at in starts(problem, step).starts or ()]
        chosen = [_closest(free, each, within) for each in asked]
        return [
            time_offer(problem, step, at, number=number, window=self.window(place), moves_others=bool(follow))
            if at else None for at in chosen]


def _closest(free: Sequence[datetime], wanted: datetime, within: timedelta) -> datetime | None:
    """The free time whose date, and then whose time of day, lies closest to what was wanted."""
    near = [at for at in free if abs(at.date() - wanted.date()) <= within]
    return min(near, default=None, key=lambda at: (
        abs(at.date() - wanted.date()), abs(_minute(at) - _minute(wanted)), at))


def _minute(at: datetime) -> int:
    return at.hour * 60 + at.minute


def _next_visit(
    db: Session, times: _Times, place: Place, known: Mapping[int, AppointmentLine]
) -> NextVisit:
    assert place.appointment is not None  # so it was chosen
    line = known.get(place.appointment.id)
    if line is None:
        [(_, line)] = appointment_lines(db, Appointment.id == place.appointment.id)
    wanted = [line.local_start + 7 * weeks * DAY for weeks in WEEKS]
    found = times.nearest(place, wanted, AROUND, line.practitioner_id) if not line.pinned else [None] * len(WEEKS)
    return NextVisit(place.row.id, place.row.number, line, tuple(
        _shift(times, place, line, *each) for each in zip(WEEKS, wanted, found, strict=True)))


def _shift(
    times: _Times, place: Place, line: AppointmentLine, weeks: int, wanted: datetime, offer: TimeOffer | None
) -> Shift:
    with_it = times.followed(offer) if not times.of_upkeep else None
    if offer and (with_it or times.of_upkeep):
        return Shift(weeks, offer, "", with_it)
    return Shift(weeks, None, _why_not(times, place, line, wanted.date()))


def _why_not(times: _Times, place: Place, line: AppointmentLine, on: date) -> str:
    window = times.window(place)
    if line.pinned:
        return "this date is fixed"
    if on < times.today:
        return "before today"
    if window and on > window.latest_on:
        return f"after its window, which closes on {date_words(window.latest_on)}"
    if window and on < window.earliest_on:
        return f"before its window, which opens on {date_words(window.earliest_on)}"
    if on > times.bookable_to:
        return f"{times.clinic.name} books until {date_words(times.bookable_to)}"
    return "nothing is free in these days that keeps the course in its windows"


def _undated_visit(times: _Times, place: Place, more: int, here: AppointmentLine) -> UndatedVisit:
    window = times.window(place)
    ideal_on = max(times.today, window.ideal_on if window else times.today)
    best: TimeOffer | None = None
    if ideal_on > times.bookable_to:
        reason = f"{times.clinic.name} books until {date_words(times.bookable_to)}; the patient is asked in time"
    elif window and window.latest_on < times.today:
        reason = f"Its window closed on {date_words(window.latest_on)}: choose a time, with the reason"
    else:
        wanted = here.local_start.replace(year=ideal_on.year, month=ideal_on.month, day=ideal_on.day)
        [best] = times.nearest(place, [wanted], ABOUT_IDEAL, here.practitioner_id)
        if best and best.moves_others:
            best = None
        reason = "" if best else "Nothing is free about its ideal date that keeps the course in its windows"
    return UndatedVisit(place.row.id, place.row.number, window, best, reason, more)


def _is_to_come(place: Place, appointment_id: int, now: datetime) -> bool:
    visit = place.appointment
    return visit is not None and visit.id != appointment_id and (
        visit.state == AppointmentState.BOOKED and visit.starts_at > now)


def _own_series(db: Session, subject: SessionPage, now: datetime) -> Series:
    """The course or the upkeep that the session is of."""
    if not subject.of_maintenance:
        return course_series(db, subject.course_id, now=now)
    return maintenance_series(db, db.scalars(_plan_of(subject.course_id)).one(), now=now)


def _going_on(db: Session, series: Series, now: datetime) -> Series:
    """The same, or the upkeep that follows a course once that is over."""
    if series.plan is None and series.course.state == CourseState.COMPLETED:
        plan_id = db.scalar(_plan_of(series.course.id))
        return series if plan_id is None else maintenance_series(db, plan_id, now=now)
    return series


def _plan_of(course_id: int) -> sa.Select[int]:
    return sa.select(MaintenancePlan.id).where(MaintenancePlan.course_id == course_id)


def _goes_on(series: Series) -> bool:
    if series.plan is not None:
        return series.plan.state == MaintenanceState.ACTIVE
    return series.course.state == CourseState.ACTIVE


def _aftercare(db: Session, treatment_session_id: int) -> AftercareMessage | None:
    found = db.execute(
        sa.select(Message.id, Message.state, Message.reason, Message.decision)
        .join(MessageItem, MessageItem.message_id == Message.id)
        .where(MessageItem.kind == MessageKind.AFTERCARE, MessageItem.subject_kind == "treatment-session",
               MessageItem.subject_id == treatment_session_id)
        .order_by(MessageItem.generation.desc(), Message.id.desc()).limit(1)).one_or_none()
    return found and AftercareMessage(
        found.id, MessageState(found.state), found.reason,
        MessageDecision(found.decision) if found.decision else None)
