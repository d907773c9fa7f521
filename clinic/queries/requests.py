"""What patients ask for behind their links and nobody has seen to: signs of danger first, then what is soonest."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.self_service import ANSWERED, REQUESTS, answer_now
from clinic.care.states import AppointmentState
from clinic.planning.local import day_of, local_of, zone
from clinic.queries.my_answers import MyAnswer, has_moved_since_asked
from clinic.queries.my_times import my_times
from clinic.queries.times import TimeOffer
from clinic.store.accounts import Task
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.protocols import Treatment
from clinic.store.resources import Patient

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Wished:
    """A time at which the patient could come: the instant, and how it reads where the visit is."""

    at: datetime
    local: datetime


@dataclass(frozen=True, slots=True)
class AskedOf:
    """The visit that a request is about; only one that is `booked` can still be moved or cancelled for it."""

    id: int
    lock_version: int
    local_start: datetime
    what: str
    number: int | None
    is_booked: bool


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request: who asks, what in whose words, about which visit, and when they could come instead.

    `answer` is what the patient's page says, in `language`, once the request is settled with the visit as it is; none
    where it would say nothing.
    """

    id: int
    kind: str
    urgent: bool
    patient_id: int
    patient: str
    phone: str | None
    text: str
    asked_at: datetime
    visit: AskedOf | None
    wished: tuple[Wished, ...]
    has_moved: bool
    answer: MyAnswer | None
    language: str


@dataclass(frozen=True, slots=True)
class RequestsPage:
    """The first of them; `total` counts also those that are not listed."""

    rows: tuple[RequestRow, ...]
    total: int


def requests_page(db: Session, clinic_id: int, *, where: ZoneInfo, now: datetime) -> RequestsPage:
    """What the patients of a clinic ask for, in one statement; times that have passed are not wished for any more."""
    each = Patient.__table__.c
    rows = db.execute(
        sa.select(Task.id, Task.kind, Task.urgent, Task.patient_id, (each.given_name + " " + each.family_name)
                  .label("patient"), each.phone, each.language, Task.text, Task.created_at, Task.wished, Appointment,
                  sa.func.coalesce(Treatment.name, Appointment.treatment_code).label("what"), TreatmentSession.number,
                  has_moved_since_asked().label("has_moved"), sa.func.count().over().label("total"))
        .join(Patient.__table__, each.id == Task.patient_id)
        .outerjoin(Appointment, Appointment.id == Task.appointment_id)
        .outerjoin(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
        .outerjoin(Treatment, Treatment.code == Appointment.treatment_code)
        .where(Task.clinic_id == clinic_id, Task.done_at.is_(None), Task.kind.in_(REQUESTS))
        .order_by(Task.urgent.desc(), sa.case((Appointment.starts_at.is_(None), 0), else_=1), Appointment.starts_at,
                  Task.id).limit(SHOWN)).all()
    return RequestsPage(tuple(_row(row, where, now) for row in rows), rows[0].total if rows else 0)


def wished_offer(db: Session, appointment_id: int, at: datetime, *, now: datetime) -> TimeOffer | None:
    """The time as it is offered now, with all that has to be booked; none where it is not free any more."""
    row = db.get_one(Appointment, appointment_id)
    found = my_times(db, appointment_id, now=now, from_on=day_of(at, zone(row.zone)), days=1)
    return next((time for time in found.times if time.starts_at == at), None)


def _row(row: Any, where: ZoneInfo, now: datetime) -> RequestRow:
    visit, there = row.Appointment, where
    about = None
    if visit is not None:
        there = zone(visit.zone)
        about = AskedOf(visit.id, visit.lock_version, visit.local_start, row.what, row.number,
                        visit.state == AppointmentState.BOOKED and visit.starts_at > now)
    times = [datetime.fromisoformat(each) for each in row.wished]
    wished = tuple(Wished(at, local_of(at, there)) for at in sorted(times) if at > now and about and about.is_booked)
    return RequestRow(row.id, row.kind, row.urgent, row.patient_id, row.patient, row.phone, row.text,
                      local_of(row.created_at, where), about, wished, row.has_moved, _answer(row, there, now),
                      row.language)


def _answer(row: Any, there: ZoneInfo, now: datetime) -> MyAnswer | None:
    visit = row.Appointment
    if row.kind not in ANSWERED or visit is None or visit.starts_at <= now:
        return None
    answer = answer_now(AppointmentState(visit.state), is_done=True, has_moved=row.has_moved)
    return MyAnswer(row.kind, answer, day_of(row.created_at, there), visit.local_start, day_of(now, there), "")
