"""Tasks of people at the clinic."""
from __future__ import annotations

from clinic.services.work import Done, NotFound, Refused, UnitOfWork, record
from clinic.store.accounts import Task


def finish_task(work: UnitOfWork, task_id: int) -> Done[int] | Refused:
    """Marks a task as done by whoever acts; one that is done already stays as it is."""
    row = work.db.get(Task, task_id, with_for_update=True)
    if row is None:
        raise NotFound(f"task {task_id}")
    if row.done_at is None:
        row.done_at, row.done_by = work.now, work.actor.account_id
        record(work, "task-done", "task", row.id, clinic_id=row.clinic_id)
        work.commit()
    return Done(row.id)
