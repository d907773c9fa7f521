"""At the desk: another interval, what speaks against the treatment, a course that rests, a fixed appointment."""
from __future__ import annotations

import re

import sqlalchemy as sa

from clinic.app import Kit
from clinic.care.catalogue import load_catalogue
from clinic.store.courses import Course, CourseOverride, Screening
from clinic.store.diary import Appointment
from tests.web.conftest import post
from tests.web.desk import PROTOCOL, Desk, enter, field, open_desk, texts

INTERVAL = {"from_number": "2", "shortest": "35", "ideal": "42", "longest": "90", "reason": "Heals slowly"}


def state(desk: Desk, course_id: int) -> str:
    with desk.rows() as db:
        return db.get_one(Course, course_id).state


def standing(desk: Desk) -> list[int]:
    with desk.rows() as db:
        return list(db.scalars(sa.select(Appointment.id).where(Appointment.state == "booked")
                               .order_by(Appointment.starts_at)))


def page(desk: Desk, address: str) -> str:
    answer = desk.browser.get(address)
    assert answer.status_code == 200, address
    return " ".join(answer.get_data(as_text=True).split())


def item(code: str) -> int:
    """The place of a contraindication in the list of the protocol that these courses stand on."""
    protocol = next(each for each in load_catalogue() if each.code == PROTOCOL)
    return [each.code for each in protocol.contraindications].index(code) + 1


def noted(desk: Desk, course_id: int, code: str, **more: str) -> int:
    """Fills in the form as its page shows it; the answer's status."""
    address = f"/courses/{course_id}/contraindication"
    shown = desk.browser.get(f"{address}?item={item(code)}")
    return post(desk.browser, address, {
        "code": code, "lock_version": field(shown, "lock_version"), "form_key": field(shown, "form_key"), **more,
    }).status_code


def test_a_practitioner_changes_the_interval_and_the_course_says_so(kit: Kit) -> None:
    desk = open_desk(kit, "practitioner")
    course_id = desk.course()
    assert "28 to 84 days, ideally 35" in page(desk, f"/courses/{course_id}/interval")

    answer = post(desk.browser, f"/courses/{course_id}/interval", {**INTERVAL, "lock_version": "1"})

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/courses/{course_id}")
    shown = page(desk, f"/courses/{course_id}")
    assert "From session 2 on 35 to 90 days, ideally 42 apart; it was 28 to 84, ideally 35" in shown
    assert "Interval changed" in shown
    assert "(protocol: 28 to 84 days, ideally 35)" in page(desk, f"/courses/{course_id}/interval")


