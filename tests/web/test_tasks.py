"""The page of tasks."""
from __future__ import annotations

from collections.abc import Callable
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.store.accounts import Task
from tests.web import seed
from tests.web.conftest import SignedIn, World, post


def test_tasks_are_listed_by_date_and_done_once(
    signed_in: SignedIn, world: World, rows: Callable[[], Session]
) -> None:
    with rows() as db:
        patient = seed.add_patient(db)
        later = seed.add_task(db, patient, world.harbour, "Second", date(2027, 3, 5))
        first = seed.add_task(db, patient, world.harbour, "First", date(2027, 2, 20))
        db.commit()
    browser = signed_in()

    page = browser.get("/tasks").get_data(as_text=True)
    answers = [post(browser, f"/tasks/{first}/finish").location for _ in range(2)]

    assert page.index("First") < page.index("Second")
    assert "Late" in page
    assert answers == ["/tasks", "/tasks"]
    with rows() as db:
        assert db.scalars(sa.select(Task.id).where(Task.done_at.is_(None))).all() == [later]
    assert "First" in browser.get("/tasks?show=done").get_data(as_text=True)
