"""What is done on a screen before it is looked at."""
from __future__ import annotations

from playwright.sync_api import Page


def open_view(page: Page) -> None:
    """Opens what the diary can be shown by, which is behind a button on a phone."""
    page.set_viewport_size({"width": 360, "height": 780})
    page.locator(".diary-view").first.click()


def open_booking(page: Page) -> None:
    """Opens the booking panel at the last free time of the day; where there is none, for somebody who walks in."""
    page.locator("a[data-free], a[data-booking]").last.click()
    page.locator("dialog[open] #booking-title").wait_for()


def ask_plans(page: Page) -> None:
    """Answers the questions of a new course."""
    page.get_by_label("None of these apply").check()
    page.get_by_role("button", name="Show plans").click()
    page.locator(".plan").first.wait_for()


def save_too_little(page: Page) -> None:
    """Sends the form of a new patient as it is."""
    page.locator("main form [required]").evaluate_all("fields => fields.forEach(each => each.required = false)")
    page.get_by_role("button", name="Add the patient").click()
    page.locator(".error-summary").wait_for()


def fail_to_save(page: Page) -> None:
    """Sends the form of the first run as it is."""
    page.locator("main form [required]").evaluate_all("fields => fields.forEach(each => each.required = false)")
    page.locator("main form button").last.click()
    page.locator(".error-summary").wait_for()
