"""Booking from a free time of the diary: who, what fits there, what does not and why, and one press."""
from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from html import unescape

import sqlalchemy as sa
from werkzeug.test import TestResponse

from clinic.app import Kit
from clinic.messages.mailbox import MailboxTransport
from clinic.services.appointments import cancel_appointment
from clinic.services.delivery import Courier
from clinic.services.mail import release_held, switch_mail_on
from clinic.services.patients import PatientDetails, add_patient
from clinic.services.work import Actor, Done
from clinic.store.courses import Course, CourseOverride, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.resources import Patient
from tests.queries.statements import counted
from tests.web.conftest import FixedClock, post
from tests.web.counting import own_statements
from tests.web.desk import Desk, field, texts
from tests.web.seed import add_clinic
from tests.web.test_other_visits import desk_with_visits, words
from tests.web.test_times import links_to_times

FRAGMENT = {"X-Fragment": "1"}


def owing(kit: Kit) -> tuple[Desk, Appointment]:
    """A desk with a course of three whose second session lost its date, and the visit that it had."""
    desk = desk_with_visits(kit)
    course_id = desk.course()
    second = visit_of(desk, course_id, 2)
    with kit.work(Actor("test")) as work:
        assert isinstance(cancel_appointment(work, second.id, reason="Ill", lock_version=second.lock_version), Done)
    return desk, second


