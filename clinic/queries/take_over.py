"""What a course would become under the version of its protocol that is approved now."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.differences import Difference, differences
from clinic.care.states import CourseState, SessionState
from clinic.care.take_over import judge_take_over
from clinic.care.windows import Window
from clinic.planning.findings import Finding, Weight
from clinic.planning.local import day_of, zone
from clinic.planning.words import day_words
from clinic.queries.forbidden import forbidden
from clinic.queries.protocol_contents import protocol_of
from clinic.queries.series import Series, course_series
from clinic.store.clinics import Clinic
from clinic.store.courses import Course
from clinic.store.protocols import ProtocolVersion

_OPEN = (SessionState.OWED, SessionState.BOOKED)


@dataclass(frozen=True, slots=True)
class WindowRow:
    """An open session with its date, and its window as it is and as it would be."""

    number: int
    on: date | None
    before: Window | None
    after: Window | None

    @property
    def is_outside(self) -> bool:
        """Whether its date would lie outside its window."""
        return self.on is not None and self.after is not None and not (
            self.after.earliest_on <= self.on <= self.after.latest_on)

    @property
    def becomes_too_soon(self) -> bool:
        """Whether its date, which is late enough now, would come too soon."""
        if self.on is None or self.after is None or self.on >= self.after.earliest_on:
            return False
        return self.before is None or self.on >= self.before.earliest_on


@dataclass(frozen=True, slots=True)
class TakeOver:
    """The newer version, what it says differently, what follows for each open session, and what speaks against it."""

    version_id: int
    number: int
    before: int
    differences: tuple[Difference, ...]
    rows: tuple[WindowRow, ...]
    findings: tuple[Finding, ...]

    @property
    def changed(self) -> tuple[WindowRow, ...]:
        """The sessions whose windows would be others."""
        return tuple(row for row in self.rows if row.before != row.after)


def take_over_of(db: Session, course_id: int, *, now: datetime) -> TakeOver | None:
    """The version that this course could take over; none where it has ended or follows the newest one."""
    course = db.get_one(Course, course_id)
    own = db.get_one(ProtocolVersion, course.protocol_version_id)
    newer = db.scalars(
        sa.select(ProtocolVersion).where(
            ProtocolVersion.protocol_id == own.protocol_id, ProtocolVersion.state == "approved",
            ProtocolVersion.number > own.number)).one_or_none()
    if newer is None or course.state not in (CourseState.ACTIVE, CourseState.ON_HOLD):
        return None
    before = course_series(db, course_id, now=now)
    after = course_series(db, course_id, now=now, version_id=newer.id)
    old, new = protocol_of(db, own.id), protocol_of(db, newer.id)
    opens = [place for place in before.places if place.row.state in _OPEN]
    findings = judge_take_over(
        old, new, indication=course.indication, open_numbers=[place.row.number for place in opens],
        booked_numbers=[place.row.number for place in opens if place.appointment])
    rows = _rows(before, after)
    today = day_of(now, zone(db.get_one(Clinic, course.clinic_id).zone))
    known = {each.code for each in forbidden(db, before, today=today)}
    news = tuple(replace(each, weight=Weight.BLOCKS) for each in forbidden(db, after, today=today)
                 if each.code not in known)
    return TakeOver(
        newer.id, newer.number, own.number, differences(old, new), rows, (*findings, *_too_soon(rows), *news))


def _too_soon(rows: Iterable[WindowRow]) -> tuple[Finding, ...]:
    """Too late is for the desk to put right afterwards; too soon is unsafe, and must not come to stand."""
    return tuple(
        Finding("too-soon", Weight.BLOCKS, f"Session {row.number} on {day_words(row.on)} would come too soon, before "
                f"{day_words(row.after.earliest_on)}: move it first.")
        for row in rows if row.becomes_too_soon and row.on and row.after)


def _rows(before: Series, after: Series) -> tuple[WindowRow, ...]:
    return tuple(
        WindowRow(place.row.number, place.appointment.local_start.date() if place.appointment else None, was, will)
        for place, was, will in zip(before.places, before.windows(), after.windows(), strict=True)
        if place.row.state in _OPEN)
