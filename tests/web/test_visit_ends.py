"""How a visit ended: one page for every way, what follows told before it is saved, and what was typed stays."""
from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from clinic.app import Kit
from clinic.care.catalogue import load_catalogue
from clinic.care.outcomes import NoShowCause, NotTreatedCause
from clinic.store.accounts import Task
from clinic.store.courses import Screening, TreatmentSession
from clinic.store.diary import Appointment
from tests.web.conftest import FixedClock, post
from tests.web.desk import PROTOCOL, Desk, enter, field, open_desk, texts

FIRST = {"lock_version": "1"}
HAIR = {"protocol": "lhr_face", "indication": "unwanted_hair_face"}


def visits(desk: Desk) -> list[int]:
    with desk.rows() as db:
        return list(db.scalars(sa.select(Appointment.id).order_by(Appointment.starts_at)))


def states(desk: Desk, number: int = 1) -> tuple[str, str, str | None]:
    with desk.rows() as db:
        owed, visit, cause = db.execute(
            sa.select(TreatmentSession.state, Appointment.state, Appointment.ended_cause)
            .join(Appointment, Appointment.treatment_session_id == TreatmentSession.id)
            .where(TreatmentSession.number == number)).one()
    return owed, visit, cause


def performed(desk: Desk, number: int = 1) -> datetime | None:
    with desk.rows() as db:
        return db.scalar(sa.select(TreatmentSession.performed_at).where(TreatmentSession.number == number))


def hair(desk: Desk) -> int:
    """A course of hair removal, whose protocol adds a session for a missed one that passes its window."""
    return desk.course(**HAIR, version=str(desk.clinic.versions["lhr_face"]))


def read(desk: Desk, address: str) -> str:
    """The words of a page, with white space folded."""
    html = desk.browser.get(address).get_data(as_text=True)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.mark.parametrize("ended", ["treated", "partly-treated", *NotTreatedCause, *NoShowCause])
def test_every_way_in_which_a_visit_ends_is_one_choice(kit: Kit, clock: FixedClock, ended: str) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    desk.later(clock, timedelta(hours=2))

    asked = desk.browser.get(f"/appointments/{visits(desk)[0]}/end")
    answer = post(desk.browser, f"/appointments/{visits(desk)[0]}/end", {
        **FIRST, "ended": ended, "areas_treated": "cheeks", "areas_left": "chin"})

    assert f'value="{ended}"' in asked.get_data(as_text=True)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/courses/{course_id}")
    expected = ("completed", "fulfilled", None) if "treated" in ended else (
        ("owed", "cancelled", ended) if ended in list(NotTreatedCause) else ("owed", "noshow", ended))
    assert states(desk) == expected


