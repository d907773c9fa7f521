"""The patient's own page: it shows one course and nothing else; and what it tells the clinic."""
from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from icalendar import Calendar

from clinic.access import Role
from clinic.app import Kit
from clinic.services.completion import complete_appointment
from clinic.services.merging import merge_patients
from clinic.services.work import Actor, Done
from clinic.store.accounts import AuditEntry
from clinic.store.resources import Patient
from tests.interchange.itip import faults_of
from tests.web.checksums import checksum
from tests.web.conftest import FixedClock
from tests.web.desk import enter
from tests.web.my_patients import BORN, FLAGS, MyClinic, field, my_clinic, text

HEALTH = ("RF microneedling", "Dr Amari", "Nurse Bell", "Dr Chen", "Session 1", "retin", "swelling", "Hello")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def clinic(app: Flask, kit: Kit) -> MyClinic:
    return my_clinic(app, kit)


def test_a_browser_sees_and_changes_its_own_dates_and_nobody_elses(clinic: MyClinic) -> None:
    clinic.allow("at-once", "at-once")
    mine = clinic.entered()
    theirs = clinic.dates(1)[0]
    before = checksum(clinic.kit.engine)

    page = text(mine.get("/my"))
    got = [mine.get(f"/my/dates/{theirs.id}/{what}").status_code for what in ("move", "cancel", "unprepared")]
    sent = [clinic.post(mine, f"/my/dates/{theirs.id}/{what}", lock_version=1, revision=0, note="x",
                        choice=f"1@2027-03-17T09:00Z@{clinic.made.practitioners[0]}").status_code
            for what in ("confirm", "move", "cancel", "unprepared")]

    assert (got, sent) == ([404] * 3, [404] * 4)
    assert checksum(clinic.kit.engine) == before
    assert [f"/my/dates/{row.id}/move" in page for row in (*clinic.dates(0), theirs)] == [True, True, True, False]


def test_accounts_and_patients_never_mix(clinic: MyClinic) -> None:
    patient, staff = clinic.entered(), enter(clinic.kit, Role.MANAGER.value)

    assert staff.get("/my").status_code == 401
    assert patient.get("/patients").status_code == 303
    assert patient.get(f"/patients/{clinic.made.patients[0]}").location.startswith("/sign-in")
    for cookie in ("browser", "patient"):
        assert [browser.get_cookie(cookie) is not None for browser in (staff, patient)] == [
            cookie == "browser", cookie == "patient"]


def test_both_pages_work_side_by_side_in_one_browser(clinic: MyClinic) -> None:
    browser = enter(clinic.kit, Role.MANAGER.value)
    address = f"/l/{clinic.secret()}"
    page = text(browser.get(address))

    answer = browser.post(address, data={"csrf_token": field(page, "csrf_token")})

    assert (answer.location, browser.get("/my").status_code, browser.get("/tasks").status_code) == ("/my", 200, 200)
    assert "Manager" not in text(browser.get("/my"))


def test_without_the_birth_date_there_are_dates_place_and_phone_and_no_word_of_health(clinic: MyClinic) -> None:
    clinic.allow("at-once", "at-once")
    browser = clinic.entered()
    first = clinic.dates()[0]
    pages = [text(browser.get(address)) for address in (
        "/my", f"/my/dates/{first.id}/move", f"/my/dates/{first.id}/cancel", f"/my/dates/{first.id}/unprepared",
        "/my/symptom", "/my/symptom/same_day", "/my/settings", "/my/dates.ics")]

    assert [(word, at) for at, page in enumerate(pages) for word in HEALTH if word in page] == []
    assert "Wednesday 10 March 2027" in pages[0] and "1 Harbour Street" in pages[0]
    assert 'href="tel:+442079460000"' in pages[0]


def test_the_birth_date_opens_the_treatment_what_to_do_and_when_to_call(clinic: MyClinic) -> None:
    browser = clinic.entered(born=True)

    page = text(browser.get("/my"))

    assert [word for word in ("RF microneedling", "Hello Ana", "Session 1 of 3", "Getting ready", "I cannot follow")
            if word not in page] == []
    assert BORN.isoformat() not in page


def test_after_a_treatment_the_page_says_how_to_look_after_oneself_today(clinic: MyClinic, clock: FixedClock) -> None:
    first = clinic.dates()[0]
    clock.now = first.ends_at
    with clinic.kit.work(Actor("test")) as work:
        assert isinstance(complete_appointment(work, first.id, lock_version=first.lock_version), Done)
    clock.move(timedelta(hours=3))

    page = text(clinic.entered(born=True).get("/my"))

    assert [word for word in ("Looking after yourself", "The first 24 hours", "When to call", "Past dates")
            if word not in page] == []


