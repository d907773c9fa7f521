"""Every screen: no violation that axe knows in light and dark, and nothing wider than a narrow phone."""
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
from tests.browser.site import Site
from tests.browser.soundness import is_sound
from tests.interchange.bounce_samples import report
from tests.small_clinic import MONDAY

pytestmark = pytest.mark.browser

SCREENS: dict[str, Callable[[Site], str]] = {
    "today": lambda site: "/",
    "diary": lambda site: "/diary?show=day&by=practitioner",
    "diary-week": lambda site: "/diary?show=week&by=practitioner",
    "diary-week-of-one": lambda site: f"/diary?show=week&of={site.clinic.practitioners[0]}",
    "diary-list": lambda site: "/diary?show=list",
    "diary-rooms": lambda site: "/diary?show=day&by=room&names=hidden&colour=treatment",
    "diary-closed": lambda site: "/diary?show=day&day=2027-03-06&by=practitioner&names=shown&colour=status",
    "patients": lambda site: "/patients",
    "nobody-found": lambda site: "/patients?q=zzzz",
    "new-patient": lambda site: "/patients/new",
    "patient": lambda site: f"/patients/{site.clinic.patients[7]}",
    "edit-patient": lambda site: f"/patients/{site.clinic.patients[7]}/edit",
    "new-course": lambda site: "/courses/new?q=ient",
    "new-course-protocol": lambda site: f"/courses/new?patient={site.clinic.patients[7]}",
    "new-course-enquiry": lambda site: "/courses/new?protocol=mn_rejuvenation",
    "new-course-form": lambda site: f"/courses/new?patient={site.clinic.patients[2]}&protocol=combo_lift_mn_rf",
    "course": lambda site: f"/courses/{site.course}",
    "course-completed": lambda site: f"/courses/{site.ended}",
    "stop-course": lambda site: f"/courses/{site.course}/stop",
    "repair": lambda site: f"/courses/{site.course}/repair",
    "move": lambda site: f"/appointments/{site.booked}/move",
    "book-owed": lambda site: f"/sessions/{site.owed}/book",
    "cancel": lambda site: f"/appointments/{site.booked}/cancel",
    "visit-end": lambda site: f"/appointments/{site.booked}/end",
    "to-plan": lambda site: "/to-plan?show=all",
    "contraindications": lambda site: f"/courses/{site.course}/contraindication",
    "contraindication": lambda site: f"/courses/{site.course}/contraindication?item=3",
    "hold": lambda site: f"/courses/{site.course}/hold",
    "messages": lambda site: "/messages",
    "message": lambda site: "/messages/1",
    "message-sent": lambda site: "/messages/3",
    "people-to-tell": lambda site: "/people-to-tell",
    "protocols": lambda site: "/protocols",
    "protocol": lambda site: "/protocols/rfmn_laxity",
    "requests": lambda site: "/requests",
    "tasks": lambda site: "/tasks",
    "day-lists": lambda site: "/day-lists",
    "unconfirmed": lambda site: "/unconfirmed",
    "running-late": lambda site: "/running-late",
    "my-day": lambda site: "/my-day",
    "course-card": lambda site: f"/courses/{site.course}/card",
    "figures": lambda site: "/figures?from=2027-01&to=2027-03",
    "set-up": lambda site: "/setup",
    "clinics": lambda site: "/setup/clinics",
    "new-clinic": lambda site: "/setup/clinics/new",
    "edit-clinic": lambda site: f"/setup/clinics/{site.clinic.clinic_id}/edit",
    "closures": lambda site: f"/setup/clinics/{site.clinic.clinic_id}/closures",
    "holidays": lambda site: f"/setup/clinics/{site.clinic.clinic_id}/holidays",
    "travel": lambda site: f"/setup/clinics/{site.clinic.clinic_id}/travel",
    "treatments": lambda site: "/setup/treatments",
    "new-treatment": lambda site: "/setup/treatments/new",
    "health": lambda site: "/setup/health",
    "texts": lambda site: "/setup/texts",
    "text": lambda site: "/setup/texts/confirmation/de",
    "text-history": lambda site: "/setup/texts/every-message/en/history",
    "new-version": lambda site: "/protocols/combo_mn_peel/new-version",
    "difference": lambda site: "/protocols/rfmn_laxity/difference?before=1&after=1",
    "translations": lambda site: "/setup/translations",
    "translated-messages": lambda site: "/setup/translations/de/messages",
    "translated-protocol": lambda site: "/setup/translations/de/protocols/mn_rejuvenation",
    "accounts": lambda site: "/setup/accounts",
    "new-account": lambda site: "/setup/accounts/new",
    "account": lambda site: f"/setup/accounts/{site.clinic.accounts['receptionist']}",
    "rights": lambda site: "/setup/rights",
    "doubles": lambda site: "/patients/doubles",
    "merge": lambda site: f"/patients/{site.clinic.patients[7]}/merge/{site.clinic.patients[9]}",
    "people": lambda site: "/setup/people",
    "person": lambda site: f"/setup/people/{site.clinic.practitioners[0]}",
    "new-person": lambda site: "/setup/people/new",
    "edit-person": lambda site: f"/setup/people/{site.clinic.practitioners[0]}/edit",
    "new-rota": lambda site: f"/setup/people/{site.clinic.practitioners[0]}/rota/new",
    "which-date": lambda site: f"/setup/people/{site.clinic.practitioners[0]}/day",
    "hours-of-a-date": lambda site: f"/setup/people/{site.clinic.practitioners[0]}/day?on=2027-03-10",
    "swap": lambda site: f"/setup/people/{site.clinic.practitioners[0]}/swap",
    "absences": lambda site: "/setup/absences",
    "new-absence": lambda site: f"/setup/absences/new?of={site.clinic.practitioners[0]}",
    "rooms": lambda site: "/setup/rooms",
    "new-room": lambda site: "/setup/rooms/new",
    "room": lambda site: f"/setup/rooms/{site.clinic.rooms[0]}",
    "devices": lambda site: "/setup/devices",
    "new-device": lambda site: "/setup/devices/new",
    "device": lambda site: f"/setup/devices/{site.clinic.devices[0]}",
    "move-in": lambda site: "/setup/import",
    "export": lambda site: "/setup/export",
    "outside-calendars": lambda site: f"/setup/people/{site.clinic.practitioners[0]}/calendars",
    "own-password": lambda site: "/account/password",
    "other-visits": lambda site: f"/patients/{site.clinic.patients[11]}/visits",
    "visit-times": lambda site: f"/patients/{site.clinic.patients[11]}/visits/consultation?from=2027-03-08",
    "visit-move": lambda site: f"/appointments/{site.visit}/move",
    "visit-cancel": lambda site: f"/appointments/{site.visit}/cancel",
    "consultation-end": lambda site: f"/appointments/{site.visit}/end",
    "patient-waiting": lambda site: f"/patients/{site.clinic.patients[11]}",
    "course-held": lambda site: f"/courses/{site.held}",
    "held-dates": lambda site: f"/courses/{site.held}/dates",
    "new-course-held": lambda site: f"/courses/new?patient={site.clinic.patients[2]}&protocol=peel_medium",
}

