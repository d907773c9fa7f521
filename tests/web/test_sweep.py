"""A new course in one sweep: plans while one types, dates agreed on one by one, an event to be ready for."""
from __future__ import annotations

import re

import sqlalchemy as sa
from werkzeug.test import TestResponse

from clinic.app import Kit
from clinic.store.accounts import Task
from clinic.store.courses import Course
from clinic.store.diary import Appointment
from tests.web.conftest import post
from tests.web.desk import Desk, field, offered_plans, open_desk, texts


def test_what_is_typed_shows_plans_before_screening_and_keeps_nothing(kit: Kit) -> None:
    desk = open_desk(kit)

    early = _look(desk, none_apply="")
    severe = _look(desk, laxity="severe")
    ready = _look(desk)
    unread = _look(desk, not_before="2027-0")

    assert [texts(early, "notice-title"), texts(unread, "empty-title")] == [
        ["Screening comes before booking"], ["No plans yet"]]
    assert len(offered_plans(early)) == len(offered_plans(ready)) == 2
    assert ["Book this course" in each.get_data(as_text=True) for each in (early, severe, ready)] == [
        False, False, True]
    assert texts(severe, "finding-weight") == ["Blocks"]
    with desk.rows() as db:
        assert db.scalars(sa.select(Task.id)).all() == []


def test_a_time_that_is_taken_is_fixed_with_those_before_it_and_the_rest_follows(kit: Kit) -> None:
    desk = open_desk(kit)
    best = offered_plans(desk.plans())[0]
    first, second, third = best.split(" ")

    near = post(desk.browser, "/courses/new/plans", {**desk.asked(), "plan": best, "look": "2"})
    thursday = next(each for each in _times(near) if "2027-04-08T" in each)
    replanned = post(desk.browser, "/courses/new/plans", {**desk.asked(), "plan": best, "take": thursday})
    plan = offered_plans(replanned)[0]
    booked = post(desk.browser, "/courses", {
        **desk.asked(), "plan": plan, "seen": field(replanned, "seen"), "kept": first})

    assert second not in _times(near)
    assert plan.split(" ")[:2] == [first, thursday]
    assert plan.split(" ")[2] != third
    assert [each[:9] for each in texts(replanned, "plan-when") if "Fixed" in each][:2] == ["Session 1", "Session 2"]
    assert re.findall(r'name="kept" value="(\d)@', replanned.get_data(as_text=True)) == ["1", "2"]
    assert booked.status_code == 303
    with desk.rows() as db:
        starts = db.scalars(sa.select(Appointment.local_start).order_by(Appointment.starts_at)).all()
    assert [f"{at:%d %b}" for at in starts] == ["01 Mar", "08 Apr", "13 May"]


def test_a_date_is_fixed_let_go_and_not_kept_where_it_cannot_stay(kit: Kit) -> None:
    desk = open_desk(kit)
    best = offered_plans(desk.plans())[0]
    third = best.split(" ")[2]

    fixed = post(desk.browser, "/courses/new/plans", {**desk.asked(), "plan": best, "stay": "3"})
    let_go = post(desk.browser, "/courses/new/plans", {**desk.asked(), "plan": best, "kept": third, "move": "3"})
    shorter = post(desk.browser, "/courses/new/plans", {**desk.asked(sessions="2"), "kept": third})
    away = post(desk.browser, "/courses/new/plans", {
        **desk.asked(), "kept": third, "away-0-from": "2027-05-08", "away-0-to": "2027-05-20"})

    kept = [re.findall(r'name="kept" value="(\d)@', each.get_data(as_text=True)) for each in (fixed, let_go, shorter)]
    assert kept == [["3"], [], []]
    assert "no such session" in texts(shorter, "notice-body")[0]
    assert ("The patient is away from 8 May 2027 to 20 May 2027 and cannot come within" in texts(away, "notice-body")[0]
            and "asked for this course" in texts(away, "notice-body")[0])
    assert third not in " ".join(offered_plans(away))


