"""The diary in real browsers: what a colleague does appears by itself, keys go everywhere, a phone shows one column."""
from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Enter
from tests.browser.site import Site

pytestmark = pytest.mark.browser

DAY = "/diary?show=day&by=practitioner&without=&names=shown&colour=status&day=2027-03-03"


def focused(page: Page) -> str:
    """What has the focus, by its id, or "" for the page itself."""
    return str(page.evaluate("document.activeElement === document.body ? '' : document.activeElement.id"))


def test_what_one_books_appears_for_the_other_within_seconds_and_moves_nothing_else(enter: Enter, site: Site) -> None:
    watching, booking = enter().page, enter("manager").page
    watching.set_viewport_size({"width": 1440, "height": 600})
    watching.goto(DAY)
    name = "Pat0 Ient0"
    expect(watching.get_by_role("link", name=name)).to_have_count(0)
    watching.locator(".free").last.focus()
    held = focused(watching)
    box = watching.locator(".diary-scroll")
    box.evaluate("one => { one.scrollTop = 40; }")

    booking.goto(f"/patients/{site.clinic.patients[3]}/visits/consultation?from=2027-03-03")
    booking.locator("a.time").first.click()
    booking.get_by_role("button", name="Book").click()
    booking.wait_for_url(re.compile(r"/patients/\d+$"))

    visit = watching.locator("[data-visit]", has_text=name)
    expect(visit).to_be_visible()
    expect(watching.locator("#live")).to_have_text("A visit has changed")
    assert "block-fresh" in (visit.get_attribute("class") or "")
    assert (focused(watching), box.evaluate("one => one.scrollTop")) == (held, 40)


def test_the_diary_says_when_it_is_cut_off_and_when_somebody_was_signed_out(enter: Enter) -> None:
    page = enter("auditor").page
    page.goto(DAY)
    trouble = page.locator("[data-diary-trouble]")
    expect(trouble).to_be_hidden()

    page.context.clear_cookies()
    expect(trouble.get_by_role("link", name="Sign in again")).to_be_visible()
    expect(trouble.get_by_text("No connection")).to_be_hidden()


def test_keys_turn_days_and_weeks_and_the_arrows_go_from_visit_to_visit(enter: Enter) -> None:
    page = enter().page
    page.goto(DAY)
    for key, day in (("ArrowRight", "2027-03-04"), ("+", "2027-03-11"), ("-", "2027-03-04"),
                     ("ArrowLeft", "2027-03-03")):
        page.keyboard.press(key)
        page.wait_for_url(re.compile(f"day={day}"))
    page.keyboard.press("t")
    page.wait_for_url(re.compile(r"/diary$"))

    stops = page.locator(".diary-column [tabindex='0']")
    expect(stops).to_have_count(1)
    stops.focus()
    first = focused(page)
    page.keyboard.press("ArrowDown")
    second = focused(page)
    page.keyboard.press("ArrowUp")
    back = focused(page)
    page.keyboard.press("ArrowRight")
    beside = focused(page)
    column = "document.activeElement.closest('.diary-column').querySelector('h2').textContent"
    assert (first == back, len({first, second, beside}), page.evaluate(column)) == (True, 3, "Dr Chen")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("day=2027-03-02"))


def test_a_click_on_free_time_means_the_quarter_under_the_pointer(enter: Enter) -> None:
    page = enter().page
    page.goto(DAY.replace("03-03", "03-05"))
    free = page.locator("[data-free]").first
    box = free.bounding_box()
    assert box is not None
    rows = int(free.get_attribute("data-rows") or 0)

    page.mouse.move(box["x"] + 20, box["y"] + box["height"] / rows * 14)
    expect(free.locator("[data-time]")).to_have_text("10:00")
    page.mouse.down()
    page.mouse.up()

    expect(page.get_by_role("dialog")).to_contain_text("10:00 Fri 5 Mar 2027")


def test_a_phone_shows_one_column_at_a_time_and_the_names_lead_to_the_others(enter: Enter, site: Site) -> None:
    page = enter(width=360).page
    page.goto(DAY)
    columns = [page.locator(f"#column-{ident}") for ident in site.clinic.practitioners]
    expect(columns[0]).to_be_in_viewport()
    expect(columns[1]).not_to_be_in_viewport()

    page.get_by_role("navigation", name="To a column").get_by_role("link", name="Nurse Bell").click()

    expect(columns[1]).to_be_in_viewport(ratio=0.3)
    expect(columns[0]).not_to_be_in_viewport()
    expect(page.get_by_role("link", name="Nurse Bell")).to_have_attribute("aria-current", "true")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_without_a_script_every_visit_and_every_free_time_is_a_link(enter: Enter) -> None:
    page = enter(scripts=False).page
    page.goto(DAY)

    page.get_by_role("link", name=re.compile("Free: book")).first.click()

    expect(page).to_have_url(re.compile("/diary/book\\?at=2027-03-03T09"))
