"""Tasks are done once, by somebody."""
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.services.tasks import finish_task
from clinic.services.work import Actor, Done, NotFound, UnitOfWork
from clinic.store.accounts import AuditEntry, Task
from clinic.store.engine import for_writing
from tests.web import seed

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)


def test_a_task_keeps_who_did_it_first_and_when(engine: Engine) -> None:
    with Session(for_writing(engine)) as db:
        clinic = seed.add_clinic(db)
        ruth, ada = (seed.add_account(db, f"{name}@example.org", {clinic: Role.RECEPTIONIST}) for name in "ra")
        task = seed.add_task(db, seed.add_patient(db), clinic)
        db.commit()

    for account_id, at in ((ruth, NOW), (ada, NOW + timedelta(hours=1))):
        with UnitOfWork(engine, lambda at=at: at, Actor("account", account_id)) as work:  # type: ignore[misc]
            assert finish_task(work, task) == Done(task)

    with Session(engine) as db:
        row = db.get_one(Task, task)
        assert (row.done_at, row.done_by) == (NOW, ruth)
        assert db.scalars(sa.select(AuditEntry.action)).all() == ["task-done"]


def test_a_task_that_is_not_there_is_not_found(engine: Engine) -> None:
    with pytest.raises(NotFound), UnitOfWork(engine, lambda: NOW, Actor("cli")) as work:
        finish_task(work, 1)
