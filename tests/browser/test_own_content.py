"""What a clinic writes itself: treatments, texts, versions of protocols, accounts; by keyboard, and without scripts."""
from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Enter
from tests.browser.desk import Walker
from tests.browser.site import Site
from tests.browser.soundness import is_sound

pytestmark = pytest.mark.browser


def test_a_treatment_is_added_by_keyboard_alone_and_its_fault_leads_to_its_field(enter: Enter, site: Site) -> None:
    walker = enter("manager")
    page, keys = walker.page, walker.page.keyboard
    page.goto("/setup/treatments/new")
    expect(page.locator("[autofocus]")).to_be_focused()

    keys.type("Skin check")
    keys.press("Enter")
    expect(page.locator(".error-summary")).to_be_focused()
    is_sound(walker, "new-treatment-faults")
    page.locator(".error-summary").focus()
    keys.press("Tab")
    keys.press("Enter")
    keys.type("25")
    keys.press("Enter")

    expect(page.get_by_role("link", name="Skin check")).to_be_visible()
    page.get_by_role("link", name="Skin check").focus()
    keys.press("Enter")
    expect(page.locator("#part-0-minutes")).to_have_value("25")
    is_sound(walker, "treatment")


def test_an_account_is_made_by_keyboard_and_its_password_opens_the_door(
    enter: Enter, window: Callable[..., Page], site: Site
) -> None:
    walker = enter("administrator")
    page, keys = walker.page, walker.page.keyboard
    page.goto("/setup/accounts/new")
    expect(page.locator("[autofocus]")).to_be_focused()

    keys.type("Noor Haddad")
    keys.press("Tab")
    keys.type("noor@harbour.example")
    keys.press("Enter")
    expect(page.locator("code.password-once")).to_be_visible()
    is_sound(walker, "account-password")
    password = page.locator("code.password-once").inner_text()

    own = Walker(window(), None)
    own.page.goto("/sign-in")
    own.page.fill("[name=email]", "noor@harbour.example")
    own.page.fill("[name=password]", password)
    own.page.keyboard.press("Enter")
    expect(own.page.get_by_text("Noor Haddad").first).to_be_attached()


def test_words_are_read_in_the_message_while_they_are_typed_and_its_faults_beside_them(
    enter: Enter, site: Site
) -> None:
    walker = enter("manager")
    page, keys = walker.page, walker.page.keyboard
    page.goto("/setup/texts/reminder-2d/en")

    page.get_by_role("textbox", name="Opening words").focus()
    keys.type("Hello ")
    keys.press("Tab")
    keys.press("Enter")  # the first placeholder
    expect(page.get_by_role("textbox", name="Opening words")).to_have_value("Hello {first_name}")
    expect(page.get_by_role("textbox", name="Opening words")).to_be_focused()
    page.get_by_role("textbox", name="Subject", exact=True).fill("Your laser on {dat}")
    expect(page.locator("[data-fragment=about-subject]")).to_contain_text("Did you mean {date}?")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".error-summary")).to_be_focused()
    is_sound(walker, "texts-faults")
    letter = page.frame_locator("iframe.mail-preview:not(.loading)")
    expect(letter.locator("body")).to_contain_text("Hello Anna")
    page.get_by_role("textbox", name="Subject", exact=True).fill("See you on {date}")
    expect(page.locator(".inbox-subject")).to_contain_text("See you on Wednesday 10 March")
    is_sound(walker, "texts-typed")

    page.goto("/setup/texts/reminder-2d/en")
    expect(page.get_by_role("textbox", name="Subject", exact=True)).to_have_value("")


def test_words_are_read_saved_and_taken_back_without_scripts(enter: Enter, site: Site) -> None:
    walker = enter("manager", scripts=False)
    page = walker.page
    page.goto("/setup/texts")
    page.get_by_role("link", name="Nothing added of In every message in English").click()

    page.get_by_role("textbox", name="Closing words").fill("See you by the water!")
    page.get_by_role("button", name="Show how it reads").click()
    page.get_by_text("As plain text").click()
    expect(page.get_by_role("group", name="The message as plain text")).to_contain_text("See you by the water!")
    page.get_by_role("button", name="Open it below").click()
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("See you by the water!")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("textbox", name="Closing words")).to_have_value("See you by the water!")
    page.get_by_role("textbox", name="Closing words").fill("")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="History").click()
    page.get_by_role("button", name="Let this stand again").click()
    expect(page.get_by_role("textbox", name="Closing words")).to_have_value("See you by the water!")

    page.get_by_role("textbox", name="Closing words").fill("")
    page.get_by_role("button", name="Save").click()


def test_a_version_is_written_without_scripts_and_compared(enter: Enter, site: Site) -> None:
    walker = enter("manager")
    page = walker.page
    page.goto("/protocols/peel_superficial/new-version")
    page.locator("#cycle-0-interval-shortest").fill("90")
    page.locator("#precare-0-days").evaluate("field => { field.closest('details').open = true }")
    page.locator("#precare-0-days").fill("many")
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.locator("#precare-0-days")).to_be_visible()
    expect(page.locator("#cycle-0-interval-shortest")).to_have_value("90")
    is_sound(walker, "new-version-faults")

    plain = enter("manager", scripts=False).page
    plain.goto("/protocols/peel_superficial/new-version")
    plain.locator("#name").fill("Superficial peel, our way")
    plain.locator("#sessions-most").fill("12")
    plain.get_by_role("button", name="Save as a draft").click()
    expect(plain.locator("h1")).to_have_text("Version 1 and version 2")

    page.goto(plain.url)
    expect(page.get_by_text("Superficial peel, our way").first).to_be_visible()
    is_sound(walker, "difference-of-versions")