def visit_of(desk: Desk, course_id: int, number: int) -> Appointment:
    with desk.rows() as db:
        return db.scalars(
            sa.select(Appointment).join(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
            .where(TreatmentSession.course_id == course_id, TreatmentSession.number == number)
            .order_by(Appointment.id.desc()).limit(1)).one()


def panel(desk: Desk, at: datetime, query: str = "") -> TestResponse:
    """The panel at that time of the clinic's clock, for the desk's patient."""
    return desk.browser.get(f"/diary/book?at={at:%Y-%m-%dT%H:%M}&patient={desk.patient}{query}", headers=FRAGMENT)


def offers(answer: TestResponse) -> dict[str, dict[str, str]]:
    """What the form of each button of the panel sends, by what it books, in order."""
    found = re.findall(r'<form[^>]*method="post" action="/diary/book".*?</form>', answer.get_data(as_text=True), re.S)
    read = [dict(re.findall(r'name="([^"]+)" value="([^"]*)"', each)) for each in found]
    return {each["what"]: {name: unescape(value) for name, value in each.items()} for each in read}


def test_the_owed_session_comes_first_with_its_fit_and_what_follows_and_one_press_books_it(kit: Kit) -> None:
    desk, second = owing(kit)

    shown = panel(desk, second.local_start, f"&with={desk.clinic.practitioners[0]}")
    first = next(iter(offers(shown).values()))
    answer = post(desk.browser, "/diary/book", first)

    said = texts(shown, "booking-offer")[0]
    assert "Session 2 of 3" in said and "Ideal" in said and "35 days after the last" in said
    assert "09:00 – 11:00 · Dr Amari · Room 1" in said
    assert "Session 3, Mon 10 May 2027, stays: ideal" in said
    assert "confirmation in a few minutes ; first reminder Mon 29 Mar 2027, 09:00" in said
    booked = visit_of(desk, 1, 2)
    assert (booked.local_start, booked.state) == (second.local_start, "booked")
    assert answer.headers["Location"] == f"/diary?day=2027-04-05&booked={booked.id}"


def test_a_booking_is_undone_while_nobody_was_told_and_not_after(kit: Kit, clock: FixedClock) -> None:
    desk, second = owing(kit)
    wanted = next(iter(offers(panel(desk, second.local_start)).values()))
    diary = desk.browser.get(post(desk.browser, "/diary/book", wanted).headers["Location"])
    sent = dict(re.findall(r'name="(appointment|lock_version|next|form_key)" value="([^"]+)"', "".join(
        re.findall(r'<div class="booking-undo.*?</form>', diary.get_data(as_text=True), re.S))))

    undone = post(desk.browser, "/diary/book/undo", sent)
    again = post(desk.browser, "/diary/book/undo", {**sent, "form_key": "another"})

    assert (undone.status_code, undone.headers["Location"]) == (303, "/diary?day=2027-04-05")
    assert visit_of(desk, 1, 2).state == "cancelled"
    assert again.status_code == 409
    with desk.rows() as db:
        assert db.scalar(sa.select(TreatmentSession.state).where(TreatmentSession.number == 2)) == "owed"
    other = post(desk.browser, "/diary/book", next(iter(offers(panel(desk, second.local_start)).values())))
    clock.move(timedelta(minutes=5))
    for act in (switch_mail_on, release_held):
        with kit.work(Actor("test")) as work:
            act(work)
    Courier(lambda: kit.work(Actor("test")), MailboxTransport(), "test").deliver_due()
    assert "booking-undo" not in desk.browser.get(other.headers["Location"]).get_data(as_text=True)


def test_what_does_not_fit_is_named_with_its_reason_and_leads_to_times_that_do(kit: Kit) -> None:
    desk, second = owing(kit)
    too_early = panel(desk, second.local_start - timedelta(days=14))
    busy = panel(desk, datetime(2027, 3, 1, 10, 30), f"&with={desk.clinic.practitioners[0]}")  # noqa: DTZ001

    said = texts(too_early, "booking-not")[0]
    assert "Session 2 comes 21 days after the session of 1 March 2027; it must be at least 28 days" in said
    links = re.findall(r'href="(/diary/book\?[^"]+)"', "".join(
        re.findall(r'<p class="booking-nearest.*?</p>', too_early.get_data(as_text=True), re.S)))
    assert len(links) == 3
    assert all("session:2" in offers(desk.browser.get(unescape(each), headers=FRAGMENT)) for each in links)
    assert "Dr Amari is already booked within 10:30 to 11:00 on Monday 1 March 2027." in words(busy)
    assert "is not free then" in words(busy)


def test_a_session_after_its_window_asks_for_the_reason_and_keeps_it(kit: Kit) -> None:
    desk, second = owing(kit)
    last = visit_of(desk, 1, 3)
    with kit.work(Actor("test")) as work:
        assert isinstance(cancel_appointment(work, last.id, reason="Ill", lock_version=last.lock_version), Done)
    wanted = offers(panel(desk, second.local_start + timedelta(days=56)))["session:2"]

    asked = post(desk.browser, "/diary/book", wanted)
    answer = post(desk.browser, "/diary/book", {**wanted, "form_key": "k" * 24, "override-too-late": "Was abroad"})

    assert asked.status_code == 409 and "Why so late?" in words(asked)
    assert answer.status_code == 303
    with desk.rows() as db:
        assert db.scalars(sa.select(CourseOverride.reason)).all() == ["Was abroad"]


def test_a_time_that_the_patient_does_not_come_at_is_told_with_those_that_fit_and_booked_once_they_agree(
    kit: Kit
) -> None:
    desk, second = owing(kit)
    with desk.rows() as db:
        db.get_one(Patient, desk.patient).only_times = [{"weekdays": [0, 1, 2, 3], "begins": 840, "ends": 1080}]
        db.commit()
    shown = panel(desk, second.local_start)
    sent = offers(shown)
    wanted = {name: value for name, value in sent["session:2"].items() if name != "override-patient-unwilling"}

    asked = post(desk.browser, "/diary/book", wanted)
    agreed = post(desk.browser, "/diary/book", {**sent["session:2"], "form_key": "k" * 24})

    said = texts(shown, "booking-offer")[0]
    assert "The patient comes only Mon, Tue, Wed, Thu 14:00 – 18:00, not within 09:00 to 11:00" in said
    assert "The patient agrees to this time" in said and "Would fit: 14:00" in said
    assert asked.status_code == 409 and "Not booked. This is what fits now." in words(asked)
    assert agreed.status_code == 303 and visit_of(desk, 1, 2).local_start == second.local_start
    with desk.rows() as db:
        assert db.scalars(sa.select(CourseOverride.reason)).all() == ["The patient agrees to this time"]


def test_the_list_of_times_shows_others_on_request_and_a_visit_in_hand_is_put_down_there(kit: Kit) -> None:
    desk, second = owing(kit)
    third = visit_of(desk, 1, 3)
    with desk.rows() as db:
        db.get_one(Patient, desk.patient).only_times = [{"weekdays": [0, 1, 2, 3], "begins": 840, "ends": 1080}]
        db.commit()
    visit, on = f"/patients/{desk.patient}/visits/consultation", f"?from={second.local_start.date()}"
    kept, every = desk.browser.get(visit + on), desk.browser.get(f"{visit}{on}&asking=yes")
    early = next(each for each in links_to_times(every) if each not in links_to_times(kept))
    review = desk.browser.get(early)
    fields = {"choice": field(review, "choice"), "form_key": field(review, "form_key")}

    refused = post(desk.browser, visit, fields)
    booked = post(desk.browser, visit, {**fields, "override-patient-unwilling": "yes", "form_key": "v" * 24})
    there = f"at={third.local_start:%Y-%m-%d}T13:00Z&with={desk.clinic.practitioners[0]}"
    picked = desk.browser.get(f"/appointments/{third.id}/move?{there}&back=diary")

    assert "The patient comes only Mon, Tue, Wed, Thu 14:00 – 18:00." in words(kept)
    assert "Show other times too" in words(kept)
    assert "not a time that the patient comes at" in words(every) and "Show only those times" in words(every)
    assert "Not a time that the patient comes at" in words(review) and refused.status_code == 422
    assert (booked.status_code, "Tick it once the patient agrees." in words(refused)) == (303, True)
    assert "The patient agrees to this time" not in words(picked)


def test_a_time_that_later_sessions_must_follow_books_them_together_and_is_undone_together(kit: Kit) -> None:
    desk, second = owing(kit)
    third = visit_of(desk, 1, 3)
    shown = panel(desk, second.local_start + timedelta(days=9))
    wanted = offers(shown)["course:1"]

    answer = post(desk.browser, "/diary/book", wanted)
    diary = desk.browser.get(answer.headers["Location"])

    assert "Session 3 follows:" in texts(shown, "booking-offer")[0]
    assert visit_of(desk, 1, 3).local_start > third.local_start
    token = re.search(r'action="/courses/1/undo">.*?name="token" value="([^"]+)"', diary.get_data(as_text=True), re.S)
    assert token is not None
    assert post(desk.browser, "/courses/1/undo", {"token": token[1], "form_key": "u" * 24}).status_code == 303
    assert visit_of(desk, 1, 3).local_start == third.local_start
    assert visit_of(desk, 1, 2).state == "cancelled"


def test_who_comes_second_hears_what_clashes_and_what_would_fit_and_keeps_what_was_typed(kit: Kit) -> None:
    desk, second = owing(kit)
    here = f"&with={desk.clinic.practitioners[0]}"
    wanted = offers(panel(desk, second.local_start, here))
    other = {**wanted["visit:consultation"], "patient": str(desk.clinic.patients[1])}
    assert post(desk.browser, "/diary/book", other).status_code == 303

    answer = post(desk.browser, "/diary/book", {**wanted["session:2"], "override-note": "typed"}, headers=FRAGMENT)

    assert answer.status_code == 409
    assert "Room 1 is already booked within 09:00 to 11:15 on Monday 5 April 2027." in texts(answer, "findings")[0]
    assert "09:00, Nurse Bell" in texts(answer, "booking-nearest")[0]
    assert "Ana Novák" in words(answer)


def test_a_new_patient_needs_a_name_and_one_way_to_be_reached_and_doubles_are_shown(kit: Kit) -> None:
    desk = desk_with_visits(kit)
    at = {"at": "2027-03-02T10:00", "walk_in": "yes"}
    name = {"given_name": "Ana", "family_name": "Novák"}

    nameless = post(desk.browser, "/diary/book/patient", {**at, **name, "phone": ""})
    double = post(desk.browser, "/diary/book/patient", {**at, **name, "email": "patient0@example.com"})
    added = post(desk.browser, "/diary/book/patient", {
        **at, **name, "email": "patient0@example.com", "is_another": "yes"}, headers=FRAGMENT)

    assert nameless.status_code == 422 and "Enter a phone number or an e-mail address." in words(nameless)
    assert double.status_code == 409 and f"patient={desk.patient}" in words(double)
    assert added.status_code == 204
    assert "visit:consultation" in offers(desk.browser.get(added.headers["X-Onward"]))
    with desk.rows() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(Patient).where(Patient.family_name == "Novák")) == 2


