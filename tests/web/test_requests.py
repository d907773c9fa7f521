"""Requests from patients at the desk: one press does as they wish, or answers them; and they are seen to once."""
from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from clinic.app import Kit
from clinic.queries.visit_choice import parse_choice
from clinic.services.appointments import move_appointment
from clinic.services.dates_said import moment_said
from clinic.services.work import Actor, Done
from clinic.store.accounts import Task
from clinic.store.diary import Appointment
from clinic.store.resources import Patient
from tests.web.conftest import FixedClock, post
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


def asked(browser: FlaskClient) -> str:
    """What the patient's page says of what they asked for, as text; empty where it says nothing."""
    part = text(browser.get("/my")).partition('id="asked"')[2].partition("</section>")[0]
    return " ".join(re.sub(r"<[^>]*>", "", part.partition(">")[2]).split())


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
    assert f"Your date is now {moment_said(after.local_start, 'en')}." in asked(clinic.entered())
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
    # The later of two instants decides nothing: the figures count from when they asked.
    assert "asked for Mon 1 Mar 2027, 09:00" in text(desk.get(f"/patients/{clinic.made.patients[1]}"))
    assert "Somebody has seen to this request meanwhile" in told
    assert "No patient waits for an answer" in text(desk.get("/requests"))
    with clinic.rows() as db:
        assert db.get_one(Appointment, others.id).state == "cancelled"
        assert [db.get_one(Task, each.id).reply for each in (move, symptom, cancel)] == [
            "No other time before the holidays", None, "As wished: cancelled"]


def test_their_own_page_says_what_became_of_each_request_and_the_desk_saw_it_before(clinic: MyClinic) -> None:
    first, desk = clinic.entered(born=True), enter(clinic.kit, "receptionist")
    other = clinic.entered(1)
    waits, theirs = asked(first), asked(other)
    move, _, cancel = clinic.tasks()
    foretold = text(desk.get("/requests"))

    pressed(desk, move, "answer", reply="We are closed on Saturdays")
    pressed(desk, cancel, "cancel")

    assert "We have it and will be in touch. Until then your date is Wednesday 10 March" in waits
    assert "You asked for another time on" in waits and "You asked to cancel on" in theirs
    says = "We cannot change it. Your date stays Wednesday 10 March"
    assert says in foretold and "No message goes out: call Ana" in foretold
    answered = asked(first)
    assert says in answered and "The clinic writes: We are closed on Saturdays" in answered
    assert re.search(r"Answered on Monday 1 March", answered) and "Receptionist" not in answered
    assert "Your date is cancelled." in asked(other) and "As wished" not in asked(other)


def test_before_the_birth_date_their_page_keeps_what_the_clinic_wrote_and_the_preparation_to_itself(
    clinic: MyClinic
) -> None:
    desk, (move, *_), visit = enter(clinic.kit, "receptionist"), clinic.tasks(), clinic.dates()[0]
    clinic.post(clinic.entered(born=True), f"/my/dates/{visit.id}/unprepared", note="Sunburn")
    pressed(desk, move, "answer", reply="Not before the skin has healed")
    pressed(desk, clinic.tasks()[-1], "answer", reply="Come without make-up")

    shut, opened = asked(clinic.entered()), asked(clinic.entered(born=True))

    assert "Your date stays" in shut and "shows once you have given your date of birth" in shut
    assert [each in shut for each in ("skin has healed", "preparation", "make-up")] == [False] * 3
    assert "Your date can stay: Wednesday 10 March" in opened and "Come without make-up" in opened


