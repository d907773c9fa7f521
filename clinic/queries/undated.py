"""Sessions that are owed and have no date: what is to be planned now, and what will be in its time."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from clinic.care.nudges import NUDGE_DAYS_BEFORE
from clinic.care.states import CourseState, MaintenanceState, SessionState
from clinic.care.windows import Window
from clinic.planning.local import DAY
from clinic.store.courses import Course, MaintenancePlan, TreatmentSession
from clinic.store.protocols import Protocol, ProtocolVersion
from clinic.store.resources import Patient

PAGE = 50
_PATIENT = Patient.__table__


class Due(StrEnum):
    """How a session without a date stands: past its window; its window open, near or unknown; inside the booking
    horizon, so that it can be planned; or later than that."""

    OVERDUE = "overdue"
    NEAR = "near"
    PLANNABLE = "plannable"
    LATER = "later"


_RANKS = tuple(Due)
_IS_OWED = TreatmentSession.state == sa.literal_column(f"'{SessionState.OWED.value}'")
"""Written out: with a parameter SQLite would not know that its index of what is owed serves."""

_IS_UNKNOWN = TreatmentSession.earliest_on.is_(None)


def _of_course(what: InstrumentedAttribute[int]) -> sa.ColumnElement[int]:
    """That of the living course that owes a session, or of the course whose living maintenance plan does, or none.

    Looked up for each session that is owed: joined, a database would go through every course that there ever was.
    """
    each = TreatmentSession
    itself = sa.select(what).where(Course.id == each.course_id, Course.state == CourseState.ACTIVE)
    upkeep = (
        sa.select(what).join(MaintenancePlan, MaintenancePlan.course_id == Course.id)
        .where(MaintenancePlan.id == each.maintenance_plan_id, MaintenancePlan.state == MaintenanceState.ACTIVE))
    return sa.func.coalesce(*(part.correlate(each).scalar_subquery() for part in (itself, upkeep)))


_CLINIC_ID = _of_course(Course.clinic_id)
_COURSE_ID = _of_course(Course.id)


@dataclass(frozen=True, slots=True)
class Horizon:
    """The clinic's date, and the last date that it books."""

    today: date
    bookable_to: date


@dataclass(frozen=True, slots=True)
class UndatedRow:
    """One session of the list; its window counts from the session before, real or planned."""

    id: int
    number: int
    of_maintenance: bool
    course_id: int
    protocol: str
    patient_id: int
    patient: str
    window: Window | None
    due: Due


@dataclass(frozen=True, slots=True)
class UndatedPage:
    """A page of the list, the most urgent first; `counts` are of the whole list."""

    rows: tuple[UndatedRow, ...]
    counts: Mapping[Due, int]
    total: int
    number: int

    @property
    def has_next(self) -> bool:
        """Whether there are more than were shown so far."""
        return self.number * PAGE < self.total


