"""Day one: from an empty database to a booked course with the screens alone, the clicks counted."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy.orm import Session

from clinic.app import Kit
from clinic.services.first_run import setup_code
from clinic.settings import Settings
from clinic.store.accounts import Account
from clinic.store.clinics import Closure
from clinic.store.courses import Course, TreatmentSession
from clinic.store.engine import open_engine
from clinic.web import create_app
from tests.browser.desk import Walker
from tests.browser.soundness import is_sound
from tests.databases import SQLiteFiles
from tests.serving import serving
from tests.small_clinic import MONDAY

pytestmark = pytest.mark.browser
KEY = "k" * 64
MOST_CLICKS = 27
COURSE = re.compile(r"/courses/\d+$")


@dataclass
class Empty:
    """An installation that nobody has set up, and where it answers."""

    url: str
    kit: Kit

    def rows(self) -> Session:
        """A database session for what a test looks up."""
        return Session(self.kit.engine)


@pytest.fixture
def empty(sqlite_files: SQLiteFiles, tmp_path: Path) -> Iterator[Empty]:
    """An empty database, served."""
    url = sqlite_files.migrated()
    kit = Kit(Settings(tmp_path, url, KEY, "http://127.0.0.1"), open_engine(url), lambda: MONDAY, None)
    with serving(create_app(kit)) as address:
        yield Empty(address, kit)
    kit.engine.dispose()


@pytest.fixture
def stranger(chromium: Browser, empty: Empty, shots: Path | None) -> Iterator[Callable[..., Walker]]:
    """Opens a window of somebody who was never here; nothing may have been complained of in its console."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_window(*, width: int = 1440, scripts: bool = True) -> Walker:
        context = chromium.new_context(
            base_url=empty.url, viewport={"width": width, "height": 900}, java_script_enabled=scripts, locale="en-GB",
            timezone_id="Europe/London")
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"fails {error}"))
        return Walker(page, shots)

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []


def tell(page: Page, *, zone: bool = True) -> None:
    """Fills in the welcome page but for its buttons."""
    for name, value in (
        ("business", "Harbour Skin"), ("clinic", "Harbour Street"), ("address", "1 Harbour Street"),
        ("phone", "+44 20 7946 0000"), ("sender_email", "desk@harbour.example"), ("name", "Anna Bell"),
        ("email", "anna@harbour.example"), ("password", "seven quiet herons"),
    ):
        page.fill(f"[name={name}]", value)
    if zone:
        page.select_option("[name=zone]", "Europe/London")


def test_a_stranger_books_the_first_course_with_the_screens_alone(
    stranger: Callable[..., Walker], empty: Empty
) -> None:
    walker = stranger()
    page = walker.page
    page.goto("/")
    assert page.url.endswith("/welcome")
    page.goto(f"/welcome?code={setup_code(KEY)}")
    assert page.input_value("[name=zone]") == "Europe/London"  # that of the device
    tell(page, zone=False)
    walker.click("checkbox", "I treat patients myself")
    walker.shoot("first-1-welcome")
    walker.click("button", "Set up the clinic")
    walker.shoot("first-2-guide")
    expect(page.locator(".guide-next .guide-title")).to_have_text("Practitioners")

    walker.click("link", "Enter the qualifications")
    walker.click("checkbox", "RF microneedling", exact=True)
    walker.click("checkbox", "Superficial peels")
    walker.shoot("first-3-qualifications")
    walker.click("button", "Save the changes")
    walker.shoot("first-4-onward")
    walker.click("link", "Enter the rota")
    walker.shoot("first-5-rota")
    page.get_by_role("button", name="Save the rota").last.click()
    walker.clicks += 1
    comes_next(page, "Set-up: 2 of 7 done. Next: Rooms.")

    walker.click("link", "Add a room")
    page.get_by_label("Name").fill("Room 1")
    walker.shoot("first-6-room")
    walker.click("button", "Add the room")
    comes_next(page, "Set-up: 3 of 7 done. Next: Devices.")
    walker.click("link", "Set-up", exact=True)
    walker.shoot("first-7-guide")
    walker.click("link", "My treatments need none")

    walker.click("link", "RF microneedling: laxity of face and neck")
    page.get_by_text("Approve", exact=True).first.click()
    walker.clicks += 1
    walker.shoot("first-8-approve")
    walker.click("button", "Approve version 1")
    walker.shoot("first-9-approved")
    other = page.context.new_page()
    other.goto("/setup")
    lacks = other.locator("#lacks").inner_text()
    other.close()
    assert "There is no device of the type “RF microneedling device”." in lacks
    assert "Room 1 does not offer “Numbing chair”." in lacks

    walker.click("link", "Change Room 1")
    expect(page.get_by_label("Numbing chair")).to_be_checked()
    walker.shoot("first-9-room")
    walker.click("button", "Save the changes")
    walker.click("link", "Add a device")
    page.get_by_label("Name").fill("Needles")
    expect(page.get_by_label("Type")).to_have_value("rf-needling")
    walker.shoot("first-10-device")
    walker.click("button", "Add the device")
    comes_next(page, "Set-up: 5 of 7 done. Next: First patient.")

    walker.click("link", "Add a patient")
    page.get_by_label("First name").fill("Ana")
    page.get_by_label("Family name").fill("Novák")
    page.get_by_label("E-mail address").fill("ana@mail.example")
    walker.shoot("first-11-patient")
    walker.click("button", "Add the patient")
    page.locator("main").get_by_role("link", name="New course").click()
    walker.clicks += 1
    walker.click("link", "RF microneedling: laxity of face and neck")
    walker.click("radio", "Mild", exact=True)
    walker.click("checkbox", "None of these apply")
    walker.click("button", "Show plans")
    walker.shoot("first-12-plans")
    walker.click("button", "Book this course")
    page.wait_for_url(COURSE)
    walker.shoot("first-13-course")

    with empty.rows() as db:
        states = db.scalars(sa.select(TreatmentSession.state)).all()
        courses = db.scalars(sa.select(Course.state)).all()
    assert (courses, set(states), len(states) >= 3) == (["active"], {"booked"}, True)
    assert walker.clicks <= MOST_CLICKS
    page.goto("/setup")
    expect(page.locator("#guide")).to_have_count(0)
    walker.shoot("first-14-set-up")
    page.goto("/")
    expect(page.get_by_text("The set-up is not finished")).to_have_count(0)


