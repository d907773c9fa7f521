"""What a patient does with a date: confirms it, moves or cancels it at once where the clinic allows it, or asks."""
from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from clinic.app import Kit
from clinic.care.owner_facts import Owner
from clinic.queries.times import offer_times
from clinic.queries.visit_choice import parse_choice
from clinic.services.absences import add_absence, remove_absence
from clinic.services.appointments import move_appointment
from clinic.services.work import Actor, Done
from clinic.store.accounts import AuditEntry
from clinic.store.clinics import Clinic
from clinic.store.courses import MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment
from tests.other_visits import add_other_visits
from tests.small_clinic import MONDAY
from tests.web import seed
from tests.web.conftest import FixedClock
from tests.web.my_patients import FLAGS, MyClinic, field, my_clinic, text, times_of


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def clinic(app: Flask, kit: Kit) -> MyClinic:
    return my_clinic(app, kit)


def test_one_button_confirms_a_date_and_a_move_asks_again(clinic: MyClinic, clock: FixedClock) -> None:
    browser = clinic.entered()
    first = clinic.dates()[0]

    answer = clinic.post(browser, f"/my/dates/{first.id}/confirm", revision=0)
    confirmed = clinic.dates()[0]
    page = text(browser.get(answer.location))
    with clinic.rows() as db:
        times = offer_times(db, first.treatment_session_id or 0, now=clock.now, days=7).times
    with clinic.kit.work(Actor("test")) as work:
        choice = parse_choice(next(time for time in times if time.starts_at != first.starts_at).choice)
        assert isinstance(move_appointment(work, first.id, choice, lock_version=first.lock_version), Done)
    late = clinic.post(browser, f"/my/dates/{first.id}/confirm", revision=0)

    assert confirmed.confirmed_at == clock.now
    assert "Thank you. We look forward" in page and "You confirmed on Monday 1 March" in page
    assert clinic.dates()[0].confirmed_at is None
    assert (late.status_code, "This has just changed" in text(late)) == (409, True)
    with clinic.rows() as db:
        entry = db.scalars(sa.select(AuditEntry).where(AuditEntry.action == "appointment-confirmed")).one()
    assert (entry.actor, entry.account_id, entry.subject_id) == ("patient", None, first.id)


@pytest.mark.parametrize("born", [False, True])
def test_a_date_in_an_absence_is_not_confirmed_until_that_is_taken_back(clinic: MyClinic, born: bool) -> None:
    browser = clinic.entered(born=born)
    first = clinic.dates()[0]
    before = text(browser.get("/my"))
    with clinic.kit.work(Actor("test")) as work:
        noted = add_absence(work, clinic.made.practitioners[0], starts_at=first.starts_at - timedelta(hours=1),
                            ends_at=first.ends_at, reason="Broken ankle")
        assert isinstance(noted, Done)

    page = text(browser.get("/my"))
    pressed = clinic.post(browser, f"/my/dates/{first.id}/confirm", revision=0)
    unchanged = clinic.dates()[0]
    with clinic.kit.work(Actor("test")) as work:
        assert isinstance(remove_absence(work, noted.value), Done)

    assert page.count("We are looking for another time for this date and will be in touch.") == 1
    assert "Yes, I will be there" in before and "Yes, I will be there" not in page
    assert f"/my/dates/{first.id}/move" in page and "ankle" not in page
    assert (pressed.status_code, "We are looking for another time" in text(pressed), "ankle" in text(pressed)) == (
        409, True, False)
    assert (unchanged.confirmed_at, unchanged.lock_version) == (None, first.lock_version)
    after = text(browser.get("/my"))
    assert "Yes, I will be there" in after and "another time for this date" not in after
    assert clinic.post(browser, f"/my/dates/{first.id}/confirm", revision=0).location == "/my?told=confirmed"


def test_what_was_confirmed_before_the_absence_says_that_another_time_is_looked_for(clinic: MyClinic) -> None:
    browser = clinic.entered()
    *_, last = clinic.dates()
    with clinic.rows() as db:
        db.execute(sa.update(Appointment).values(confirmed_at=MONDAY))
        db.commit()
    with clinic.kit.work(Actor("test")) as work:
        assert isinstance(add_absence(work, clinic.made.practitioners[0], starts_at=last.starts_at,
                                      ends_at=last.ends_at, reason="Leave"), Done)

    page = text(browser.get("/my"))

    assert (page.count("You confirmed on"), page.count("We are looking for another time")) == (2, 1)


