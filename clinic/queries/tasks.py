"""What people of a clinic have to do."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.self_service import REQUESTS
from clinic.store.accounts import Account, Task
from clinic.store.resources import Patient

PAGE = 50
_FIRST = (Task.urgent.desc(), Task.due_on, Task.id)


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task in a list. What a patient asks for on their page names its appointment; a red flag is urgent."""

    id: int
    patient_id: int
    patient: str
    kind: str
    text: str
    due_on: date
    done_at: datetime | None
    done_by: str | None
    urgent: bool = False
    appointment_id: int | None = None
    reply: str | None = None

    @property
    def is_request(self) -> bool:
        """Whether a patient asks for it: then it is settled with an answer, which their page shows."""
        return self.kind in REQUESTS


@dataclass(frozen=True, slots=True)
class RequestOf:
    """Where a request belongs."""

    clinic_id: int
    appointment_id: int | None


@dataclass(frozen=True, slots=True)
class TasksPage:
    """The tasks of a clinic: those to do, the urgent first and then by their date, or those done, newest first.

    What patients ask for has a list of its own until it is done.
    """

    rows: tuple[TaskRow, ...]
    total: int
    number: int

    @property
    def has_next(self) -> bool:
        """Whether there are more than were shown so far."""
        return self.number * PAGE < self.total


def tasks_page(db: Session, clinic_id: int, *, done: bool, number: int = 1) -> TasksPage:
    """A page of the tasks of a clinic; in two statements."""
    ended = Task.done_at.is_not(None) if done else sa.and_(Task.done_at.is_(None), Task.kind.not_in(REQUESTS))
    which = sa.and_(Task.clinic_id == clinic_id, ended)
    total = db.scalar(sa.select(sa.func.count()).select_from(Task).where(which)) or 0
    number = max(1, min(number, -(-total // PAGE)))
    order = (Task.done_at.desc(), Task.id.desc()) if done else _FIRST
    return TasksPage(_rows(db, _select().where(which).order_by(*order).limit(PAGE).offset((number - 1) * PAGE)),
                     total, number)


def open_tasks_of_patient(db: Session, patient_id: int, clinic_ids: Sequence[int]) -> tuple[TaskRow, ...]:
    """What is to be done about a patient at these clinics, by its date."""
    return _rows(db, _select().where(
        Task.patient_id == patient_id, Task.clinic_id.in_(clinic_ids), Task.done_at.is_(None)
    ).order_by(*_FIRST))


def request_of(db: Session, task_id: int) -> RequestOf | None:
    """Whose clinic a patient's request is, and the visit that it is about; none where no patient asked."""
    row = db.execute(sa.select(Task.clinic_id, Task.appointment_id).where(
        Task.id == task_id, Task.kind.in_(REQUESTS))).one_or_none()
    return RequestOf(*row) if row else None


def clinic_of_task(db: Session, task_id: int) -> int | None:
    """The clinic of a task; none where there is no such task."""
    return db.scalar(sa.select(Task.clinic_id).where(Task.id == task_id))


def _select() -> sa.Select[Task, str, str]:
    name = Patient.given_name + " " + Patient.family_name
    return (
        sa.select(Task, name, Account.name)
        .join(Patient.__table__, Patient.__table__.c.id == Task.patient_id)
        .outerjoin(Account, Account.id == Task.done_by)
    )


def _rows(db: Session, statement: sa.Select[Task, str, str]) -> tuple[TaskRow, ...]:
    return tuple(
        TaskRow(task.id, task.patient_id, name, task.kind, task.text, task.due_on, task.done_at, done_by,
                task.urgent, task.appointment_id, task.reply)
        for task, name, done_by in db.execute(statement))
