"""The ten commonest jobs of a desk, each from the front page on: by mouse, by keyboard alone, by thumb at 360 pixels;
and those that change an appointment where no script runs. How many presses each takes stands here."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy.orm import Session

from clinic.services.appointments import cancel_appointment
from clinic.services.attendance import mark_arrived
from clinic.services.work import Done
from clinic.store.diary import Appointment
from clinic.store.resources import Patient, Room
from tests.browser.hands import Hand, Keys, Mouse, Plain, Thumb
from tests.browser.site import ACTOR, Site, booked_course
from tests.browser.windows import SignedIn, Windows
from tests.small_clinic import MONDAY

pytestmark = pytest.mark.browser

HANDS: tuple[type[Hand], ...] = (Mouse, Keys, Thumb, Plain)
FAMILY = {Mouse.name: "Maus", Keys.name: "Tastatur", Thumb.name: "Daumen", Plain.name: "Papier"}
"""The family of the patients of each hand: a search by one finds none of another."""
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Job:
    """What is done at a desk, and the presses that it takes each hand, in their order; typing does not count."""

    name: str
    do: Callable[[Hand, Desk], None]
    presses: tuple[int, ...]


@dataclass
class Desk:
    """The clinic before the jobs, and what its tables say afterwards."""

    site: Site
    ids: dict[str, int] = field(default_factory=dict)

    def family(self, hand: Hand) -> str:
        """The family name of the hand's patients."""
        return FAMILY[hand.name]

    def called(self, given: str, hand: Hand) -> str:
        """What is typed to find that patient."""
        return f"{given} {self.family(hand)}".lower()

    def visits(self, given: str, hand: Hand) -> list[Appointment]:
        """The visits of that patient, in order of time."""
        with self.site.rows() as db:
            return visits_of(db, self.ids[f"{given} {self.family(hand)}"])


def visits_of(db: Session, patient_id: int) -> list[Appointment]:
    return list(db.scalars(sa.select(Appointment).where(Appointment.patient_id == patient_id)
                           .order_by(Appointment.starts_at, Appointment.id)))


def say_when_they_come_next(hand: Hand, desk: Desk) -> None:
    hand.find(desk.called("Coming", hand), "Coming")

    row = hand.page.get_by_role("table", name="Coming appointments").get_by_role("row").nth(1)
    expect(row).to_contain_text(f"{desk.visits('Coming', hand)[0].local_start:%H:%M}")
    expect(row).to_be_in_viewport()


def book_the_next_session(hand: Hand, desk: Desk) -> None:
    on = desk.visits("Owing", hand)[-1].local_start.date()

    hand.find(f"{on:%-d %B}", f"{on:%-d %b}")
    hand.take(hand.page.locator(f"#{longest_free(hand.page)}"), along="ArrowDown")
    hand.typed(hand.page.get_by_label("Who is it for?"), desk.called("Owing", hand))
    hand.choose("Owing")
    hand.take(hand.one("button", "Book Session 2 of 2"))
    expect(hand.page).to_have_url(re.compile(r"booked=\d+"))

    booked = desk.visits("Owing", hand)[-1]
    assert (booked.state, booked.local_start.date()) == ("booked", on)


def longest_free(page: Page) -> str:
    """The id of the longest free time of the first column."""
    column = page.locator(".diary-column").first.locator("[data-free]")
    expect(column.first).to_be_attached()
    page.wait_for_load_state()
    found: dict[str, int] = {free.get_attribute("id"): int(free.get_attribute("data-rows")) for free in column.all()}
    return max(found, key=lambda each: found[each])


def book_a_course(hand: Hand, desk: Desk) -> None:
    hand.find(desk.called("Fresh", hand), "Fresh")
    hand.take(hand.one("link", "New course", hand.page.locator(".page-actions")), key="n")
    hand.take(hand.one("link", "Microneedling: fine lines"), along="ArrowDown")
    hand.take(hand.one("checkbox", "None of these apply"), along="s")
    if not hand.scripts:
        hand.take(hand.page.get_by_role("button", name="Show plans").last)
    hand.take(hand.one("button", "Book this course"), along="b")
    expect(hand.page).to_have_url(re.compile(r"/courses/\d+$"))

    assert [each.state for each in desk.visits("Fresh", hand)] == ["booked"] * 4


def move_a_visit(hand: Hand, desk: Desk) -> None:
    before = desk.visits("Moving", hand)[0]

    hand.find(desk.called("Moving", hand), "Moving")
    hand.take(hand.one("link", "Move", hand.page.locator("main")), key="m")
    hand.take(hand.page.locator("a.time[data-begins]"))
    hand.take(hand.one("button", "Move the appointment"))
    expect(hand.page.locator(".flash").first).to_contain_text("Moved.")

    assert desk.visits("Moving", hand)[0].starts_at != before.starts_at


