"""Who comes second is told who was faster, and when: at the desk by name, on a patient's page not."""
from __future__ import annotations

from datetime import timedelta
from secrets import token_urlsafe

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from clinic.app import Kit
from clinic.store.clinics import Clinic
from clinic.store.diary import Appointment
from clinic.web.reasons import CANCELLATION
from tests.web.conftest import FixedClock, post
from tests.web.desk import enter
from tests.web.my_patients import MyClinic, my_clinic, text, times_of


@pytest.fixture
def clinic(app: Flask, kit: Kit) -> MyClinic:
    found = my_clinic(app, kit)
    found.allow("at-once", "at-once")
    return found


def test_a_colleague_is_named_with_the_time_and_on_another_day_with_the_date(
    clinic: MyClinic, clock: FixedClock
) -> None:
    reception, manager, visit = enter(clinic.kit, "receptionist"), enter(clinic.kit, "manager"), clinic.dates()[0]
    assert cancel(reception, visit).status_code == 303
    clock.move(timedelta(minutes=5))

    today, own = text(cancel(manager, visit)), text(cancel(reception, visit))
    clock.move(timedelta(days=1))
    later = text(cancel(enter(clinic.kit, "manager"), visit))

    name = "Receptionist"
    assert "Someone else was faster" in today and f"{name} changed this at 09:00." in today
    assert "You changed this in another window at 09:00." in own and name + " changed" not in own
    assert f"{name} changed this on Mon 1 Mar 2027, 09:00." in later


def test_a_patient_who_was_faster_is_called_so_though_somebody_confirmed_or_read_something_since(
    clinic: MyClinic, clock: FixedClock
) -> None:
    desk, browser, visit = enter(clinic.kit, "receptionist"), clinic.entered(), clinic.dates()[0]
    choice = times_of(browser, visit.id)[-1]
    moved = clinic.post(browser, f"/my/dates/{visit.id}/move", choice=choice, lock_version=visit.lock_version,
                        plan=plan_of(text(browser.get(f"/my/dates/{visit.id}/move?choice={choice}"))))
    assert moved.status_code == 303
    clock.move(timedelta(minutes=5))
    now = next(each for each in clinic.dates() if each.id == visit.id)
    assert clinic.post(browser, f"/my/dates/{visit.id}/confirm", revision=now.revision).status_code == 303

    page = text(cancel(desk, visit))

    assert "The patient was faster" in page and "The patient changed this on their own page at 09:00." in page


def test_a_patients_page_names_nobody(clinic: MyClinic) -> None:
    desk, browser, visit = enter(clinic.kit, "receptionist"), clinic.entered(), clinic.dates()[0]
    with clinic.rows() as db:
        assert db.get_one(Clinic, clinic.made.clinic_id).patients_cancel == "at-once"
    moved = post(desk, f"/appointments/{visit.id}/pin", {
        "pinned": "yes", "lock_version": visit.lock_version, "form_key": "p" * 24})
    assert moved.status_code == 303
    post(desk, f"/appointments/{visit.id}/pin", {
        "pinned": "", "lock_version": visit.lock_version + 1, "form_key": "q" * 24})

    answer = clinic.post(browser, f"/my/dates/{visit.id}/cancel", lock_version=visit.lock_version, note="")

    assert answer.status_code == 409
    assert "This has just changed" in text(answer) and "Receptionist" not in text(answer)


def cancel(browser: FlaskClient, visit: Appointment) -> TestResponse:
    return post(browser, f"/appointments/{visit.id}/cancel", {
        "reason": CANCELLATION[0], "lock_version": visit.lock_version, "form_key": token_urlsafe(18)})


def plan_of(page: str) -> str:
    return page.partition('name="plan" value="')[2].partition('"')[0]