def test_a_patient_is_found_by_any_part_of_what_is_known_of_them(kit: Kit) -> None:
    desk = desk_with_visits(kit)
    with kit.work(Actor("test")) as work:
        assert isinstance(add_patient(work, PatientDetails(
            "Zoë", "Müller-Østergård", date(1980, 4, 3), "zoe@example.com", "+44 7700 900123")), Done)

    def found(typed: str) -> list[str]:
        return texts(desk.browser.get(f"/diary/book/patients?q={typed}", headers=FRAGMENT), "pick-name")

    for typed in ("ostergard zoe", "zoe@", "900123", "07700 900", "3.4.1980", "1980-04-03", "03/04/80", "04/03/80"):
        assert found(typed) == ["Zoë Müller-Østergård"], typed
    assert found("z") == [] and found("nobody") == []


def test_a_walk_in_begins_at_the_next_start_and_the_panel_reads_the_same_however_much_it_shows(
    kit: Kit, clock: FixedClock
) -> None:
    desk, second = owing(kit)
    at = f"{second.local_start:%Y-%m-%dT%H:%M}"
    of_this = own_statements(kit, desk.browser, f"/diary/book?at={at}&patient={desk.patient}")[0]
    with counted(kit.engine) as typed:
        desk.browser.get("/diary/book/patients?q=ana", headers=FRAGMENT)

    clock.move(timedelta(minutes=7))
    begun = desk.browser.get("/diary/book?walk_in=yes&new=yes")
    phones = [re.findall(r'<input[^>]*name="phone"[^>]*>', desk.browser.get(f"/diary/book?new=yes&q={typed}").get_data(
        as_text=True))[0] for typed in ("07700 900123", "12.03.1984")]

    assert "09:15" in texts(begun, "number")[0]
    # A birth date that was looked for is no number to call.
    assert ['value="07700 900123"' in phones[0], "1984" in phones[1]] == [True, False]
    assert of_this <= 34
    assert len([each for each in typed if each.startswith("SELECT")]) <= 4


