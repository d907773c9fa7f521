"""The patient's own page on a phone: from the link in a message to every button, without a script."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from clinic.care.owner_facts import Owner
from clinic.services.absences import add_absence, remove_absence
from clinic.services.work import Actor, Done
from clinic.store.accounts import Task
from clinic.store.clinics import Clinic
from clinic.store.links import Link
from clinic.store.resources import Patient
from tests.browser.conftest import Enter
from tests.browser.desk import Walker
from tests.browser.hands import Keys
from tests.browser.site import BUSY, Site
from tests.browser.soundness import is_sound
from tests.my_links import new_secret

pytestmark = pytest.mark.browser

BORN = date(1985, 3, 7)


@pytest.fixture
def patient(site: Site) -> Iterator[int]:
    """The patient with a course in the middle of its life, whose birth date is known; the clinic lets them do all."""
    patient_id = site.clinic.patients[BUSY]
    _set(site, BORN, "at-once", "at-once")
    yield patient_id
    _set(site, None, "ask", "ask")


@pytest.fixture
def phone(window: Callable[..., Page], site: Site, shots: Path | None, patient: int) -> Callable[..., Walker]:
    """Opens the link of a message on a phone without scripts, at the page before the button."""

    def open_link(owner: Owner | None = None, *, scripts: bool = False, **how: object) -> Walker:
        with site.kit.work(Actor("test")) as work:
            secret = new_secret(work, owner or Owner("course", site.course))
        walker = Walker(window(width=360, scripts=scripts, **how), shots)
        walker.page.goto(f"/l/{secret}")
        return walker

    return open_link


def _set(site: Site, birth_on: date | None, move: str, cancel: str) -> None:
    with site.rows() as db:
        db.get_one(Patient, site.clinic.patients[BUSY]).birth_on = birth_on
        clinic = db.get_one(Clinic, site.clinic.clinic_id)
        clinic.patients_move, clinic.patients_cancel = move, cancel
        clinic.out_of_hours_phone, clinic.emergency_phone = "+44 20 7946 0999", "999"
        db.commit()


@contextmanager
def everybody_away(site: Site) -> Iterator[None]:
    """While this lasts, an absence of each practitioner is noted, for half a year."""
    noted = []
    for who in site.clinic.practitioners:
        with site.kit.work(Actor("test")) as work:
            ends_at = work.now + timedelta(days=180)
            noted.append(add_absence(work, who, starts_at=work.now, ends_at=ends_at, reason="Ill"))
    yield
    for each in noted:
        assert isinstance(each, Done)
        with site.kit.work(Actor("test")) as work:
            remove_absence(work, each.value)


def _give_birth_date(walker: Walker) -> None:
    for name, value in (("Day", "7"), ("Month", "3"), ("Year", "1985")):
        walker.page.get_by_label(name, exact=True).fill(value)
    walker.click("button", "Show")


def _set_born(walker: Walker) -> None:
    for name, value in (("Tag", "7"), ("Monat", "3"), ("Jahr", "1985")):
        walker.page.get_by_label(name, exact=True).fill(value)
    walker.click("button", "Anzeigen")


def test_every_page_of_the_patient_is_sound_in_light_dark_and_on_a_phone(
    phone: Callable[..., Walker], enter: Enter, site: Site
) -> None:
    walker = phone(scripts=True)
    page = walker.page

    is_sound(walker, "my-door")
    walker.click("button", "Continue")
    is_sound(walker, "my-before-birth-date")
    page.get_by_label("Day", exact=True).fill("1")
    page.get_by_label("Month", exact=True).fill("1")
    page.get_by_label("Year", exact=True).fill("1990")
    walker.click("button", "Show")
    is_sound(walker, "my-wrong-date")
    _give_birth_date(walker)
    is_sound(walker, "my-page")
    walker.click("link", "Move")
    is_sound(walker, "my-times")
    page.locator("a.my-time").first.click()
    is_sound(walker, "my-choice")
    page.goto("/my")
    walker.click("link", "Cancel")
    is_sound(walker, "my-cancel")
    page.goto("/my")
    walker.click("link", "Something is not right")
    is_sound(walker, "my-symptom")
    page.goto("/my/symptom/emergency")
    is_sound(walker, "my-emergency")
    page.goto("/my/settings")
    is_sound(walker, "my-settings")
    staff = enter()
    staff.page.goto(f"/courses/{site.course}/as-patient")
    is_sound(staff, "my-page-for-staff")
    with everybody_away(site):
        page.goto("/my")
        expect(page.get_by_text("We are looking for another time for this date")).not_to_have_count(0)
        is_sound(walker, "my-in-absence")


def test_on_a_phone_without_scripts_everything_takes_a_few_taps(phone: Callable[..., Walker], site: Site) -> None:
    walker = phone()
    page = walker.page
    taps: dict[str, int] = {}

    def done(what: str) -> None:
        taps[what], walker.clicks = walker.clicks, 0

    walker.click("button", "Continue")
    walker.click("button", "Yes, I will be there")
    expect(page.get_by_role("status")).to_have_text("Thank you. We look forward to seeing you.")
    done("open the page and confirm")
    _give_birth_date(walker)
    walker.arrives_at("Hello Pat4")
    done("see what is about health")
    walker.click("link", "Something is not right")
    page.get_by_text("Trouble breathing").click()
    walker.clicks += 1
    walker.click("button", "Tell the clinic")
    expect(page.get_by_role("link", name="Emergency call: 999")).to_be_visible()
    done("report a red flag and see whom to call")
    walker.click("link", "Back to your page")
    walker.clicks = 0
    walker.click("link", "Move")
    page.locator("a.my-time").nth(3).click()
    walker.clicks += 1
    walker.click("button", "Take this time")
    expect(page.get_by_role("status")).to_contain_text("your date has moved")
    done("move a date")
    walker.click("link", "Language and reminders")
    walker.click("button", "Deutsch")
    walker.arrives_at("Guten Tag Pat4")
    done("read German")
    walker.click("link", "Sprache und Erinnerungen")
    walker.click("button", "English")
    walker.clicks = 0
    walker.click("link", "Cancel")
    walker.click("button", "Cancel this date")
    done("cancel a date")

    assert taps == {
        "open the page and confirm": 2, "see what is about health": 1, "report a red flag and see whom to call": 3,
        "move a date": 3, "read German": 2, "cancel a date": 2}
    with site.rows() as db:
        assert [task.urgent for task in db.scalars(sa.select(Task).where(Task.kind == "symptom"))] == [True]


def test_a_german_page_passes_the_wish_on_and_says_what_the_desk_answers_by_keyboard_alone(
    phone: Callable[..., Walker], enter: Enter, site: Site
) -> None:
    _set(site, BORN, "ask", "ask")
    with site.rows() as db:
        db.get_one(Patient, site.clinic.patients[BUSY]).language = "de"
        db.commit()
    walker = phone(scripts=True)
    is_sound(walker, "my-door-de")
    walker.click("button", "Weiter")
    _set_born(walker)
    is_sound(walker, "my-page-de")
    walker.click("link", "Verschieben")
    walker.page.locator(".my-time input").nth(1).check(force=True)
    is_sound(walker, "my-wishes-de")
    walker.click("button", "Wunsch senden")
    is_sound(walker, "my-asked-de")

    staff = enter()
    hand, page = Keys(staff.page), staff.page
    page.goto("/requests")
    row = page.locator(".ask").filter(has_text="Asks to move")
    hand.take(row.locator("summary", has_text="Decline"))
    expect(row.get_by_text("Das ist leider nicht möglich. Es bleibt bei Ihrem Termin am")).to_be_visible()
    is_sound(staff, "requests-decline")
    hand.typed(row.get_by_label("And what you write"), "Samstags ist geschlossen")
    hand.press("Enter")
    expect(page.get_by_text("The request is done.", exact=True)).to_be_visible()
    expect(row).to_have_count(0)
    walker.page.goto("/my")
    expect(walker.page.locator("#asked")).to_contain_text("Die Praxis schreibt: Samstags ist geschlossen")
    is_sound(walker, "my-answered-de")

    with site.rows() as db:
        db.get_one(Patient, site.clinic.patients[BUSY]).language = "en"
        assert db.scalars(sa.select(Task.kind).where(Task.kind == "move")).all() == ["move"]
        db.commit()


def test_a_link_that_has_ended_and_a_page_that_is_closed_are_sound(
    phone: Callable[..., Walker], site: Site
) -> None:
    walker = phone(scripts=True)
    address = walker.page.url
    with site.rows() as db:
        db.execute(sa.update(Link).values(expires_at=site.clock.now))
        db.commit()

    walker.page.goto(address)
    is_sound(walker, "my-expired")
    walker.click("button", "Send me a new link")
    is_sound(walker, "my-fresh-asked")
    walker.page.goto("/my")
    is_sound(walker, "my-closed")
