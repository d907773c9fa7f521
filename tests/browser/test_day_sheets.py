"""Power is off: the file on the stick, in a browser that has nothing but it."""
from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from clinic.interchange.day_sheets.sealed import Salt, sealed_page
from clinic.interchange.day_sheets.sheets import DaySheets, SheetDay, SheetVisit
from clinic.planning.words import day_words
from tests.browser.desk import Walker
from tests.browser.soundness import is_sound
from tests.browser.windows import Windows
from tests.opened_sheets import PASSPHRASE, few_rounds, sealed_parts

__all__ = ["few_rounds"]
pytestmark = pytest.mark.usefixtures("few_rounds")

LONG = "Maximiliana Theodora von und zu Hohenlohe-Schillingsfürst 60"
NAMES = (LONG, "فاطمة بنت عبد الله", "张伟", "Ana <b>Novák</b>")
MONDAY = date(2027, 3, 1)


def visit(number: int, name: str) -> SheetVisit:
    return SheetVisit(
        f"{9 + number:02}:00", f"{9 + number:02}:45", "10:20" if number == 1 else "", name, "+44 7700 900123",
        "Skin needling", "2 of 4", "Latex allergy" * (number == 0), ("Ask about the left cheek",) * (number == 2),
        ("Dr Amari" if number % 2 else "Nurse Bell", "Room 1", "Needling pen"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Four come on Monday, one of them on Wednesday again, and nobody on the other days."""
    days = [MONDAY + timedelta(days=after) for after in range(4)]
    sheets = DaySheets("عيادة Harbour", "Monday 1 Mar 2027, 06:00", MONDAY, tuple(
        SheetDay(on, day_words(on), f"{on:%a} {on.day} {on:%b}",
                 {0: tuple(visit(*each) for each in enumerate(NAMES)), 2: (visit(1, NAMES[2]),)}.get(on.weekday(), ()))
        for on in days),
        (("Practitioners", ("Dr Amari", "Nurse Bell")), ("Rooms", ("Room 1",))))
    path = tmp_path / "day-sheets-1-harbour.html"
    path.write_text(sealed_page(sheets, PASSPHRASE, Salt(b"s" * 16, b"n" * 12)), encoding="utf-8")
    return path


@pytest.fixture
def windows(chromium: Browser) -> Iterator[Windows]:
    """Windows in which no page may complain, or ask for anything but its own file."""
    found = Windows(chromium, "file://")
    yield found
    found.close()
    assert found.complaints == []


def put_in(windows: Windows, file: Path, *, on: date = MONDAY, scripts: bool = True) -> Page:
    page = windows.open(scripts=scripts)
    page.clock.set_fixed_time(datetime(on.year, on.month, on.day, 10, tzinfo=UTC))
    page.goto(file.as_uri())
    return page


def test_the_stick_opens_with_its_passphrase_alone_and_shows_and_prints_who_comes(
    windows: Windows, file: Path, shots: Path | None
) -> None:
    page = put_in(windows, file)
    expect(page.get_by_text("As of Monday 1 Mar 2027, 06:00 (today)")).to_be_visible()
    expect(page.get_by_text("this is a preview")).to_be_hidden()
    is_sound(Walker(page, shots), "day-sheets-closed")

    page.keyboard.type("some other words here")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This passphrase does not open the sheets")).to_be_visible()
    assert not page.get_by_text("Novák").count()
    page.keyboard.type(f"  {PASSPHRASE} ")
    page.keyboard.press("Enter")

    for name in NAMES:
        expect(page.get_by_role("rowheader", name=name).first).to_be_visible()
    expect(page.get_by_text("! Latex allergy")).to_be_visible()
    expect(page.get_by_text("about 10:20").first).to_be_visible()
    is_sound(Walker(page, shots), "day-sheets")
    page.get_by_label("Whose list").select_option("Dr Amari")
    expect(page.get_by_role("rowheader")).to_have_count(3)
    expect(page.get_by_text("Nobody comes.")).to_have_count(2)
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Lock")).to_be_hidden()
    for day in page.locator("section").all():
        expect(day.get_by_text("as of Monday 1 Mar 2027, 06:00")).to_be_visible()  # on each day's paper
    assert page.pdf().count(b"/Type /Page\n") == 2  # no sheet of paper for a day on which nobody comes
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Lock").click()
    expect(page.get_by_label("Passphrase")).to_have_value("")
    assert not page.get_by_text("Novák").count()


def test_a_file_changed_by_one_byte_opens_for_nobody_and_an_old_one_says_so(windows: Windows, file: Path) -> None:
    page = file.read_text(encoding="utf-8")
    parts = sealed_parts(page)
    other = "B" if parts["sealed"][100] == "A" else "A"
    changed = page.replace(parts["sealed"], f"{parts['sealed'][:100]}{other}{parts['sealed'][101:]}")

    file.write_text(changed, encoding="utf-8")
    damaged = put_in(windows, file)
    expect(damaged.get_by_text("This file is damaged, and no passphrase opens it")).to_be_visible()
    expect(damaged.get_by_label("Passphrase")).to_be_hidden()

    # Whoever changes it on purpose can write the sum of it anew, but not its seal.
    digest = damaged.evaluate(
        "async () => btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest('SHA-256',"
        " Uint8Array.from(atob(document.getElementById('sealed').textContent), (each) => each.charCodeAt(0))))))")
    file.write_text(changed.replace(parts["digest"], digest), encoding="utf-8")
    forged = put_in(windows, file, on=date(2027, 3, 9))
    expect(forged.get_by_text("these days are over: look for newer sheets")).to_be_visible()
    forged.get_by_label("Passphrase").fill(PASSPHRASE)
    forged.get_by_role("button", name="Open").click()
    expect(forged.get_by_text("This passphrase does not open the sheets")).to_be_visible()

    expect(put_in(windows, file, scripts=False).get_by_text("this is a preview, or JavaScript is off")).to_be_visible()
