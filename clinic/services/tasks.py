"""Tasks of people at the clinic."""
from __future__ import annotations

from clinic.services.work import Done, NotFound, Refused, UnitOfWork, record
from clinic.store.accounts import Task


def finish_task(work: UnitOfWork, task_id: int) -> Done[int] | Refused:
    """Marks a task as done by whoever acts; one that is done already stays as it is."""
    row = work.db.get(Task, task_id)
    if row is None:
        raise NotFound(f"task {task_id}")
    if settle_task(work, row):
        work.commit()
    return Done(row.id)


def settle_task(work: UnitOfWork, row: Task, *, reply: str = "") -> bool:
    """Marks a task as done, with what became of it; no commit. False where somebody has done it already."""
    work.db.refresh(row, with_for_update=True)
    if row.done_at is not None:
        return False
    row.done_at, row.done_by, row.reply = work.now, work.actor.account_id, reply or None
    record(work, "task-done", "task", row.id, clinic_id=row.clinic_id)
    return True
