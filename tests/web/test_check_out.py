"""Check-out on one screen: closing the visit, moving the next date by weeks, booking what is owed."""
from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import sqlalchemy as sa
from werkzeug.test import TestResponse

from clinic.app import Kit
from clinic.store.courses import Course, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.resources import Patient
from tests.web.conftest import FixedClock, post
from tests.web.counting import own_statements
from tests.web.desk import Desk, open_desk, texts
from tests.web.test_visit_ends import FIRST, read, states, visits


def begun(kit: Kit, clock: FixedClock, sessions: int = 3) -> tuple[Desk, str]:
    """A course whose first visit has begun and is not closed, and the address of its check-out."""
    desk = open_desk(kit)
    desk.course(sessions=str(sessions))
    desk.later(clock, timedelta(hours=2))
    return desk, f"/appointments/{visits(desk)[0]}/check-out?next=/"


def the_course(desk: Desk) -> int:
    """The id of the one course."""
    with desk.rows() as db:
        return db.scalars(sa.select(Course.id)).one()


def press(desk: Desk, url: str, words: str, place: int = 0) -> TestResponse:
    """Presses the button on that page that says so, as its form stands."""
    page = desk.browser.get(url).get_data(as_text=True)
    forms = [form.partition("</form>")[0] for form in page.split("<form")[1:]]
    form = [form for form in forms if words in form][place]
    action = re.search(r'action="([^"]+)"', form)
    assert action
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return post(desk.browser, unescape(action[1]), {name: unescape(value) for name, value in fields})


def test_one_press_closes_the_visit_and_the_same_screen_says_what_is_left(kit: Kit, clock: FixedClock) -> None:
    desk, url = begun(kit, clock)
    assert f'href="{url}' in desk.browser.get("/").get_data(as_text=True).replace("%2F", "/")

    answer = press(desk, url, "Treated as planned")

    assert (answer.status_code, states(desk)) == (303, ("completed", "fulfilled", None))
    after = desk.browser.get(answer.location)
    assert texts(after, "aloud")[0].startswith("Monday 5 April at 09:00 with Dr Amari")
    assert "Goes to" in after.get_data(as_text=True)
    assert "within a few minutes" in after.get_data(as_text=True)


def test_one_press_moves_the_next_date_and_another_takes_that_back(kit: Kit, clock: FixedClock) -> None:
    desk, url = begun(kit, clock)
    press(desk, url, "Treated as planned")
    before = texts(desk.browser.get(url), "aloud")

    moved = press(desk, url, "Move to")
    after = texts(desk.browser.get(moved.location), "aloud")
    undone = press(desk, url, "Undo the last move")

    assert (moved.status_code, undone.status_code) == (303, 303)
    assert after != before
    assert texts(desk.browser.get(undone.location), "aloud") == before


def test_after_a_missed_visit_the_screen_says_as_which_session_this_one_counts(kit: Kit, clock: FixedClock) -> None:
    desk, _ = begun(kit, clock)
    first, second, _ = visits(desk)
    post(desk.browser, f"/appointments/{first}/end", {**FIRST, "ended": "ill"})
    desk.later(clock, timedelta(days=35))
    url = f"/appointments/{second}/check-out?next=/"
    says = "Session 1 is still owed: this visit counts as it, and the last session is owed instead."
    before, asked = read(desk, url), read(desk, f"/appointments/{second}/end")

    answer = press(desk, url, "Treated as planned")

    after = read(desk, answer.location)
    course = read(desk, f"/courses/{the_course(desk)}")
    assert (says in before, says in asked, says in after) == (True, True, False)
    assert ("has no date" in before, "Session 3 has no date" in after) == (False, True)
    assert "It counts as session 1, which was still owed." in after
    assert "Sessions counted as given · session 2 is session 1 now: that one was still owed" in course
    assert "Session 1: did not come" in course


def test_who_was_faster_is_told_and_nothing_moves_twice(kit: Kit, clock: FixedClock) -> None:
    desk, url = begun(kit, clock)
    page = desk.browser.get(url).get_data(as_text=True)
    course, plan, token = (re.search(found, page) for found in (
        r'action="(/courses/\d+/repair)"', r'name="plan" value="([^"]+)"', r'name="token" value="([^"]+)"'))
    assert course and plan and token
    press(desk, url, "Move to")

    answer = post(desk.browser, course[1], {"plan": plan[1], "token": token[1], "next": "/"})

    assert answer.status_code == 409
    assert re.search(r"You changed this in another window at \d\d:\d\d\.", answer.get_data(as_text=True))


def test_who_has_no_e_mail_gets_the_aftercare_on_paper_and_it_counts_as_told(kit: Kit, clock: FixedClock) -> None:
    desk, url = begun(kit, clock)
    with desk.rows() as db:
        db.execute(sa.update(Patient).values(email=None, phone="+44 20 7946 0101"))
        db.commit()
    press(desk, url, "Treated as planned")
    page = desk.browser.get(url).get_data(as_text=True)
    letter = re.search(r'href="(/messages/\d+/letter[^"]+)"', page)
    assert letter and "No e-mail brings it" in page

    answer = press(desk, unescape(letter[1]), "It is printed")

    assert answer.status_code == 303
    assert "The patient has it on paper." in desk.browser.get(answer.location).get_data(as_text=True)
    assert answer.location.startswith(url.partition("?")[0])


def test_a_visit_that_ended_otherwise_offers_its_session_again(kit: Kit, clock: FixedClock) -> None:
    desk, url = begun(kit, clock, sessions=1)
    there = f"/appointments/{visits(desk)[0]}/end?next={url.partition('?')[0]}"

    ended = post(desk.browser, there, {"lock_version": "1", "ended": "clinic-reason", "next": url.partition("?")[0]})
    offered = press(desk, ended.location, "Book this time")

    assert (ended.status_code, offered.status_code) == (303, 303)
    with desk.rows() as db:
        assert db.scalars(sa.select(TreatmentSession.state)).one() == "booked"


def test_a_screen_asks_as_much_of_the_database_whatever_the_course_holds(kit: Kit, clock: FixedClock) -> None:
    desk = open_desk(kit)
    addresses = []
    for sessions in ("2", "4"):
        course_id = desk.course(sessions=sessions)
        with desk.rows() as db:
            addresses.append(db.scalars(sa.select(Appointment.id).join(TreatmentSession).where(
                TreatmentSession.course_id == course_id, TreatmentSession.number == 1)).one())
    desk.later(clock, timedelta(hours=9))

    (few, _), (many, page) = (
        own_statements(kit, desk.browser, f"/appointments/{each}/check-out") for each in addresses)

    assert texts(desk.browser.get(f"/appointments/{addresses[1]}/check-out"), "shift")
    assert many <= few
