"""A course booked at the desk: its confirmation goes out, dates are adjusted by keys, a question is answered first."""
from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from clinic.store.courses import Course, TreatmentSession
from tests.browser.conftest import Enter
from tests.browser.site import Site
from tests.browser.soundness import is_sound

pytestmark = pytest.mark.browser
COURSE = re.compile(r"/courses/\d+$")
MOST_CLICKS, MOST_CLICKS_WITH_SCREENING, MOST_KEYS_TO_ADJUST = 4, 7, 60


def test_a_course_of_four_is_booked_in_four_clicks_and_its_confirmation_goes_out(enter: Enter, site: Site) -> None:
    walker = enter()
    page = walker.page
    page.goto("/")
    walker.shoot("1-today")

    page.get_by_role("searchbox").first.fill("okafor")
    page.get_by_role("searchbox").first.press("Enter")
    page.get_by_role("heading", name="Ben Okafor").wait_for()
    walker.shoot("2-patient")
    walker.clicks += 1
    page.get_by_role("main").get_by_role("link", name="New course").click()
    walker.shoot("3-protocol")
    walker.click("link", "Microneedling: fine lines")
    walker.shoot("4-screening")
    walker.click("checkbox", "None of these apply")
    page.get_by_role("button", name="Book this course").wait_for()
    walker.shoot("5-plans")
    walker.click("button", "Book this course")
    walker.page.wait_for_url(COURSE)
    walker.shoot("6-course")

    walker.arrives_at("Microneedling: fine lines, texture, mild laxity")
    assert walker.clicks <= MOST_CLICKS
    assert _booked(site, site.clinic.patients[1]) == ["booked"] * 4
    assert _message_state(page, "Ben Okafor") == "Pending"
    walker.shoot("7-messages")

    site.clock.move(timedelta(minutes=4))

    expect(_message(page, "Ben Okafor")).to_contain_text("Sent", timeout=60_000)
    walker.shoot("8-sent")


def test_a_course_is_booked_from_the_button_of_the_front_page_with_screening(enter: Enter, site: Site) -> None:
    walker = enter()
    walker.page.goto("/")

    walker.click("link", "New course")
    walker.page.get_by_role("searchbox").last.fill("Ient0")
    walker.page.get_by_role("searchbox").last.press("Enter")
    walker.click("link", "Pat0 Ient0")
    walker.click("link", "RF microneedling: laxity of face and neck")
    walker.click("radio", "Moderate laxity")
    walker.click("radio", "Moderate", exact=True)
    walker.click("checkbox", "None of these apply")
    walker.click("button", "Book this course")
    walker.page.wait_for_url(COURSE)

    assert walker.clicks <= MOST_CLICKS_WITH_SCREENING
    assert _booked(site, site.clinic.patients[3]) == ["booked"] * 3


def test_the_second_date_is_put_on_another_day_and_the_rest_planned_anew_with_the_keyboard_alone(
    enter: Enter, site: Site
) -> None:
    walker = enter()
    page = walker.page
    page.goto(f"/courses/new?patient={site.clinic.patients[7]}&protocol=mn_rejuvenation")

    keys = _tab_to(page, "None of these apply")
    page.keyboard.press("Space")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    before = page.locator(".plan").first.locator(".plan-day").all_inner_texts()
    keys += _tab_to(page, "Other times for session 2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Other times for session 2")).to_be_focused()
    keys += _tab_to(page, ":")
    page.keyboard.press("ArrowDown")
    chosen = page.evaluate("document.activeElement.innerText").split(",")[0].strip()
    page.keyboard.press("Enter")
    expect(page.locator(".plan").first.locator(".plan-fixed")).to_have_count(2)
    after = page.locator(".plan").first.locator(".plan-day").all_inner_texts()
    keys += _tab_to(page, "Book this course")
    page.keyboard.press("Enter")
    page.wait_for_url(COURSE)

    assert (after[0], f"{after[1]} 2027") == (before[0], chosen)
    assert before[1] != after[1]
    assert keys + 6 <= MOST_KEYS_TO_ADJUST
    expect(page.get_by_text(f"{after[1]} 2027").first).to_be_visible()


def test_a_question_on_the_phone_is_answered_before_anybody_is_chosen_and_then_booked(
    enter: Enter, site: Site
) -> None:
    walker = enter(width=360)
    page = walker.page
    page.goto("/courses/new")
    walker.click("link", "RF microneedling: laxity of face and neck")

    page.get_by_label("Ready for an event on").fill("2027-04-20")
    expect(page.get_by_text(re.compile(r"It cannot be done before Tue 20 Apr 2027: \d+ days too late"))).to_be_visible()
    expect(page.get_by_text("2 sessions can be done")).to_be_visible()
    page.get_by_label("Sessions").fill("2")
    expect(page.get_by_text("It can be done before Tue 20 Apr 2027")).to_be_visible()
    walker.clicks += 1
    page.locator("[data-presses=visit-2]").first.click()
    page.get_by_role("heading", name="Other times for session 2").wait_for()
    is_sound(walker, "sweep-other-times")
    page.get_by_label("Name, phone, e-mail or birth date").last.fill("Ient8")
    walker.click("button", "Pat8 Ient8")
    page.wait_for_url("**/courses/new/plans*")
    walker.click("checkbox", "None of these apply")
    walker.click("button", "Book this course")
    page.wait_for_url(COURSE)

    assert walker.clicks <= 5
    expect(page.get_by_text("Booked: 2 sessions.")).to_be_visible()


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


def _tab_to(page: Page, name: str, most: int = 120) -> int:
    """Presses Tab until what has the focus is called so; how often that was."""
    for times in range(1, most + 1):
        page.keyboard.press("Tab")
        if name in page.evaluate("""() => {
            const at = document.activeElement;
            return [at.getAttribute("aria-label"), at.innerText, at.labels?.[0]?.innerText]
                .filter(Boolean).join(" ").replace(/\\s+/g, " ");
        }"""):
            return times
    raise AssertionError(f"{name} cannot be reached by Tab")
