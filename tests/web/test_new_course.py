"""A new course at the desk: what is asked, what is offered, what is booked, and what stands in the way."""
from __future__ import annotations

import sqlalchemy as sa

from clinic.app import Kit
from clinic.store.accounts import AuditEntry, Task
from clinic.store.courses import Course, CourseOverride, Screening, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.outbox import MessageItem
from clinic.store.protocols import ProtocolVersion
from tests.web.conftest import post
from tests.web.desk import enter, field, offered_plans, open_desk, texts


def test_without_a_patient_the_page_searches_for_one(kit: Kit) -> None:
    desk = open_desk(kit)

    answer = desk.browser.get("/courses/new?q=oka")

    assert (answer.status_code, texts(answer, "pick-name")) == (200, ["Ben Okafor"])


def test_a_search_that_finds_nobody_says_so(kit: Kit) -> None:
    desk = open_desk(kit)

    answer = desk.browser.get("/courses/new?q=zzz")

    assert texts(answer, "empty-title") == ["Nobody is called that"]


def test_with_a_patient_the_page_lists_approved_protocols_first_and_drafts_apart(kit: Kit) -> None:
    desk = open_desk(kit)
    with desk.rows() as db:
        db.execute(sa.update(ProtocolVersion).where(ProtocolVersion.id != desk.clinic.versions["mn_prp"])
                   .values(state="draft"))
        db.commit()

    answer = desk.browser.get(f"/courses/new?patient={desk.patient}")

    assert texts(answer, "pick-name") == ["Microneedling with platelet-rich plasma"]
    assert len(texts(answer, "draft-list")[0].split("Draft")) == 21


def test_a_draft_cannot_be_chosen(kit: Kit) -> None:
    desk = open_desk(kit)
    with desk.rows() as db:
        db.execute(sa.update(ProtocolVersion).values(state="draft"))
        db.commit()

    assert desk.plans().status_code == 404


def test_the_form_holds_the_usual_course(kit: Kit) -> None:
    desk = open_desk(kit)

    answer = desk.browser.get(f"/courses/new?patient={desk.patient}&protocol=rfmn_laxity")

    html = answer.get_data(as_text=True)
    assert 'value="mild_laxity" checked' in html
    assert 'value="none" checked' in html
    assert 'name="sessions" type="number" value="3"' in html
    assert 'name="not_before" type="date" value="2027-03-01"' in html


def test_an_unknown_patient_is_not_found(kit: Kit) -> None:
    assert open_desk(kit).browser.get("/courses/new?patient=999").status_code == 404


def test_a_healthy_patient_is_offered_the_best_plan_first(kit: Kit) -> None:
    desk = open_desk(kit)

    answer = desk.plans()

    assert answer.status_code == 200
    assert texts(answer, "plan-title") == ["Best plan · Same practitioner throughout", "Finished soonest"]
    assert texts(answer, "plan-day")[:3] == ["Mon 1 Mar", "Mon 5 Apr", "Mon 10 May"]
    assert texts(answer, "plan-reasons")[0] == (
        "Begins today Every gap is ideal All on Mondays One practitioner throughout")


def test_a_chosen_plan_is_booked_whole_with_its_screening_and_confirmation(kit: Kit) -> None:
    desk = open_desk(kit)

    course_id = desk.course()

    with desk.rows() as db:
        states = db.scalars(sa.select(TreatmentSession.state).where(TreatmentSession.course_id == course_id)).all()
        starts = db.scalars(sa.select(Appointment.local_start).order_by(Appointment.starts_at)).all()
        answers = db.scalars(sa.select(Screening.answers)).one()
        told = db.scalars(sa.select(MessageItem.kind).where(MessageItem.kind == "confirmation")).all()
    assert states == ["booked"] * 3
    assert [f"{at:%d %b %H:%M}" for at in starts] == ["01 Mar 09:00", "05 Apr 09:00", "10 May 09:00"]
    assert (answers["indication"], answers["none_apply"], told) == ("mild_laxity", True, ["confirmation"])


def test_a_form_that_is_sent_twice_books_one_course(kit: Kit) -> None:
    desk = open_desk(kit)
    page = desk.plans()
    form = {**desk.asked(), "plan": offered_plans(page)[0], "form_key": field(page, "form_key")}

    first = post(desk.browser, "/courses", form)
    second = post(desk.browser, "/courses", form)

    with desk.rows() as db:
        count = db.scalar(sa.select(sa.func.count()).select_from(Course))
    assert (first.status_code, second.status_code, count) == (303, 303, 1)
    assert first.headers["Location"] == second.headers["Location"]


def test_a_plan_that_is_gone_is_refused_with_plans_that_fit_now(kit: Kit) -> None:
    desk = open_desk(kit)
    stale = offered_plans(desk.plans())[0]
    other = desk.asked(patient=str(desk.clinic.patients[1]))
    for taken in desk.clinic.practitioners:
        page = post(desk.browser, "/courses/new/plans", {**other, "practitioner": str(taken)})
        post(desk.browser, "/courses", {**other, "plan": offered_plans(page)[0]})

    answer = post(desk.browser, "/courses", {**desk.asked(), "plan": stale})

    assert answer.status_code == 409
    assert texts(answer, "finding-weight")[0] == "Blocks"
    assert stale not in offered_plans(answer)
    with desk.rows() as db:
        assert db.scalars(sa.select(Course.id).where(Course.patient_id == desk.patient)).all() == []


