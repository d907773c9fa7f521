"""A free time of the diary, a name, one press: taken back, wanted by two at once, one of them without a script."""
from __future__ import annotations

import re
from datetime import date

import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from clinic.services.appointments import cancel_appointment
from clinic.services.work import Done
from clinic.store.courses import CourseOverride, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.resources import Patient
from tests.browser.conftest import Enter
from tests.browser.site import ACTOR, Site, booked_course
from tests.browser.soundness import is_sound

pytestmark = pytest.mark.browser

def owing(site: Site, name: str) -> date:
    """A new patient whose last session of three lost its date; that date."""
    with site.rows() as db:
        patient = Patient(given_name=name, family_name="Østergård", search_text=f" ostergard {name.casefold()} ",
                          email=f"{name.casefold()}@example.com", created_at=site.clock.now)
        db.add(patient)
        db.commit()
    course_id = booked_course(site, "peel_superficial", "texture", 3, patient_id=patient.id)
    with site.rows() as db:
        last = last_visit(site, patient.id)
        assert db.get_one(TreatmentSession, last.treatment_session_id).course_id == course_id
    called_off(last, site)
    return last.local_start.date()


def called_off(visit: Appointment, site: Site) -> None:
    with site.kit.work(ACTOR) as work:
        assert isinstance(cancel_appointment(work, visit.id, reason="Ill", lock_version=visit.lock_version), Done)


def last_visit(site: Site, patient_id: int) -> Appointment:
    with site.rows() as db:
        return db.scalars(sa.select(Appointment).where(Appointment.patient_id == patient_id)
                          .order_by(Appointment.starts_at.desc(), Appointment.id.desc()).limit(1)).one()


def patient_of(site: Site, name: str) -> int:
    with site.rows() as db:
        return db.scalars(sa.select(Patient.id).where(Patient.given_name == name)).one()


def diary(page: Page, on: date) -> Locator:
    """The first free time of that day in the first column."""
    page.goto(f"/diary?show=day&by=practitioner&without=&names=shown&colour=status&day={on}")
    return page.locator("[data-free]").first


def test_a_free_time_a_name_and_a_press_book_the_next_owed_session_and_one_takes_it_back(
    enter: Enter, site: Site
) -> None:
    on = owing(site, "Mouse")
    walker = enter()
    page = walker.page

    diary(page, on).click(position={"x": 12, "y": 6})
    expect(page.get_by_role("combobox", name="Who is it for?")).to_be_focused()
    page.keyboard.type("ostergard mouse", delay=20)
    found = page.get_by_role("option", name="Mouse")
    expect(found).to_have_attribute("aria-selected", "true")
    is_sound(walker, "booking-find")
    found.click()
    book = page.get_by_role("button", name="Book Session 3 of 3")
    expect(page.get_by_role("dialog")).to_contain_text("The patient is told: confirmation in a few minutes")
    is_sound(walker, "booking-fits")
    book.click()

    page.wait_for_url(re.compile(r"booked=\d+"))
    booked = last_visit(site, patient_of(site, "Mouse"))
    expect(page.locator(f"[data-visit='{booked.id}']").first).to_be_focused()
    assert (booked.state, booked.local_start.date()) == ("booked", on)

    page.get_by_role("button", name="Undo").click()
    expect(page.locator("main")).to_contain_text("Taken back: nothing is booked, and nobody was told.")
    assert last_visit(site, patient_of(site, "Mouse")).state == "cancelled"

    # At a time that the patient does not come at, the same press asks for their word first.
    with site.rows() as db:
        db.get_one(Patient, booked.patient_id).only_times = [{"weekdays": [6], "begins": 840, "ends": 1080}]
        db.commit()
    page.locator(f"[data-free][href*='at={booked.local_start:%Y-%m-%dT%H:%M}']").first.click(position={"x": 12, "y": 6})
    page.keyboard.type("ostergard mouse", delay=20)
    page.get_by_role("option", name="Mouse").click()
    expect(page.get_by_role("dialog")).to_contain_text("The patient comes only Sun 14:00 – 18:00, not within")
    is_sound(walker, "booking-unwilling")
    page.get_by_role("checkbox", name="The patient agrees to this time").first.check()
    page.get_by_role("button", name="Book Session 3 of 3").click()
    page.wait_for_url(re.compile(rf"booked=(?!{booked.id}\b)\d+"))
    agreed = last_visit(site, booked.patient_id)
    assert (agreed.state, agreed.local_start) == ("booked", booked.local_start)
    with site.rows() as db:
        assert db.scalars(sa.select(CourseOverride.reason)).all() == ["The patient agrees to this time"]
    called_off(agreed, site)


def test_one_slot_taken_by_two_the_second_is_told_at_once_and_loses_nothing(enter: Enter, site: Site) -> None:
    on = owing(site, "First")
    assert owing(site, "Second") is not None
    late, early = enter().page, enter("manager", scripts=False).page
    free = diary(late, on)
    free.focus()
    late.keyboard.press("Enter")
    late.get_by_role("combobox").fill("Second")
    late.get_by_role("option", name="Second").click()
    expect(late.get_by_role("button", name="Book Consultation")).to_be_visible()

    # The first has no script: each of the three presses leads to a page.
    diary(early, on).click(position={"x": 12, "y": 6})
    early.get_by_role("searchbox", name="Who is it for?").fill("first oster")
    early.keyboard.press("Enter")
    early.get_by_role("link", name="First").click()
    early.get_by_role("button", name="Book Session 3 of 3").click()
    early.wait_for_url(re.compile(r"booked=\d+"))
    late.get_by_role("button", name="Book Consultation").click()

    panel = late.get_by_role("dialog")
    expect(panel).to_contain_text("Not booked. This is what fits now.")
    expect(panel).to_contain_text("is already booked within")
    expect(panel).to_contain_text("Second Østergård")
    panel.locator("details summary").last.click()
    panel.locator(".booking-nearest a").first.click()
    late.get_by_role("button", name="Book Consultation").click()
    late.wait_for_url(re.compile(r"booked=\d+"))


def test_somebody_walks_in_with_a_name_and_a_phone_number(enter: Enter, site: Site) -> None:
    walker = enter()
    page = walker.page
    page.goto("/diary?show=day&by=practitioner&day=2027-03-01")

    page.keyboard.press("w")
    page.get_by_role("textbox", name="First name").fill("Wanda")
    page.get_by_role("textbox", name="Family name").fill("Passing")
    page.get_by_role("textbox", name="Phone").fill("07700 900555")
    is_sound(walker, "booking-walk-in")
    page.get_by_role("button", name="Save, and see what fits").click()
    expect(page.get_by_role("dialog")).to_contain_text("Wanda Passing")
    page.get_by_role("link", name="for Consultation").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("No e-mail goes out")

    page.keyboard.press("Escape")
    diary(page, date(2027, 8, 2)).click()
    page.get_by_role("combobox").fill("Nadia New")
    page.get_by_role("link", name="New patient").click()
    expect(page.get_by_role("textbox", name="Family name")).to_have_value("New")
