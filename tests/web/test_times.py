"""Choosing another time for an appointment, or one for a session that is owed."""
from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import sqlalchemy as sa
from werkzeug.test import TestResponse

from clinic.app import Kit
from clinic.services.appointments import cancel_appointment
from clinic.services.completion import complete_appointment
from clinic.services.work import Actor, Done
from clinic.store.courses import CourseOverride, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.resources import Absence
from tests.web.conftest import post
from tests.web.desk import Desk, field, open_desk, texts


def _visit(desk: Desk, number: int) -> int:
    with desk.rows() as db:
        return db.scalars(
            sa.select(Appointment.id).join(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
            .where(TreatmentSession.number == number)).one()


def _starts(desk: Desk) -> list[str]:
    with desk.rows() as db:
        return [f"{at:%d %b %H:%M}" for at in db.scalars(
            sa.select(Appointment.local_start).where(Appointment.state == "booked").order_by(Appointment.starts_at))]


def links_to_times(answer: TestResponse) -> list[str]:
    """The addresses of the times that the page offers."""
    return [unescape(found) for found in re.findall(r'class="time" href="([^"]+)"', answer.get_data(as_text=True))]


def test_a_move_begins_in_the_week_of_the_appointment_with_how_each_day_fits(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course()

    answer = desk.browser.get(f"/appointments/{_visit(desk, 2)}/move")

    assert answer.status_code == 200
    assert texts(answer, "times-range") == ["Mon 5 Apr 2027 – Sun 11 Apr 2027"]
    assert texts(answer, "times-head") == [
        "Mon 5 Apr 35 days later Ideal", "Tue 6 Apr 36 days later Ideal", "Wed 7 Apr 37 days later Ideal",
        "Thu 8 Apr 38 days later Ideal", "Fri 9 Apr 39 days later Late", "Sat 10 Apr", "Sun 11 Apr"]
    assert texts(answer, "time-now") == ["09:00 now"]


def test_weeks_are_turned_keeping_the_weekday_and_the_practitioner(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course()
    visit, someone = _visit(desk, 2), desk.clinic.practitioners[1]

    answer = desk.browser.get(f"/appointments/{visit}/move?from=2027-04-07&practitioner={someone}")

    html = unescape(answer.get_data(as_text=True))
    assert texts(answer, "times-range") == ["Wed 7 Apr 2027 – Tue 13 Apr 2027"]
    assert f"/appointments/{visit}/move?from=2027-04-14&practitioner={someone}" in html
    assert f"/appointments/{visit}/move?from=2027-03-10&practitioner={someone}" in html
    assert "All with Nurse Bell." in html


def test_a_chosen_time_is_shown_beside_the_old_one_before_anything_is_done(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course()
    times = desk.browser.get(f"/appointments/{_visit(desk, 2)}/move")

    answer = desk.browser.get(links_to_times(times)[-1])

    assert texts(answer, "compare")[0].startswith(
        "Now and New, side by side Now New Day Mon 5 Apr 2027 Fri 9 Apr 2027 Time 09:00")
    assert texts(answer, "bullets")[0] == "Session 3, Mon 10 May 2027, stays as it is: Early"
    assert "goes to patient0@example.com by e-mail" in " ".join(answer.get_data(as_text=True).replace(
        '<span class="nowrap">', "").replace("</span>", "").split())
    assert _starts(desk)[1] == "05 Apr 09:00"


def test_a_confirmed_move_moves_the_appointment(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    visit = _visit(desk, 2)
    page = desk.browser.get(links_to_times(desk.browser.get(f"/appointments/{visit}/move"))[3])

    answer = post(desk.browser, f"/appointments/{visit}/move", {
        "choice": field(page, "choice"), "lock_version": field(page, "lock_version"),
        "form_key": field(page, "form_key")})

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/courses/{course_id}?moved={visit}")
    assert _starts(desk) == ["01 Mar 09:00", "05 Apr 10:00", "10 May 09:00"]
    # Who goes back is not led to move it once more, which would lose the time that Undo gives back.
    form = {"choice": field(page, "choice"), "lock_version": "2", "form_key": "k" * 24}
    again = post(desk.browser, f"/appointments/{visit}/move", form)
    gone_back = desk.browser.get(f"/appointments/{visit}/move?choice={form['choice']}")
    assert [each.status_code for each in (again, gone_back)] == [303, 409]
    assert "It has that time already" in gone_back.get_data(as_text=True)
    course = desk.browser.get(answer.headers["Location"])
    assert texts(course, "notice-title") == ["Moved to Mon 5 Apr 2027, 10:00: nobody was told yet"]
    back = post(desk.browser, f"/appointments/{visit}/move-back", {
        "lock_version": "3", "next": f"/courses/{course_id}"})
    assert (back.status_code, back.headers["Location"]) == (303, f"/courses/{course_id}")
    assert _starts(desk) == ["01 Mar 09:00", "05 Apr 09:00", "10 May 09:00"]
    assert texts(desk.browser.get(answer.headers["Location"]), "notice-title") == []


def test_the_second_of_two_who_move_is_told_and_shown_both(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course()
    visit = _visit(desk, 2)
    links = links_to_times(desk.browser.get(f"/appointments/{visit}/move"))
    first, second = desk.browser.get(links[3]), desk.browser.get(links[7])
    form = {"choice": field(first, "choice"), "lock_version": field(first, "lock_version")}
    post(desk.browser, f"/appointments/{visit}/move", form)

    answer = post(desk.browser, f"/appointments/{visit}/move", {**form, "choice": field(second, "choice")})

    assert answer.status_code == 409
    assert texts(answer, "compare")[0] == (
        "Now and You wanted, side by side Now You wanted "
        "When Mon 5 Apr 2027, 10:00 Mon 5 Apr 2027, 12:00 State Booked unchanged")
    assert _starts(desk)[1] == "05 Apr 10:00"


def test_a_time_that_is_taken_meanwhile_is_refused_with_the_nearest_ones(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course()
    visit = _visit(desk, 2)
    page = desk.browser.get(links_to_times(desk.browser.get(f"/appointments/{visit}/move"))[3])
    with desk.rows() as db:
        begins = db.get_one(Appointment, visit).starts_at
        device = desk.clinic.devices[1]
        db.add(Absence(resource_id=device, starts_at=begins, ends_at=begins + timedelta(hours=8), reason="repair"))
        db.commit()

    answer = post(desk.browser, f"/appointments/{visit}/move", {
        "choice": field(page, "choice"), "lock_version": field(page, "lock_version")})

    assert answer.status_code == 409
    assert texts(answer, "findings-title") == ["Not done. These are the nearest times that fit."]
    assert "Tue 6 Apr 36 days later Ideal" in texts(answer, "times-head")
    assert _starts(desk)[1] == "05 Apr 09:00"


def test_a_time_after_the_window_needs_a_reason_that_is_kept(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course()
    visit = _visit(desk, 3)
    page = desk.browser.get(links_to_times(desk.browser.get(f"/appointments/{visit}/move?from=2027-07-05"))[0])
    form = {"choice": field(page, "choice"), "lock_version": field(page, "lock_version")}

    without = post(desk.browser, f"/appointments/{visit}/move", form)
    with_reason = post(desk.browser, f"/appointments/{visit}/move", {**form, "override-too-late": "abroad until July"})

    assert (without.status_code, with_reason.status_code) == (422, 303)
    with desk.rows() as db:
        assert db.execute(sa.select(CourseOverride.code, CourseOverride.reason)).all() == [
            ("too-late", "abroad until July")]


def test_an_owed_session_is_booked(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course()
    post(desk.browser, f"/appointments/{_visit(desk, 2)}/cancel", {"lock_version": "1", "reason": "Booked by mistake"})
    with desk.rows() as db:
        owed = db.scalars(sa.select(TreatmentSession.id).where(TreatmentSession.state == "owed")).one()
    page = desk.browser.get(links_to_times(desk.browser.get(f"/sessions/{owed}/book"))[0])

    answer = post(desk.browser, f"/sessions/{owed}/book", {"choice": field(page, "choice"), "lock_version": "0"})

    assert answer.status_code == 303
    assert _starts(desk) == ["01 Mar 09:00", "05 Apr 09:00", "10 May 09:00"]


def test_an_unreadable_choice_is_told_and_changes_nothing(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course()

    answer = post(desk.browser, f"/appointments/{_visit(desk, 2)}/move", {"choice": "soon", "lock_version": "1"})

    assert answer.status_code == 409
    assert _starts(desk)[1] == "05 Apr 09:00"


def test_times_of_a_session_that_is_not_there_are_not_found(kit: Kit) -> None:
    desk = open_desk(kit)

    answers = [desk.browser.get("/sessions/99/book"), desk.browser.get("/appointments/99/move")]

    assert [answer.status_code for answer in answers] == [404, 404]


def test_what_is_over_gets_no_other_time_and_the_page_says_where_to_go_on(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course()
    done, cancelled = _visit(desk, 1), _visit(desk, 3)
    shown = desk.browser.get(f"/appointments/{done}/move")
    with kit.work(Actor("test")) as work:
        assert isinstance(complete_appointment(work, done, lock_version=1), Done)
    with kit.work(Actor("test")) as work:
        assert isinstance(cancel_appointment(work, cancelled, reason="patient", lock_version=1), Done)

    again = [desk.browser.get(each) for each in (
        f"/appointments/{done}/move", links_to_times(shown)[0], "/sessions/1/book", f"/appointments/{cancelled}/move")]
    chosen = post(desk.browser, f"/appointments/{done}/move", {"lock_version": "2", "form_key": "k" * 24})
    swap = desk.browser.get(f"/appointments/{done}/swap")

    assert [each.status_code for each in (*again, chosen, swap)] == [409] * 5 + [200]
    assert [texts(each, "notice-title") for each in (*again, chosen)] == [
        ["Done: this visit gets no other time any more."], ["Done: this visit gets no other time any more."],
        ["This session does not wait for a date any more."], ["Cancelled: this visit gets no other time any more."],
        ["Done: this visit gets no other time any more."]]
    assert 'href="/sessions/3/book"' in again[3].get_data(as_text=True)
    assert texts(swap, "empty-title") == ["This visit is over"]
