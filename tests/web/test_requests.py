"""Requests from patients at the desk: one press does as they wish, or answers them; and they are seen to once."""
from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from clinic.app import Kit
from clinic.store.accounts import Task
from clinic.store.diary import Appointment
from tests.web.conftest import post
from tests.web.desk import enter, texts
from tests.web.my_patients import FLAGS, MyClinic, my_clinic, text, times_of


@pytest.fixture
def clinic(app: Flask, kit: Kit) -> MyClinic:
    """Two patients with a course each, and what they ask for: another time, a sign of danger, to cancel."""
    found = my_clinic(app, kit)
    first, other = found.entered(born=True), found.entered(1, born=True)
    visit, others = found.dates()[0], found.dates(1)[0]
    wishes = times_of(first, visit.id)[:2]
    found.post(first, f"/my/dates/{visit.id}/move", wish=wishes, note="After school, please")
    found.post(first, "/my/symptom", flag=FLAGS.findall(text(first.get("/my/symptom")))[:1], note="")
    found.post(other, f"/my/dates/{others.id}/cancel", lock_version=others.lock_version, note="I am away")
    return found


def pressed(browser: FlaskClient, task: Task, what: str, **changed: object) -> tuple[int, str]:
    """Presses a button of that row, as the page has it; the status, and what the next page says."""
    page = text(browser.get("/requests"))
    row = page.split('<li class="ask')[1 + [each.split("\"")[0] for each in re.findall(
        r'/requests/(\d+)/answer', page)].index(str(task.id))]
    form = row.partition(f"/requests/{task.id}/{what}")[2].partition("</form>")[0]
    fields = dict(re.findall(r'name="(at|lock_version|form_key)" value="([^"]*)"', form))
    answer = post(browser, f"/requests/{task.id}/{what}", {**fields, **changed})
    return answer.status_code, text(browser.get(answer.location)) if answer.location else text(answer)


def test_signs_of_danger_come_first_and_each_row_says_what_is_asked(clinic: MyClinic) -> None:
    desk = enter(clinic.kit, "receptionist")

    page = desk.get("/requests")

    rows = texts(page, "ask")
    assert [("Urgent" in each, "After school" in each, "I am away" in each) for each in rows] == [
        (True, False, False), (False, True, False), (False, False, True)]
    assert "3" in texts(page, "count") and 'href="/requests"' in desk.get("/").get_data(as_text=True)
    assert "After school" not in text(desk.get("/tasks"))


def test_one_press_moves_the_visit_to_the_time_wished_for_and_the_request_is_done(clinic: MyClinic) -> None:
    desk, (move, *_) = enter(clinic.kit, "receptionist"), clinic.tasks()
    before = clinic.dates()[0]

    status, page = pressed(desk, move, "move")

    after = clinic.dates()[0]
    with clinic.rows() as db:
        done = db.get_one(Task, move.id)
    assert status == 303 and "Moved to" in page and "After school" not in page
    assert (after.id, after.starts_at.isoformat()) == (before.id, move.wished[0])
    assert (done.done_at is not None, done.reply) == (True, "As wished: moved")
    assert "As wished: moved" in text(desk.get("/tasks?show=done"))
    assert "As wished: moved" in " ".join(texts(desk.get(f"/patients/{before.patient_id}?show=notes"), "tl-row"))


def test_a_time_that_is_taken_meanwhile_leads_to_those_that_are_free(clinic: MyClinic) -> None:
    desk, (move, *_) = enter(clinic.kit, "receptionist"), clinic.tasks()
    before = clinic.dates()[0]
    with clinic.rows() as db:
        db.execute(sa.update(Task).where(Task.id == move.id).values(wished=["2027-03-13T03:00:00+00:00"]))
        db.commit()

    status, page = pressed(desk, move, "move")

    assert status == 303 and "is not free any more" in page
    assert clinic.dates()[0].starts_at == before.starts_at and clinic.tasks()[0].done_at is None


def test_a_visit_is_cancelled_as_asked_and_a_request_declined_once(clinic: MyClinic) -> None:
    desk, (move, symptom, cancel) = enter(clinic.kit, "receptionist"), clinic.tasks()
    [others] = [each for each in clinic.dates(1) if each.id == cancel.appointment_id]

    cancelled = pressed(desk, cancel, "cancel")
    declined = pressed(desk, move, "answer", reply="No other time before the holidays")
    again = post(desk, f"/requests/{move.id}/answer", {"reply": "Another", "form_key": "new"})
    told = text(desk.get(again.location))
    pressed(desk, symptom, "answer", reply="")

    assert (cancelled[0], declined[0]) == (303, 303)
    assert "Somebody has seen to this request meanwhile" in told
    assert "No patient waits for an answer" in text(desk.get("/requests"))
    with clinic.rows() as db:
        assert db.get_one(Appointment, others.id).state == "cancelled"
        assert [db.get_one(Task, each.id).reply for each in (move, symptom, cancel)] == [
            "No other time before the holidays", None, "As wished: cancelled"]


def test_what_is_no_request_or_of_another_clinic_is_not_found(clinic: MyClinic) -> None:
    desk, (move, *_) = enter(clinic.kit, "receptionist"), clinic.tasks()
    with clinic.rows() as db:
        db.execute(sa.update(Task).where(Task.id == move.id).values(kind="call"))
        db.commit()

    fields = {"at": "2027-03-10T09:00:00+00:00", "lock_version": 1}
    answers = [post(desk, f"/requests/{ident}/{what}", fields).status_code
               for ident in (move.id, 999) for what in ("move", "cancel", "answer")]

    assert answers == [404] * 6
