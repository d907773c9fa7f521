"""Moving in and out in a browser: with and without scripts, sound on every screen, by keyboard."""
from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from clinic.store.clinics import Business
from clinic.store.outbox import Message
from tests.browser.conftest import Enter
from tests.browser.site import Site
from tests.browser.soundness import is_sound
from tests.services.moving import EXAMPLE
from tests.small_clinic import MONDAY

pytestmark = pytest.mark.browser

FILES = sorted(EXAMPLE.glob("*.csv"))


def send(page: Page, files: list[Path]) -> None:
    page.goto("/setup")
    page.get_by_role("link", name="Move in").click()
    page.get_by_label("Files", exact=True).set_input_files(files)
    page.get_by_role("button", name="Look at the files").click()


def result(page: Page) -> None:
    """Looks until the work has ended, as somebody does who presses Refresh."""
    page.wait_for_load_state()
    while page.locator("[data-refresh=errand]").count():
        page.wait_for_timeout(100)
        page.reload()


def test_the_files_of_another_system_move_in_and_every_screenis_sound(enter: Enter, site: Site, tmp_path: Path) -> None:
    walker = enter("owner")
    page = walker.page

    page.goto("/setup/import")
    is_sound(walker, "import")
    page.get_by_role("button", name="Look at the files").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose the files")
    broken = tmp_path / "Patienten.csv"
    broken.write_text("Nummer;Vorname;Nachname;Geburtsdatum;E-Mail\n" + "".join(
        f"{number};=Ana{number};Novák{number};31.02.1980;x\n" for number in range(3)), encoding="utf-8")
    send(page, [broken])
    is_sound(walker, "import-columns")
    page.get_by_role("button", name="Check the files").click()
    result(page)
    walker.arrives_at("Check")
    is_sound(walker, "import-faults")

    send(page, FILES)
    page.get_by_role("button", name="Check the files").click()
    result(page)
    is_sound(walker, "import-checked")
    page.locator("summary", has_text="Move in").click()
    page.get_by_role("button", name="Move in now").click()
    result(page)
    walker.arrives_at("Moved in")
    is_sound(walker, "import-done")

    with site.rows() as db:
        assert db.scalar(sa.select(Business.held_since)) is not None
        assert db.execute(sa.text("SELECT count(*) FROM patient WHERE family_name = 'Novák'")).scalar_one() >= 1


@pytest.fixture
def held(site: Site) -> Iterator[None]:
    """Messages wait since the move-in, some of them due."""
    with site.rows() as db:
        db.execute(sa.update(Business).values(held_since=MONDAY - timedelta(hours=1)))
        waiting = db.scalars(sa.select(Message).where(Message.state == "pending").limit(2)).all()
        assert waiting
        for message in waiting:
            message.due_at = MONDAY - timedelta(minutes=5)
        db.commit()
    yield
    with site.rows() as db:
        db.execute(sa.update(Business).values(held_since=None))
        db.commit()


@pytest.mark.usefixtures("held")
def test_what_waits_is_seen_and_let_go_by_keyboard_alone(enter: Enter, site: Site) -> None:
    walker = enter("receptionist")
    page = walker.page
    page.goto("/")
    is_sound(walker, "today-held")
    page.goto("/messages")
    is_sound(walker, "messages-held")

    page.get_by_role("link", name="See what would leave").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Messages that wait since the move-in")
    is_sound(walker, "messages-waiting")
    page.locator("summary", has_text="Release").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Release ").focus()
    page.keyboard.press("Enter")

    expect(page.locator(".flash").first).to_contain_text("Released")
    with site.rows() as db:
        assert db.scalar(sa.select(Business.held_since)) is None


@pytest.mark.parametrize("scripts", [True, False])
def test_everything_is_taken_out_and_fetched(enter: Enter, scripts: bool, tmp_path: Path) -> None:
    walker = enter("owner", scripts=scripts)
    page = walker.page
    page.goto("/setup/export")
    if scripts:
        is_sound(walker, "export")
    page.get_by_role("button", name="Prepare the export").click()
    page.wait_for_load_state()
    while not page.get_by_role("link", name="Download").count():
        page.wait_for_timeout(100)
        page.reload()
    if scripts:
        is_sound(walker, "export-ready")

    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()

    download.value.save_as(tmp_path / "export.zip")
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        assert "clinic-export/manifest.json" in archive.namelist()