def test_wrong_birth_dates_end_with_the_phone_and_nothing_shown(clinic: MyClinic) -> None:
    browser = clinic.entered()
    said = []
    for tries in range(6):
        answer = clinic.post(browser, "/my/born", day="8", month="3", year=str(1980 + tries))
        said.append((answer.status_code, "Tries left" in text(answer), "please call us" in text(answer)))

    right = clinic.post(browser, "/my/born", day="7", month="3", year="1985")

    assert said == [(422, True, False)] * 4 + [(422, False, True)] * 2
    assert "RF microneedling" not in text(right) + text(browser.get("/my"))
    assert [task.kind for task in clinic.tasks()] == ["call"]


@pytest.mark.parametrize(("day", "month", "year"), [("31", "2", "1985"), ("", "3", "1985"), ("x", "3", "85"),
                                                      ("7", "3", "85"), ("7", "13", "1985"), ("7", "3", "0")])
def test_what_is_no_date_costs_no_try(clinic: MyClinic, day: str, month: str, year: str) -> None:
    browser = clinic.entered()

    answer = clinic.post(browser, "/my/born", day=day, month=month, year=year)

    assert answer.status_code == 422 and "Give day, month and year" in text(answer)
    with clinic.rows() as db:
        assert db.scalars(sa.select(AuditEntry.id).where(AuditEntry.action == "birth-date-wrong")).all() == []


def test_where_no_birth_date_is_kept_the_page_says_to_call(clinic: MyClinic) -> None:
    with clinic.rows() as db:
        db.get_one(Patient, clinic.made.patients[0]).birth_on = None
        db.commit()

    page = text(clinic.entered().get("/my"))

    assert "please call us" in page and 'name="year"' not in page


def test_the_calendar_file_has_every_date_and_says_nothing_of_health(clinic: MyClinic) -> None:
    answer = clinic.entered().get("/my/dates.ics")

    assert list(faults_of(answer.get_data())) == []
    events = Calendar.from_ical(answer.get_data()).walk("VEVENT")
    assert [event["DTSTART"].dt for event in events] == [row.starts_at for row in clinic.dates()]
    assert [str(event["UID"]) for event in events] == [row.uid for row in clinic.dates()]
    assert {str(event["CLASS"]) for event in events} == {"PRIVATE"}
    assert answer.headers["Content-Type"].startswith("text/calendar")


def test_a_red_flag_is_urgent_and_tells_whom_to_call_at_once(clinic: MyClinic) -> None:
    clinic.allow("ask", "ask")
    browser = clinic.entered(born=True)
    page = text(browser.get("/my/symptom"))
    flags = FLAGS.findall(page)

    answer = clinic.post(browser, "/my/symptom", flag=[flags[0], flags[-1]], note="since this morning")
    told = text(browser.get(answer.location))

    assert [word for word in ("Call your local emergency number now", "Call us today", "by the next working day")
            if word not in page] == []
    assert answer.location == "/my/symptom/emergency"
    assert [word for word in ('href="tel:999"', 'href="tel:+442079460000"', 'href="tel:+442079460999"')
            if word not in told] == []
    [task] = clinic.tasks()
    assert (task.kind, task.urgent) == ("symptom", True)
    assert "(an emergency)" in task.text and "since this morning" in task.text


def test_something_else_is_a_task_and_still_says_when_to_call(clinic: MyClinic) -> None:
    browser = clinic.entered()

    guessed = clinic.post(browser, "/my/symptom", flag=["breathing"], note="")
    answer = clinic.post(browser, "/my/symptom", note="It itches")
    told = text(browser.get(answer.location))

    assert guessed.status_code == 422  # no flag can be ticked before the birth date was given
    assert answer.location == "/my/symptom/other" and "call us at once" in told and "tel:+442079460000" in told
    [task] = clinic.tasks()
    assert (task.kind, task.urgent) == ("symptom", False)


def test_a_patient_asks_only_so_much_in_a_day_but_a_red_flag_always_arrives(clinic: MyClinic) -> None:
    browser = clinic.entered(born=True)
    flags = FLAGS.findall(text(browser.get("/my/symptom")))
    answers = [clinic.post(browser, "/my/symptom", note=f"Itch {number}").status_code for number in range(21)]

    urgent = clinic.post(browser, "/my/symptom", flag=[flags[0]], note="")

    assert answers == [303] * 20 + [409]
    assert (urgent.status_code, sum(task.urgent for task in clinic.tasks())) == (303, 1)


