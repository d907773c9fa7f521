"""The page of a course, and stopping it."""
from __future__ import annotations

import sqlalchemy as sa

from clinic.app import Kit
from clinic.store.courses import Course, TreatmentSession
from clinic.store.diary import Appointment
from tests.web.conftest import post
from tests.web.desk import enter, open_desk, texts


def test_the_page_shows_each_session_with_its_date_gap_and_what_can_be_done(kit: Kit) -> None:
    desk = open_desk(kit)

    answer = desk.browser.get(f"/courses/{desk.course()}")

    assert answer.status_code == 200
    assert texts(answer, "timeline-when") == [
        "Mon 1 Mar 2027, 09:00", "Mon 5 Apr 2027, 09:00", "Mon 10 May 2027, 09:00"]
    assert texts(answer, "timeline-fit") == ["on its ideal day", "on its ideal day"]
    assert texts(answer, "cell-actions")[1:] == [
        "Arrived Complete Move More How did it end? Cancel… Fix: never moved by the planner",
        "Move More Cancel… Fix: never moved by the planner", "Move More Cancel… Fix: never moved by the planner"]


def test_the_page_lists_the_messages_of_the_course_with_their_state(kit: Kit) -> None:
    desk = open_desk(kit)

    answer = desk.browser.get(f"/courses/{desk.course()}")

    assert "Mon 1 Mar 2027 09:03 Confirmation: waits" in texts(answer, "tl-row")


def test_the_page_keeps_the_reason_for_going_past_a_warning_with_its_author(kit: Kit) -> None:
    desk = open_desk(kit, "practitioner")

    course_id = desk.course({"anticoagulant": "INR 2.1"}, none_apply="", applies="anticoagulant")

    answer = desk.browser.get(f"/courses/{course_id}")
    assert [each for each in texts(answer, "notice") if "INR 2.1" in each] != []
    assert "Practitioner, Mon 1 Mar 2027, 09:00" in answer.get_data(as_text=True)


def test_the_history_tells_who_did_what(kit: Kit) -> None:
    desk = open_desk(kit)

    answer = desk.browser.get(f"/courses/{desk.course()}")

    assert [each for each in texts(answer, "tl-row") if "booked" in each] == [
        "Mon 1 Mar 2027 09:00 Course booked Receptionist"]


def test_who_may_only_read_sees_no_buttons(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()

    answer = enter(kit, "auditor").get(f"/courses/{course_id}")

    assert (answer.status_code, texts(answer, "cell-actions")[1:]) == (200, ["", "", ""])


def test_a_course_that_is_not_there_is_not_found(kit: Kit) -> None:
    assert open_desk(kit).browser.get("/courses/77").status_code == 404


def test_stopping_needs_a_reason_in_words_where_the_list_has_none(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()

    answer = post(desk.browser, f"/courses/{course_id}/stop", {"lock_version": "1", "reason": "Another reason"})

    assert (answer.status_code, texts(answer, "error-summary")) == (
        422, ["There is something to correct Say which reason."])


def test_a_stopped_course_has_nothing_booked_and_says_why(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()

    answer = post(desk.browser, f"/courses/{course_id}/stop", {
        "lock_version": "1", "reason": "A medical reason", "details": "new medicine"})

    assert answer.status_code == 303
    with desk.rows() as db:
        course = db.get_one(Course, course_id)
        assert (course.state, course.ended_reason) == ("revoked", "A medical reason: new medicine")
        assert set(db.scalars(sa.select(TreatmentSession.state))) == {"not-done"}
        assert set(db.scalars(sa.select(Appointment.state))) == {"cancelled"}
    page = desk.browser.get(f"/courses/{course_id}")
    assert "Stopped early on Mon 1 Mar 2027" in texts(page, "notice-title")


def test_who_stops_a_course_that_changed_meanwhile_is_told_and_shown_both(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    post(desk.browser, f"/courses/{course_id}/stop", {"lock_version": "1", "reason": "Booked by mistake"})

    answer = post(desk.browser, f"/courses/{course_id}/stop", {"lock_version": "1", "reason": "A medical reason"})

    assert answer.status_code == 409
    assert texts(answer, "compare")[0].startswith(
        "Now and You wanted, side by side Now You wanted Course Stopped early")
