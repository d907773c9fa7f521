"""The day as it goes: somebody runs late, a practitioner works from a phone, a note is handed over and read."""
from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from clinic.store.accounts import Account
from tests.browser.conftest import Enter
from tests.browser.desk import Finger
from tests.browser.site import Site
from tests.browser.soundness import is_sound
from tests.web.seed import add_appointment

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def _a_late_afternoon(site: Site) -> None:
    """Two visits of Nurse Bell today, in a room that Dr Chen needs next."""
    made, now = site.clinic, site.clock.now
    _, bell, chen = made.practitioners
    with site.rows() as db:
        for patient, hours, who, room in ((0, 7, bell, 0), (1, 7.75, chen, 0), (2, 7.75, bell, 1)):
            add_appointment(db, made.patients[patient], made.clinic_id, now + timedelta(hours=hours),
                            resources=(who, made.rooms[room]))
        db.get_one(Account, made.accounts["practitioner"]).practitioner_id = bell
        db.commit()
    site.clock.move(timedelta(hours=6, minutes=30))


def test_two_presses_set_a_practitioner_back_and_one_takes_it_back(enter: Enter) -> None:
    colleague = enter("manager").page
    colleague.goto("/diary?show=day&by=practitioner")
    walker = enter()
    page = walker.page
    page.goto("/")

    walker.click("link", "Running late")
    person = page.locator(".late-person", has_text="Nurse Bell")
    walker.clicks += 1
    person.get_by_role("button", name="20 min").click()

    expect(person).to_contain_text("20 minutes late")
    assert walker.clicks == 2
    calls = page.locator(".late-call")
    expect(calls.nth(0)).to_contain_text("16:20")
    expect(calls.nth(1)).to_contain_text("17:05")
    expect(calls.nth(0)).to_contain_text("your appointment at 16:00 will begin at about 16:20")
    expect(page.locator(".late-clash")).to_contain_text("Room 1 is needed for Ben Okafor at 16:45")
    expect(page.locator(".late-clash").get_by_role("link")).to_have_text([
        "Another room for Ben Okafor", "Another time for Ben Okafor"])
    calls.nth(0).get_by_role("button", name="Told").click()
    expect(calls.nth(0)).to_contain_text("Told")
    expect(page.locator("main")).to_contain_text("2 visits later, 1 to tell")
    is_sound(walker, "running-late")
    expect(colleague.locator("main")).to_contain_text("about 16:20")
    expect(colleague.locator("main")).to_contain_text("20 min late")
    page.goto("/")
    page.keyboard.press("ArrowDown")
    expect(page.locator("li.visit [data-stop=here]")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cancel the appointment")
    page.go_back()
    page.keyboard.press("w")
    expect(page.get_by_role("textbox", name="First name")).to_be_focused()
    page.go_back()
    expect(page.locator("li.visit", has_text="Ana Novák").last).to_contain_text("about 16:20")
    walker.shoot("today-late")
    page.goto("/running-late")
    page.get_by_role("button", name="On time").click()
    expect(page.locator(".late-call")).to_have_count(0)


def swipe(page: Page, by: int) -> None:
    """A finger that goes over the middle of the screen, so far to the right."""
    finger = Finger(page)
    finger.down(180, 500)
    for x in (180 + by // 2, 180 + by):
        finger.to(x, 500)
    finger.up()


def test_a_practitioner_works_from_a_phone_and_reads_what_the_desk_hands_over(enter: Enter, site: Site) -> None:
    walker = enter("practitioner", width=360)
    page = walker.page
    page.goto("/sign-in")  # leads on to where a practitioner begins
    expect(page).to_have_url(re.compile("/my-day$"))
    visit = page.locator(".my-visit", has_text="Ana Novák")
    desk = enter().page
    desk.goto(f"/patients/{site.clinic.patients[0]}")
    desk.get_by_placeholder("For the next visit").fill("Ask about the left cheek")
    desk.context.set_offline(True)
    desk.get_by_role("button", name="Leave a note").click()
    expect(desk.locator("main")).to_contain_text("No connection. What you typed is still here: try again.")
    desk.get_by_role("searchbox", name="Find anything").fill("ana")
    expect(desk.locator("[data-quick-results]")).to_contain_text("No connection")
    desk.context.set_offline(False)
    desk.get_by_role("button", name="Leave a note").click()

    expect(visit).to_contain_text("Ask about the left cheek")
    walker.shoot("my-day-360-note")
    visit.get_by_role("button", name="Read").click()
    expect(visit).not_to_contain_text("Ask about the left cheek")
    page.locator(".my-visit", has_text="Ana Novák").get_by_role("button", name="Begin").click()
    expect(visit).to_contain_text("In treatment")

    is_sound(walker, "my-day")
    page.set_viewport_size({"width": 360, "height": 780})
    swipe(page, -150)
    page.wait_for_url(re.compile("/my-day\\?day=2027-03-02"))
    swipe(page, 150)
    page.wait_for_url(re.compile("/my-day$"))
    desk.reload()
    expect(desk.locator(".tl-row", has_text="Ask about the left cheek")).to_contain_text("by Practitioner")
    walker.page.goto("/")
    expect(page.locator("li.visit", has_text="Ana Novák").last).to_contain_text("In treatment")
