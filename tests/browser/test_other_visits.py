"""A visit of no course by keyboard alone, and a course whose dates are held and then confirmed, at the desk."""
from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Enter
from tests.browser.site import Site
from tests.browser.soundness import is_sound

pytestmark = pytest.mark.browser


def reach(page: Page, name: str) -> None:
    """Goes on with the tab key until that link or button has the focus."""
    for _ in range(120):
        if name in page.evaluate("document.activeElement.closest('a, button')?.innerText ?? ''"):
            page.wait_for_timeout(400)  # what begins with the focus takes no key before it can have been read
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the tab key does not reach {name}")


def test_a_review_is_booked_by_keyboard_alone_in_four_presses_from_the_patient(enter: Enter, site: Site) -> None:
    walker = enter()
    page = walker.page
    page.goto(f"/patients/{site.clinic.patients[11]}")

    for name in ("Book another visit", "Review", "10:15", "Book this time"):
        reach(page, name)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        if name == "10:15":
            is_sound(walker, "visit-confirm")

    expect(page.locator("main")).to_contain_text("Booked.")
    expect(page.get_by_role("cell", name="Review", exact=True).first).to_be_visible()


def test_dates_that_wait_for_a_consultation_are_held_and_confirmed_with_a_reason(enter: Enter, site: Site) -> None:
    walker = enter("practitioner")
    page = walker.page
    page.goto(f"/courses/new?patient={site.clinic.patients[2]}&protocol=peel_medium")
    page.get_by_label("None of these apply").check()
    page.get_by_role("button", name="Show plans").click()
    is_sound(walker, "plans-held")
    expect(page.get_by_label("Hold the dates until the end of")).to_have_value("2027-03-15")

    page.get_by_role("button", name="Hold these dates").click()
    expect(page.locator("main")).to_contain_text("subject to consultation")
    page.get_by_role("link", name="Confirm or hold longer").click()
    page.get_by_label("Why without a consultation?").fill("Seen at the hospital")
    page.get_by_role("button", name="Confirm the dates").click()

    expect(page.locator("main")).to_contain_text("The dates are confirmed.")