def comes_next(page: Page, words: str) -> None:
    """Waits for what is said to come next once something was saved."""
    expect(page.locator(".flash-onward p")).to_have_text(words)


def test_the_welcome_and_the_guide_are_sound_and_need_no_script(
    stranger: Callable[..., Walker], empty: Empty
) -> None:
    walker = stranger()
    walker.page.goto("/welcome")
    is_sound(walker, "welcome")
    walker.page.get_by_role("button", name="Set up the clinic").click()
    is_sound(walker, "welcome-faults")

    plain = stranger(width=360, scripts=False).page
    plain.goto(f"/welcome?code={setup_code(KEY)}")
    tell(plain)
    plain.get_by_role("button", name="Set up the clinic").click()

    expect(plain.locator("h1")).to_have_text("Set-up")
    with empty.rows() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(Account)) == 1
    plain.goto("/")
    expect(plain.get_by_text("The set-up is not finished")).to_have_count(1)


def test_the_clinic_is_set_up_with_the_keyboard_alone(stranger: Callable[..., Walker]) -> None:
    page = stranger().page
    page.goto(f"/welcome?code={setup_code(KEY)}")
    expect(page.locator("[autofocus]")).to_be_focused()

    for value in ("Harbour Skin", "Harbour Street", "1 Harbour Street", "+44 20 7946 0000", "desk@harbour.example"):
        page.keyboard.type(value)
        page.keyboard.press("Tab")
    page.keyboard.type("London")
    page.get_by_label("Your name").focus()
    for value in ("Anna Bell", "anna@harbour.example", "seven quiet herons"):
        page.keyboard.type(value)
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("/setup$"))
    expect(page.locator(".guide-next")).to_have_count(1)


def test_hours_closures_and_a_file_of_holidays_are_entered_with_the_keyboard_alone(
    stranger: Callable[..., Walker], empty: Empty
) -> None:
    walker = stranger()
    page, keys = walker.page, walker.page.keyboard
    page.goto(f"/welcome?code={setup_code(KEY)}")
    tell(page)
    page.get_by_role("button", name="Set up the clinic").click()

    page.goto("/setup/clinics/1/edit")
    expect(page.locator("#hours-0-1-from")).to_be_hidden()
    tab_to(page, "details:has(#hours-0-1-from) > summary")
    keys.press("Enter")
    for name, typed in (("#hours-0-1-from", "0700AM"), ("#hours-0-1-to", "0800AM")):
        tab_to(page, name)
        keys.type(typed)
    is_sound(walker, "clinic-more-hours")
    page.locator("#hours-0-1-to").press("Enter")
    page.wait_for_url("**/setup/clinics")
    page.goto("/setup/clinics/1/edit")
    assert page.input_value("#hours-0-1-from") == "09:00"  # the earlier hours stand first
    assert page.input_value("#hours-0-0-to") == "08:00"

    page.goto("/setup/clinics/1/closures")
    tab_to(page, "#from_on")
    keys.type("03032027")
    tab_to(page, "#reason")
    keys.type("Stocktaking")
    keys.press("Enter")
    page.get_by_text("The closure was added.").wait_for()
    comes_next(page, "Set-up: 1 of 7 done. Next: Practitioners.")
    is_sound(walker, "closures-onward")

    # Who begins to listen only when the key is pressed may come too late: the choice has opened, and is gone.
    page.on("filechooser", lambda _: None)
    page.goto("/setup/clinics/1/holidays")
    tab_to(page, "#file")
    with page.expect_file_chooser() as chosen:
        keys.press("Enter")
    chosen.value.set_files({"name": "holidays.csv", "mimeType": "text/csv",
                            "buffer": b"2027-12-25,Christmas Day\n2027-12-27,Boxing Day"})
    tab_to(page, "button.button-primary")
    keys.press("Enter")
    tab_to(page, "#day-2")
    keys.press("Space")
    keys.press("Enter")
    page.wait_for_url("**/closures")

    with empty.rows() as db:
        closed = db.scalars(sa.select(Closure.reason).order_by(Closure.from_on)).all()
    assert closed == ["Stocktaking", "Christmas Day"]


def tab_to(page: Page, place: str) -> None:
    """Presses Tab until the focus stands there; what cannot be reached so fails."""
    for _ in range(80):
        if page.locator(place).first.evaluate("field => field === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {place} by keyboard")
