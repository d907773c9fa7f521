"""A course booked at the desk: by mouse in few clicks, by keyboard alone, without scripts, on a narrow screen."""
from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from clinic.store.courses import Course, TreatmentSession
from tests.browser.conftest import Enter
from tests.browser.site import Site

pytestmark = pytest.mark.browser
COURSE = re.compile(r"/courses/\d+$")
MOST_CLICKS, MOST_CLICKS_WITH_SCREENING = 6, 9


def test_a_course_of_four_is_booked_in_six_clicks_and_its_confirmation_goes_out(enter: Enter, site: Site) -> None:
    walker = enter()
    page = walker.page
    walker.shoot("1-today")

    page.get_by_role("searchbox").first.fill("okafor")
    page.get_by_role("searchbox").first.press("Enter")
    walker.shoot("2-patients")
    walker.click_in("Ben Okafor", "New course")
    walker.shoot("3-protocol")
    walker.click("link", "Microneedling: fine lines")
    walker.shoot("4-screening")
    walker.click("checkbox", "None of these apply")
    walker.click("button", "Show plans")
    walker.shoot("5-plans")
    walker.click("button", "Book this course")
    walker.page.wait_for_url(COURSE)
    walker.shoot("6-course")

    assert (walker.clicks <= MOST_CLICKS, walker.heading()) == (True, "Microneedling: fine lines, texture, mild laxity")
    assert _booked(site, site.clinic.patients[1]) == ["booked"] * 4
    assert _message_state(page, "Ben Okafor") == "Pending"
    walker.shoot("7-messages")

    site.clock.move(timedelta(minutes=4))

    expect(_message(page, "Ben Okafor")).to_contain_text("Sent", timeout=60_000)
    walker.shoot("8-sent")


def test_a_course_is_booked_from_the_button_of_the_front_page_with_screening(enter: Enter, site: Site) -> None:
    walker = enter()

    walker.click("link", "New course")
    walker.page.get_by_role("searchbox").last.fill("Ient0")
    walker.page.get_by_role("searchbox").last.press("Enter")
    walker.click("link", "Pat0 Ient0")
    walker.click("link", "RF microneedling: laxity of face and neck")
    walker.click("radio", "Moderate laxity")
    walker.click("radio", "Moderate", exact=True)
    walker.click("checkbox", "None of these apply")
    walker.click("button", "Show plans")
    walker.click("button", "Book this course")
    walker.page.wait_for_url(COURSE)

    assert walker.clicks <= MOST_CLICKS_WITH_SCREENING
    assert _booked(site, site.clinic.patients[3]) == ["booked"] * 3


def test_a_course_is_booked_with_the_keyboard_alone(enter: Enter, site: Site) -> None:
    walker = enter()
    page = walker.page
    page.goto("/courses/new")

    _tab_to(page, "Name, birth date, phone or e-mail")
    page.keyboard.type("Ient1")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    for name in ("Pat1 Ient1", "Laser hair removal: face"):
        _tab_to(page, name)
        with page.expect_navigation():
            page.keyboard.press("Enter")
    _tab_to(page, "None of these apply")
    page.keyboard.press("Space")
    for name in ("Show plans", "Book this course"):
        _tab_to(page, name)
        with page.expect_navigation():
            page.keyboard.press("Enter")

    assert walker.heading() == "Laser hair removal: face"
    assert set(_booked(site, site.clinic.patients[4])) == {"booked"}


def test_a_course_is_booked_without_scripts(enter: Enter, site: Site) -> None:
    walker = enter(scripts=False)
    page = walker.page

    page.goto("/patients?q=Ient2")
    walker.click_in("Pat2 Ient2", "New course")
    walker.click("link", "Superficial chemical peel")
    walker.click("checkbox", "None of these apply")
    walker.click("button", "Show plans")
    walker.click("button", "Book this course")
    walker.page.wait_for_url(COURSE)

    assert walker.heading() == "Superficial chemical peel (AHA or BHA)"
    assert set(_booked(site, site.clinic.patients[5])) == {"booked"}


def test_a_session_is_moved_on_a_narrow_screen(enter: Enter, site: Site) -> None:
    walker = enter(width=360)
    page = walker.page

    page.goto(f"/courses/{site.course}")
    walker.click("link", "Move")
    walker.shoot("360-times")
    page.locator("a.time").first.click()
    walker.shoot("360-confirm")
    walker.click("button", "Move the appointment")

    expect(page.get_by_role("status").or_(page.locator(".flash")).first).to_contain_text("Moved.")


def test_a_double_click_books_one_course(enter: Enter, site: Site) -> None:
    walker = enter()
    page = walker.page
    page.goto(f"/courses/new?patient={site.clinic.patients[6]}&protocol=mn_acne_scar")
    walker.click("checkbox", "None of these apply")
    walker.click("button", "Show plans")

    page.get_by_role("button", name="Book this course").dblclick()
    page.wait_for_url(COURSE)

    with site.rows() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(Course)
                         .where(Course.patient_id == site.clinic.patients[6])) == 1


def _booked(site: Site, patient_id: int) -> list[str]:
    with site.rows() as db:
        return list(db.scalars(
            sa.select(TreatmentSession.state).join(Course, Course.id == TreatmentSession.course_id)
            .where(Course.patient_id == patient_id).order_by(TreatmentSession.number)))


def _message(page: Page, patient: str) -> Locator:
    return page.get_by_role("row").filter(has_text="Confirmation").filter(has_text=patient)


def _message_state(page: Page, patient: str) -> str:
    page.goto("/messages")
    return _message(page, patient).locator(".badge").inner_text()


def _tab_to(page: Page, name: str, most: int = 120) -> None:
    """Presses Tab until what has the focus is called so."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if name in page.evaluate("""() => {
            const at = document.activeElement;
            return [at.getAttribute("aria-label"), at.innerText, at.labels?.[0]?.innerText].filter(Boolean).join(" ");
        }"""):
            return
    raise AssertionError(f"{name} cannot be reached by Tab")
