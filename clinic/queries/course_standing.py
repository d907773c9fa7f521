"""How a course stands with what was heard of its patient: what applies, since when, what follows, and who noted it."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.course_changes import about, contraindication, desk_may_clear
from clinic.care.guidance import Contraindication
from clinic.care.protocols import Interval, Protocol
from clinic.care.screening import ScreeningAnswers, screen
from clinic.care.states import SessionState
from clinic.planning import Finding, Weight
from clinic.planning.local import day_of, local_of, zone
from clinic.queries.course_changes import not_before_on, noted_at, screenings
from clinic.queries.protocol_contents import protocol_of
from clinic.queries.series import course_series
from clinic.store.accounts import Account
from clinic.store.clinics import Clinic
from clinic.store.courses import Course, CourseOverride


@dataclass(frozen=True, slots=True)
class Reason:
    """A contraindication that applies, and what screening says of it today.

    `until` is the day from which it does not forbid any more; `forbids` without it: it forbids with no end that is
    known. `undecided`: a practitioner has not said yet whether the course may go on. Noted in the clinic's wall time.
    """

    about: Contraindication
    on: date | None
    text: str
    forbids: bool
    until: date | None
    undecided: bool
    desk_may_clear: bool
    noted_at: datetime
    noted_by: str | None


@dataclass(frozen=True, slots=True)
class CourseStanding:
    """What applies to the patient of a course and was not called over, and the first day that it leaves."""

    reasons: tuple[Reason, ...]
    not_before_on: date | None


@dataclass(frozen=True, slots=True)
class OpenInterval:
    """An open session with the interval before it: as it counts now, and as the protocol has it."""

    number: int
    now: Interval
    usual: Interval


def course_standing(db: Session, course_id: int, *, now: datetime) -> CourseStanding:
    """What was heard of the patient and still counts, in a fixed number of statements."""
    course = db.get_one(Course, course_id)
    clinic = db.get_one(Clinic, course.clinic_id)
    protocol = protocol_of(db, course.protocol_version_id)
    asked = screenings(db, course_id)
    if not asked:
        return CourseStanding((), None)
    where, answers = zone(clinic.zone), asked[-1].answers
    today = day_of(now, where)
    said = {each.code: each for each in about(protocol, screen(protocol, answers, today=today))}
    since, gone_past = noted_at(asked), _gone_past(db, course_id)
    names = _names(db, [each.by for each in since.values() if each.by is not None])
    reasons = tuple(
        _reason(protocol, answers, said[code], local_of(each.at, where), names.get(each.by or 0),
                decided=code in gone_past and gone_past[code] >= each.at)
        for code, each in since.items() if code in said)
    floor = not_before_on(db, course, protocol)
    return CourseStanding(reasons, floor if floor and floor > today else None)


def open_intervals(db: Session, course_id: int, *, now: datetime) -> tuple[OpenInterval, ...]:
    """The sessions of a course before which the interval can still be changed."""
    return tuple(
        OpenInterval(place.row.number, place.interval, place.step.interval)
        for place in course_series(db, course_id, now=now).places
        if place.row.state in (SessionState.OWED, SessionState.BOOKED) and place.interval and place.step.interval)


def _reason(
    protocol: Protocol, answers: ScreeningAnswers, said: Finding, at: datetime, by: str | None, *, decided: bool
) -> Reason:
    own = contraindication(protocol, said.code)
    forbids = said.weight is Weight.BLOCKS
    return Reason(
        about=own, on=answers.applies[said.code], text=said.text, forbids=forbids, until=said.until,
        undecided=not forbids and not decided, desk_may_clear=desk_may_clear(own), noted_at=at, noted_by=by)


def _gone_past(db: Session, course_id: int) -> Mapping[str, datetime]:
    rows = db.execute(
        sa.select(CourseOverride.code, sa.func.max(CourseOverride.made_at))
        .where(CourseOverride.course_id == course_id).group_by(CourseOverride.code))
    return dict(rows.all())


def _names(db: Session, account_ids: list[int]) -> Mapping[int, str]:
    return dict(db.execute(sa.select(Account.id, Account.name).where(Account.id.in_(account_ids))).all())
