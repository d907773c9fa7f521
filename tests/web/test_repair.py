"""Putting a course right at the desk: the ways beside each other, one confirmation, and undo."""
from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from clinic.app import Kit
from clinic.store.accounts import AuditEntry
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.resources import Absence
from clinic.web.reasons import CANCELLATION
from clinic.web.repair import parse_chosen
from tests.web.conftest import FixedClock, post
from tests.web.desk import Desk, field, offered_plans, open_desk, texts


def _visit(desk: Desk, number: int) -> int:
    with desk.rows() as db:
        return db.scalars(
            sa.select(Appointment.id).join(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
            .where(TreatmentSession.number == number, Appointment.state == "booked")).one()


def _starts(desk: Desk) -> list[str]:
    with desk.rows() as db:
        return [f"{at:%d %b %H:%M}" for at in db.scalars(
            sa.select(Appointment.local_start).where(Appointment.state == "booked").order_by(Appointment.starts_at))]


def _following(desk: Desk, week: str = "2027-04-26", more: str = "") -> str:
    """The first time for the second session, of that week, that the third has to follow."""
    page = desk.browser.get(f"/appointments/{_visit(desk, 2)}/move?from={week}{more}")
    return unescape(re.findall(r'class="time time-moves" href="([^"]+)"', page.get_data(as_text=True))[0])


def _repair_page(desk: Desk) -> TestResponse:
    moved = desk.browser.get(_following(desk))
    assert (moved.status_code, moved.headers["Location"].partition("?")[0]) == (302, "/courses/1/repair")
    return desk.browser.get(moved.headers["Location"])


def _sent(page: TestResponse, plan: int = 0) -> dict[str, str]:
    return {"plan": offered_plans(page)[plan], "token": field(page, "token"), "choice": field(page, "choice"),
            "form_key": field(page, "form_key")}


def test_a_time_that_others_must_follow_leads_to_what_follows(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course(sessions="4")

    page = _repair_page(desk)

    assert page.status_code == 200
    assert texts(page, "plan-title") == ["Keep what fits", "Only the next session", "Leave without a date"]
    assert texts(page, "plan-summary")[0] == (
        "The fewest changes: what is inside its window stays. 3 sessions move, 1 session stays.")
    assert "goes to patient0@example.com by e-mail" in re.sub(
        r"\s+", " ", re.sub(r"</?span[^>]*>", "", page.get_data(as_text=True)))


def test_one_confirmation_does_all_of_it_and_one_click_takes_it_back(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course(sessions="4")
    before = _starts(desk)

    answer = post(desk.browser, f"/courses/{course_id}/repair", _sent(_repair_page(desk)))
    shown = desk.browser.get(f"/courses/{course_id}")
    after = _starts(desk)
    undone = post(desk.browser, f"/courses/{course_id}/undo", {"token": field(shown, "token")})

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/courses/{course_id}")
    assert "Booked: sessions 2, 3 and 4." in shown.get_data(as_text=True)
    assert after[0] == before[0] and not set(after[1:]) & set(before)
    assert undone.status_code == 303
    assert _starts(desk) == before
    assert 'name="token"' not in desk.browser.get(f"/courses/{course_id}").get_data(as_text=True)
    with desk.rows() as db:
        assert list(db.scalars(sa.select(AuditEntry.action).where(AuditEntry.subject_kind == "course"))) == [
            "course-booked", "course-repaired", "repair-undone"]


def test_a_move_that_began_on_another_page_leads_back_there_whatever_follows(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course(sessions="4")

    repair = desk.browser.get(desk.browser.get(_following(desk, more="&next=/running-late")).headers["Location"])
    repaired = post(desk.browser, f"/courses/{course_id}/repair", {**_sent(repair), "next": field(repair, "next")})
    last = f"/appointments/{_visit(desk, 4)}/move"
    times = desk.browser.get(f"{last}?next=/running-late").get_data(as_text=True)
    confirm = desk.browser.get(unescape(re.findall(r'class="time" href="([^"]+)"', times)[0]))
    moved = post(desk.browser, last, {
        name: field(confirm, name) for name in ("choice", "lock_version", "form_key", "next")})

    assert [each.headers["Location"] for each in (repaired, moved)] == ["/running-late"] * 2


def test_sessions_that_lose_their_dates_are_told_and_stay_owed(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course(sessions="4")

    post(desk.browser, f"/courses/{course_id}/repair", _sent(_repair_page(desk), 2))

    shown = desk.browser.get(f"/courses/{course_id}").get_data(as_text=True)
    assert "Booked: session 2. Without a date, and still owed: session" in shown
    assert "without a date" in shown


def test_a_cancelled_session_is_planned_from_the_course_in_two_clicks(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    post(desk.browser, f"/appointments/{_visit(desk, 2)}/cancel", {"reason": CANCELLATION[0], "lock_version": "1"})
    course = desk.browser.get(f"/courses/{course_id}").get_data(as_text=True)
    assert f'href="/courses/{course_id}/repair"' in course

    page = desk.browser.get(f"/courses/{course_id}/repair")
    post(desk.browser, f"/courses/{course_id}/repair", _sent(page))

    assert len(_starts(desk)) == 3
    assert texts(desk.browser.get(f"/courses/{course_id}/repair"), "empty-title") == ["Nothing needs to change"]


def test_the_second_of_two_is_told_and_nothing_changes(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    sent = _sent(_repair_page(desk))
    post(desk.browser, f"/appointments/{_visit(desk, 3)}/cancel", {"reason": CANCELLATION[0], "lock_version": "1"})
    before = _starts(desk)

    answer = post(desk.browser, f"/courses/{course_id}/repair", sent)

    assert answer.status_code == 409
    assert texts(answer, "compare")[0].startswith("Now and You wanted, side by side")
    assert _starts(desk) == before


def test_a_time_that_was_taken_meanwhile_is_told_with_what_fits_now(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    sent, before = _sent(_repair_page(desk)), _starts(desk)
    begins = parse_chosen(sent["plan"]).choices[0].starts_at
    with desk.rows() as db:
        for device in desk.clinic.devices:
            db.add(Absence(resource_id=device, starts_at=begins, ends_at=begins + timedelta(hours=8), reason="repair"))
        db.commit()

    answer = post(desk.browser, f"/courses/{course_id}/repair", sent)

    assert answer.status_code == 409
    assert texts(answer, "findings-title") == [
        "Not done: someone was faster, or a rule stands in the way. This is what fits now.",
        "This time cannot be booked"]
    assert _starts(desk) == before


@pytest.mark.parametrize(
    "plan", ["", "nonsense", "1@2027-03-01T09:00Z", "|x", "|1234", "1@2027-03-01T09:00Z@1|0 0 0 a"])
def test_what_no_page_of_ours_sends_is_answered_with_the_page(kit: Kit, plan: str) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    before = _starts(desk)

    answer = post(desk.browser, f"/courses/{course_id}/repair", {"plan": plan, "token": "?"})

    assert answer.status_code == 422
    assert _starts(desk) == before


def test_a_broken_time_in_the_address_is_not_found(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()

    assert desk.browser.get(f"/courses/{course_id}/repair?choice=2@yesterday").status_code == 404
    assert desk.browser.get(f"/courses/{course_id}/repair?choice=9@2027-03-01T09:00Z@1").status_code == 404


def test_a_proposal_is_read_back_as_it_was_written() -> None:
    chosen = parse_chosen("2@2027-04-05T08:00Z@1,4,6 3@2027-05-05T08:00Z@1,4,6|4 5")

    assert [each.number for each in chosen.choices] == [2, 3]
    assert chosen.undated == (4, 5)


def test_a_session_whose_time_has_come_and_gone_is_planned_again(kit: Kit, clock: FixedClock) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    post(desk.browser, f"/appointments/{_visit(desk, 2)}/cancel", {"reason": CANCELLATION[0], "lock_version": "1"})
    desk.later(clock, timedelta(days=30))

    page = desk.browser.get(f"/courses/{course_id}/repair")
    post(desk.browser, f"/courses/{course_id}/repair", _sent(page))

    assert len(_starts(desk)) == 3