ENTERED_BY = {
    "set-up": "manager", "clinics": "manager", "new-clinic": "manager", "edit-clinic": "manager",
    "closures": "manager", "holidays": "manager", "travel": "manager",
    "outside-calendars": "manager", "move-in": "owner", "export": "owner",
    **dict.fromkeys(("people", "person", "new-person", "edit-person", "new-rota", "which-date", "hours-of-a-date",
                     "swap", "absences", "new-absence", "rooms", "new-room", "room", "devices", "new-device",
                     "device"), "manager"),
    "treatments": "manager", "new-treatment": "manager", "texts": "manager", "health": "manager",
    "text": "manager", "text-history": "manager",
    "figures": "manager",
    "new-version": "manager", "translated-messages": "manager", "translated-protocol": "practitioner",
    "accounts": "administrator", "new-account": "administrator", "account": "administrator", "rights": "administrator",
}
"""Who opens a screen that the desk may not enter."""


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_has_no_violation_and_fits_a_narrow_phone(
    seated: Callable[[str], Walker], site: Site, name: str
) -> None:
    walker = seated(ENTERED_BY.get(name, "receptionist"))

    walker.page.goto(SCREENS[name](site))

    is_sound(walker, name)


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
        is_sound(walker, name)
    walker.page.goto(f"/patients/{patient}")
    walker.page.get_by_text("It is right", exact=True).click()
    is_sound(walker, "patient-dead-address-asked")
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
    is_sound(walker, "new-course-faults")
    page.get_by_label("Sessions").fill("3")
    page.get_by_label("Severe, hanging folds").check()
    page.get_by_role("button", name="Show plans").click()
    is_sound(walker, "new-course-refused")
    page.get_by_label("Mild", exact=True).check()
    page.get_by_role("button", name="Show plans").click()
    is_sound(walker, "plans")
    page.goto(f"/appointments/{site.booked}/move")
    page.locator("a.time").last.click()
    is_sound(walker, "confirm")
    page.goto(f"/appointments/{site.booked}/move")
    page.get_by_role("link", name="4 weeks later").click()
    page.locator("a.time-moves").first.click()
    walker.arrives_at("What follows the new time")
    is_sound(walker, "repair-after-a-move")


def test_the_screens_of_a_course_that_changes_are_sound_and_need_no_script(enter: Enter, site: Site) -> None:
    walker = enter("practitioner")
    page, course = walker.page, f"/courses/{site.changing}"

    page.goto(f"{course}/interval")
    is_sound(walker, "interval")
    page.get_by_label("Shortest, in days").fill("21")
    page.get_by_label("Why is this patient's interval another one?").fill("Heals fast")
    page.get_by_role("button", name="Change the interval").click()
    is_sound(walker, "interval-shorter")
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
    is_sound(walker, "contraindication-confirm")
    plain.get_by_role("button", name="Note it and put the course on hold").click()
    plain.wait_for_url(f"**{course}")

    page.goto(course)
    is_sound(walker, "course-on-hold")
    page.goto(f"{course}/resume")
    is_sound(walker, "resume")
    page.get_by_role("button", name="Go on").click()
    is_sound(walker, "resume-faults")


def test_the_page_on_how_a_visit_ended_is_sound_whatever_is_answered(enter: Enter, site: Site) -> None:
    walker = enter()
    page = walker.page
    page.goto(f"/appointments/{site.due}/end")
    is_sound(walker, "visit-end-due")

    page.get_by_label("Treated in part", exact=True).check()
    page.get_by_role("button", name="Save").click()
    is_sound(walker, "visit-end-faults")
    expect(page.get_by_label("Treated in part", exact=True)).to_be_checked()

    page.get_by_label("Tan or sunburn").check()
    page.get_by_text("Not treated: more about it").click()
    page.get_by_label("In your words").fill("a week in the sun")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Note it")).to_be_visible()
    is_sound(walker, "course-not-treated")


def test_the_sign_in_pageis_sound(window: Callable[..., Page]) -> None:
    walker = Walker(window(), None)

    walker.page.goto("/sign-in")

    is_sound(walker, "sign-in")
