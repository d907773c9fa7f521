"""Patients found, and one patient as the desk sees them."""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.states import AppointmentState, CourseState, SessionState
from clinic.planning.local import zone
from clinic.queries.birth_dates import births
from clinic.queries.folding import digits, words
from clinic.store.courses import Course, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.protocols import Protocol, ProtocolVersion
from clinic.store.resources import Patient

PAGE = 50
COMING = (AppointmentState.PROPOSED, AppointmentState.BOOKED, AppointmentState.ARRIVED)
LIVING = (CourseState.DRAFT, CourseState.ACTIVE, CourseState.ON_HOLD)

# The table of patients alone: asked through the class, all resources there are would be looked through with it.
_PATIENT: Any = Patient.__table__
_TOLD_APART = tuple(_PATIENT.c[name] for name in ("id", "given_name", "family_name", "birth_on", "email", "phone"))
_NUMBER = re.compile(r"[+\d][\d ()./-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class CourseProgress:
    """How far a course is."""

    id: int
    protocol: str
    state: CourseState
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class PatientRow:
    """A patient in a list: how to tell them apart, and what comes next."""

    id: int
    name: str
    birth_on: date | None
    email: str | None
    phone: str | None
    alerts: str
    courses: tuple[CourseProgress, ...]
    next_start: datetime | None
    next_appointment_id: int | None


@dataclass(frozen=True, slots=True)
class PatientMatch:
    """A patient in the short list below a search: how to tell them apart."""

    id: int
    name: str
    birth_on: date | None
    email: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class PatientsPage:
    """One page of the patients that a search found."""

    rows: tuple[PatientRow, ...]
    total: int
    number: int

    @property
    def first(self) -> int:
        """The place of the first row among all that were found, from 1."""
        return (self.number - 1) * PAGE + 1

    @property
    def last(self) -> int:
        """The place of the last row among all that were found."""
        return self.first + len(self.rows) - 1

    @property
    def has_next(self) -> bool:
        """Whether more were found than were shown so far."""
        return self.last < self.total


def find_patients(db: Session, search: str, *, now: datetime, number: int = 1, limit: int = PAGE) -> PatientsPage:
    """A page of the patients whom all words of the search fit: parts of names in any order, a phone number, an e-mail
    address or a birth date. Those of whom a word begins a name come first. In four statements."""
    wanted = _conditions(search)
    total = db.scalar(sa.select(sa.func.count()).select_from(_PATIENT).where(*wanted)) or 0
    number = max(1, min(number, -(-total // limit)))
    rows = db.execute(
        sa.select(*_TOLD_APART, _PATIENT.c.alerts)
        .where(*wanted).order_by(*_order(search), _PATIENT.c.search_text, _PATIENT.c.id)
        .limit(limit).offset((number - 1) * limit)
    ).all()
    ids = [row.id for row in rows]
    courses, coming = courses_of(db, ids, states=LIVING), _next_appointments(db, ids, now)
    return PatientsPage(
        tuple(
            PatientRow(row.id, f"{row.given_name} {row.family_name}", row.birth_on, row.email, row.phone, row.alerts,
                       courses.get(row.id, ()), *coming.get(row.id, (None, None)))
            for row in rows),
        total, number)


def courses_of(
    db: Session, patient_ids: Iterable[int], *, states: Iterable[CourseState]
) -> Mapping[int, tuple[CourseProgress, ...]]:
    """The courses of these patients in these states, newest first, with how far they are; in one statement."""
    done = sa.func.sum(sa.case((TreatmentSession.state == SessionState.COMPLETED, 1), else_=0))
    rows = db.execute(
        sa.select(Course.patient_id, Course.id, Protocol.name, Course.state, done.label("done"),
                  sa.func.count(TreatmentSession.id).label("total"))
        .join(ProtocolVersion, ProtocolVersion.id == Course.protocol_version_id)
        .join(Protocol, Protocol.id == ProtocolVersion.protocol_id)
        .outerjoin(TreatmentSession, TreatmentSession.course_id == Course.id)
        .where(Course.patient_id.in_(list(patient_ids)), Course.state.in_(list(states)))
        .group_by(Course.patient_id, Course.id, Protocol.name, Course.state)
        .order_by(Course.id.desc())
    ).all()
    found: dict[int, tuple[CourseProgress, ...]] = {}
    for row in rows:
        one = CourseProgress(row.id, row.name, CourseState(row.state), int(row.done or 0), row.total)
        found[row.patient_id] = (*found.get(row.patient_id, ()), one)
    return found


def _next_appointments(db: Session, patient_ids: list[int], now: datetime) -> dict[int, tuple[datetime, int]]:
    nearest = sa.func.row_number().over(partition_by=Appointment.patient_id, order_by=Appointment.starts_at)
    coming = (
        sa.select(Appointment.id, Appointment.patient_id, Appointment.local_start, Appointment.zone, Appointment.fold,
                  nearest.label("place"))
        .where(Appointment.patient_id.in_(patient_ids), Appointment.state.in_(COMING), Appointment.ends_at > now)
        .subquery()
    )
    rows = db.execute(sa.select(coming).where(coming.c.place == 1)).all()
    return {row.patient_id: (row.local_start.replace(tzinfo=zone(row.zone), fold=row.fold), row.id) for row in rows}


def likely_patients(db: Session, search: str, *, limit: int) -> tuple[PatientMatch, ...]:
    """The first patients whom all words of the search fit, as `find_patients` finds them; in one statement, for a list
    that follows the typing."""
    rows = db.execute(
        sa.select(*_TOLD_APART).where(*_conditions(search))
        .order_by(*_order(search), _PATIENT.c.search_text, _PATIENT.c.id).limit(limit))
    return tuple(PatientMatch(row.id, f"{row.given_name} {row.family_name}", *row[3:]) for row in rows)


def _conditions(search: str) -> list[sa.ColumnElement[bool]]:
    return [_PATIENT.c.merged_into_id.is_(None), *_about(search.strip())]


def _about(text: str) -> list[sa.ColumnElement[bool]]:
    ways = []
    if born := births(text):
        ways.append(_PATIENT.c.birth_on.in_(born))
    if text.isdecimal() or not born:
        ways += [_holds(number) for number in _numbers(text)]
    if ways:
        return [sa.or_(*ways)]
    found = words(text)
    return [_holds(word) for word in found[:8]] if found or not text else [sa.false()]


def _numbers(text: str) -> list[str]:
    """How a phone number that was typed, or a part of one, may be kept; none where it is none."""
    typed = digits(text) if _NUMBER.fullmatch(text) else ""
    # National and international writing differ in the zeros and the country's code before the number.
    return [number for number in dict.fromkeys((typed, typed.lstrip("0"))) if len(number) >= 3]


def _order(search: str) -> list[sa.ColumnElement[int]]:
    if numbers := _numbers(search.strip()):
        # Whose number ends so comes first: the last digits are what people remember.
        return [_first(f"{numbers[0]} "), _first(numbers[0])]
    return [_first(f" {word}") for word in words(search)[:3]]


def _holds(part: str) -> sa.ColumnElement[bool]:
    found: sa.ColumnElement[bool] = _PATIENT.c.search_text.contains(part, autoescape=True)
    return found


def _first(part: str) -> sa.ColumnElement[int]:
    return sa.case((_holds(part), 0), else_=1)