def test_a_patient_moves_a_date_at_once_where_the_clinic_allows_it(clinic: MyClinic) -> None:
    clinic.allow("at-once", "ask")
    browser = clinic.entered()
    first, *others = clinic.dates()
    choice = times_of(browser, first.id)[0]

    page = text(browser.get(f"/my/dates/{first.id}/move", query_string={"choice": choice}))
    answer = clinic.post(browser, f"/my/dates/{first.id}/move", choice=choice, plan=field(page, "plan"),
                         lock_version=first.lock_version)

    assert "All your other dates stay as they are" in page
    assert answer.location == "/my?told=moved"
    moved, *rest = clinic.dates()
    assert (moved.id, moved.starts_at) == (first.id, parse_choice(choice).starts_at)
    assert [(row.id, row.starts_at) for row in rest] == [(row.id, row.starts_at) for row in others]
    with clinic.rows() as db:
        assert db.scalars(sa.select(AuditEntry.actor).where(AuditEntry.action == "appointment-moved")).all() == [
            "patient"]


def test_a_time_that_later_dates_follow_shows_them_and_moves_them_with_it(clinic: MyClinic) -> None:
    clinic.allow("at-once", "ask")
    browser = clinic.entered()
    first, *others = clinic.dates()
    page, following = "", ""
    for weeks in range(1, 9):
        listed = text(browser.get(f"/my/dates/{first.id}/move", query_string={
            "from": (first.local_start.date() + timedelta(weeks=weeks)).isoformat()}))
        found = re.findall(r'choice=([^"]+)">[^<]*<span class="visually-hidden">, moves later dates', listed)
        if found:
            following = found[0].replace("%40", "@").replace("%3A", ":").replace("%2C", ",")
            page = text(browser.get(f"/my/dates/{first.id}/move", query_string={"choice": following}))
            if "Your other dates move as well" in page:
                break

    answer = clinic.post(browser, f"/my/dates/{first.id}/move", choice=following, plan=field(page, "plan"),
                         lock_version=first.lock_version)

    assert answer.location == "/my?told=moved", text(answer)
    shown = page.count(" becomes ")
    now = clinic.dates()
    assert shown == sum(old.starts_at != new.starts_at for old, new in zip(others, now[1:], strict=True)) > 0
    assert now[0].starts_at == parse_choice(following).starts_at


def test_what_was_shown_is_what_is_booked_or_it_is_shown_again(clinic: MyClinic) -> None:
    clinic.allow("at-once", "ask")
    browser = clinic.entered()
    first = clinic.dates()[0]
    choice = times_of(browser, first.id)[0]

    another_plan = clinic.post(browser, f"/my/dates/{first.id}/move", choice=choice, plan="else",
                               lock_version=first.lock_version)
    stale = clinic.post(browser, f"/my/dates/{first.id}/move", choice=choice, plan=choice, lock_version=99)
    gone = clinic.post(browser, f"/my/dates/{first.id}/move", choice="1@2027-03-13T03:00Z@1", plan="",
                       lock_version=first.lock_version)

    assert [answer.status_code for answer in (another_plan, stale, gone)] == [409] * 3
    assert "Take this time" in text(another_plan) and "has just been taken" in text(gone)
    assert clinic.dates()[0].starts_at == first.starts_at


def test_where_the_clinic_wants_to_be_asked_the_wish_becomes_a_task(clinic: MyClinic) -> None:
    browser = clinic.entered()
    first = clinic.dates()[0]
    wishes = times_of(browser, first.id)[:2]

    empty = clinic.post(browser, f"/my/dates/{first.id}/move")
    answer = clinic.post(browser, f"/my/dates/{first.id}/move", wish=wishes, note="After school, please")
    cancelled = clinic.post(browser, f"/my/dates/{first.id}/cancel", lock_version=first.lock_version, note="")
    forced = clinic.post(browser, f"/my/dates/{first.id}/move", choice=wishes[0], plan=wishes[0],
                         lock_version=first.lock_version)

    assert (empty.status_code, forced.status_code) == (422, 422)
    assert [answer.location, cancelled.location] == ["/my?told=asked"] * 2
    move, cancel = clinic.tasks()
    assert (move.kind, move.appointment_id, move.urgent) == ("move", first.id, False)
    assert move.text.startswith("Asks to move session 1 of 10 March 2027") and "After school, please" in move.text
    assert move.text.count(" March 2027, ") == 3
    assert (cancel.kind, cancel.appointment_id) == ("cancel", first.id)
    assert clinic.dates()[0].starts_at == first.starts_at


def test_a_patient_cancels_at_once_where_the_clinic_allows_it(clinic: MyClinic) -> None:
    clinic.allow("ask", "at-once")
    browser = clinic.entered()
    first, *others = clinic.dates()

    answer = clinic.post(browser, f"/my/dates/{first.id}/cancel", lock_version=first.lock_version, note="On\nholiday")

    assert answer.location == "/my?told=cancelled"
    assert [row.id for row in clinic.dates()] == [row.id for row in others]
    with clinic.rows() as db:
        assert db.get_one(Appointment, first.id).cancellation_reason == (
            "The patient cancelled on their page: On holiday")


