"""Visits that belong to no course at the desk: booked, moved, cancelled and ended on the pages that sessions have."""
from __future__ import annotations

from datetime import timedelta
from html import unescape

import sqlalchemy as sa
from werkzeug.test import TestResponse

from clinic.app import Kit
from clinic.store.diary import Appointment
from clinic.store.protocols import Protocol
from tests.other_visits import add_other_visits
from tests.queries.statements import counted
from tests.web.conftest import FixedClock, post
from tests.web.desk import Desk, field, open_desk, texts
from tests.web.test_times import links_to_times


def desk_with_visits(kit: Kit, role: str = "receptionist") -> Desk:
    """A desk at a clinic that offers the four other visits."""
    desk = open_desk(kit, role)
    with desk.rows() as db:
        add_other_visits(db)
        db.commit()
    return desk


def booked(desk: Desk, code: str = "consultation", query: str = "") -> Appointment:
    """A visit booked at the first time that is offered."""
    page = f"/patients/{desk.patient}/visits/{code}"
    confirm = desk.browser.get(links_to_times(desk.browser.get(page + query))[0])
    answer = post(desk.browser, page, {"choice": field(confirm, "choice"), "form_key": field(confirm, "form_key")})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/patients/{desk.patient}")
    return visit_row(desk)


def visit_row(desk: Desk) -> Appointment:
    """The newest visit that belongs to no course."""
    with desk.rows() as db:
        return db.scalars(sa.select(Appointment).where(Appointment.kind != "session")
                          .order_by(Appointment.id.desc()).limit(1)).one()


def words(answer: TestResponse) -> str:
    """What the page says, on one line."""
    return " ".join(unescape(answer.get_data(as_text=True)).split())


def test_the_patients_page_leads_to_the_kinds_and_each_to_its_times(kit: Kit) -> None:
    desk = desk_with_visits(kit)

    page = desk.browser.get(f"/patients/{desk.patient}")
    kinds = desk.browser.get(f"/patients/{desk.patient}/visits")

    assert f"/patients/{desk.patient}/visits" in words(page)
    assert texts(kinds, "pick-name") == ["Consultation", "Patch test", "Review", "Other visit"]
    assert texts(kinds, "pick-more") == ["30 minutes", "15 minutes", "20 minutes", "20 minutes"]
    assert f"/patients/{desk.patient}/visits/patch-test" in words(kinds)


def test_a_visit_is_booked_in_two_steps_and_stands_on_the_patients_page_and_in_the_day(kit: Kit) -> None:
    desk = desk_with_visits(kit)

    visit = booked(desk)

    day = visit.local_start.date()
    patient, today = desk.browser.get(f"/patients/{desk.patient}"), desk.browser.get(f"/?day={day}")
    assert "Consultation" in words(patient)
    assert f"/appointments/{visit.id}/move" in words(patient)
    assert "Consultation" in words(today)
    assert f"/appointments/{visit.id}/cancel" in words(today)


def test_a_form_that_is_sent_twice_books_once(kit: Kit) -> None:
    desk = desk_with_visits(kit)
    page = f"/patients/{desk.patient}/visits/review"
    confirm = desk.browser.get(links_to_times(desk.browser.get(page))[0])
    sent = {"choice": field(confirm, "choice"), "form_key": field(confirm, "form_key")}

    answers = [post(desk.browser, page, sent) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    with desk.rows() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(Appointment)) == 1


def test_a_time_that_is_gone_leads_to_the_times_around_it(kit: Kit) -> None:
    desk = desk_with_visits(kit)
    page = f"/patients/{desk.patient}/visits/consultation"
    confirm = desk.browser.get(links_to_times(desk.browser.get(page))[0])
    booked(desk, "review")

    answer = post(desk.browser, page, {"choice": field(confirm, "choice"), "form_key": "other"})
    again = desk.browser.get(f"{page}?choice={field(confirm, 'choice')}")

    assert (answer.status_code, again.status_code) == (409, 409)
    assert "This visit" in words(answer) or "somebody" in words(answer) or "patient" in words(answer)
    assert "That time is not free any more" in words(again)


def test_an_unknown_kind_and_an_unknown_patient_have_no_page(kit: Kit) -> None:
    desk = desk_with_visits(kit)

    addresses = (f"/patients/{desk.patient}/visits/skin-needling", "/patients/9999/visits/review",
                 "/patients/9999/visits")

    assert [desk.browser.get(each).status_code for each in addresses] == [404, 404, 404]


