"""The patient's own page on a phone: from the link in a message to every button, without a script."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page

from clinic.care.owner_facts import Owner
from clinic.services.work import Actor
from clinic.store.clinics import Clinic
from clinic.store.resources import Patient
from tests.browser.desk import Walker
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
        clinic.out_of_hours_phone = "+44 20 7946 0999"
        db.commit()


def _give_birth_date(walker: Walker) -> None:
    for name, value in (("Day", "7"), ("Month", "3"), ("Year", "1985")):
        walker.page.get_by_label(name, exact=True).fill(value)
    walker.click("button", "Show")


def test_every_page_of_the_patient_is_sound_in_light_dark_and_on_a_phone(phone: Callable[..., Walker]) -> None:
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
