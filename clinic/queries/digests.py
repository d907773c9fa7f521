"""What a morning at a clinic holds, in numbers: for the digest of an account. No names, and nothing medical."""
from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.certificates import Standing
from clinic.care.self_service import REQUESTS
from clinic.care.states import AppointmentState, MessageState
from clinic.planning.local import instant
from clinic.queries.open_visits import LEFT_OPEN, open_visit_count
from clinic.queries.people_to_tell import people_count
from clinic.queries.practitioners import papers_to_look_after
from clinic.queries.undated import Due, Horizon, undated_counts
from clinic.store.accounts import Task
from clinic.store.clinics import Closure, OpeningHours
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.outbox import Message
from clinic.store.types import Instant


@dataclass(frozen=True, slots=True)
class Morning:
    """Numbers of a clinic on a date; `own` are the appointments of the practitioner whom an account belongs to, `tasks`
    all that are open, as the navigation counts them, and `due_tasks` those of them whose day has come."""

    appointments: int = 0
    unconfirmed: int = 0
    own: int = 0
    to_tell: int = 0
    failed: int = 0
    held: int = 0
    overdue: int = 0
    undated: int = 0
    urgent_requests: int = 0
    tasks: int = 0
    due_tasks: int = 0
    lapsed_papers: int = 0
    papers: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell: what is open for another day is no reason to write."""
        return not any(getattr(self, each.name) for each in fields(self) if each.name != "tasks")


def is_open_on(db: Session, clinic_id: int, day: date) -> bool:
    """Whether the clinic has hours on the date, and is not closed for it."""
    has_hours = sa.exists().where(OpeningHours.clinic_id == clinic_id, OpeningHours.weekday == day.weekday())
    closed = sa.exists().where(Closure.clinic_id == clinic_id, Closure.from_on <= day, Closure.to_on >= day)
    return bool(db.scalar(sa.select(sa.and_(has_hours, sa.not_(closed)))))


def diary_numbers(
    db: Session, clinic_id: int, day: date, *, where: ZoneInfo, practitioner_id: int | None
) -> tuple[int, int, int]:
    """The appointments of the day, those that nobody has confirmed, and those of the practitioner."""
    own = sa.exists().where(ResourceBooking.appointment_id == Appointment.id,
                            ResourceBooking.resource_id == (practitioner_id or 0))
    row = db.execute(
        sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(sa.case((sa.and_(
                Appointment.state == AppointmentState.BOOKED, Appointment.confirmed_at.is_(None)), 1), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((own, 1), else_=0)), 0))
        .where(Appointment.clinic_id == clinic_id,
               Appointment.state.in_((AppointmentState.BOOKED, AppointmentState.ARRIVED)),
               Appointment.starts_at >= instant(day, 0, where), Appointment.starts_at < instant(day, 1440, where))
    ).one()
    return int(row[0]), int(row[1]), int(row[2])


def message_numbers(db: Session, clinic_id: int, now: datetime) -> tuple[int, int, int]:
    """The people whom a person has to tell something; the messages to patients that failed or may not have arrived and
    about which nobody has decided; and those that are held."""
    rows: dict[str, int] = dict(db.execute(
        sa.select(Message.state, sa.func.count())
        .where(Message.clinic_id == clinic_id, Message.patient_id.is_not(None), Message.decision.is_(None),
               Message.state.in_((MessageState.FAILED, MessageState.UNCERTAIN, MessageState.HELD)))
        .group_by(Message.state)).all())
    people = db.scalar(sa.select(people_count(clinic_id, now))) or 0
    return people, rows.get("failed", 0) + rows.get("uncertain", 0), rows.get("held", 0)


def session_numbers(db: Session, clinic_id: int, horizon: Horizon) -> tuple[int, int]:
    """The sessions without a date whose window is over, and those whose window is open or near."""
    counts = undated_counts(db, clinic_id, horizon)
    return counts.get(Due.OVERDUE, 0), counts.get(Due.NEAR, 0)


def task_numbers(db: Session, clinic_id: int, day: date, now: datetime) -> tuple[int, int, int]:
    """What patients ask for that is urgent, everything that the navigation counts as open, and what of that is due."""
    def how_many(which: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((which, 1), else_=0)), 0)

    urgent, due, of_tasks, visits = db.execute(
        sa.select(how_many(sa.and_(Task.urgent, Task.kind.in_(REQUESTS))),
                  how_many(sa.or_(Task.urgent, Task.due_on <= day)), sa.func.count(),
                  open_visit_count(clinic_id, sa.literal(now - LEFT_OPEN, Instant())))
        .where(Task.clinic_id == clinic_id, Task.done_at.is_(None))).one()
    return int(urgent), int(of_tasks) + visits, int(due) + visits


def paper_numbers(db: Session, day: date) -> tuple[int, int]:
    """The papers of practitioners that have run out, and those that soon will."""
    found = papers_to_look_after(db, today=day)
    return found.get(Standing.LAPSED, 0), found.get(Standing.VERY_SOON, 0) + found.get(Standing.SOON, 0)