def test_language_and_reminders_are_of_this_patient_alone(clinic: MyClinic) -> None:
    browser = clinic.entered()

    clinic.post(browser, "/my/language", language="de")
    german = text(browser.get("/my"))
    clinic.post(browser, "/my/reminders", wanted="no")
    clinic.post(browser, "/my/language", language="xx")

    assert "Ihr nächster Termin" in german and '<html lang="de">' in german
    with clinic.rows() as db:
        one, other = (db.get_one(Patient, ident) for ident in clinic.made.patients[:2])
        assert [(row.language, row.wants_reminders) for row in (one, other)] == [("de", False), ("en", True)]
        fields = db.scalars(sa.select(AuditEntry.facts).where(AuditEntry.action == "patient-changed")).all()
    assert [each["fields"] for each in fields] == [["language"], ["wants_reminders"]]
    clinic.post(browser, "/my/reminders", wanted="yes")
    with clinic.rows() as db:
        assert db.get_one(Patient, clinic.made.patients[0]).wants_reminders


def test_who_has_finished_is_out(clinic: MyClinic) -> None:
    browser = clinic.entered()

    answer = clinic.post(browser, "/my/finish")

    assert answer.status_code == 200 and browser.get_cookie("patient") is None
    assert browser.get("/my").status_code == 401


def test_the_desk_sees_what_the_patient_asked_urgent_first_and_that_they_confirmed(clinic: MyClinic) -> None:
    browser = clinic.entered(born=True)
    first = clinic.dates()[0]
    flags = FLAGS.findall(text(browser.get("/my/symptom")))
    clinic.post(browser, f"/my/dates/{first.id}/cancel", lock_version=first.lock_version, note="I am away")
    clinic.post(browser, "/my/symptom", flag=[flags[0]], note="")
    clinic.post(browser, f"/my/dates/{first.id}/confirm", revision=0)
    staff = enter(clinic.kit, Role.RECEPTIONIST.value)

    asked, course = staff.get("/requests"), text(staff.get(f"/courses/{clinic.courses[0]}"))
    patient = text(staff.get(f"/patients/{clinic.made.patients[0]}"))

    page = text(asked)
    assert page.count("Urgent") == 1 and page.index("Reports on their page") < page.index("“I am away”")
    assert "Cancel the visit" in page and "Confirmed" in course and "by the patient, " in course
    assert "Urgent: to do by" in patient and "Revoke links" in patient


def test_staff_revoke_every_link_of_a_patient_with_one_button(clinic: MyClinic) -> None:
    browser, other = clinic.entered(), clinic.entered(1)
    staff = enter(clinic.kit, Role.RECEPTIONIST.value)
    address = f"/patients/{clinic.made.patients[0]}"

    answer = staff.post(f"{address}/revoke-links", data={"csrf_token": field(text(staff.get(address)), "csrf_token")})

    assert (answer.status_code, browser.get("/my").status_code, other.get("/my").status_code) == (303, 401, 200)
    assert "Revoke links" not in text(staff.get(address))


def test_links_of_both_records_end_when_they_are_put_together(clinic: MyClinic) -> None:
    mine, theirs = clinic.entered(), clinic.entered(1)
    kept, other = clinic.made.patients[2], clinic.made.patients[0]

    with clinic.kit.work(Actor("test")) as work:
        outcome = merge_patients(work, kept, other, choices={}, kept_version=1, other_version=1)

    assert isinstance(outcome, Done), outcome
    assert (mine.get("/my").status_code, theirs.get("/my").status_code) == (401, 200)
    assert clinic.entered().get("/my").status_code == 200  # a newer message to the record that stays


def test_staff_see_the_page_as_its_patient_does_and_nothing_on_it_acts(clinic: MyClinic) -> None:
    clinic.allow("at-once", "at-once")
    staff = enter(clinic.kit, Role.RECEPTIONIST.value)
    patients = text(clinic.entered(born=True).get("/my"))
    before = checksum(clinic.kit.engine)

    shown = text(staff.get(f"/courses/{clinic.courses[0]}/as-patient"))

    assert [word for word in (*(word for word in HEALTH if word in patients), "Yes, I will be there")
            if word not in shown] == []
    assert ("Nothing here can be pressed" in shown, "<fieldset class=\"stack\" disabled>" in shown) == (True, True)
    assert re.findall(r'(?:href|action)="(?!tel:|https:|#|/static|/assets|/courses/)[^"]*"', shown) == []
    assert checksum(clinic.kit.engine) == before