def test_a_visit_is_moved_with_old_and_new_beside_each_other(kit: Kit) -> None:
    desk = desk_with_visits(kit)
    visit = booked(desk)
    times = desk.browser.get(f"/appointments/{visit.id}/move")
    confirm = desk.browser.get(links_to_times(times)[-1])

    answer = post(desk.browser, f"/appointments/{visit.id}/move", {
        "choice": field(confirm, "choice"), "form_key": field(confirm, "form_key"),
        "lock_version": str(visit.lock_version)})

    assert "Move consultation for" in words(times)
    assert answer.headers["Location"] == f"/patients/{desk.patient}"
    after = visit_row(desk)
    assert (after.id, after.revision, after.starts_at > visit.starts_at) == (visit.id, 1, True)


def test_a_visit_is_cancelled_with_a_reason_and_two_people_see_each_other(kit: Kit) -> None:
    desk = desk_with_visits(kit)
    visit = booked(desk)
    page = f"/appointments/{visit.id}/cancel"
    sent = {"reason": "The patient is ill", "lock_version": str(visit.lock_version)}

    shown = desk.browser.get(page)
    answers = [post(desk.browser, page, {**sent, "form_key": key}) for key in ("one", "two")]

    assert "stays owed" not in words(shown)
    assert [answer.status_code for answer in answers] == [303, 409]
    assert visit_row(desk).state == "cancelled"


def test_a_visit_arrives_and_is_completed_from_the_day(kit: Kit, clock: FixedClock) -> None:
    desk = desk_with_visits(kit)
    visit = booked(desk)
    desk.later(clock, visit.starts_at - clock.now)
    for action in ("arrive", "complete"):
        answer = post(desk.browser, f"/appointments/{visit.id}/{action}", {
            "lock_version": str(visit_row(desk).lock_version), "form_key": action})
        assert answer.status_code == 303, words(answer)

    assert visit_row(desk).state == "fulfilled"


def test_the_end_of_a_visit_is_asked_in_its_own_words(kit: Kit, clock: FixedClock) -> None:
    desk = desk_with_visits(kit)
    visit = booked(desk)
    desk.later(clock, visit.ends_at - clock.now)

    page = desk.browser.get(f"/appointments/{visit.id}/end")
    wrong = post(desk.browser, f"/appointments/{visit.id}/end", {
        "ended": "partly-treated", "lock_version": str(visit.lock_version), "form_key": "a"})
    done = post(desk.browser, f"/appointments/{visit.id}/end", {
        "ended": "other-health", "lock_version": str(visit.lock_version), "form_key": "b"})

    assert "Took place: nothing speaks against treatment" in words(page)
    assert "It took place: treatment is not suitable at present" in words(page)
    assert "Treated in part" not in words(page)
    assert (wrong.status_code, done.status_code) == (422, 303)
    assert (visit_row(desk).state, visit_row(desk).ended_cause) == ("cancelled", "other-health")


def test_only_who_may_book_sees_the_kinds_and_the_times(kit: Kit) -> None:
    desk = desk_with_visits(kit, "auditor")

    answers = [desk.browser.get(f"/patients/{desk.patient}/visits{more}") for more in ("", "/review")]

    assert [answer.status_code for answer in answers] == [403, 403]


def test_the_times_of_a_visit_cost_as_many_statements_in_a_full_week_as_in_an_empty_one(kit: Kit) -> None:
    desk = desk_with_visits(kit)
    page, costs = f"/patients/{desk.patient}/visits/consultation", []
    desk.browser.get(page)
    for _ in range(2):
        with counted(desk.kit.engine) as told:
            desk.browser.get(page)
        costs.append(len(told))
        for _ in range(6):
            booked(desk, "other")

    assert costs[0] == costs[1]


