"""What the desk does with what a patient asks for: as they wish, or not and why. Either way the request is seen to."""
from __future__ import annotations

from clinic.care.endings import BY_PATIENT
from clinic.care.self_service import CANCELLED, MOVED, REQUESTS
from clinic.planning.findings import Finding, Weight
from clinic.queries.visit_choice import VisitChoice
from clinic.services.appointments import lay_elsewhere, lay_off
from clinic.services.tasks import settle_task
from clinic.services.work import Done, NotFound, Refused, UnitOfWork
from clinic.store.accounts import Task

LONGEST_REPLY = 300
_SEEN_TO = Finding("seen-to", Weight.BLOCKS, "Somebody has seen to this request meanwhile")


def move_as_wished(work: UnitOfWork, task_id: int, choice: VisitChoice, *, lock_version: int) -> Done[int] | Refused:
    """Gives the visit the time that its patient wishes for, and settles the request with it, or neither."""
    task = _open_request(work, task_id)
    if isinstance(task, Refused):
        return task
    outcome = lay_elsewhere(work, _visit_of(task), choice, lock_version=lock_version)
    return _settled(work, task, outcome, MOVED)


def cancel_as_wished(work: UnitOfWork, task_id: int, *, lock_version: int) -> Done[int] | Refused:
    """Cancels the visit as its patient asks, and settles the request with it, or neither. Its session stays owed."""
    task = _open_request(work, task_id)
    if isinstance(task, Refused):
        return task
    outcome = lay_off(work, _visit_of(task), reason=BY_PATIENT, lock_version=lock_version)
    return _settled(work, task, outcome, CANCELLED)


def answer_request(work: UnitOfWork, task_id: int, *, reply: str) -> Done[int] | Refused:
    """Settles a request with the answer that its patient reads on their page; nothing changes and nothing is sent."""
    task = _open_request(work, task_id)
    if isinstance(task, Refused):
        return task
    if len(reply) > LONGEST_REPLY:
        return Refused((Finding("reply", Weight.BLOCKS, f"At most {LONGEST_REPLY} characters.", "reply"),))
    return _settled(work, task, Done(task.id), reply.strip())


def _open_request(work: UnitOfWork, task_id: int) -> Task | Refused:
    task = work.db.get(Task, task_id)
    if task is None or task.kind not in REQUESTS:
        raise NotFound(f"request {task_id}")
    return Refused((_SEEN_TO,)) if task.done_at is not None else task


def _visit_of(task: Task) -> int:
    if task.appointment_id is None:
        raise NotFound(f"visit of request {task.id}")
    return task.appointment_id


def _settled(work: UnitOfWork, task: Task, outcome: Done[int] | Refused, reply: str) -> Done[int] | Refused:
    """The task comes last: what a visit needs is locked before it, as where two records are put together."""
    if isinstance(outcome, Refused):
        return outcome
    if not settle_task(work, task, reply=reply):
        return Refused((_SEEN_TO,))
    work.commit()
    return outcome