def test_an_answer_is_in_the_patients_language_true_of_the_date_as_it_is_and_ends_after_two_weeks(
    clinic: MyClinic, clock: FixedClock
) -> None:
    desk, (move, *_) = enter(clinic.kit, "receptionist"), clinic.tasks()
    with clinic.rows() as db:
        db.execute(sa.update(Patient).values(language="de"))
        db.commit()
    foretold = text(desk.get("/requests"))
    visit = clinic.dates()[0]
    choice = parse_choice(times_of(clinic.entered(), visit.id)[-1])
    with clinic.kit.work(Actor("test")) as work:
        assert isinstance(move_appointment(work, visit.id, choice, lock_version=visit.lock_version), Done)
    moved = clinic.dates()[0]
    meanwhile, row = asked(clinic.entered()), next(
        each for each in texts(desk.get("/requests"), "ask") if "After school" in each)
    pressed(desk, move, "answer", reply="")

    assert '<q lang="de">Das ist leider nicht möglich. Es bleibt bei Ihrem Termin am Mittwoch' in foretold
    assert "Wir haben Ihre Nachricht und melden uns" in meanwhile
    assert "moved since to" in row and "Decline" not in row
    assert moved.starts_at != visit.starts_at
    assert f"Ihr Termin ist jetzt am {moment_said(moved.local_start, 'de')}." in asked(clinic.entered())
    clock.move(timedelta(days=15))
    assert asked(clinic.entered()) == ""


def test_on_the_patients_record_a_request_leads_to_its_answer_and_nobody_ends_it_without_one(clinic: MyClinic) -> None:
    first, desk, (move, symptom, _) = clinic.entered(), enter(clinic.kit, "receptionist"), clinic.tasks()

    record = text(desk.get(f"/patients/{clinic.made.patients[0]}"))
    sent = post(desk, f"/tasks/{move.id}/finish")
    told = text(desk.get(sent.location))

    assert "After school, please" in record and record.count("<span>Answer it</span>") == 2
    assert f"/tasks/{move.id}/finish" not in record and f"/tasks/{symptom.id}/finish" not in record
    assert sent.location == "/requests" and "It is answered here" in told
    assert clinic.tasks()[0].done_at is None
    assert "We have it and will be in touch" in asked(first)


def test_what_is_no_request_or_of_another_clinic_is_not_found(clinic: MyClinic) -> None:
    desk, (move, *_) = enter(clinic.kit, "receptionist"), clinic.tasks()
    with clinic.rows() as db:
        db.execute(sa.update(Task).where(Task.id == move.id).values(kind="call"))
        db.commit()

    fields = {"at": "2027-03-10T09:00:00+00:00", "lock_version": 1}
    answers = [post(desk, f"/requests/{ident}/{what}", fields).status_code
               for ident in (move.id, 999) for what in ("move", "cancel", "answer")]

    assert answers == [404] * 6


def test_an_answer_that_cannot_be_kept_is_shown_again_and_the_request_stays_open(clinic: MyClinic) -> None:
    desk, (move, *_) = enter(clinic.kit, "receptionist"), clinic.tasks()

    status, page = pressed(desk, move, "answer", reply="Called \u202a+49 30 901820\u202c, comes anyway")
    long, told = pressed(desk, move, "answer", reply="x" * 301)

    assert (status, long) == (422, 422)
    assert "The answer contains characters that cannot be kept" in page and "+49 30 901820" in page
    assert "The answer may have at most 300 characters; this has 301." in told
    with clinic.rows() as db:
        assert db.get_one(Task, move.id).done_at is None


def test_an_instant_that_no_clock_can_show_is_no_time_to_move_to_or_to_have_been_told(clinic: MyClinic) -> None:
    desk, (move, *_) = enter(clinic.kit, "receptionist"), clinic.tasks()

    for at in ("0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59-14:00", "2027-03-10T09:00:00", "soon"):
        answers = [post(desk, f"/requests/{move.id}/move", {"at": at, "lock_version": 1}).status_code,
                   post(desk, f"/running-late/visits/{move.appointment_id}/told", {"begins_at": at}).status_code]
        assert answers == [400, 400], at

    assert desk.get(f"/patients/{clinic.dates()[0].patient_id}").status_code == 200