def cancel_a_visit(hand: Hand, desk: Desk) -> None:
    hand.find(desk.called("Leaving", hand), "Leaving")
    hand.take(hand.one("link", "Cancel", hand.page.locator("main")), key="x")
    hand.take(hand.one("radio", "The patient cannot come"))
    hand.send(hand.one("button", "Cancel the appointment"))
    expect(hand.page.locator(".flash").first).to_contain_text("Cancelled.")

    gone = desk.visits("Leaving", hand)[0]
    assert (gone.state, gone.cancellation_reason) == ("cancelled", "The patient cannot come")


def check_somebody_in(hand: Hand, desk: Desk) -> None:
    hand.take(hand.one("button", "Arrived", seek(hand, desk, "Arriving")), along="a")
    expect(hand.page.locator(".flash").first).to_contain_text("is here.")

    assert desk.visits("Arriving", hand)[0].state == "arrived"


def check_somebody_out(hand: Hand, desk: Desk) -> None:
    hand.take(hand.one("link", "Check out", seek(hand, desk, "Ready")), key="o")
    hand.take(hand.one("button", "Treated as planned"))
    expect(hand.page.locator(".flash").first).to_contain_text("Session 1 is completed")

    treated, coming = desk.visits("Ready", hand)[:2]
    assert (treated.state, coming.state) == ("fulfilled", "booked")
    aloud = hand.page.locator(".aloud").first
    expect(aloud).to_contain_text(f"{coming.local_start:%H:%M} with ")
    expect(aloud).to_be_in_viewport()


def seek(hand: Hand, desk: Desk, given: str) -> Locator:
    """Where something is done to that patient's visit: in the list of the day, which one looks through; by keys on the
    patient's page."""
    if isinstance(hand, Keys):
        hand.find(desk.called(given, hand), given)
        return hand.page.get_by_role("table", name="Coming appointments")
    return hand.page.locator("li.visit", has_text=f"{given} {desk.family(hand)}")


def let_somebody_walk_in(hand: Hand, desk: Desk) -> None:
    hand.take(hand.one("link", "Diary", hand.page.get_by_role("navigation", name="Main")), key="d")
    hand.page.wait_for_url(re.compile("/diary"))
    hand.take(hand.one("link", "Walk-in"), key="w")
    first = hand.one("textbox", "First name")
    expect(first).to_be_focused()
    for place, words in ((first, "Walker"), (hand.one("textbox", "Family name"), desk.family(hand)),
                         (hand.one("textbox", "Phone"), "07700 900555")):
        hand.typed(place, words)
    hand.send(hand.one("button", "Save, and see what fits"))
    hand.take(hand.one("button", "Book Consultation"))
    expect(hand.page).to_have_url(re.compile(r"booked=\d+"))

    visit = hand.page.locator("[data-visit]", has_text=f"Walker {desk.family(hand)}").first
    expect(visit).to_be_focused()
    hand.page.get_by_role("button", name="Undo").click()
    expect(hand.page.locator("main")).to_contain_text("Taken back")


def set_a_practitioner_back(hand: Hand, desk: Desk) -> None:
    hand.take(hand.one("link", "Running late"), key="r")
    person = hand.page.locator(".late-person", has_text="Nurse Bell")
    if isinstance(hand, Keys):
        hand.reach(hand.one("button", "5 min", person), "ArrowDown")
    hand.take(hand.one("button", "20 min", person), along="ArrowRight")
    expect(person).to_contain_text("20 minutes late")

    call = hand.page.locator(".late-call").first
    expect(call).to_contain_text("will begin at about")
    expect(call).to_be_in_viewport()
    person.get_by_role("button", name="On time").click()
    expect(hand.page.locator(".late-call")).to_have_count(0)


def tell_somebody(hand: Hand, desk: Desk) -> None:
    hand.take(hand.one("link", "To tell", hand.page.get_by_role("navigation", name="Main")), key="e")
    waiting = hand.page.locator(".tell-row")
    expect(waiting.first).to_be_visible()
    hand.page.wait_for_load_state()
    before = waiting.count()
    hand.take(hand.one("button", "Told"), along="o")

    expect(hand.page.locator(".flash").first).to_be_visible()
    expect(waiting).to_have_count(before - 1)


