"""A patient leaves: three presses close the visit and move the next date."""
from __future__ import annotations

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from clinic.services.attendance import mark_arrived
from clinic.services.work import Done
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.resources import Patient, Room
from tests.browser.conftest import Enter
from tests.browser.site import ACTOR, Site, booked_course
from tests.browser.soundness import is_sound

pytestmark = pytest.mark.browser

def arrived(site: Site, name: str, email: str | None) -> int:
    """A new patient who is here for the first of three sessions; their course."""
    with site.rows() as db:
        patient = Patient(given_name=name, family_name="Leaving", search_text=f"{name} leaving".casefold(),
                          email=email, created_at=site.clock.now)
        db.add(patient)
        db.commit()
    course_id = booked_course(site, "mn_rejuvenation", "fine_lines", 3, patient_id=patient.id)
    with site.rows() as db:
        visit = visits_of(site, course_id)[0]
        assert visit.local_start.date() == site.clock.now.date()
        db.commit()
    with site.kit.work(ACTOR) as work:
        assert isinstance(mark_arrived(work, visit.id, lock_version=visit.lock_version), Done)
    return course_id


def visits_of(site: Site, course_id: int) -> list[Appointment]:
    with site.rows() as db:
        return list(db.scalars(
            sa.select(Appointment).join(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
            .where(TreatmentSession.course_id == course_id).order_by(TreatmentSession.number)))


def test_three_presses_close_the_visit_and_move_the_next_date(enter: Enter, site: Site) -> None:
    course_id = arrived(site, "Mouse", "mouse@example.com")
    before = visits_of(site, course_id)
    walker = enter()
    page = walker.page
    page.goto("/")

    page.locator("li.visit", has_text="Mouse").get_by_role("link", name="Check out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check out Mouse Leaving")
    is_sound(walker, "check-out-1")
    page.get_by_role("button", name="Treated as planned").click()
    expect(page.locator(".flash").first).to_contain_text("is completed")
    is_sound(walker, "check-out-2")
    page.locator(".shift").last.get_by_role("button", name="Move to").click()
    expect(page.locator(".flash").first).to_contain_text("sessions 2 and 3")
    is_sound(walker, "check-out-3")

    expect(page.locator(".aloud").first).to_contain_text("with")
    after = visits_of(site, course_id)
    assert after[0].state == "fulfilled"
    assert 4 <= (after[1].local_start.date() - before[1].local_start.date()).days <= 17
    assert (after[2].local_start - after[1].local_start).days >= 28


def test_a_visit_gets_another_room_in_two_clicks_from_the_day(enter: Enter, site: Site) -> None:
    arrived(site, "Swap", "swap@example.com")
    with site.rows() as db:
        db.add(Room(clinic_id=site.clinic.clinic_id, name="Room 3", features=["numbing-chair", "laser-safe"]))
        db.commit()
    walker = enter()
    page = walker.page
    page.goto("/")
    row = page.locator("li.visit", has_text="Swap Leaving")
    before = row.locator(".visit-where").inner_text()

    row.locator(".visit-where a").click()
    is_sound(walker, "swap")
    page.get_by_role("button", name="Room 3").click()

    expect(page.locator("main")).to_contain_text("Nothing is sent")
    assert "Room 3" not in before
    expect(row.locator(".visit-where")).to_contain_text("Room 3")