def test_reception_neither_sees_nor_changes_the_interval(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()

    assert desk.browser.get(f"/courses/{course_id}/interval").status_code == 403
    assert post(desk.browser, f"/courses/{course_id}/interval", {**INTERVAL, "lock_version": "1"}).status_code == 403
    assert f"/courses/{course_id}/interval" not in page(desk, f"/courses/{course_id}")


def test_fewer_days_than_the_protocol_allows_need_a_tick_and_a_reason_of_their_own(kit: Kit) -> None:
    desk = open_desk(kit, "practitioner")
    course_id = desk.course()
    address, shorter = f"/courses/{course_id}/interval", {**INTERVAL, "shortest": "14", "lock_version": "1"}

    warned = post(desk.browser, address, shorter)
    assert (warned.status_code, texts(warned, "finding-text")) == (
        409, ["The protocol asks for at least 28 days; 14 are fewer."])
    assert 'name="unsafe"' in warned.get_data(as_text=True)
    ticked = post(desk.browser, address, {**shorter, "unsafe": "yes"})
    assert (ticked.status_code, texts(ticked, "error-summary")) == (
        422, ["There is something to correct Say why fewer days are safe for this patient."])
    given = {**shorter, "override-shorter-than-protocol": "Superficial only"}
    said = post(desk.browser, address, given)
    assert (said.status_code, texts(said, "error-summary")) == (
        422, ["There is something to correct Tick that you have weighed the risk."])

    assert post(desk.browser, address, {**given, "unsafe": "yes"}).status_code == 303
    with desk.rows() as db:
        assert list(db.scalars(sa.select(CourseOverride.code).order_by(CourseOverride.id))) == [
            "interval", "shorter-than-protocol"]


def test_an_interval_that_cannot_be_is_shown_again_with_what_was_typed(kit: Kit) -> None:
    desk = open_desk(kit, "practitioner")
    course_id = desk.course()
    wrong = {"shortest": "50", "ideal": "42", "longest": "9", "reason": ""}

    answer = post(desk.browser, f"/courses/{course_id}/interval", {**INTERVAL, **wrong, "lock_version": "1"})

    assert answer.status_code == 422
    assert texts(answer, "error-summary") == ["There is something to correct The ideal interval cannot be shorter than "
                                              "the shortest. Enter the reason."]
    assert 'value="50"' in answer.get_data(as_text=True)
    for name, typed in (("shortest", "0"), ("ideal", "x"), ("longest", "99999"), ("from_number", "1"),
                        ("from_number", "9")):
        again = post(desk.browser, f"/courses/{course_id}/interval", {**INTERVAL, name: typed, "lock_version": "1"})
        assert again.status_code == 422


def test_no_address_names_a_condition(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    address = f"/courses/{course_id}/contraindication"

    shown = desk.browser.get(address)

    assert len(texts(shown, "pick-name")) > 20
    assert re.findall(r'class="pick" href="([^"]+)"', shown.get_data(as_text=True)) == [
        f"{address}?item={number}" for number in range(1, len(texts(shown, "pick-name")) + 1)]
    for wrong in ("0", "99", "-1", "x", "sunburn_or_recent_tan"):
        assert texts(desk.browser.get(f"{address}?item={wrong}"), "pick-name") == texts(shown, "pick-name")


def test_what_ends_on_a_date_is_noted_by_reception_and_shown_with_its_first_day(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()

    assert noted(desk, course_id, "sunburn_or_recent_tan", on="2027-03-01") == 303

    shown = page(desk, f"/courses/{course_id}")
    assert 'No session before <strong class="nowrap">Mon 15 Mar 2027</strong>' in shown
    assert "Receptionist, Mon 1 Mar 2027, 09:00" in shown
    assert "outside its window" in shown or "Session 1" in shown
    assert state(desk, course_id) == "active"
    assert noted(desk, course_id, "sunburn_or_recent_tan", on="2027-03-02") == 422
    assert noted(desk, course_id, "sunburn_or_recent_tan", on="soon") == 422


def test_an_end_too_far_away_to_be_meant_is_refused_where_it_was_typed(kit: Kit) -> None:
    """A year typed wrong would else push every window out of what a calendar has."""
    desk = open_desk(kit)
    course_id = desk.course()

    assert noted(desk, course_id, "pregnancy_or_breastfeeding", on="9999-12-31") == 422
    assert noted(desk, course_id, "pregnancy_or_breastfeeding", on="2037-02-27") == 422
    assert "No session before" not in page(desk, f"/courses/{course_id}")
    asked = desk.plans(**{"applies": "pregnancy_or_breastfeeding", "date-pregnancy_or_breastfeeding": "9999-12-31",
                          "none_apply": ""})
    assert "cannot be after 26 February 2037" in asked.get_data(as_text=True)
    assert noted(desk, course_id, "pregnancy_or_breastfeeding", on="2037-02-26") == 303
    assert "No session before" in page(desk, f"/courses/{course_id}")


def test_what_has_no_end_is_confirmed_with_the_list_of_what_it_cancels(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    address = f"/courses/{course_id}/contraindication"

    asked = post(desk.browser, address, {"code": "active_herpes", "lock_version": "1"})

    assert asked.status_code == 409
    assert [each.partition(":")[0] for each in texts(asked, "bullets")[0].split("Session ")[1:]] == ["1", "2", "3"]
    assert state(desk, course_id) == "active"
    confirmed = post(desk.browser, address, {
        "code": "active_herpes", "lock_version": "1", "confirmed": field(asked, "confirmed")})
    assert (confirmed.status_code, state(desk, course_id), standing(desk)) == (303, "on-hold", [])
    shown = page(desk, f"/courses/{course_id}")
    assert "Let it go on" in shown and "Until someone calls it over." in shown


def test_a_contraindication_of_no_protocol_and_an_old_form_change_nothing(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    address = f"/courses/{course_id}/contraindication"

    assert post(desk.browser, address, {"code": "gout", "lock_version": "1"}).status_code == 422
    assert post(desk.browser, address, {"code": "active_herpes"}).status_code == 422
    assert post(desk.browser, address, {"code": "active_herpes", "lock_version": "7"}).status_code == 409
    with desk.rows() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(Screening)) == 1


def test_a_course_rests_for_a_reason_and_goes_on_after_asking_again(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    assert post(desk.browser, f"/courses/{course_id}/hold", {"lock_version": "1"}).status_code == 422

    held = post(desk.browser, f"/courses/{course_id}/hold", {
        "lock_version": "1", "reason": "The patient is away", "details": "three months"})

    assert (held.status_code, state(desk, course_id), standing(desk)) == (303, "on-hold", [])
    shown = page(desk, f"/courses/{course_id}")
    assert "The patient is away: three months" in shown and "The course was put on hold" in shown
    assert f"/courses/{course_id}/hold" not in shown
    resumed = {"lock_version": "2"}
    asked = post(desk.browser, f"/courses/{course_id}/resume", resumed)
    assert (asked.status_code, texts(asked, "error-summary")) == (
        422, ["There is something to correct Ask the patient again, and tick that you have."])
    assert post(desk.browser, f"/courses/{course_id}/resume", {**resumed, "asked_again": "yes"}).status_code == 303
    assert state(desk, course_id) == "active"
    assert "3 sessions without a date" in page(desk, f"/courses/{course_id}")


def test_what_still_applies_keeps_the_course_at_rest_until_it_is_called_over(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    assert noted(desk, course_id, "metal_allergy", confirmed="yes") == 303
    again = {"lock_version": "2", "asked_again": "yes"}
    assert "Only a practitioner can call this over." in page(desk, f"/courses/{course_id}/resume")

    refused = post(desk.browser, f"/courses/{course_id}/resume", again)
    assert (refused.status_code, state(desk, course_id)) == (409, "on-hold")
    over = {**again, "over-metal_allergy": "Patch test negative"}
    assert post(desk.browser, f"/courses/{course_id}/resume", over).status_code in (409, 422)

    practitioner = enter(kit, "practitioner")
    assert "It is over: how do you know?" in practitioner.get(f"/courses/{course_id}/resume").get_data(as_text=True)
    assert post(practitioner, f"/courses/{course_id}/resume", over).status_code == 303
    assert "Patch test negative" in page(desk, f"/courses/{course_id}")


def test_a_relative_one_waits_for_a_practitioner_who_decides_on_the_same_page(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()

    assert noted(desk, course_id, "anticoagulant") == 303

    assert "Nobody has decided yet." in page(desk, f"/courses/{course_id}")
    assert any("A practitioner has to decide" in each for each in texts(desk.browser.get("/tasks"), "cell-body"))
    practitioner = enter(kit, "practitioner")
    address = f"/courses/{course_id}/contraindication"
    form = practitioner.get(f"{address}?item={item('anticoagulant')}")
    assert post(practitioner, address, {
        "code": "anticoagulant", "lock_version": field(form, "lock_version"), "now": "applies",
        "reason": "Low dose"}).status_code == 303
    assert "Nobody has decided yet." not in page(desk, f"/courses/{course_id}")


def test_an_appointment_is_fixed_and_let_go_from_the_course_page(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    address = f"/appointments/{standing(desk)[1]}/pin"

    assert post(desk.browser, address, {"lock_version": "1", "pinned": "yes"}).status_code == 303
    assert texts(desk.browser.get(f"/courses/{course_id}"), "badge").count("Fixed") == 1
    assert post(desk.browser, address, {"lock_version": "1", "pinned": "yes"}).status_code == 409
    assert post(desk.browser, address, {"lock_version": "2"}).status_code == 303
    assert "Fixed" not in texts(desk.browser.get(f"/courses/{course_id}"), "badge")


def test_what_waits_for_a_date_is_listed_with_one_click_to_plan_it(kit: Kit) -> None:
    desk = open_desk(kit)
    assert "Nothing waits for a date now" in page(desk, "/to-plan")
    course_id = desk.course()
    post(desk.browser, f"/appointments/{standing(desk)[0]}/cancel", {
        "lock_version": "1", "reason": "The patient is ill"})

    listed = desk.browser.get("/to-plan")

    assert texts(listed, "cell-actions")[1:] == ["Plan"]
    assert f'href="/courses/{course_id}/repair"' in listed.get_data(as_text=True)
    assert "Due now 1" in " ".join(texts(listed, "tabs"))
    assert any("To plan 1" in each for each in texts(listed, "places"))
    assert enter(kit, "auditor").get("/to-plan").status_code == 403


def test_pages_of_another_clinics_course_are_not_found(kit: Kit) -> None:
    desk = open_desk(kit)
    course_id = desk.course()
    with desk.rows() as db:
        db.execute(sa.text("UPDATE account_role SET role = 'auditor' WHERE role = 'receptionist'"))
        db.commit()

    for name in ("contraindication", "hold", "resume", "interval"):
        assert desk.browser.get(f"/courses/{course_id}/{name}").status_code == 403
    practitioner = enter(kit, "practitioner")
    for name in ("contraindication", "hold", "resume", "interval"):
        assert practitioner.get(f"/courses/{course_id + 70}/{name}").status_code == 404
