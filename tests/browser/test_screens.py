"""Every screen of the catalogue that this clinic has: no violation that axe knows in light and dark, and nothing wider
than a narrow phone."""
from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from clinic.services.bounces import take_report
from clinic.services.work import Actor
from clinic.store.outbox import Message, MessageItem
from tests.browser.conftest import Enter
from tests.browser.desk import Walker
from tests.browser.site import BUSY, CHANGING, WAITING, Site
from tests.browser.soundness import BETWEEN, is_sound
from tests.interchange.bounce_samples import report
from tests.screens.catalogue import SCREENS
from tests.small_clinic import MONDAY

pytestmark = pytest.mark.browser

FACTS: dict[str, Callable[[Site], object]] = {
    "course": lambda site: site.course,
    "ended": lambda site: site.ended,
    "held": lambda site: site.held,
    "owed": lambda site: site.owed,
    "booked": lambda site: site.booked,
    "visit": lambda site: site.visit,
    "message": lambda site: 1,
    "sent": lambda site: 3,
    "patient": lambda site: site.clinic.patients[BUSY],
    "other_patient": lambda site: site.clinic.patients[CHANGING],
    "waiting": lambda site: site.clinic.patients[WAITING],
    "newcomer": lambda site: site.clinic.patients[2],
    "practitioner": lambda site: site.clinic.practitioners[0],
    "room": lambda site: site.clinic.rooms[0],
    "device": lambda site: site.clinic.devices[0],
    "clinic": lambda site: site.clinic.clinic_id,
    "account": lambda site: site.clinic.accounts["receptionist"],
    "today": lambda site: MONDAY.date(),
    "later": lambda site: MONDAY.date() + timedelta(days=7),
}
"""What there is in this clinic, by the names of the catalogue."""
ELSEWHERE = {
    "course-as-patient", "interval", "messages-waiting", "new-edition", "newsletter", "own-digest", "person-out",
    "readers", "rules"}
"""What another test of a browser comes by and judges."""
SEEN_HERE = [name for name, screen in SCREENS.items() if (screen.status, screen.then) == (200, None)
             and screen.role not in ("public", "patient") and screen.at(FACTS) and name not in ELSEWHERE]


@pytest.mark.parametrize("name", SEEN_HERE)
def test_a_screen_has_no_violation_and_fits_a_narrow_phone(
    seated: Callable[[str], Walker], site: Site, name: str
) -> None:
    screen = SCREENS[name]
    walker = seated(screen.role)

    answer = walker.page.goto(str(screen.at({fact: of(site) for fact, of in FACTS.items()})))

    assert answer is not None and answer.status == screen.status
    is_sound(walker, name, BETWEEN)


def test_what_is_said_of_a_dead_address_is_sound_too(enter: Enter, site: Site) -> None:
    patient = site.clinic.patients[8]
    with site.rows() as db:
        sent = Message(
            patient_id=patient, clinic_id=site.clinic.clinic_id, state="sent", due_at=MONDAY, settled_at=MONDAY,
            useless_after=MONDAY + timedelta(days=9), created_at=MONDAY, dot_at=MONDAY, sender="desk@harbour.example",
            recipient="patient8@example.com", message_id="<came-back@harbour.example>")
        db.add(sent)
        db.flush()
        db.add(MessageItem(message_id=sent.id, kind="confirmation", owner_kind="patient", owner_id=patient,
                           subject_kind="patient", subject_id=patient))
        db.commit()
    with site.kit.work(Actor("cli")) as work:
        assert take_report(work, report(to="patient8@example.com", message_id="<came-back@harbour.example>")) == "kept"
    walker = enter()

    for name, url in (("patient-dead-address", f"/patients/{patient}"), ("tasks-dead-address", "/tasks"),
                      ("message-came-back", f"/messages/{sent.id}")):
        walker.page.goto(url)
        is_sound(walker, name, BETWEEN)
    walker.page.goto(f"/patients/{patient}")
    walker.page.get_by_text("It is right", exact=True).click()
    is_sound(walker, "patient-dead-address-asked", BETWEEN)
    walker.page.get_by_role("button", name="Write to it again").click()

    expect(walker.page.get_by_text("Messages go to this address again.")).to_be_visible()
    expect(walker.page.get_by_text("E-mails to this address come back")).to_be_hidden()


