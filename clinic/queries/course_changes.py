"""What a course has changed for itself since it was booked: its intervals, and what was heard of its patient."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.course_changes import IntervalChange, first_day
from clinic.care.protocols import Protocol
from clinic.care.screening import ScreeningAnswers, answers_of
from clinic.planning.local import day_of, zone
from clinic.store.clinics import Clinic
from clinic.store.courses import Course, CourseOverride, Screening

INTERVAL = "interval"
"""The code under which a changed interval is kept."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One screening of a course: what was answered, when, and who noted it (none: nobody with an account)."""

    answers: ScreeningAnswers
    at: datetime
    by: int | None


def interval_changes(db: Session, course_id: int) -> tuple[IntervalChange, ...]:
    """The changed intervals of a course, oldest first; in one statement."""
    rows = db.scalars(
        sa.select(CourseOverride.value)
        .where(CourseOverride.course_id == course_id, CourseOverride.code == INTERVAL)
        .order_by(CourseOverride.made_at, CourseOverride.id))
    return tuple(map(IntervalChange.of, rows))


def screenings(db: Session, course_id: int) -> tuple[Asked, ...]:
    """What a course's patient was asked, oldest first; in one statement."""
    rows = db.execute(
        sa.select(Screening.answers, Screening.answered_at, Screening.answered_by)
        .where(Screening.course_id == course_id).order_by(Screening.answered_at, Screening.id))
    return tuple(Asked(answers_of(row.answers), row.answered_at, row.answered_by) for row in rows)


def not_before_on(db: Session, course: Course, protocol: Protocol) -> date | None:
    """The first date on which the newest answers let a session be; none: they name no date."""
    newest = db.execute(
        sa.select(Screening.answers, Screening.answered_at, Clinic.zone)
        .join(Course, Course.id == Screening.course_id).join(Clinic, Clinic.id == Course.clinic_id)
        .where(Screening.course_id == course.id)
        .order_by(Screening.answered_at.desc(), Screening.id.desc()).limit(1)).one_or_none()
    if newest is None:
        return None
    return first_day(protocol, answers_of(newest.answers), day_of(newest.answered_at, zone(newest.zone)))


def noted_at(asked: Sequence[Asked]) -> Mapping[str, Asked]:
    """For each code that applies in the newest screening: the screening in which that was heard."""
    found: dict[str, Asked] = {}
    before: ScreeningAnswers | None = None
    for each in asked:
        for code, on in each.answers.applies.items():
            if before is None or code not in before.applies or before.applies[code] != on:
                found[code] = each
        before = each.answers
    return {code: each for code, each in found.items() if before and code in before.applies}
