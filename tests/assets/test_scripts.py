"""What the scripts add, in a real browser, and that nothing is lost without them."""
from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.assets.conftest import Opened
from tests.assets.gallery import Site
from tests.forbidding import FORBIDDING

pytestmark = pytest.mark.browser


def test_the_list_follows_the_typing_and_so_does_the_address(opened: Opened) -> None:
    page = opened("/patients?q=")
    page.locator("#list").fill("ant")

    expect(page.locator("[data-fragment=patients] th a")).to_have_text(["Anton Bruckner"])
    expect(page.locator("#live")).to_have_text("1 found")
    assert page.url.endswith("/patients?q=ant")


def test_the_bar_shows_whom_it_finds_and_the_arrows_lead_there(opened: Opened) -> None:
    page = opened("/gallery")
    page.keyboard.press("/")
    page.keyboard.type("an")
    expect(page.locator("[data-quick-results] a")).to_have_text(["Anna Nováková3 May 1985", "Anton Bruckner3 May 1985"])

    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-quick-results] a").first).to_be_focused()
    page.keyboard.press("Escape")

    expect(page.locator("[data-quick-results]")).to_be_hidden()
    expect(page.locator("#quick-search")).to_be_focused()


def test_without_scripts_the_search_is_a_form(opened: Opened) -> None:
    page = opened("/patients?q=", scripts=False)
    page.locator("#list").fill("ant")
    page.get_by_role("button", name="Search").last.click()

    expect(page.locator("[data-fragment=patients] th a")).to_have_text(["Anton Bruckner"])


def test_the_question_mark_opens_the_list_of_keys(opened: Opened) -> None:
    page = opened("/gallery")
    page.keyboard.press("?")

    expect(page.locator("#shortcuts dl")).to_be_visible()

    page.keyboard.press("h")

    expect(page.locator("#help li").first).to_be_visible()


def test_a_letter_goes_to_its_place(opened: Opened) -> None:
    page = opened("/patients?q=")
    page.keyboard.press("p")

    page.wait_for_url("**/gallery")


def test_single_keys_can_be_switched_off_and_stay_off(opened: Opened) -> None:
    page = opened("/patients?q=")
    page.keyboard.press("?")
    page.get_by_label("Single keys work on this device").uncheck()
    page.reload()
    page.keyboard.press("/")
    page.keyboard.press("p")

    expect(page.locator("#quick-search")).not_to_be_focused()
    assert page.url.endswith("/patients?q=")


def test_a_browser_that_forbids_to_remember_anything_loses_nothing_else(opened: Opened) -> None:
    page = opened("/gallery")
    page.add_init_script(FORBIDDING)
    page.goto(page.url.replace("/gallery", "/patients?q="))
    page.keyboard.press("?")
    page.get_by_label("Single keys work on this device").uncheck()
    page.get_by_label("Single keys work on this device").check()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#quick-search")).to_be_focused()
    page.locator("#list").fill("ant")

    expect(page.locator("[data-fragment=patients] th a")).to_have_text(["Anton Bruckner"])


def test_letters_typed_into_a_field_go_nowhere(opened: Opened) -> None:
    page = opened("/patients?q=")
    page.locator("#list").press_sequentially("p?/")

    expect(page.locator("#list")).to_have_value("p?/")
    assert "/patients" in page.url


def test_a_form_is_sent_once_however_often_it_is_pressed(opened: Opened, gallery_site: Site) -> None:
    page = opened("/gallery")
    send = page.get_by_role("button", name="Book this course")
    with page.expect_response("**/courses"):
        send.dblclick()
    send.click(force=True)

    expect(send).to_have_attribute("aria-disabled", "true")
    assert gallery_site.posts == ["csrf_token=a-token&plan=best"]


def test_the_button_that_was_pressed_is_told(opened: Opened, gallery_site: Site) -> None:
    page = opened("/gallery")
    page.locator(".account summary").click()
    with page.expect_response("**/theme"):
        page.get_by_role("button", name="Dark").click()

    assert gallery_site.posts == ["csrf_token=a-token&theme=dark"]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_question_opens_in_place_before_anything_is_sent(opened: Opened, gallery_site: Site, scripts: bool) -> None:
    page = opened("/gallery", scripts=scripts)
    page.locator(".confirm summary").click()
    assert gallery_site.posts == []
    page.locator("#cancel_reason").select_option("clinic")
    with page.expect_response("**/x"):
        page.get_by_role("button", name="Cancel the appointment").click()

    assert gallery_site.posts == ["csrf_token=a-token&cancel_reason=clinic"]


def test_escape_closes_a_question_and_gives_the_focus_back(opened: Opened) -> None:
    page = opened("/gallery")
    page.locator(".confirm summary").click()
    page.locator("#cancel_reason").focus()
    page.keyboard.press("Escape")

    expect(page.locator(".confirm-box")).to_be_hidden()
    expect(page.locator(".confirm summary")).to_be_focused()


def test_a_region_is_kept_fresh_until_it_is_paused(opened: Opened) -> None:
    page = standing_still(opened("/messages"))
    region = page.locator("[data-fragment=messages] p").first
    first = region.inner_text()
    page.clock.run_for(EVERY)
    expect(region).not_to_have_text(first)
    page.clock.run_for(100)  # what is told is told a moment later
    expect(page.locator("#live")).to_have_text(region.inner_text())

    page.get_by_role("button", name="Pause updates").click()

    assert asked_within(page, 10 * EVERY) == []


def test_a_region_does_not_change_under_the_hands(opened: Opened) -> None:
    page = standing_still(opened("/messages"))
    page.get_by_role("link", name="Open").focus()

    assert asked_within(page, 10 * EVERY) == []


EVERY = 1000
"""Milliseconds after which the region is asked for again."""


def standing_still(page: Page) -> Page:
    """The page anew, with a clock that goes on only when it is told to."""
    page.clock.install(time=0)
    page.clock.pause_at(1)
    page.reload()
    return page


def asked_within(page: Page, milliseconds: int) -> list[str]:
    """What the page asks of the server in that time."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(milliseconds)
    return asked


def test_a_page_with_errors_begins_at_their_list_and_leads_to_the_fields(opened: Opened) -> None:
    page = opened("/sign-in")
    expect(page.locator(".error-summary")).to_be_focused()

    page = opened("/gallery")
    page.get_by_role("link", name="Write an e-mail address").click()

    expect(page.locator("#email")).to_be_focused()