def test_the_screens_that_answer_a_form_are_sound_too(enter: Enter, site: Site) -> None:
    walker = enter("practitioner")
    page = walker.page
    page.goto(f"/courses/new?patient={site.clinic.patients[0]}&protocol=rfmn_laxity")
    page.get_by_label("Anticoagulant or antiplatelet medicine").check()
    page.get_by_label("Sunburn, recent tan or sunbed use").check()

    page.get_by_label("Sessions").fill("99")
    page.get_by_role("button", name="Show plans").click()
    is_sound(walker, "new-course-faults", BETWEEN)
    page.get_by_label("Sessions").fill("3")
    page.get_by_label("Severe, hanging folds").check()
    page.get_by_role("button", name="Show plans").click()
    is_sound(walker, "new-course-refused", BETWEEN)
    page.get_by_label("Mild", exact=True).check()
    page.get_by_role("button", name="Show plans").click()
    is_sound(walker, "plans", BETWEEN)
    page.goto(f"/appointments/{site.booked}/move")
    page.locator("a.time").last.click()
    is_sound(walker, "confirm", BETWEEN)
    page.goto(f"/appointments/{site.booked}/move")
    page.get_by_role("link", name="4 weeks later").click()
    page.locator("a.time-moves").first.click()
    walker.arrives_at("What follows the new time")
    is_sound(walker, "repair-after-a-move", BETWEEN)


def test_the_screens_of_a_course_that_changes_are_sound_and_need_no_script(enter: Enter, site: Site) -> None:
    walker = enter("practitioner")
    page, course = walker.page, f"/courses/{site.changing}"

    page.goto(f"{course}/interval")
    is_sound(walker, "interval", BETWEEN)
    page.get_by_label("Shortest, in days").fill("21")
    page.get_by_label("Why is this patient's interval another one?").fill("Heals fast")
    page.get_by_role("button", name="Change the interval").click()
    is_sound(walker, "interval-shorter", BETWEEN)
    page.get_by_label("I have weighed the risk").check()
    page.get_by_label("Why are fewer days safe").fill("Superficial passes only")
    page.get_by_role("button", name="Change the interval").click()

    plain = enter("receptionist", scripts=False).page
    plain.goto(f"{course}/contraindication")
    plain.get_by_role("link", name="Current cold sore").click()
    plain.get_by_role("button", name="Save").click()
    expect(plain.locator("main")).to_contain_text("cancelled")
    page.goto(f"{course}/contraindication")
    page.get_by_role("link", name="Current cold sore").click()
    page.get_by_role("button", name="Save").click()
    is_sound(walker, "contraindication-confirm", BETWEEN)
    plain.get_by_role("button", name="Note it and put the course on hold").click()
    plain.wait_for_url(f"**{course}")

    page.goto(course)
    is_sound(walker, "course-on-hold", BETWEEN)
    page.goto(f"{course}/resume")
    is_sound(walker, "resume", BETWEEN)
    page.get_by_role("button", name="Go on").click()
    is_sound(walker, "resume-faults", BETWEEN)


def test_the_page_on_how_a_visit_ended_is_sound_whatever_is_answered(enter: Enter, site: Site) -> None:
    walker = enter()
    page = walker.page
    page.goto(f"/appointments/{site.due}/end")
    is_sound(walker, "visit-end-due", BETWEEN)

    page.get_by_label("Treated in part", exact=True).check()
    page.get_by_role("button", name="Save").click()
    is_sound(walker, "visit-end-faults", BETWEEN)
    expect(page.get_by_label("Treated in part", exact=True)).to_be_checked()

    page.get_by_label("Tan or sunburn").check()
    page.get_by_text("Not treated: more about it").click()
    page.get_by_label("In your words").fill("a week in the sun")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Note it")).to_be_visible()
    is_sound(walker, "course-not-treated", BETWEEN)


def test_the_sign_in_pageis_sound(window: Callable[..., Page]) -> None:
    walker = Walker(window(), None)

    walker.page.goto("/sign-in")

    is_sound(walker, "sign-in", BETWEEN)
