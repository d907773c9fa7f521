"""Practitioners, rotas and absences by keyboard, without scripts, and on a narrow phone."""
from __future__ import annotations

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from clinic.store.resources import Absence, Practitioner, Qualification, Rota, RotaSpan
from tests.browser.conftest import Enter
from tests.browser.site import BUSY, Site
from tests.browser.soundness import is_sound

pytestmark = pytest.mark.browser


def busiest(site: Site) -> int:
    """The practitioner of the course that was there from the beginning."""
    with site.rows() as db:
        return int(db.scalars(sa.text(
            "SELECT b.resource_id FROM resource_booking b JOIN practitioner p ON p.id = b.resource_id"
            " JOIN appointment a ON a.id = b.appointment_id WHERE a.state = 'booked'"
            " GROUP BY 1 ORDER BY count(*) DESC, 1")).first() or 0)


def test_a_practitioner_is_added_with_the_keyboard_alone(enter: Enter, site: Site) -> None:
    page = enter("manager").page
    page.goto("/setup/people/new")
    expect(page.locator("[autofocus]")).to_be_focused()

    page.keyboard.type("Dr Key Board")
    for _ in range(8):  # to the superficial peels: the dates of what is not ticked are not in the way
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**/setup/people/*")

    expect(page.locator("h1")).to_have_text("Dr Key Board")
    with site.rows() as db:
        who = db.scalars(sa.select(Practitioner.__table__.c.id).where(
            Practitioner.__table__.c.name == "Dr Key Board")).one()
        codes = db.scalars(sa.select(Qualification.code).where(Qualification.practitioner_id == who)).all()
        days = db.scalars(sa.select(RotaSpan.weekday).join(Rota, Rota.id == RotaSpan.rota_id).where(
            Rota.practitioner_id == who)).all()
        row = db.get_one(Practitioner, who)
        row.active = False
        db.commit()
    assert (codes, sorted(days)) == (["peel-superficial"], [0, 1, 2, 3, 4])


def test_a_rota_is_edited_without_a_script_and_enter_saves_it(enter: Enter, site: Site) -> None:
    with site.rows() as db:
        person = Practitioner(name="Nurse Plain", active=False)
        db.add(person)
        db.commit()
        who = person.id
    page = enter("manager", scripts=False).page
    page.goto(f"/setup/people/{who}/rota/new")

    page.get_by_role("button", name="Add hours on Saturday").click()
    page.locator("[name=w0-d5-r0-to]").fill("12:00")
    page.get_by_role("button", name="Add a break on Monday").click()
    page.wait_for_url("**#w0-d0")
    expect(page.locator("[name=w0-d5-r0-to]")).to_have_value("12:00")
    page.select_option("[name=weeks]", "2")
    page.get_by_role("button", name="Set the number of weeks").click()
    page.get_by_role("group", name="Friday of week 2, row 1").get_by_role("button", name="Remove").click()
    page.locator("[name=w0-d0-r0-from]").press("Enter")
    page.wait_for_url(f"**/setup/people/{who}")

    with site.rows() as db:
        rows = db.execute(sa.select(RotaSpan.week, RotaSpan.weekday, RotaSpan.closes, RotaSpan.break_minutes)
                          .join(Rota, Rota.id == RotaSpan.rota_id).where(Rota.practitioner_id == who)
                          .order_by(RotaSpan.week, RotaSpan.weekday, RotaSpan.opens)).all()
    usual = [(0, 1080, None), (0, 840, 30), (1, 1080, None), (2, 1080, None), (3, 1080, None)]
    assert [tuple(row) for row in rows] == [
        *((0, *each) for each in (*usual, (4, 1080, None), (5, 720, None))),
        *((1, *each) for each in (*usual, (5, 720, None)))]


def test_an_absence_says_whom_it_meets_and_the_second_button_notes_it(enter: Enter, site: Site) -> None:
    walker = enter("manager")
    page, who = walker.page, busiest(site)
    page.goto(f"/setup/absences/new?of={who}")
    page.fill("[name=from_on]", "2027-03-01")
    page.fill("[name=to_on]", "2028-03-01")
    page.fill("[name=reason]", "Parental leave")

    page.get_by_role("button", name="Note the absence").click()
    expect(page.get_by_role("alert")).to_contain_text("This absence meets")
    is_sound(walker, "absence-effect")
    page.get_by_role("button", name="Note the absence all the same").click()
    page.wait_for_url("**/absences/*/visits")
    is_sound(walker, "absence-visits")
    page.goto("/setup/absences")
    is_sound(walker, "absences-some")

    expect(page.locator("main")).to_contain_text("Parental leave")
    assert site.clinic.patients[BUSY]
    page.get_by_role("row").filter(has_text="Parental leave").locator("summary").click()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("The absence was removed")).to_be_visible()
    with site.rows() as db:
        assert db.scalars(sa.select(Absence.id).where(Absence.reason == "Parental leave")).all() == []


def test_the_answers_of_the_forms_are_sound(enter: Enter, site: Site) -> None:
    walker = enter("manager")
    page, who = walker.page, busiest(site)

    page.goto("/setup/people/new")
    page.fill("[name=closes]", "08:00")
    page.get_by_role("button", name="Add the practitioner").click()
    is_sound(walker, "person-faults")
    page.goto(f"/setup/people/{who}/rota/new")
    page.fill("[name=w0-d0-r0-to]", "08:00")
    page.get_by_role("button", name="Add hours on Tuesday").click()
    page.get_by_role("button", name="Save the rota").last.click()
    is_sound(walker, "rota-faults")
    page.goto(f"/setup/people/{who}/edit")
    for box in page.locator(".held .choice-mark").all():
        box.uncheck()
    page.get_by_role("button", name="Save the changes").click()
    expect(page.get_by_role("alert")).to_contain_text("no longer be qualified")
    is_sound(walker, "person-stranded")
    page.goto(f"/setup/people/{who}/out-of-use")
    is_sound(walker, "person-out")
