"""A patient whom screening sends to a consultation instead of a course."""
from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from clinic.care.protocols import Protocol
from clinic.care.screening import screen
from clinic.planning.findings import blocks
from clinic.planning.local import day_of, zone
from clinic.queries.offers import CourseRequest
from clinic.services.courses import CONSULTATION_WITHIN_DAYS
from clinic.services.work import UnitOfWork, record
from clinic.store.accounts import Task
from clinic.store.clinics import Clinic
from clinic.store.protocols import ProtocolVersion


def refer_to_consultation(work: UnitOfWork, request: CourseRequest) -> str:
    """What staff are to arrange where the answers refuse the course and ask for a consultation; else nothing.

    The task is opened unless the patient has such a task open already.
    """
    version = work.db.get_one(ProtocolVersion, request.protocol_version_id)
    today = day_of(work.now, zone(work.db.get_one(Clinic, request.clinic_id).zone))
    found = screen(Protocol.from_document(version.document), request.answers, today=today)
    if not found.tasks or not blocks(found.findings):
        return ""
    if not _is_open(work, request.patient_id):
        task = Task(
            clinic_id=request.clinic_id, patient_id=request.patient_id, kind="consultation",
            text=found.tasks[0].text, due_on=today + timedelta(days=CONSULTATION_WITHIN_DAYS), created_at=work.now,
            created_by=work.actor.account_id)
        work.db.add(task)
        work.db.flush()
        record(work, "consultation-asked", "task", task.id, clinic_id=request.clinic_id)
        work.commit()
    return found.tasks[0].text


def _is_open(work: UnitOfWork, patient_id: int) -> bool:
    return work.db.scalar(sa.select(Task.id).where(
        Task.patient_id == patient_id, Task.kind == "consultation", Task.done_at.is_(None)).limit(1)) is not None