def test_a_course_begins_here_only_after_the_screening_and_is_taken_back_while_nobody_knows(kit: Kit) -> None:
    desk = desk_with_visits(kit)
    at = f"at=2027-03-02T10:00&with={desk.clinic.practitioners[0]}&patient={desk.patient}"
    listed = desk.browser.get(f"/diary/book/course?{at}", headers=FRAGMENT)
    asked = desk.browser.get(f"/diary/book/course?{at}&protocol=mn_rejuvenation", headers=FRAGMENT)
    sent = dict(re.findall(r'name="(at|with|patient|protocol|choice|form_key)" value="([^"]+)"', asked.get_data(
        as_text=True)))
    answers = {**sent, "sessions": "3", "indication": "fine_lines", "laxity": "none"}

    unanswered = post(desk.browser, "/diary/book/course", answers)
    forbidden = post(desk.browser, "/diary/book/course", {
        **answers, "applies": "skin_cancer_in_field", "form_key": "f" * 24})
    begun = post(desk.browser, "/diary/book/course", {**answers, "none_apply": "yes", "form_key": "b" * 24})
    diary = desk.browser.get(begun.headers["Location"])

    assert len(texts(listed, "pick-name")) > 10
    assert unanswered.status_code == 422 and "none of these apply" in words(unanswered)
    assert "this treatment must not be given" in words(forbidden)
    assert begun.headers["Location"] == "/diary?day=2027-03-02&begun=1"
    first = visit_of(desk, 1, 1)
    assert (first.local_start, first.state) == (datetime(2027, 3, 2, 10), "booked")  # noqa: DTZ001
    with desk.rows() as db:
        states = db.scalars(sa.select(TreatmentSession.state).order_by(TreatmentSession.number)).all()
    assert states == ["booked", "owed", "owed"]
    undo = dict(re.findall(r'name="(course|lock_version|next)" value="([^"]+)"', diary.get_data(as_text=True)))
    assert post(desk.browser, "/diary/book/undo", {**undo, "form_key": "u" * 24}).status_code == 303
    assert visit_of(desk, 1, 1).state == "cancelled"


def _move_course_to(desk: Desk, where: str) -> None:
    with desk.rows() as db:
        clinic_id = desk.clinic.clinic_id if where == "this one" else add_clinic(db)
        db.execute(sa.update(Course).values(clinic_id=clinic_id))
        db.commit()


