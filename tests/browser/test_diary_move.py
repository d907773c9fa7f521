"""A visit is moved in the diary: dragged by mouse and by finger, by keys alone, and picked up and put down by touch
without a script."""
from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment
from tests.browser.conftest import Enter
from tests.browser.desk import Finger
from tests.browser.site import Site, booked_course
from tests.browser.soundness import is_sound, violations
from tests.forbidding import FORBIDDING

pytestmark = pytest.mark.browser

MOVER = 8
"""The patient, by place, whose visits are moved here and nowhere else."""
LONG_PRESS = 600
"""Milliseconds: longer than a finger has to rest before it takes a visit along."""
PRESSES_BY_MOUSE, PRESSES_BY_KEYS, PRESSES_BY_TOUCH = 2, 5, 4
"""A drag and Move; M, an arrow down, one to the right, Enter and Enter; pick up, a week on, the place and Move."""


@pytest.fixture(scope="module")
def course(site: Site) -> int:
    """Two peels, two weeks or more apart."""
    return booked_course(site, "peel_superficial", "texture", 2, patient=MOVER)


def second(site: Site, course: int) -> Appointment:
    with site.rows() as db:
        return db.scalars(
            sa.select(Appointment).join(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
            .where(TreatmentSession.course_id == course, TreatmentSession.number == 2)).one()


def day_of(visit: Appointment) -> str:
    return f"/diary?show=day&by=practitioner&without=&names=shown&colour=status&day={visit.local_start:%Y-%m-%d}"


def drag(page: Page, ident: int, column: int, down: float) -> None:
    """Takes the visit by its middle and holds it over another column, so much further down."""
    block, over = (page.locator(css).bounding_box() for css in (f"[data-visit='{ident}']", f"#column-{column}"))
    assert block is not None and over is not None
    x, y = block["x"] + block["width"] / 2, block["y"] + block["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 10, y + 10)
    expect(page.locator("[data-spots]").first).to_be_attached()
    page.mouse.move(over["x"] + over["width"] / 2, y + down, steps=3)


def test_a_visit_is_dragged_to_somebody_else_and_the_move_is_taken_back(enter: Enter, site: Site, course: int) -> None:
    walker, visit = enter(), second(site, course)
    page, bell, quarter = walker.page, site.clinic.practitioners[1], 18
    page.goto(day_of(visit))

    drag(page, visit.id, bell, 4 * quarter)
    expect(page.locator(".ghost")).to_contain_text("Nurse Bell")
    assert violations(page, "light") == []
    page.keyboard.press("Escape")
    expect(page.locator("[data-spots]")).to_have_count(0)
    page.mouse.up()
    drag(page, visit.id, bell, 4 * quarter)
    page.mouse.up()
    page.wait_for_url(re.compile("/move"))
    walker.click("button", "Move the appointment")
    presses = walker.clicks + 1
    page.wait_for_url(re.compile("moved="))

    moved = second(site, course)
    assert (presses, (moved.starts_at - visit.starts_at).seconds) == (PRESSES_BY_MOUSE, 3600)
    expect(page.locator(f"#column-{bell} [data-visit='{visit.id}']")).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".flash")).to_contain_text("nobody was told")
    assert second(site, course).starts_at == visit.starts_at


def test_a_visit_dropped_where_it_does_not_fit_is_told_why(enter: Enter, site: Site, course: int) -> None:
    visit, page = second(site, course), enter().page
    page.goto(day_of(visit))
    day = page.locator(f"#column-{site.clinic.practitioners[1]} .diary-body").bounding_box()
    block = page.locator(f"[data-visit='{visit.id}']").bounding_box()
    assert day is not None and block is not None

    drag(page, visit.id, site.clinic.practitioners[1], day["y"] + day["height"] - 18 - block["y"])
    expect(page.locator(".ghost")).to_contain_text("It does not fit here")
    page.mouse.up()

    page.wait_for_url(re.compile("/move"))
    expect(page.locator(".finding-text").first).to_contain_text("Nurse Bell does not work all of")
    assert second(site, course).starts_at == visit.starts_at


def shown(page: Page, css: str) -> tuple[float, float, float]:
    """The middle of what lies there, in the middle of the screen as far as it goes; and its upper edge."""
    found = page.locator(css)
    found.evaluate("one => one.scrollIntoView({block: 'center'})")
    box = found.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["y"]


