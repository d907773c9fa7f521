"""Who is there already shows while a new patient is typed; two records are put together by keyboard alone."""
from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Enter
from tests.browser.site import Site
from tests.web import seed

pytestmark = pytest.mark.browser


def test_a_likely_double_shows_while_typing_and_becomes_one_by_keyboard(enter: Enter, site: Site) -> None:
    with site.rows() as db:
        kept = seed.add_patient(db, "Ottilie", "Krähenbühl", search_text=" krahenbuhl ottilie 447700900123 1984-03-12 ")
        db.commit()
    page = enter("receptionist").page
    page.goto("/patients/new")

    page.get_by_label("First name").press_sequentially("Otilie")
    page.get_by_label("Family name").press_sequentially("Krahenbuhl")
    page.get_by_label("Birth date").fill("1984-03-12")
    page.get_by_text("May be here already").wait_for()
    assert page.get_by_role("link", name="Ottilie Krähenbühl").get_attribute("href") == f"/patients/{kept}"
    assert page.url.endswith("/patients/new")
    page.get_by_label("Family name").fill("Xu")
    page.get_by_text("May be here already").wait_for(state="detached")

    page.get_by_label("Family name").fill("Krahenbuhl")
    page.get_by_text("May be here already").wait_for()
    page.get_by_label("Phone calls only").check()
    page.get_by_label("Phone", exact=False).first.fill("+44 7700 900999")
    page.get_by_role("button", name="Add the patient").press("Enter")
    page.get_by_label("This is another person").check()
    page.get_by_role("button", name="Add the patient").press("Enter")
    page.get_by_role("link", name="Find doubles").press("Enter")
    page.get_by_role("link", name="Compare").press("Enter")
    page.get_by_role("button", name="Put them together").press("Enter")

    page.get_by_text("The two records are one now").wait_for()
    page.get_by_role("button", name="Undo").press("Enter")
    page.get_by_text("The two records are apart again").wait_for()


def test_a_calendar_is_read_without_scripts(enter: Enter, site: Site) -> None:
    who = site.clinic.practitioners[2]
    page = enter("manager", scripts=False).page
    page.goto(f"/setup/people/{who}/calendars")

    page.get_by_label("Name of the calendar").fill("Private")
    page.get_by_label("Calendar file").set_input_files({
        "name": "private.ics", "mimeType": "text/calendar",
        "buffer": b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20300101T000000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"})
    page.get_by_role("button", name="Read the file").press("Enter")

    expect(page.locator("main")).to_contain_text("holds no busy time")