def test_shortly_before_a_date_the_desk_decides_and_a_clinic_may_allow_nothing(
    clinic: MyClinic, clock: FixedClock
) -> None:
    clinic.allow("at-once", "at-once")
    first = clinic.dates()[0]
    clock.now = first.starts_at - timedelta(hours=23)
    browser = clinic.entered()

    asked = clinic.post(browser, f"/my/dates/{first.id}/cancel", lock_version=first.lock_version, note="")
    clinic.allow("never", "never")
    refused = [browser.get(f"/my/dates/{first.id}/{what}").status_code for what in ("move", "cancel")]

    assert (asked.location, refused) == ("/my?told=asked", [404, 404])
    assert clinic.dates()[0].state == "booked"


def test_how_much_notice_a_date_needs_is_the_clinics_to_say(clinic: MyClinic, clock: FixedClock) -> None:
    clinic.allow("at-once", "at-once")
    with clinic.rows() as db:
        db.get_one(Clinic, clinic.made.clinic_id).notice_hours = 2
        db.commit()
    first = clinic.dates()[0]
    clock.now = first.starts_at - timedelta(hours=3)
    browser = clinic.entered()

    answer = clinic.post(browser, f"/my/dates/{first.id}/cancel", lock_version=first.lock_version, note="")

    assert answer.location == "/my?told=cancelled"


def test_who_cannot_follow_the_preparation_tells_the_desk(clinic: MyClinic) -> None:
    browser = clinic.entered(born=True)
    first = clinic.dates()[0]

    empty = clinic.post(browser, f"/my/dates/{first.id}/unprepared", note=" ")
    answer = clinic.post(browser, f"/my/dates/{first.id}/unprepared", note="I was in the sun on Sunday")
    again = clinic.post(browser, f"/my/dates/{first.id}/unprepared", note="I was in the sun on Sunday")

    assert (empty.status_code, answer.location, again.location) == (
        422, "/my?told=unprepared", "/my?told=unprepared")
    [task] = clinic.tasks()
    assert (task.kind, task.appointment_id, task.created_by) == ("unprepared", first.id, None)
    assert "session 1 of 10 March 2027" in task.text and "“I was in the sun on Sunday”" in task.text


def test_a_visit_of_no_course_has_a_page_of_its_own_and_moves_too(clinic: MyClinic) -> None:
    clinic.allow("at-once", "at-once")
    patient_id = clinic.made.patients[0]
    with clinic.rows() as db:
        add_other_visits(db)
        visit = seed.add_appointment(
            db, patient_id, clinic.made.clinic_id, MONDAY + timedelta(days=3), treatment="consultation", minutes=30,
            resources=(clinic.made.practitioners[0], clinic.made.rooms[0]))
        db.commit()
    browser = clinic.entered(owner=Owner("appointment", visit), born=True)

    page = text(browser.get("/my"))
    choice = times_of(browser, visit)[0]
    shown = text(browser.get(f"/my/dates/{visit}/move", query_string={"choice": choice}))
    answer = clinic.post(browser, f"/my/dates/{visit}/move", choice=choice, plan=field(shown, "plan"), lock_version=1)

    assert [word in page for word in ("Consultation", "Thursday 4 March 2027", "Wednesday 10 March")] == [
        True, True, False]
    assert answer.location == "/my?told=moved", text(answer)
    assert browser.get(f"/my/dates/{clinic.dates()[0].id}/cancel").status_code == 404


def test_upkeep_has_a_page_of_its_own(clinic: MyClinic) -> None:
    clinic.allow("at-once", "at-once")
    with clinic.rows() as db:
        plan = MaintenancePlan(course_id=clinic.courses[0], state="active", interval_days=180, shortest_days=150,
                               longest_days=210, created_at=MONDAY)
        db.add(plan)
        db.flush()
        owed = TreatmentSession(maintenance_plan_id=plan.id, number=1, treatment_code="rf-microneedling", state="owed",
                                earliest_on=date(2027, 9, 1), ideal_on=date(2027, 10, 1), latest_on=date(2027, 11, 1))
        db.add(owed)
        db.flush()
        visit = seed.add_appointment(
            db, clinic.made.patients[0], clinic.made.clinic_id, datetime(2027, 10, 1, 9, tzinfo=UTC),
            treatment_session_id=owed.id, treatment="rf-microneedling")
        owner = Owner("maintenance-plan", plan.id)
        db.commit()

    browser = clinic.entered(owner=owner, born=True)
    pages = [text(browser.get(address)) for address in ("/my", f"/my/dates/{visit}/move", "/my/symptom")]

    assert "Friday 1 October 2027" in pages[0] and "Wednesday 10 March 2027" not in pages[0]
    assert "Another time" in pages[1] and FLAGS.findall(pages[2])


