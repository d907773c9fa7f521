"""A patient whom screening sends to a consultation instead of a course."""
from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from clinic.care.screening import Screening, screen
from clinic.planning.findings import blocks
from clinic.planning.local import day_of, zone
from clinic.queries.course_asks import CourseRequest
from clinic.queries.protocol_contents import protocol_of
from clinic.services.work import UnitOfWork, record
from clinic.store.accounts import Task
from clinic.store.clinics import Clinic
from clinic.store.locks import lock_resources

CONSULTATION_WITHIN_DAYS = 14
"""A consultation task is due within these days. Our default: no source gives a figure."""


def refer_to_consultation(work: UnitOfWork, request: CourseRequest) -> str:
    """What staff are to arrange where the answers refuse the course and ask for a consultation; else nothing.

    The task is opened unless the patient has such a task open already.
    """
    clinic = work.db.get_one(Clinic, request.clinic_id)
    protocol = protocol_of(work.db, request.protocol_version_id)
    found = screen(protocol, request.answers, today=day_of(work.now, zone(clinic.zone)))
    if not found.tasks or not blocks(found.findings):
        return ""
    lock_resources(work.db, [request.patient_id])
    ask_consultation(work, clinic, request.patient_id, found)
    work.commit()
    return found.tasks[0].text


def ask_consultation(work: UnitOfWork, clinic: Clinic, patient_id: int, screened: Screening) -> None:
    """Opens the consultation that screening asks for, unless one is open already. No commit; the patient is locked."""
    asked = sa.select(Task.id).where(
        Task.patient_id == patient_id, Task.kind == "consultation", Task.done_at.is_(None))
    if not screened.tasks or work.db.scalar(asked.limit(1)) is not None:
        return
    task = Task(
        clinic_id=clinic.id, patient_id=patient_id, kind="consultation",
        text=screened.tasks[0].text, created_at=work.now, created_by=work.actor.account_id,
        due_on=day_of(work.now, zone(clinic.zone)) + timedelta(days=CONSULTATION_WITHIN_DAYS))
    work.db.add(task)
    work.db.flush()
    record(work, "consultation-asked", "task", task.id, clinic_id=clinic.id)