def test_a_date_that_somebody_else_took_is_named_and_the_others_stay(kit: Kit) -> None:
    desk = open_desk(kit)
    best = offered_plans(desk.plans())[0]
    who = next(each for each in desk.clinic.practitioners if str(each) in best.split(" ")[1].split("@")[2].split(","))
    other = desk.asked(
        patient=str(desk.clinic.patients[1]), sessions="1", not_before="2027-04-05", practitioner=str(who))
    taken = offered_plans(post(desk.browser, "/courses/new/plans", other))[0]
    assert post(desk.browser, "/courses", {**other, "plan": taken}).status_code == 303

    refused = post(desk.browser, "/courses", {**desk.asked(), "plan": best, "event_on": "2027-12-01"})

    plan = offered_plans(refused)[0].split(" ")
    assert refused.status_code == 409
    assert "Mon 5 Apr 2027, 09:00" in texts(refused, "notice-body")[0]
    assert [plan[0], plan[2]] == [best.split(" ")[0], best.split(" ")[2]]
    assert 'value="2027-12-01"' in refused.get_data(as_text=True)


def test_wishes_decide_on_which_days_and_before_which_event(kit: Kit) -> None:
    desk = open_desk(kit)
    thursdays = {"wish_days": "3", "wish_from": "10:00", "wish_to": "13:00", "wish_only": "yes"}

    answer = desk.plans(**thursdays, **{"away-0-from": "2027-03-01", "away-0-to": "2027-03-10"})
    in_time = desk.plans(event_on="2027-06-20", recovery="7")
    wrong = desk.plans(wish_from="13:00", wish_to="10:00", event_on="2027-02-01")

    assert texts(answer, "plan-day")[0] == "Thu 11 Mar"
    assert {each[:3] for each in texts(answer, "plan-day")} == {"Thu"}
    assert {each[:2] for each in texts(answer, "plan-time")} <= {"10", "11"}
    assert texts(in_time, "notice-title") == ["It can be done before Sun 20 Jun 2027"]
    assert "the last session is on Sat 12 Jun 2027 at the latest" in texts(in_time, "notice-body")[0]
    assert texts(wrong, "error-summary") == [
        "There is something to correct The end must be after the beginning. "
        "The event cannot be before 2 March 2027."]


def test_without_a_patient_it_is_said_by_how_much_an_event_comes_too_early(kit: Kit) -> None:
    desk = open_desk(kit)
    asked = {name: value for name, value in desk.asked().items() if name not in ("patient", "none_apply")}

    late = post(desk.browser, "/courses/new/plans", {**asked, "event_on": "2027-04-20", "recovery": "3"})
    chosen = post(desk.browser, "/courses/new/plans", {
        **asked, "event_on": "2027-04-20", "recovery": "3", "for": str(desk.patient)})
    forced = post(desk.browser, "/courses", {**asked, "none_apply": "yes", "plan": offered_plans(late)[0]})

    [title] = [each for each in texts(late, "notice-title") if "too late" in each]
    days = int(re.search(r"(\d+) days too late", title)[1])  # type: ignore[index]
    last = re.findall(r"3@2027-(\d\d-\d\d)T", offered_plans(late)[0])[0]
    assert (title.startswith("It cannot be done before Tue 20 Apr 2027"), last, days) == (True, "04-26", 10)
    assert "2 sessions can be done" in texts(late, "bullets")[0]
    assert "An event from Fri 30 Apr 2027 on can be met." in texts(late, "bullets")[0]
    assert "Nobody is chosen yet" in texts(late, "notice-title")
    assert f'name="patient" value="{desk.patient}"' in chosen.get_data(as_text=True)
    assert "Screening comes before booking" in texts(chosen, "notice-title")
    assert forced.status_code == 422
    with desk.rows() as db:
        assert db.scalars(sa.select(Course.id)).all() == []


