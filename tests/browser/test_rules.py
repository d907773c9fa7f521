"""The rules of messages on screen: by keyboard, followed while they are typed, and the same without scripts."""
from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Enter
from tests.browser.soundness import is_sound

pytestmark = pytest.mark.browser


def row(page: Page, name: str) -> Locator:
    """The row of a kind of message."""
    return page.locator("li.rule").filter(has=page.get_by_text(name, exact=True))


def test_a_rule_is_changed_by_keyboard_while_the_course_beside_it_follows(enter: Enter) -> None:
    walker = enter("manager")
    page, keys = walker.page, walker.page.keyboard
    page.goto("/setup")
    walker.click("link", "Rules of messages")
    first = row(page, "First reminder")

    first.locator("summary").focus()
    keys.press("Enter")
    keys.press("Tab")
    keys.type("5")
    expect(first.get_by_text("5 days before the visit, at 09:00")).to_be_visible()
    expect(page.locator(".sequence-mail").filter(has_text="5 days before the visit").first).to_be_visible()
    expect(first.locator("[name=reminder-7d-when]")).to_be_focused()
    page.get_by_label("How it goes").select_option("late")
    expect(page.get_by_text("Not sent: the patient has only just heard of the time").first).to_be_visible()
    walker.click("button", "Count the coming 30 days")
    expect(page.get_by_role("img", name=re.compile("E-mails a day in the coming 30 days"))).to_be_visible()
    row(page, "First reminder").locator("summary").click()
    is_sound(walker, "rules")
    page.locator("[name=reminder-7d-when]").fill("99")
    page.get_by_role("button", name="Save the rules").press("Enter")
    expect(page.locator(".error-summary")).to_be_focused()

    page.locator("[name=reminder-7d-when]").fill("6")
    page.get_by_role("button", name="Save the rules").press("Enter")

    expect(page.get_by_text("The rules were saved.")).to_be_visible()
    page.get_by_role("button", name="Back to ours").press("Enter")
    expect(row(page, "First reminder").get_by_text("7 days before the visit, at 09:00").first).to_be_visible()
    walker.click("button", "Save the rules")
    expect(page.get_by_role("button", name="Back to ours")).to_have_count(0)


def test_without_scripts_a_button_shows_what_would_go_and_saves_nothing(
    enter: Enter, window: Callable[..., Page]
) -> None:
    page = enter("manager", scripts=False).page
    page.goto("/setup/rules?protocol=mn_rejuvenation")

    page.get_by_label("Send: First reminder").uncheck()
    page.get_by_role("button", name="Show what would go").click()

    expect(page.get_by_text("Not sent: the clinic does not send this message").first).to_be_visible()
    page.get_by_role("button", name="As the clinic has it").click()
    expect(page.get_by_label("Send: First reminder")).to_be_checked()
    expect(page.get_by_text("As they are kept")).to_be_visible()