def test_a_visit_is_dragged_by_a_finger_that_rested_on_it(enter: Enter, site: Site, course: int) -> None:
    visit, page = second(site, course), enter(width=360, touch=True).page
    block, hour_later = f"[data-visit='{visit.id}']:not(.ghost)", f"{visit.local_start + timedelta(hours=1):%H:%M}"
    finger, ghost, scrolled = Finger(page), page.locator(".ghost"), "document.querySelector('.diary-scroll').scrollTop"
    page.goto(day_of(visit))
    x, y, _ = shown(page, block)

    # A finger that goes on at once takes nothing along; one that rested and is lifted again has picked the visit up.
    finger.down(x, y)
    for up in (20, 40, 60):
        finger.to(x, y - up)
    page.wait_for_timeout(LONG_PRESS)
    expect(ghost).to_have_count(0)
    finger.up()
    finger.down(*shown(page, block)[:2])
    expect(ghost).to_be_visible()
    finger.up()
    page.wait_for_url(re.compile(f"moving={visit.id}"))

    page.goto(day_of(visit))
    x, y, top = shown(page, block)
    finger.down(x, y)
    place = page.locator(f"#column-{site.clinic.practitioners[0]} [data-place='{hour_later}']")
    down, before = place.evaluate("one => one.getBoundingClientRect().top") - top, page.evaluate(scrolled)
    for part in (0.3, 0.7, 1):
        finger.to(x, y + down * part)
    expect(ghost).to_contain_text(hour_later)
    assert page.evaluate(scrolled) == before
    finger.up()
    page.wait_for_url(re.compile("/move"))
    page.get_by_role("button", name="Move the appointment").tap()
    page.wait_for_url(re.compile("moved="))

    assert second(site, course).starts_at - visit.starts_at == timedelta(hours=1)


def test_a_visit_is_moved_by_keys_alone(enter: Enter, site: Site, course: int) -> None:
    visit, walker = second(site, course), enter()
    page, pressed = walker.page, 0
    page.goto(day_of(visit))
    page.locator(f"[data-visit='{visit.id}']").focus()

    def press(key: str) -> None:
        nonlocal pressed
        pressed += 1
        page.keyboard.press(key)

    def reached() -> str:
        return str(page.evaluate("document.activeElement.textContent"))

    press("m")
    page.wait_for_url(re.compile(f"moving={visit.id}"))
    expect(page.locator("[data-place]:focus")).to_have_count(1)
    expect(page.locator("#live")).to_contain_text("Arrows choose a place")
    first = reached()
    press("ArrowDown")
    below = reached()
    press("ArrowRight")
    beside = reached()
    press("Enter")
    page.wait_for_url(re.compile("/move"))
    expect(page.get_by_role("button", name="Move the appointment")).to_be_focused()
    page.wait_for_timeout(400)  # what has just the focus takes no key before it can have been read
    press("Enter")
    page.wait_for_url(re.compile("moved="))

    weekday = f"{visit.local_start:%A} {visit.local_start.day} "
    assert [re.search(r", (\d\d:\d\d), (.*?),", each)[2] for each in (first, below, beside)] == [  # type: ignore[index]
        "Dr Amari", "Dr Amari", "Dr Chen"]
    assert first.startswith(weekday) and first.endswith("ideal")
    assert (pressed, second(site, course).starts_at > visit.starts_at) == (PRESSES_BY_KEYS, True)

    page.goto(day_of(second(site, course)))
    page.locator(f"[data-visit='{visit.id}']").focus()
    page.keyboard.press("m")
    page.wait_for_url(re.compile("moving="))
    is_sound(walker, "diary-in-hand")
    page.keyboard.press("End")
    for _ in site.clinic.practitioners:
        page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: f"day={visit.local_start:%Y-%m-%d}" not in url)
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "moving" not in url)


def test_a_visit_is_picked_up_carried_a_week_on_and_put_down_by_touch_without_a_script(
    enter: Enter, site: Site, course: int
) -> None:
    visit, taps = second(site, course), 0
    page = enter(width=360, touch=True, scripts=False).page
    page.goto(day_of(visit))

    week_on = visit.local_start + timedelta(days=7)
    for role, name, leads_to in (
        ("link", "Pick up Pat5 Ient5", f"moving={visit.id}"), ("link", "1 week on", f"day={week_on:%Y-%m-%d}"),
        ("link", "10:15", "/move"), ("button", "Move the appointment", "moved="),
    ):
        page.get_by_role(role, name=name).first.tap()  # type: ignore[arg-type]
        page.wait_for_url(re.compile(leads_to))
        taps += 1

    moved: datetime = second(site, course).local_start
    assert (taps, (moved.date() - visit.local_start.date()).days, f"{moved:%H:%M}") == (PRESSES_BY_TOUCH, 7, "10:15")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()


def test_a_browser_that_forbids_to_remember_anything_moves_visits_too(enter: Enter, site: Site, course: int) -> None:
    page, visit = enter().page, second(site, course)
    page.add_init_script(FORBIDDING)
    page.goto(day_of(visit))
    page.locator(f"[data-visit='{visit.id}']").focus()
    page.keyboard.press("m")
    expect(page.locator("[data-card]")).to_be_visible()
    expect(page.locator("[data-place]:focus")).to_have_count(1)