def test_one_press_completes_a_session_and_asks_nothing(kit: Kit, clock: FixedClock) -> None:
    desk = open_desk(kit)
    desk.course()
    desk.later(clock, timedelta(hours=2))

    answer = post(desk.browser, f"/appointments/{visits(desk)[0]}/complete", {**FIRST, "next": "/"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert performed(desk) == datetime(2027, 3, 1, 11, tzinfo=UTC)
    assert "Session 1 is completed." in read(desk, "/")


def test_a_session_is_completed_at_the_local_time_that_was_typed(kit: Kit, clock: FixedClock) -> None:
    desk = open_desk(kit)
    desk.course()
    desk.later(clock, timedelta(days=35, hours=6))

    answer = post(desk.browser, f"/appointments/{visits(desk)[1]}/end", {
        **FIRST, "ended": "treated", "performed": "at", "on": "2027-04-05", "at": "09:40"})

    assert answer.status_code == 303
    assert performed(desk, 2) == datetime(2027, 4, 5, 8, 40, tzinfo=UTC)


def test_a_session_given_on_another_day_is_told_and_shown_as_such(kit: Kit, clock: FixedClock) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    desk.later(clock, timedelta(days=3))
    visit = visits(desk)[0]

    offered = desk.browser.get(f"/appointments/{visit}/end").get_data(as_text=True)
    post(desk.browser, f"/appointments/{visit}/end", {
        **FIRST, "ended": "treated", "performed": "at", "on": "2027-03-03", "at": "15:00"})

    assert re.search(r'value="at" checked', offered)
    assert 'value="2027-03-01"' in offered
    assert "Session 1 is completed. It counts from Wed 3 Mar 2027, 15:00." in read(desk, f"/courses/{course_id}")
    assert "treated on 3 Mar" in read(desk, "/?day=2027-03-01")


@pytest.mark.parametrize(("typed", "status", "words"), [
    ({}, 422, "Choose how the visit ended."),
    ({"ended": "vanished"}, 422, "Choose how the visit ended."),
    ({"ended": "partly-treated", "areas_treated": "cheeks"}, 422, "Enter the areas left out."),
    ({"ended": "partly-treated", "areas_left": "chin"}, 422, "Enter the areas treated."),
    ({"ended": "partly-treated", "areas_treated": "x" * 201, "areas_left": "chin"}, 422,
     "The areas treated may have at most 200 characters; this has 201."),
    ({"ended": "treated", "performed": "at", "on": "2027-03-01", "at": "nine"}, 422,
     "The time must be a time, such as 09:30."),
    ({"ended": "treated", "performed": "at", "on": "1 March", "at": "09:00"}, 422,
     "The date must be a date, such as 2027-03-01."),
    ({"ended": "treated", "performed": "at", "on": "2027-03-01", "at": "18:00"}, 409,
     "A session cannot be completed before it happens"),
    ({"ended": "treated", "performed": "at", "on": "2017-03-01", "at": "08:00"}, 409,
     "This is more than a year ago: check the date"),
    ({"ended": "tan", "details": "x" * 301}, 422, "The details may have at most 300 characters; this has 301."),
])
def test_what_cannot_be_taken_is_named_and_stays(kit: Kit, typed: dict[str, str], status: int, words: str) -> None:
    desk = open_desk(kit)
    desk.course()

    answer = post(desk.browser, f"/appointments/{visits(desk)[0]}/end", {**FIRST, **typed})

    html = answer.get_data(as_text=True)
    assert answer.status_code == status
    assert words in " ".join(texts(answer, "error-summary") + texts(answer, "finding-text"))
    assert all(f'value="{value}"' in html for value in typed.values() if value != "vanished")
    assert states(desk) == ("booked", "booked", None)


def test_a_visit_that_has_not_begun_is_neither_missed_nor_treated(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course()
    later = f"/appointments/{visits(desk)[1]}/end"

    answers = {ended: post(desk.browser, later, {**FIRST, "ended": ended}) for ended in ("forgot", "treated", "tan")}

    assert {ended: (answer.status_code, texts(answer, "finding-text")) for ended, answer in answers.items()} == {
        "forgot": (409, ["This appointment has not begun yet: cancel it instead"]),
        "treated": (409, ["The session was planned for another date: say when it took place"]),
        "tan": (409, ["This appointment is on a later date: cancel or move it instead"])}
    assert "did not come" not in read(desk, later)


def test_whoever_is_here_did_come(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course()
    visit = visits(desk)[0]
    post(desk.browser, f"/appointments/{visit}/arrive", FIRST)

    answer = post(desk.browser, f"/appointments/{visit}/end", {"lock_version": "2", "ended": "ill"})

    assert "The patient did not come" not in read(desk, f"/appointments/{visit}/end")
    assert texts(answer, "finding-text") == ["This appointment is arrived: it cannot be changed so"]


def test_the_second_of_two_is_told_what_it_is_now(kit: Kit, clock: FixedClock) -> None:
    desk = open_desk(kit)
    desk.course()
    desk.later(clock, timedelta(hours=2))
    visit = visits(desk)[0]
    post(desk.browser, f"/appointments/{visit}/end", {**FIRST, "ended": "ill"})

    answer = post(desk.browser, f"/appointments/{visit}/end", {**FIRST, "ended": "treated"})

    assert answer.status_code == 409
    assert texts(answer, "compare")[0].split("State ")[1] == "Did not come Treated"


def test_what_was_left_out_is_on_record_and_asks_a_practitioner(kit: Kit, clock: FixedClock) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    desk.later(clock, timedelta(hours=2))

    post(desk.browser, f"/appointments/{visits(desk)[0]}/end", {
        **FIRST, "ended": "partly-treated", "areas_treated": "cheeks <b>", "areas_left": "chin & neck"})

    page = desk.browser.get(f"/courses/{course_id}").get_data(as_text=True)
    assert "Session 1 is completed in part; a practitioner is asked about what was left out." in page
    assert "chin &amp; neck" in page
    assert "cheeks &lt;b&gt;" in page
    with desk.rows() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(Task)) == 1
    assert "chin &amp; neck" in desk.browser.get("/tasks").get_data(as_text=True)


@pytest.mark.parametrize(("cause", "code"), [
    ("tan", "sunburn_or_recent_tan"), ("cold-sore", "active_herpes"), ("device", None)])
def test_what_lasts_is_to_be_noted_until_somebody_has(
    kit: Kit, clock: FixedClock, cause: str, code: str | None
) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    desk.later(clock, timedelta(hours=1))
    protocol = next(each for each in load_catalogue() if each.code == PROTOCOL)
    codes = [each.code for each in protocol.contraindications]
    link = f"/courses/{course_id}/contraindication?item={codes.index(code) + 1 if code else ''}"

    answer = post(desk.browser, f"/appointments/{visits(desk)[0]}/end", {
        **FIRST, "ended": cause, "details": "since Sunday", "next": "/"})
    shown = desk.browser.get(f"/courses/{course_id}").get_data(as_text=True)

    assert answer.headers["Location"] == (f"/courses/{course_id}" if code else "/")
    assert (link in shown) == (code is not None)
    assert "since Sunday" in shown
    assert "Not treated" in shown
    desk.later(clock, timedelta(minutes=5))
    with desk.rows() as db:
        db.add(Screening(course_id=course_id, answered_at=clock(), answers={"applies": {}}, findings=[]))
        db.commit()
    assert link not in desk.browser.get(f"/courses/{course_id}").get_data(as_text=True)


def test_what_follows_a_missed_visit_is_told_before_it_is_saved_and_after(kit: Kit, clock: FixedClock) -> None:
    desk = open_desk(kit)
    course_id = hair(desk)
    first, second, _ = visits(desk)
    desk.later(clock, timedelta(hours=2))
    post(desk.browser, f"/appointments/{first}/complete", FIRST)
    desk.later(clock, timedelta(days=45))
    adds = "The session passes its last day, 12 April 2027: one more session at the end."

    asked = read(desk, f"/appointments/{second}/end")
    post(desk.browser, f"/appointments/{second}/end", {**FIRST, "ended": "ill"})
    course = read(desk, f"/courses/{course_id}")

    assert asked.count(adds) == 3
    assert asked.count("nothing is added, and the visit does not count as missed") == 1
    assert f"Noted. {adds}" in course
    assert "Session 2 was missed" in course
    assert "1 of 4" in course
    assert "Session 2: did not come · ill · closed by Receptionist" in course
    with desk.rows() as db:
        assert db.scalars(sa.select(TreatmentSession.number).order_by(TreatmentSession.number)).all() == [1, 2, 3, 4]


def test_what_follows_is_saved_only_as_it_was_shown(kit: Kit, clock: FixedClock) -> None:
    desk = open_desk(kit)
    course_id = hair(desk)
    first, second, _ = visits(desk)
    desk.later(clock, timedelta(hours=2))
    post(desk.browser, f"/appointments/{first}/complete", FIRST)
    desk.later(clock, timedelta(days=41))
    address = f"/appointments/{second}/end"
    shown = [field(desk.browser.get(address), "shown-ill")]
    desk.later(clock, timedelta(days=2))

    answer = post(desk.browser, address, {**FIRST, "ended": "ill", "shown-ill": shown[0]})
    shown.append(field(answer, "shown-ill"))
    again = post(desk.browser, address, {**FIRST, "ended": "ill", "shown-ill": shown[1]})

    assert (shown, answer.status_code, again.status_code) == (["0", "1"], 409, 303)
    assert texts(answer, "finding-text")[0].startswith("What follows has changed since this page was opened")
    assert "1 of 4" in read(desk, f"/courses/{course_id}")


def test_inside_its_window_a_missed_session_says_until_when(kit: Kit, clock: FixedClock) -> None:
    desk = open_desk(kit)
    hair(desk)
    first, second, _ = visits(desk)
    desk.later(clock, timedelta(hours=2))
    post(desk.browser, f"/appointments/{first}/complete", FIRST)
    with desk.rows() as db:
        starts_at = db.get_one(Appointment, second).starts_at
    desk.later(clock, starts_at - clock() + timedelta(minutes=30))

    assert read(desk, f"/appointments/{second}/end").count(
        "Nothing is added if it is given by 12 April 2027; given later, it adds one more session.") == 3


def test_the_patients_page_counts_what_the_patient_missed_and_not_what_the_clinic_caused(
    kit: Kit, clock: FixedClock
) -> None:
    desk = open_desk(kit)
    desk.course()
    desk.later(clock, timedelta(hours=2))
    seen = [read(desk, f"/patients/{desk.patient}")]
    post(desk.browser, f"/appointments/{visits(desk)[0]}/end", {**FIRST, "ended": "by-clinic"})
    seen.append(read(desk, f"/patients/{desk.patient}"))
    with desk.rows() as db:
        starts_at = db.get_one(Appointment, visits(desk)[1]).starts_at
    desk.later(clock, starts_at - clock() + timedelta(hours=1))
    post(desk.browser, f"/appointments/{visits(desk)[1]}/end", {**FIRST, "ended": "prevented"})
    seen.append(read(desk, f"/patients/{desk.patient}"))

    assert ["Missed 1 visit" in each for each in seen] == [False, False, True]


def test_the_page_of_a_protocol_says_what_a_missed_session_adds(kit: Kit) -> None:
    desk = open_desk(kit)

    assert "After a missed session that passes its window One session is added" in read(desk, "/protocols/lhr_face")
    assert "After a missed session that passes its window Nothing is added" in read(desk, "/protocols/rfmn_laxity")


def test_only_who_may_complete_sees_the_page_and_seeing_changes_nothing(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course()
    address = f"/appointments/{visits(desk)[0]}/end"
    auditor = enter(kit, "auditor")

    answers = [auditor.get(address), post(auditor, address, {**FIRST, "ended": "treated"}),
               desk.browser.get(f"{address}?ended=treated"), desk.browser.get(f"{address}?ended=nonsense")]

    assert [answer.status_code for answer in answers] == [403, 403, 200, 200]
    assert ['value="treated" checked' in answer.get_data(as_text=True) for answer in answers[2:]] == [True, False]
    assert states(desk) == ("booked", "booked", None)