def test_what_was_typed_wrong_is_named_and_everything_typed_stays(kit: Kit) -> None:
    desk = open_desk(kit)

    answer = desk.plans(sessions="ninety", not_before="1 March", indication="neck_laxity")

    html = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert texts(answer, "error-summary") == [
        "There is something to correct The number of sessions must be a whole number from 1 to 5. "
        "The first date must be a date, such as 2027-03-01."]
    assert 'value="ninety"' in html
    assert 'value="1 March"' in html
    assert 'value="neck_laxity" checked' in html
    assert 'name="none_apply" value="yes" checked' in html


def test_an_unanswered_screening_is_no_no(kit: Kit) -> None:
    desk = open_desk(kit)

    answer = desk.plans(none_apply="")

    assert answer.status_code == 409
    assert texts(answer, "error-summary")[0].endswith("Tick what applies to the patient, or “none of these apply”.")


def test_an_absolute_contraindication_stops_the_course_at_its_field(kit: Kit) -> None:
    desk = open_desk(kit)

    answer = desk.plans(none_apply="", applies="bleeding_disorder")

    assert answer.status_code == 409
    assert offered_plans(answer) == []
    assert 'id="applies-bleeding_disorder-error"' in answer.get_data(as_text=True)


def test_a_temporary_contraindication_begins_the_plans_on_its_date(kit: Kit) -> None:
    desk = open_desk(kit)

    answer = desk.plans(**{"none_apply": "", "applies": "sunburn_or_recent_tan",
                           "date-sunburn_or_recent_tan": "2027-02-25"})

    assert answer.status_code == 200
    assert texts(answer, "notice-title")[0] == "The plans begin on Thu 11 Mar 2027"
    assert texts(answer, "plan-day")[0] == "Thu 11 Mar"


def test_staff_clear_what_is_over_with_the_reason(kit: Kit) -> None:
    desk = open_desk(kit)

    cleared = {"none_apply": "", "applies": "active_herpes", "cleared-active_herpes": "healed, seen"}

    course_id = desk.course(None, **cleared)

    with desk.rows() as db:
        answers = db.scalars(sa.select(Screening.answers).where(Screening.course_id == course_id)).one()
    assert answers["cleared"] == {"active_herpes": "healed, seen"}


def test_reception_cannot_go_past_a_relative_contraindication(kit: Kit) -> None:
    desk = open_desk(kit)
    relative = {"none_apply": "", "applies": "anticoagulant"}

    page = desk.plans(**relative)
    forced = post(desk.browser, "/courses", {
        **desk.asked(**relative), "plan": offered_plans(page)[0], "override-anticoagulant": "I think it is fine"})

    assert texts(page, "notice-title") == ["Ask a practitioner to book this course"]
    assert "Book this course" not in page.get_data(as_text=True)
    assert forced.status_code == 409
    with desk.rows() as db:
        assert db.scalars(sa.select(Course.id)).all() == []


def test_a_practitioner_goes_past_it_with_a_reason_that_is_kept(kit: Kit) -> None:
    desk = open_desk(kit, "practitioner")
    relative = {"none_apply": "", "applies": "anticoagulant"}
    plan = offered_plans(desk.plans(**relative))[0]

    without = post(desk.browser, "/courses", {**desk.asked(**relative), "plan": plan})
    with_reason = post(desk.browser, "/courses", {
        **desk.asked(**relative), "plan": plan, "override-anticoagulant": "INR 2.1 last week"})

    assert (without.status_code, with_reason.status_code) == (409, 303)
    with desk.rows() as db:
        kept = db.execute(sa.select(CourseOverride.code, CourseOverride.reason, CourseOverride.made_by)).all()
    assert kept == [("anticoagulant", "INR 2.1 last week", desk.clinic.accounts["practitioner"])]


def test_severe_laxity_refuses_a_lifting_course_and_opens_one_consultation_task(kit: Kit) -> None:
    desk = open_desk(kit)

    answers = [desk.plans(laxity="severe"), desk.plans(laxity="severe")]

    assert [each.status_code for each in answers] == [409, 409]
    assert texts(answers[0], "notice-title") == ["A consultation is asked for"]
    with desk.rows() as db:
        tasks = db.execute(sa.select(Task.patient_id, Task.kind)).all()
        actions = db.scalars(sa.select(AuditEntry.action).where(AuditEntry.subject_kind == "task")).all()
    assert (tasks, actions) == ([(desk.patient, "consultation")], ["consultation-asked"])


def test_a_request_that_nothing_fits_says_why_and_what_would_help(kit: Kit) -> None:
    desk = open_desk(kit)
    with desk.rows() as db:
        db.execute(sa.text("UPDATE device SET active = false"))
        db.commit()

    answer = desk.plans()

    assert answer.status_code == 409
    assert texts(answer, "notice-title") == ["No plan fits what was asked"]


def test_who_may_not_book_does_not_see_the_page(kit: Kit) -> None:
    open_desk(kit)

    assert enter(kit, "auditor").get("/courses/new").status_code == 403


def test_plans_without_a_form_lead_to_the_form(kit: Kit) -> None:
    answer = open_desk(kit).browser.get("/courses/new/plans")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/courses/new")


def test_a_forged_plan_books_nothing(kit: Kit) -> None:
    desk = open_desk(kit)

    answer = post(desk.browser, "/courses", {**desk.asked(), "plan": "1@2027-03-01T09:00Z@x"})

    assert answer.status_code == 422
    with desk.rows() as db:
        assert db.scalars(sa.select(Course.id)).all() == []
