"""One appointment at the desk: arrived, completed with one press, cancelled."""
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from clinic.app import Kit
from clinic.store.courses import MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment
from tests.web.conftest import FixedClock, post
from tests.web.desk import Desk, open_desk, texts

FIRST = {"lock_version": "1"}


def _visits(desk: Desk) -> list[int]:
    with desk.rows() as db:
        return list(db.scalars(sa.select(Appointment.id).order_by(Appointment.starts_at)))


def _states(desk: Desk) -> list[tuple[str, str]]:
    with desk.rows() as db:
        return [(owed, visit) for owed, visit in db.execute(
            sa.select(TreatmentSession.state, Appointment.state)
            .join(Appointment, Appointment.treatment_session_id == TreatmentSession.id)
            .order_by(TreatmentSession.number, Appointment.id))]


def test_a_patient_who_comes_is_noted_and_the_desk_goes_back_where_it_was(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course()

    answer = post(desk.browser, f"/appointments/{_visits(desk)[0]}/arrive", {**FIRST, "next": "/?day=2027-03-01"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/?day=2027-03-01")
    assert _states(desk)[0] == ("booked", "arrived")


def test_arriving_on_another_day_is_refused_with_the_reason(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course()

    answer = post(desk.browser, f"/appointments/{_visits(desk)[1]}/arrive", FIRST)

    assert (answer.status_code, texts(answer, "finding-text")) == (409, ["This appointment is not today"])


def test_one_press_completes_a_session_now(kit: Kit, clock: FixedClock) -> None:
    desk = open_desk(kit)
    desk.course()
    desk.later(clock, timedelta(hours=2))

    answer = post(desk.browser, f"/appointments/{_visits(desk)[0]}/complete", FIRST)

    assert answer.status_code == 303
    with desk.rows() as db:
        performed = db.scalar(sa.select(TreatmentSession.performed_at).where(TreatmentSession.number == 1))
    assert (_states(desk)[0], performed) == (("completed", "fulfilled"), datetime(2027, 3, 1, 11, tzinfo=UTC))


def test_the_last_session_completes_the_course_and_begins_its_maintenance(kit: Kit, clock: FixedClock) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    for visit, days in zip(_visits(desk), (0, 35, 35), strict=True):
        desk.later(clock, timedelta(days=days))
        post(desk.browser, f"/appointments/{visit}/complete", FIRST)

    page = desk.browser.get(f"/courses/{course_id}").get_data(as_text=True)

    with desk.rows() as db:
        assert db.scalars(sa.select(MaintenancePlan.course_id)).all() == [course_id]
    assert "Book maintenance session" in page


def test_cancelling_needs_a_reason(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course()

    answer = post(desk.browser, f"/appointments/{_visits(desk)[1]}/cancel", FIRST)

    assert (answer.status_code, texts(answer, "error-summary")) == (
        422, ["There is something to correct Choose the reason."])


def test_a_cancelled_appointment_leaves_its_session_owed(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()

    answer = post(desk.browser, f"/appointments/{_visits(desk)[1]}/cancel", {
        **FIRST, "reason": "The patient is ill", "details": "fever"})

    page = desk.browser.get(f"/courses/{course_id}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/courses/{course_id}")
    assert _states(desk)[1] == ("owed", "cancelled")
    assert "The patient is ill: fever" in page.get_data(as_text=True)
    assert texts(page, "cell-actions")[2] == "Book session"


def test_the_second_of_two_who_cancel_is_told_and_shown_both(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course()
    form = {**FIRST, "reason": "The patient is ill"}
    post(desk.browser, f"/appointments/{_visits(desk)[1]}/cancel", form)

    answer = post(desk.browser, f"/appointments/{_visits(desk)[1]}/cancel", form)

    assert answer.status_code == 409
    assert texts(answer, "compare")[0].split("State ")[1] == "Cancelled unchanged"


def test_the_address_to_go_back_to_is_never_another_host(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()

    answer = post(desk.browser, f"/appointments/{_visits(desk)[0]}/arrive", {**FIRST, "next": "//evil.example/"})

    assert answer.headers["Location"] == f"/courses/{course_id}"


def test_small_pages_ask_before_they_act(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course()
    visit = _visits(desk)[0]

    answers = [desk.browser.get(f"/appointments/{visit}/{action}") for action in ("cancel", "end")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert _states(desk)[0] == ("booked", "booked")
