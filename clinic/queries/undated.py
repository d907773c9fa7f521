"""Sessions that are owed and have no date: what is to be planned now, and what will be in its time."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

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
IS_OWED = TreatmentSession.state == sa.literal_column(f"'{SessionState.OWED.value}'")
"""Written out: with a parameter SQLite would not know that its index of what is owed serves."""

_AT_CLINIC = Course.clinic_id + 0
"""Not the column itself, or SQLite would go through every course that the clinic ever had to find what is owed now."""
_IS_UNKNOWN = TreatmentSession.earliest_on.is_(None)


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
    owed = _owed(clinic_id, _columns(horizon)).subquery()
    counts = undated_counts(db, clinic_id, horizon)
    number = max(1, min(number, 10_000))
    rows = db.execute(
        sa.select(owed, Course.patient_id, Protocol.name,
                  (_PATIENT.c.given_name + " " + _PATIENT.c.family_name).label("patient"))
        .join(Course, Course.id == owed.c.course_id)
        .join(ProtocolVersion, ProtocolVersion.id == Course.protocol_version_id)
        .join(Protocol, Protocol.id == ProtocolVersion.protocol_id)
        .join(_PATIENT, _PATIENT.c.id == Course.patient_id)
        .where(owed.c.rank <= _RANKS.index(Due.NEAR if only_due else Due.LATER))
        .order_by(owed.c.rank, owed.c.latest_on.nulls_last(), owed.c.course_id, owed.c.number, owed.c.id)
        .limit(PAGE).offset((number - 1) * PAGE))
    total = counts[Due.OVERDUE] + counts[Due.NEAR] if only_due else sum(counts.values())
    return UndatedPage(tuple(map(_row, rows)), counts, total, number)


def undated_counts(db: Session, clinic_id: int, horizon: Horizon) -> dict[Due, int]:
    """How many owed sessions without a date stand how; in one statement."""
    owed = _owed(clinic_id, (_rank(horizon).label("rank"),)).subquery()
    found = db.execute(sa.select(owed.c.rank, sa.func.count()).group_by(owed.c.rank))
    return dict.fromkeys(Due, 0) | {_RANKS[rank]: count for rank, count in found}


def opened_by(today: date) -> date:
    """A window that opens by then waits for a date on that day."""
    return today + NUDGE_DAYS_BEFORE * DAY


def due_count(clinic_id: Any, opened_by_on: Any) -> sa.ColumnElement[int]:
    """How many sessions wait for a date now, as a part of another statement; see `opened_by`."""
    # One beside the other: an "or" of them would be looked for among all that is owed, however far ahead.
    opened, unknown = (
        sa.select(sa.func.count()).select_from(_owed(clinic_id, (), which).subquery()).scalar_subquery()
        for which in (TreatmentSession.earliest_on <= opened_by_on, _IS_UNKNOWN))
    return opened + unknown


def _owed(
    clinic_id: Any, columns: Sequence[Any], *which: sa.ColumnElement[bool]
) -> sa.CompoundSelect[Any]:
    """What living courses owe, and what living maintenance plans do; of that, what `which` selects."""
    each = TreatmentSession
    of_courses = (
        sa.select(*columns, Course.id.label("course_id"), sa.literal(0).label("of_maintenance"))
        .select_from(each).join(Course, Course.id == each.course_id)
        .where(IS_OWED, *which, clinic_id == _AT_CLINIC, Course.state == CourseState.ACTIVE))
    of_upkeep = (
        sa.select(*columns, Course.id.label("course_id"), sa.literal(1).label("of_maintenance"))
        .select_from(each).join(MaintenancePlan, MaintenancePlan.id == each.maintenance_plan_id)
        .join(Course, Course.id == MaintenancePlan.course_id)
        .where(IS_OWED, *which, clinic_id == _AT_CLINIC,
               MaintenancePlan.state == MaintenanceState.ACTIVE))
    return sa.union_all(of_courses, of_upkeep)


def _columns(horizon: Horizon) -> tuple[Any, ...]:
    each = TreatmentSession
    return each.id, each.number, each.earliest_on, each.ideal_on, each.latest_on, _rank(horizon).label("rank")


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
        id=row.id, number=row.number, of_maintenance=bool(row.of_maintenance), course_id=row.course_id,
        protocol=row.name, patient_id=row.patient_id, patient=row.patient,
        window=Window(row.earliest_on, row.ideal_on, row.latest_on) if known else None, due=_RANKS[row.rank])