def test_what_was_changed_after_the_plans_is_planned_again_before_it_is_booked(kit: Kit) -> None:
    desk = open_desk(kit)
    page = desk.plans()
    sent = {**desk.asked(), "plan": offered_plans(page)[0], "seen": field(page, "seen")}

    changed = post(desk.browser, "/courses", {**sent, "sessions": "4"})
    other = post(desk.browser, "/courses/new/plans", {
        **desk.asked(not_before="2027-04-01"), "other": "mn_rejuvenation"})

    assert (changed.status_code, len(offered_plans(changed)[0].split(" "))) == (409, 4)
    assert "changed after these plans were shown" in texts(changed, "finding-text")[0]
    assert (other.status_code, 'value="2027-04-01"' in other.get_data(as_text=True)) == (200, True)
    assert offered_plans(other)[0].count("@") == 2 * 4


def test_whatever_is_sent_is_answered_in_words(kit: Kit) -> None:
    desk = open_desk(kit)
    one = "1@2027-03-01T09:00Z@1,2,3"

    answers = [post(desk.browser, path, desk.asked(**forged)).status_code for path, forged in (
        ("/courses/new/look", {"look": "1 9999-12-31", "plan": one}), ("/courses", {"plan": f"{one} {one}"}),
        ("/courses/new/plans", {"kept": "99@2199-03-01T09:00Z@1"}), ("/courses/new/plans", {"kept": "x"}),
        ("/courses/new/plans", {"event_on": "9999-12-31"}), ("/courses/new/plans", {"stay": "x"}),
        ("/courses/new/look", {"away-0-from": "0001-01-01", "away-0-to": "2027-03-20"}),
        ("/courses/new/plans", {"for": "999"}), ("/courses/new/plans", {"other": "nothing_of_ours"}))]

    assert answers == [200, 409, 200, 422, 422, 422, 200, 404, 404]


def _look(desk: Desk, **changed: str) -> TestResponse:
    return post(desk.browser, "/courses/new/look", desk.asked(**changed))


def _times(answer: TestResponse) -> list[str]:
    return re.findall(r'name="take" value="([^"]+)"', answer.get_data(as_text=True))


def test_what_was_asked_before_anybody_was_chosen_waits_while_the_patient_is_entered(kit: Kit) -> None:
    desk = open_desk(kit)
    asked = {**desk.asked(), "not_before": "2027-03-08", "q": "Nadia Osei"}
    del asked["patient"]
    entered = {"given_name": "Nadia", "family_name": "Osei", "email": "nadia@example.com", "channel": "email",
               "language": "en", "service": "yes"}

    looked = post(desk.browser, "/courses/new/look", asked).get_data(as_text=True)
    form = post(desk.browser, "/patients/new", asked)
    back = post(desk.browser, "/courses/new/plans", {"course": field(form, "course")})
    wrong = post(desk.browser, "/patients", {**entered, "email": "", "course": field(form, "course")})
    added = post(desk.browser, "/patients", {**entered, "course": field(wrong, "course")})
    page = post(desk.browser, added.location, {**entered, "course": field(wrong, "course")})

    assert 'formaction="/patients/new"' in looked
    assert [value in form.get_data(as_text=True) for value in ('value="Nadia"', 'value="Osei"')] == [True, True]
    assert back.status_code == 200 and 'value="2027-03-08"' in back.get_data(as_text=True)
    assert (wrong.status_code, added.status_code) == (422, 307)
    assert re.fullmatch(r"/courses/new/plans\?for=\d+", added.location)
    assert "New course for Nadia Osei" in page.get_data(as_text=True)
    assert 'value="2027-03-08"' in page.get_data(as_text=True) and len(offered_plans(page)) > 0
    assert post(desk.browser, "/courses/new/plans", {"course": "%%%"}).status_code == 400
