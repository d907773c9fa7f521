"""Booking and stopping a whole course: done wholly, refused in words, or nothing at all."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.screening import LaxityGrade
from clinic.services.attendance import mark_arrived
from clinic.services.courses import stop_course
from clinic.services.reconcile import Owner, reconcile
from clinic.services.work import Actor, Done, NotFound, Refused, Stale, UnitOfWork
from clinic.store.accounts import Task
from clinic.store.courses import CourseOverride, Screening
from clinic.store.diary import Appointment
from clinic.store.engine import for_writing
from clinic.store.protocols import ProtocolVersion
from tests.booking import (
    asked,
    at,
    book,
    booked,
    choose,
    chosen,
    codes,
    counts,
    course_row,
    done,
    failing_at,
    healthy,
    held_by,
    offered,
    perform,
    row,
    sessions_of,
    standing,
)
from tests.prove.audit import audit
from tests.small_clinic import MONDAY, small_clinic

KELOID = {"none_apply": False, "applies": {"keloid_tendency": None}}


def test_a_booked_course_has_every_session_its_appointments_and_all_that_they_hold(engine: Engine) -> None:
    made = small_clinic(engine)

    course_id = done(book(made, asked(made, sessions=4), role="receptionist"))

    held = standing(made, course_id)
    assert [(each.state, each.number) for each in sessions_of(made, course_id=course_id)] == [
        ("booked", 1), ("booked", 2), ("booked", 3), ("booked", 4)]
    assert [len(held_by(made, each.id)) for each in held] == [4, 4, 4, 4]
    assert {each.created_by for each in held} == {made.accounts["receptionist"]}
    assert len({each.uid for each in held}) == 4
    assert audit(engine, untold_at=made.now) == []


def test_nothing_is_kept_of_a_course_whichever_statement_of_it_fails(engine: Engine) -> None:
    made = small_clinic(engine)
    booked(made, sessions=2, patient_id=made.patients[1])
    request = asked(made, sessions=2)
    visits = chosen(offered(made, request).offers[0])
    before = counts(engine)
    number = 0

    while counts(engine) == before:
        number += 1
        with failing_at(engine, number) as begun:
            try:
                outcome = book(made, request, visits)
            except ConnectionError:
                continue
            assert isinstance(outcome, Done)
            assert len(begun) == number - 1

    assert number > 15
    assert audit(engine, untold_at=made.now) == []


def test_a_draft_or_a_retired_version_is_not_booked(engine: Engine) -> None:
    made = small_clinic(engine)
    request = asked(made)
    visits = chosen(offered(made, request).offers[0])

    for state in ("draft", "retired"):
        with Session(for_writing(engine)) as db:
            version = db.get_one(ProtocolVersion, request.protocol_version_id)
            version.state, version.approved_by, version.approved_at = state, None, None
            if state == "retired":
                version.approved_by, version.approved_at = made.accounts["practitioner"], made.now
            db.commit()

        assert codes(book(made, request, visits)) == ["draft"]


@pytest.mark.parametrize("sessions", [0, 7])
def test_a_course_has_no_more_sessions_than_its_protocol_and_one_at_least(engine: Engine, sessions: int) -> None:
    made = small_clinic(engine)
    visits = chosen(offered(made, asked(made)).offers[0])

    outcome = book(made, asked(made, sessions=sessions), visits)

    assert codes(outcome) == ["sessions"]


def test_visits_that_leave_out_the_first_or_come_twice_are_no_plan(engine: Engine) -> None:
    made = small_clinic(engine)
    request = asked(made)
    one, two, three = chosen(offered(made, request).offers[0])

    for visits in ([], [two, three], [one, one], [two, one], [one, three]):
        assert codes(book(made, request, visits)) == ["visits"]


def test_what_was_free_when_offered_and_is_taken_now_is_refused_whole(engine: Engine) -> None:
    made = small_clinic(engine)
    request = asked(made, sessions=2)
    visits = chosen(offered(made, request).offers[0])
    late = choose(1, visits[1].starts_at, visits[1].resource_ids)
    done(book(made, asked(made, sessions=1, patient_id=made.patients[1]), [late]))
    before = counts(engine)

    outcome = book(made, request, visits)

    assert set(codes(outcome)) == {"busy"}
    assert counts(engine) == before


def test_a_forged_choice_is_refused_and_never_an_error(engine: Engine) -> None:
    made = small_clinic(engine)
    request = asked(made, sessions=1)
    good = chosen(offered(made, request).offers[0])[0]
    practitioner, room, device = good.resource_ids
    forged = [
        ((practitioner, room), "wrong-kind"), ((room, practitioner, device), "wrong-kind"),
        ((practitioner, room, 999_999), "unknown-resource"),
        ((practitioner, room, made.patients[1]), "unknown-resource"),
    ]

    for resources, code in forged:
        assert code in codes(book(made, request, [choose(1, good.starts_at, resources)]))

    for starts_at, code in ((at(1, 8), "not-before"), (at(6, 10), "not-open"), (at(1, 23), "not-open")):
        assert code in codes(book(made, request, [choose(1, starts_at, good.resource_ids)]))


def test_a_patient_or_protocol_that_is_not_there_is_not_found(engine: Engine) -> None:
    made = small_clinic(engine)
    visits = chosen(offered(made, asked(made)).offers[0])

    with pytest.raises(NotFound):
        book(made, asked(made, patient_id=999_999), visits)
    with pytest.raises(NotFound):
        book(made, asked(made, patient_id=made.rooms[0]), visits)


def test_sessions_past_the_booking_horizon_stay_owed_with_the_windows_that_follow(engine: Engine) -> None:
    made = small_clinic(engine, horizon=70)

    course_id = booked(made, sessions=4)

    found = sessions_of(made, course_id=course_id)
    assert [each.state for each in found] == ["booked", "booked", "booked", "owed"]
    third_on = standing(made, course_id)[2].local_start.date()
    assert [found[3].earliest_on, found[3].ideal_on, found[3].latest_on] == [
        third_on + timedelta(days=days) for days in (28, 30, 56)]
    assert audit(engine, untold_at=made.now) == []


def test_severe_laxity_books_nothing_and_asks_for_one_consultation(engine: Engine) -> None:
    made = small_clinic(engine)
    request = asked(made, answers=healthy(laxity=LaxityGrade.SEVERE))
    visits = chosen(offered(made, asked(made)).offers[0])

    outcomes = [book(made, request, visits, role="receptionist", overrides={"severe-laxity": "wants it"})
                for _ in range(2)]

    assert [codes(each) for each in outcomes] == [["severe-laxity"], ["severe-laxity"]]
    with Session(engine) as db:
        tasks = db.execute(sa.select(Task.kind, Task.patient_id, Task.due_on, Task.created_by)).all()
    assert [tuple(task) for task in tasks] == [
        ("consultation", made.patients[0], date(2027, 3, 15), made.accounts["receptionist"])]
    assert counts(engine)["course"] == 0


def test_two_desks_that_meet_severe_laxity_at_once_ask_for_one_consultation(engine: Engine) -> None:
    made = small_clinic(engine)
    request = asked(made, answers=healthy(laxity=LaxityGrade.SEVERE))
    visits = chosen(offered(made, asked(made)).offers[0])

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: book(made, request, visits), range(8)))

    assert {tuple(codes(each)) for each in outcomes} == {("severe-laxity",)}
    assert counts(engine)["task"] == 1


def test_the_consultation_is_due_by_the_clinics_own_date(engine: Engine) -> None:
    made = small_clinic(engine, zone="Pacific/Auckland")
    made.now = at(1, 20)
    request = asked(made, not_before_on=date(2027, 3, 2))
    visits = chosen(offered(made, request).offers[0])

    book(made, asked(made, answers=healthy(laxity=LaxityGrade.SEVERE)), visits)

    with Session(engine) as db:
        assert db.scalars(sa.select(Task.due_on)).all() == [date(2027, 3, 16)]


def test_a_treatment_that_does_not_lift_goes_ahead_at_severe_laxity_with_a_practitioners_reason(
    engine: Engine
) -> None:
    made = small_clinic(engine)
    request = asked(made, "ipl_photorejuvenation", answers=healthy(indication="pigment", laxity=LaxityGrade.SEVERE))

    without = book(made, request)
    done(book(made, request, role="practitioner", overrides={"severe-laxity": "Pigment only; knows it will not lift"}))

    assert codes(without) == ["severe-laxity"]
    assert counts(engine)["task"] == 1
    assert audit(engine, untold_at=made.now) == []


def test_what_only_a_practitioner_may_weigh_is_refused_to_the_desk_and_kept_with_its_author(engine: Engine) -> None:
    made = small_clinic(engine)
    request = asked(made, answers=healthy(**KELOID))
    reason = {"keloid_tendency": " Small test area first "}

    silent = book(made, request, role="practitioner")
    blank = book(made, request, role="practitioner", overrides={"keloid_tendency": "  "})
    desk = [book(made, request, role=role, overrides=reason)
            for role in ("receptionist", "manager", "administrator", "auditor")]
    course_id = done(book(made, request, role="practitioner", overrides=reason))

    assert codes(silent) == codes(blank) == ["keloid_tendency"]
    assert [codes(each) for each in desk] == [["practitioner-needed"]] * 4
    with Session(engine) as db:
        kept = db.execute(sa.select(
            CourseOverride.course_id, CourseOverride.code, CourseOverride.reason, CourseOverride.made_by)).all()
        answers = db.scalars(sa.select(Screening.answers)).one()
    assert [tuple(each) for each in kept] == [
        (course_id, "keloid_tendency", "Small test area first", made.accounts["practitioner"])]
    assert answers["applies"] == {"keloid_tendency": None}


def test_a_practitioner_of_another_clinic_may_not_weigh_it_here(engine: Engine) -> None:
    made = small_clinic(engine)
    with Session(for_writing(engine)) as db:
        db.execute(sa.text(
            "INSERT INTO clinic (name, zone, address, phone, sender_name, sender_email, quiet_from, quiet_to,"
            " booking_horizon_days, start_step_minutes, lock_version)"
            " VALUES ('Other', 'Europe/London', 'x', '1', 'x', 'x@y.example', 1200, 480, 400, 15, 1)"))
        db.execute(sa.text("UPDATE account_role SET clinic_id = (SELECT id FROM clinic WHERE name = 'Other')"
                           " WHERE role = 'practitioner'"))
        db.commit()

    outcome = book(made, asked(made, answers=healthy(**KELOID)), role="practitioner",
                   overrides={"keloid_tendency": "seen it"})

    assert codes(outcome) == ["practitioner-needed"]


def test_somebody_without_an_account_goes_past_a_warning_only_at_the_command_line_or_in_the_demo(
    engine: Engine
) -> None:
    from clinic.services.courses import book_course

    made = small_clinic(engine)
    request = asked(made, answers=healthy(**KELOID))
    visits = chosen(offered(made, request).offers[0])
    answers = {}

    for name in ("patient", "worker", "visitor", "cli"):
        with UnitOfWork(engine, made.clock, Actor(name)) as work:
            answers[name] = book_course(work, request, visits, overrides={"keloid_tendency": "agreed"})

    assert {name: isinstance(answer, Done) for name, answer in answers.items()} == {
        "patient": False, "worker": False, "visitor": False, "cli": True}


def test_what_never_may_be_treated_is_never_booked_whatever_the_reason(engine: Engine) -> None:
    made = small_clinic(engine)
    answers = healthy(none_apply=False, applies={"skin_cancer_in_field": None})
    visits = chosen(offered(made, asked(made)).offers[0])

    outcome = book(made, asked(made, answers=answers), visits, role="practitioner",
                   overrides={"skin_cancer_in_field": "please"})

    assert codes(outcome) == ["skin_cancer_in_field"]
    assert offered(made, asked(made, answers=answers)).offers == ()


def test_a_course_waits_until_a_temporary_reason_has_ended(engine: Engine) -> None:
    made = small_clinic(engine)
    answers = healthy(none_apply=False, applies={"sunburn_or_recent_tan": date(2027, 2, 25)})
    request = asked(made, answers=answers)
    early = chosen(offered(made, asked(made)).offers[0])

    offers = offered(made, request)
    refused = book(made, request, early)
    soonest = next(offer for offer in offers.offers if "soonest" in offer.labels)
    course_id = done(book(made, request, chosen(soonest)))

    assert offers.not_before_on == date(2027, 3, 11)
    assert codes(refused) == ["sunburn_or_recent_tan"]
    assert standing(made, course_id)[0].local_start.date() == date(2027, 3, 11)


def test_staff_clear_an_event_that_is_over(engine: Engine) -> None:
    made = small_clinic(engine)
    answers = healthy(
        none_apply=False, applies={"active_herpes": None}, cleared={"active_herpes": "Healed, seen today"})

    course_id = done(book(made, asked(made, answers=answers), role="receptionist"))

    assert standing(made, course_id)[0].local_start.date() == date(2027, 3, 1)


def test_only_a_practitioner_shortens_a_wait_that_is_counted_in_days(engine: Engine) -> None:
    made = small_clinic(engine)
    answers = healthy(
        none_apply=False, applies={"isotretinoin_recent": date(2027, 2, 1)},
        cleared={"isotretinoin_recent": "low dose"})
    request = asked(made, answers=answers)
    visits = chosen(offered(made, asked(made)).offers[0])

    desk = book(made, request, visits, role="receptionist")
    practitioner = book(made, request, visits, role="practitioner")

    assert codes(desk) == ["practitioner-needed"]
    assert isinstance(practitioner, Done)


def test_a_late_visit_needs_a_reason_and_an_early_one_is_refused(engine: Engine) -> None:
    made = small_clinic(engine)
    request = asked(made, sessions=2)
    one, _ = chosen(offered(made, request).offers[0])
    late = choose(2, at(3, 9, month=5), one.resource_ids)
    early = choose(2, at(26, 9), one.resource_ids)

    refused = [book(made, request, [one, each], overrides={"too-soon": "please"}) for each in (late, early)]
    course_id = done(book(made, request, [one, late], role="receptionist", overrides={"too-late": "On holiday"}))

    assert [codes(each) for each in refused] == [["too-late"], ["too-soon"]]
    with Session(engine) as db:
        kept = db.execute(sa.select(CourseOverride.code, CourseOverride.reason, CourseOverride.course_id)).all()
    assert [tuple(each) for each in kept] == [("too-late", "On holiday", course_id)]


def test_a_course_is_kept_apart_from_what_another_one_of_the_patient_will_do(engine: Engine) -> None:
    """Needling waits 90 days after a medium peel: also where the needling was booked first."""
    made = small_clinic(engine)
    needling = booked(made, sessions=1, not_before_on=date(2027, 4, 5))
    peel = asked(made, "peel_medium", 1)

    offers = offered(made, peel)
    forced = book(made, peel, [choose(1, at(1, 10), (made.practitioners[0], made.rooms[0]))])

    needled_on = standing(made, needling)[0].local_start.date()
    assert codes(forced) == ["spacing"]
    assert {offer.visits[0].local_start.date() > needled_on for offer in offers.offers} == {True}


def test_a_patient_is_never_in_two_places(engine: Engine) -> None:
    made = small_clinic(engine)
    first = standing(made, booked(made, "peel_superficial", 1))[0]
    others = (made.practitioners[1], made.rooms[1])

    outcome = book(made, asked(made, "peel_medium", 1), [choose(1, first.starts_at, others)])

    assert sorted(codes(outcome)) == ["patient-busy", "spacing", "spacing"]


def test_a_stopped_course_frees_its_time_and_owes_nothing_more(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    perform(made, standing(made, course_id)[0])

    with made.work("receptionist") as work:
        done(stop_course(work, course_id, reason="Moved away", lock_version=1))

    course = course_row(made, course_id)
    assert (course.state, course.ended_reason, course.ended_on) == ("revoked", "Moved away", date(2027, 3, 1))
    assert [each.state for each in sessions_of(made, course_id=course_id)] == ["completed", "not-done", "not-done"]
    assert [each.state for each in standing(made, course_id)] == ["fulfilled"]
    assert audit(engine) == []


def test_a_course_is_not_stopped_twice_nor_by_someone_who_saw_it_otherwise_nor_under_the_patient(
    engine: Engine
) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    first = standing(made, course_id)[0]
    with made.work() as work:
        done(mark_arrived(work, first.id, lock_version=first.lock_version))

    with made.work() as work:
        here = stop_course(work, course_id, reason="x", lock_version=1)
    with pytest.raises(Stale) as stale, made.work() as work:
        stop_course(work, course_id, reason="x", lock_version=7)
    perform(made, row(made, Appointment, first.id))
    with made.work() as work:
        done(stop_course(work, course_id, reason="x", lock_version=1))
    with made.work() as work:
        again = stop_course(work, course_id, reason="x", lock_version=2)

    assert isinstance(here, Refused)
    assert codes(here) == ["arrived"]
    assert (stale.value.subject_kind, stale.value.current_version) == ("course", 1)
    assert codes(again) == ["ended"]


def test_nothing_happens_when_the_messages_are_put_in_step_again(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    before = counts(engine)

    with made.work() as work:
        reconcile(work, Owner("course", course_id))
        work.commit()

    assert counts(engine) == before
    assert made.now == MONDAY