def undated_page(
    db: Session, clinic_id: int, horizon: Horizon, *, only_due: bool = True, number: int = 1
) -> UndatedPage:
    """A page of the owed sessions without a date of the clinic's living courses and upkeep; in two statements.

    `only_due` leaves out what has time: those whose window does not open within a fortnight.
    """
    counts = undated_counts(db, clinic_id, horizon)
    total = counts[Due.OVERDUE] + counts[Due.NEAR] if only_due else sum(counts.values())
    number = max(1, min(number, -(-total // PAGE)))
    rows = _rows(db, clinic_id, horizon, Due.NEAR if only_due else Due.LATER, limit=PAGE, offset=(number - 1) * PAGE)
    return UndatedPage(rows, counts, total, number)


def first_undated(db: Session, clinic_id: int, horizon: Horizon, *, limit: int) -> tuple[tuple[UndatedRow, ...], int]:
    """The first of those that wait for a date now, and how many wait; in two statements."""
    total = db.scalar(sa.select(due_count(clinic_id, opened_by(horizon.today)))) or 0
    return _rows(db, clinic_id, horizon, Due.NEAR, limit=limit) if total else (), total


def undated_counts(db: Session, clinic_id: int, horizon: Horizon) -> dict[Due, int]:
    """How many owed sessions without a date stand how; in one statement."""
    rank = _rank(horizon).label("rank")
    found = db.execute(sa.select(rank, sa.func.count()).where(_owed(clinic_id)).group_by(sa.text("rank")))
    return dict.fromkeys(Due, 0) | {_RANKS[rank]: count for rank, count in found}


def opened_by(today: date) -> date:
    """A window that opens by then waits for a date on that day."""
    return today + NUDGE_DAYS_BEFORE * DAY


def due_count(clinic_id: Any, opened_by_on: Any) -> sa.ColumnElement[int]:
    """How many sessions wait for a date now, as a part of another statement; see `opened_by`."""
    # One beside the other: an "or" of them would be looked for among all that is owed, however far ahead.
    opened, unknown = (
        sa.select(sa.func.count()).where(_owed(clinic_id), which).scalar_subquery()
        for which in (TreatmentSession.earliest_on <= opened_by_on, _IS_UNKNOWN))
    return opened + unknown


def _owed(clinic_id: Any) -> sa.ColumnElement[bool]:
    """What living courses and living maintenance plans of a clinic owe."""
    return sa.and_(_IS_OWED, clinic_id == _CLINIC_ID)


def _rows(
    db: Session, clinic_id: int, horizon: Horizon, to: Due, *, limit: int, offset: int = 0
) -> tuple[UndatedRow, ...]:
    """Some of those that stand so or more urgently, the most urgent first; named once they are found."""
    each, rank = TreatmentSession, _rank(horizon)
    owed = (
        sa.select(each.id, each.number, each.earliest_on, each.ideal_on, each.latest_on, each.maintenance_plan_id,
                  _COURSE_ID.label("course_id"), rank.label("rank"))
        .where(_owed(clinic_id), rank <= _RANKS.index(to))
        .order_by(rank, each.latest_on.nulls_last(), sa.text("course_id"), each.number, each.id)
        .limit(limit).offset(offset).subquery())
    rows = db.execute(
        sa.select(owed, Course.patient_id, Protocol.name,
                  (_PATIENT.c.given_name + " " + _PATIENT.c.family_name).label("patient"))
        .join(Course, Course.id == owed.c.course_id)
        .join(ProtocolVersion, ProtocolVersion.id == Course.protocol_version_id)
        .join(Protocol, Protocol.id == ProtocolVersion.protocol_id)
        .join(_PATIENT, _PATIENT.c.id == Course.patient_id)
        .order_by(owed.c.rank, owed.c.latest_on.nulls_last(), owed.c.course_id, owed.c.number, owed.c.id))
    return tuple(map(_row, rows))


def _is_due(horizon: Horizon) -> sa.ColumnElement[bool]:
    """Whether it waits for a date now: overdue or near; a window that is over has opened too."""
    return sa.or_(_IS_UNKNOWN, TreatmentSession.earliest_on <= opened_by(horizon.today))


def _rank(horizon: Horizon) -> sa.ColumnElement[int]:
    each = TreatmentSession
    return sa.case(
        (each.latest_on < horizon.today, _RANKS.index(Due.OVERDUE)),
        (_is_due(horizon), _RANKS.index(Due.NEAR)),
        (each.ideal_on <= horizon.bookable_to, _RANKS.index(Due.PLANNABLE)),
        else_=_RANKS.index(Due.LATER))


def _row(row: sa.Row[tuple[object, ...]]) -> UndatedRow:
    known = row.earliest_on is not None and row.ideal_on is not None and row.latest_on is not None
    return UndatedRow(
        id=row.id, number=row.number, of_maintenance=row.maintenance_plan_id is not None, course_id=row.course_id,
        protocol=row.name, patient_id=row.patient_id, patient=row.patient,
        window=Window(row.earliest_on, row.ideal_on, row.latest_on) if known else None, due=_RANKS[row.rank])