def test_a_course_that_waits_for_a_consultation_is_held_shown_and_confirmed_by_it(kit: Kit, clock: FixedClock) -> None:
    desk = desk_with_visits(kit)
    _ask_for(desk, "hold")
    visit = booked(desk)
    plans = desk.plans()
    course_id = desk.course(hold_until="2027-03-01")

    course = desk.browser.get(f"/courses/{course_id}")
    dates = desk.browser.get(f"/courses/{course_id}/dates")
    early = post(desk.browser, f"/courses/{course_id}/dates/confirm", {
        "lock_version": field(dates, "lock_version"), "form_key": "early"})
    desk.later(clock, visit.ends_at - clock.now)
    end = desk.browser.get(f"/appointments/{visit.id}/end")
    answer = post(desk.browser, f"/appointments/{visit.id}/end", {
        "ended": "treated", "lock_version": str(visit.lock_version), "form_key": "done"})

    assert "Hold these dates" in words(plans)
    assert f'value="{visit.local_start.date()}"' in words(plans)
    assert "Held until the end of Mon 1 Mar 2027, subject to consultation" in words(course)
    assert early.status_code == 422
    assert "Dates wait for this consultation" in words(end)
    assert answer.status_code == 303
    assert desk.browser.get(f"/courses/{course_id}/dates").status_code == 404
    assert "Active" in words(desk.browser.get(f"/courses/{course_id}"))


def test_the_dates_are_held_longer_or_refused_in_words(kit: Kit) -> None:
    desk = desk_with_visits(kit)
    _ask_for(desk, "hold")
    course_id = desk.course(hold_until="2027-03-02", not_before="2027-03-20")
    dates = desk.browser.get(f"/courses/{course_id}/dates")
    sent = {"lock_version": field(dates, "lock_version")}

    late = post(desk.browser, f"/courses/{course_id}/dates/until", {
        **sent, "hold_until": "2027-06-01", "form_key": "a"})
    past = post(desk.browser, f"/courses/{course_id}/dates/until", {
        **sent, "hold_until": "2027-02-01", "form_key": "b"})
    good = post(desk.browser, f"/courses/{course_id}/dates/until", {
        **sent, "hold_until": "2027-03-05", "form_key": "c"})

    assert (late.status_code, past.status_code, good.status_code) == (422, 422, 303)
    assert "the day before the first session" in words(late)
    assert 'value="2027-06-01"' in words(late)
    assert "Held until the end of Fri 5 Mar 2027" in words(desk.browser.get(f"/courses/{course_id}"))


def test_where_a_consultation_comes_first_reception_is_told_and_led_to_book_it(kit: Kit) -> None:
    desk = desk_with_visits(kit)
    _ask_for(desk, "before")

    form = desk.browser.get(f"/courses/new?patient={desk.patient}&protocol=rfmn_laxity")
    plans = desk.plans()

    assert "A consultation comes before this course" in words(form)
    assert f"/patients/{desk.patient}/visits/consultation" in words(form)
    assert "Ask a practitioner to book this course" in words(plans)


def test_a_practitioner_books_without_one_and_says_why(kit: Kit) -> None:
    desk = desk_with_visits(kit, "practitioner")
    _ask_for(desk, "before")

    course_id = desk.course({"consultation-first": "Seen at the hospital."})

    assert "Seen at the hospital." in words(desk.browser.get(f"/courses/{course_id}"))


def _ask_for(desk: Desk, rule: str) -> None:
    with desk.rows() as db:
        db.execute(sa.update(Protocol).values(consultation=rule))
        db.commit()


def test_a_held_date_is_moved_from_the_page_of_its_course(kit: Kit) -> None:
    desk = desk_with_visits(kit)
    _ask_for(desk, "hold")
    course_id = desk.course(hold_until="2027-03-02", not_before="2027-03-20")
    with desk.rows() as db:
        first = db.scalars(sa.select(Appointment).order_by(Appointment.starts_at).limit(1)).one()
    confirm = desk.browser.get(links_to_times(desk.browser.get(
        f"/appointments/{first.id}/move?from={first.local_start.date() + timedelta(days=1)}"))[0])

    answer = post(desk.browser, f"/appointments/{first.id}/move", {
        "choice": field(confirm, "choice"), "form_key": "a", "lock_version": str(first.lock_version)})

    assert answer.status_code == 303, words(answer)
    assert "Held" in words(desk.browser.get(f"/courses/{course_id}"))


def test_the_form_of_a_course_that_waits_leaves_time_for_the_consultation(kit: Kit) -> None:
    desk = desk_with_visits(kit)
    _ask_for(desk, "hold")
    page = f"/courses/new?patient={desk.patient}&protocol=rfmn_laxity"

    before = desk.browser.get(page)
    visit = booked(desk, query="?from=2027-03-08")
    after = desk.browser.get(page)

    assert 'value="2027-03-16"' in words(before)
    assert f'value="{visit.local_start.date() + timedelta(days=1)}"' in words(after)
