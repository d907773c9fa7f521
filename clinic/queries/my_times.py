"""Other times for a date as its patient may choose them: only those that keep the course inside its windows."""
from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from clinic.care.windows import Fit
from clinic.planning.local import day_of, zone
from clinic.queries.other_visits import offer_visit_times, wish_of
from clinic.queries.repair import Becomes, Way, propose_repairs
from clinic.queries.times import TimeOffer, TimesPage, offer_times
from clinic.queries.visit_choice import VisitChoice, parse_choice
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment

_OUTSIDE = frozenset({Fit.TOO_EARLY, Fit.TOO_LATE})


@dataclass(frozen=True, slots=True)
class FollowingDate:
    """A later date that moves along: its session, when it is and when it would be."""

    number: int
    old: datetime
    new: datetime


@dataclass(frozen=True, slots=True)
class MyChoice:
    """A time that was chosen, all that has to be booked for it, and the later dates that move.

    With a `token` several dates change at once, if the course is still what it was. One that does not `fit` can only
    be asked for: then the course cannot follow it without a decision of the desk.
    """

    offer: TimeOffer
    choices: tuple[VisitChoice, ...]
    following: tuple[FollowingDate, ...] = ()
    token: str | None = None
    fits: bool = True

    @property
    def plan(self) -> str:
        """What a form carries to say that this was shown."""
        return " ".join(map(str, self.choices))


def my_times(db: Session, appointment_id: int, *, now: datetime, from_on: date, days: int) -> TimesPage:
    """The times of those days to which the patient may wish to move that date."""
    row = db.get_one(Appointment, appointment_id)
    if row.treatment_session_id is None:
        return offer_visit_times(db, wish_of(row), now=now, from_on=from_on, days=days)
    found = offer_times(db, row.treatment_session_id, now=now, from_on=from_on, days=days)
    return replace(found, times=tuple(
        time for time in found.times if time.fit not in _OUTSIDE and time.starts_at != row.starts_at))


def my_choice(db: Session, appointment_id: int, choice: VisitChoice, *, now: datetime) -> MyChoice | None:
    """What that time would mean; none where it is not offered any more."""
    row = db.get_one(Appointment, appointment_id)
    found = my_times(db, appointment_id, now=now, from_on=day_of(choice.starts_at, zone(row.zone)), days=1)
    offer = next((time for time in found.times if time.choice == str(choice)), None)
    if offer is None:
        return None
    if not offer.moves_others or row.treatment_session_id is None:
        return MyChoice(offer, (choice,))
    course_id = db.get_one(TreatmentSession, row.treatment_session_id).course_id
    if course_id is None:
        return MyChoice(offer, (choice,), fits=False)
    return _with_the_rest(db, course_id, offer, now)


def _with_the_rest(db: Session, course_id: int, offer: TimeOffer, now: datetime) -> MyChoice:
    choice = parse_choice(offer.choice)
    repairs = propose_repairs(db, course_id, now=now, wanted=choice)
    kept = next((each for each in repairs.proposals
                 if each.way is Way.KEEP and not each.warnings and not each.undated), None)
    if kept is None:
        return MyChoice(offer, (choice,), fits=False)
    following = tuple(
        FollowingDate(line.number, line.old.local_start, line.new.local_start) for line in kept.lines
        if line.becomes is Becomes.MOVES and line.old and line.new and line.number != choice.number)
    return MyChoice(offer, kept.choices, following, repairs.token)