def pairs_of(answer: TestResponse) -> list[dict[str, str]]:
    """What the form of each pair of times sends, in order."""
    found = re.findall(r'<form[^>]*method="post" action="/diary/book/together".*?</form>', answer.get_data(
        as_text=True), re.S)
    return [{name: unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', each)}
            for each in found]


def test_two_people_are_booked_together_both_or_neither(kit: Kit) -> None:
    desk, second = owing(kit)
    friend = desk.clinic.patients[1]
    at = f"at={second.local_start:%Y-%m-%dT%H:%M}&with={desk.clinic.practitioners[0]}&patient={desk.patient}"
    who = desk.browser.get(f"/diary/book/together?{at}&q=okafor", headers=FRAGMENT)
    both = f"/diary/book/together?{at}&second={friend}&what2=visit:review"

    same, after = (pairs_of(desk.browser.get(f"{both}&order={order}", headers=FRAGMENT)) for order in ("same", "after"))
    assert f"second={friend}" in words(who)
    assert [each["choice"].split("@")[1] for each in same] == [each["choice2"].split("@")[1] for each in same]
    assert all("@1," in each["choice"] and "@1," in each["choice2"] for each in after)  # Dr Amari, one after the other
    assert same[0]["what"] == "session:2"

    blocked = post(desk.browser, "/diary/book/together", {**same[0], "choice2": same[0]["choice"].replace("2@", "1@", 1)
                                                          .rpartition(",")[0]})
    assert blocked.status_code == 409 and "The second visit:" in words(blocked)
    assert visit_of(desk, 1, 2).state == "cancelled"
    assert post(desk.browser, "/diary/book/together", {
        **same[0], "patient": str(desk.clinic.patients[2]), "form_key": "v" * 24}).status_code == 404
    _move_course_to(desk, "another clinic")
    assert post(desk.browser, "/diary/book/together", {**same[0], "form_key": "y" * 24}).status_code == 404
    _move_course_to(desk, "this one")
    booked = post(desk.browser, "/diary/book/together", {**same[0], "form_key": "t" * 24})
    assert booked.headers["Location"].startswith("/diary?day=2027-04-05&booked=")
    with desk.rows() as db:
        ours = db.scalars(sa.select(Appointment.treatment_code).where(
            Appointment.starts_at == visit_of(desk, 1, 2).starts_at, Appointment.state == "booked")).all()
    assert sorted(ours) == ["review", "rf-needling"]
    html = desk.browser.get(booked.headers["Location"]).get_data(as_text=True)
    undo = dict(re.findall(r'name="(appointment|also|lock_version|also_version|next)" value="([^"]+)"', html))
    assert post(desk.browser, "/diary/book/undo", {**undo, "form_key": "w" * 24}).status_code == 303
    with desk.rows() as db:
        left = db.scalars(sa.select(Appointment.state).where(
            Appointment.starts_at == visit_of(desk, 1, 2).starts_at, Appointment.state == "booked")).all()
    assert left == []


def test_two_people_come_together_at_a_time_that_both_agreed_to_and_it_is_kept_of_each(kit: Kit) -> None:
    desk, second = owing(kit)
    friend = desk.clinic.patients[1]
    with desk.rows() as db:
        for each in (desk.patient, friend):
            db.get_one(Patient, each).only_times = [{"weekdays": [0, 1, 2, 3], "begins": 840, "ends": 1080}]
        db.commit()
    both = f"/diary/book/together?at={second.local_start:%Y-%m-%dT%H:%M}&patient={desk.patient}&second={friend}" \
           "&what2=visit:review&order=same"
    kept, every = (desk.browser.get(f"{both}{more}", headers=FRAGMENT) for more in ("", "&asking=yes"))
    pair = next(each for each in pairs_of(every) if "T08:00Z" in each["choice"])
    words_of = {name: pair.pop(name) for name in ("override-patient-unwilling", "override2-patient-unwilling")}

    refused = post(desk.browser, "/diary/book/together", pair)
    of_one = post(desk.browser, "/diary/book/together", {
        **pair, "override-patient-unwilling": "yes", "form_key": "a" * 24})
    booked = post(desk.browser, "/diary/book/together", {**pair, **words_of, "form_key": "b" * 24})

    assert "T13:00Z" in pairs_of(kept)[0]["choice"] and "Show other times too" in words(kept)
    assert "agrees to this time" not in words(kept) and "Show only those times" in words(every)
    assert refused.status_code == 409 and "comes only Mon, Tue, Wed, Thu 14:00 – 18:00, not within" in words(refused)
    assert of_one.status_code == 409 and "The second visit: The patient comes only" in words(of_one)
    assert booked.status_code == 303 and visit_of(desk, 1, 2).local_start == second.local_start
    with desk.rows() as db:
        assert db.scalars(sa.select(CourseOverride.reason)).all() == ["The patient agrees to this time"]
    line = desk.browser.get(f"/patients/{friend}")
    assert "outside the times that the patient comes at: they agreed" in words(line)