JOBS = (
    Job("say when a patient comes next", say_when_they_come_next, (2, 2, 2)),
    Job("book the next session at a free time", book_the_next_session, (5, 6, 5, 7)),
    Job("book a new course of four", book_a_course, (6, 14, 6, 7)),
    Job("move a visit", move_a_visit, (5, 5, 5, 5)),
    Job("cancel a visit, with the reason", cancel_a_visit, (5, 5, 5, 5)),
    Job("check somebody in", check_somebody_in, (1, 4, 1)),
    Job("check somebody out, and read the next date aloud", check_somebody_out, (2, 4, 2, 2)),
    Job("let somebody walk in, with a name and a phone number", let_somebody_walk_in, (6, 6, 6)),
    Job("set a practitioner back 20 minutes, and see whom to tell", set_a_practitioner_back, (2, 7, 2)),
    Job("tell somebody by phone", tell_somebody, (2, 3, 2)),
)


@pytest.fixture(scope="module")
def desk(site: Site) -> Desk:
    """A patient of each hand for each job, so that any job may be done alone."""
    made = Desk(site)
    for hand, family in FAMILY.items():
        caller = _patient(site, "Caller", family, phone="+44 7700 900123", channel="phone")
        booked_course(site, PEEL, "texture", 1, patient_id=caller, first_on=date(2027, 3, 10))
        for given, first_on in FIRST.items():
            if hand == Plain.name and given in ("Coming", "Arriving"):
                continue
            made.ids[f"{given} {family}"] = patient = _patient(
                site, given, family, email=f"{given}.{family}@example.com",
                only_times=AFTERNOON if first_on == MONDAY.date() else [])
            if first_on:
                booked_course(site, PEEL, "texture", 2, patient_id=patient, first_on=first_on)
        _lose_the_last(made, f"Owing {family}")
        _take_in(made, f"Ready {family}")
    with site.rows() as db:
        db.add(Room(clinic_id=site.clinic.clinic_id, name="Room 3", features=["numbing-chair", "laser-safe"]))
        db.commit()
    site.clock.move(timedelta(minutes=5))  # so that it is settled who has to be called
    return made


PEEL = "peel_superficial"
FIRST = {
    "Coming": date(2027, 3, 9), "Owing": date(2027, 3, 30), "Fresh": None, "Moving": date(2027, 3, 16),
    "Leaving": date(2027, 3, 23), "Arriving": MONDAY.date(), "Ready": MONDAY.date(),
}
"""From when on the course of each patient was laid out; who is to get one has none."""
AFTERNOON = [{"weekdays": [0], "begins": 13 * 60, "ends": 18 * 60}]
"""The mornings stay free for who walks in."""


def _patient(site: Site, given: str, family: str, **more: object) -> int:
    with site.rows() as db:
        patient = Patient(given_name=given, family_name=family, search_text=f" {family} {given} ".casefold(),
                          created_at=site.clock.now, **more)
        db.add(patient)
        db.commit()
        return patient.id


def _lose_the_last(desk: Desk, whose: str) -> None:
    with desk.site.rows() as db:
        last = visits_of(db, desk.ids[whose])[-1]
    with desk.site.kit.work(ACTOR) as work:
        assert isinstance(cancel_appointment(work, last.id, reason="Ill", lock_version=last.lock_version), Done)


def _take_in(desk: Desk, whose: str) -> None:
    with desk.site.rows() as db:
        first = visits_of(db, desk.ids[whose])[0]
    assert first.local_start.date() == desk.site.clock.now.date()
    with desk.site.kit.work(ACTOR) as work:
        assert isinstance(mark_arrived(work, first.id, lock_version=first.lock_version), Done)


@pytest.fixture(scope="module")
def windows(chromium: Browser, site: Site) -> Iterator[Windows]:
    opened = Windows(chromium, site.url)
    yield opened
    opened.close()
    assert opened.complaints == []


@pytest.fixture(scope="module")
def pages(windows: Windows, signed_in: SignedIn) -> dict[str, Page]:
    """A window of each hand, which stays open from job to job."""
    return {each.name: windows.open(width=each.width, touch=each.touch, scripts=each.scripts,
                                    kept=signed_in("receptionist")) for each in HANDS}


WORK = [pytest.param(job, hand, presses, id=f"{job.do.__name__}-{hand.name.replace(' ', '-')}")
        for job in JOBS for hand, presses in zip(HANDS, job.presses, strict=False)]


@pytest.mark.parametrize(("job", "hand", "presses"), WORK)
def test_a_job_takes_as_many_presses_as_it_says(
    job: Job, hand: type[Hand], presses: int, desk: Desk, pages: dict[str, Page]
) -> None:
    page, worker = pages[hand.name], hand(pages[hand.name])
    page.goto("/")

    job.do(worker, desk)

    assert worker.presses == presses
    assert page.evaluate("document.documentElement.scrollWidth") == hand.width


def test_what_is_promised_of_the_jobs_is_what_they_take() -> None:
    rows = [f"| {job.name} | {' | '.join(str(each) for each in (*job.presses, '')[:4])} |" for job in JOBS]

    assert [row for row in rows if row not in (ROOT / "docs" / "promises.md").read_text()] == []
