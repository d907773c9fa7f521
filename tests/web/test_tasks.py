"""The page of tasks."""
from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.store.accounts import Task
from clinic.store.clinics import OpeningHours
from clinic.store.diary import Appointment
from tests.web import seed
from tests.web.conftest import FixedClock, SignedIn, World, post
from tests.web.desk import texts


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


def test_a_visit_that_stays_open_is_a_task_after_twenty_minutes_and_red_when_the_clinic_has_closed(
    signed_in: SignedIn, world: World, rows: Callable[[], Session], clock: FixedClock
) -> None:
    with rows() as db:
        patient = seed.add_patient(db)
        seed.add_task(db, patient, world.harbour, due_on=date(2027, 4, 1))
        visit = seed.add_appointment(db, patient, world.harbour, seed.NOW, state="arrived")
        ends_at = db.scalars(sa.select(Appointment.ends_at).where(Appointment.id == visit)).one()
        db.add(OpeningHours(clinic_id=world.harbour, weekday=0, opens=9 * 60, closes=18 * 60))
        db.commit()
    shown = []

    for after in (timedelta(minutes=19), timedelta(minutes=20), timedelta(hours=9)):
        clock.now = ends_at + after
        shown += [[signed_in().get(url).get_data(as_text=True) for url in ("/", "/tasks")]]

    assert [["1 visit still open" in page for page in pages] for pages in shown] == [
        [False, False], [True, True], [True, True]]
    assert [["The clinic has closed" in page for page in pages] for pages in shown] == [
        [False, False], [False, False], [True, True]]
    assert f"/appointments/{visit}/end" in shown[1][1]
    answer = signed_in().get("/tasks")
    assert texts(answer, "count") == ["2", "0", "2"]  # the navigation, requests, to do
