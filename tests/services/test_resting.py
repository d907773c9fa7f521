"""What is heard of a patient while a course runs, and a course that rests and goes on: what follows, and who may."""
from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.course_changes import Heard
from clinic.queries.series import maintenance_series
from clinic.queries.visit_choice import parse_choice
from clinic.services.contraindications import CONFIRM
from clinic.services.work import Done
from clinic.store.courses import MaintenancePlan
from clinic.store.diary import Appointment
from tests.booking import (
    booked,
    cancel,
    choose,
    codes,
    counts,
    course_row,
    done,
    failing_at,
    held_by,
    move,
    perform,
    rebook,
    row,
    sessions_of,
    standing,
    times,
)
from tests.prove.audit import audit
from tests.services.changing import (
    ANTICOAGULANT,
    HERPES,
    METAL,
    SIX_WEEKS,
    TAN,
    change,
    finish,
    hold,
    kept,
    living,
    newest,
    note,
    resume,
    tasks,
    tell,
)
from tests.small_clinic import small_clinic


def test_no_session_is_before_the_day_until_which_a_contraindication_lasts(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=1)
    [first] = standing(made, course_id)

    outcome = note(made, course_id, TAN)

    floor = date(2027, 3, 15)
    assert isinstance(outcome, Done)
    assert [(each.code, each.until) for each in outcome.findings] == [("too-early", floor)]
    assert course_row(made, course_id).state == "active"
    session_id = first.treatment_session_id or 0
    assert times(made, session_id, date(2027, 3, 8), days=7).times == ()
    offer = times(made, session_id, date(2027, 3, 12), days=7).times[0]
    assert offer.local_start.date() == floor
    resources = [need for _, need in held_by(made, first.id)[1:]]
    too_soon = first.starts_at + timedelta(days=7)
    assert too_soon.date() < floor
    assert "dates" in codes(move(made, first, choose(1, too_soon, resources)))
    done(move(made, first, offer))


def test_a_booking_before_that_day_is_refused_and_its_window_begins_with_it(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    first, second = standing(made, course_id)
    done(perform(made, first))
    done(cancel(made, second))
    made.now = made.now + timedelta(days=26)
    sunburnt = Heard("sunburn_or_recent_tan", made.now.date())

    done(note(made, course_id, sunburnt))

    floor = made.now.date() + timedelta(days=14)
    [_, owed] = sessions_of(made, course_id=course_id)
    assert owed.earliest_on == floor > first.local_start.date() + timedelta(days=28)
    resources = [need for _, need in held_by(made, first.id)[1:]]
    too_soon = choose(owed, first.starts_at + timedelta(days=35), resources)
    assert codes(rebook(made, owed.id, too_soon)) == ["dates"]
    done(rebook(made, owed.id, choose(owed, first.starts_at + timedelta(days=42), resources)))


def test_what_has_no_end_puts_the_course_on_hold_once_that_is_confirmed(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    made.now += timedelta(minutes=10)
    before = counts(engine)

    outcome = note(made, course_id, HERPES)

    assert (codes(outcome), counts(engine)) == ([CONFIRM], before)
    done(note(made, course_id, HERPES, confirmed=True))
    assert course_row(made, course_id).state == "on-hold"
    assert standing(made, course_id) == []
    assert [each.state for each in sessions_of(made, course_id=course_id)] == ["owed"] * 3
    assert newest(made, course_id).answers["applies"] == {"active_herpes": None}
    assert newest(made, course_id).answered_by == made.accounts["receptionist"]
    assert audit(engine, untold_at=made.now) == []


def test_a_course_that_was_told_and_then_rests_sends_one_cancellation_of_all_dates(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    tell(made)
    made.now += timedelta(hours=1)

    done(note(made, course_id, METAL, confirmed=True))

    assert living(made) == [("cancellation", 1)]


def test_nobody_books_or_resumes_while_it_still_applies(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    first = standing(made, course_id)[0]
    resources = [need for _, need in held_by(made, first.id)[1:]]
    done(note(made, course_id, HERPES, confirmed=True))

    assert codes(rebook(made, first.treatment_session_id or 0, choose(1, first.starts_at, resources))) == ["ended"]
    assert codes(resume(made, course_id)) == ["active_herpes"]
    assert codes(resume(made, course_id, over={"active_herpes": "Healed"}, asked_again=False)) == ["asked-again"]

    done(resume(made, course_id, over={"active_herpes": "Healed, seen today"}))

    assert course_row(made, course_id).state == "active"
    assert newest(made, course_id).answers["cleared"] == {"active_herpes": "Healed, seen today"}
    done(rebook(made, first.treatment_session_id or 0, choose(1, first.starts_at, resources)))
    assert audit(engine, untold_at=made.now) == []


def test_only_a_practitioner_calls_over_what_screening_never_lets_go_of(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    done(note(made, course_id, METAL, confirmed=True))
    over = {"metal_allergy": "Patch test was negative"}

    assert codes(resume(made, course_id, over=over)) == ["practitioner-needed"]
    done(resume(made, course_id, role="practitioner", over=over))

    assert newest(made, course_id).answers["applies"] == {}
    assert newest(made, course_id).answers["none_apply"] is True
    assert newest(made, course_id).answers["cleared"] == over


def test_what_a_practitioner_weighs_opens_one_task_or_is_decided_at_once(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)

    assert codes(note(made, course_id, ANTICOAGULANT, reason="Low dose")) == ["practitioner-needed"]
    done(note(made, course_id, ANTICOAGULANT))

    [task] = tasks(made)
    assert "Anticoagulant" in task.text and task.due_on == made.now.date()
    assert course_row(made, course_id).state == "active"
    done(note(made, course_id, ANTICOAGULANT, role="practitioner", reason="Low dose, agreed with the GP"))
    assert len(tasks(made)) == 1
    assert [(code, reason) for code, _, reason in kept(made, course_id)] == [
        ("anticoagulant", "Low dose, agreed with the GP")]


def test_going_on_asks_for_the_reasons_that_nobody_has_given_yet(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    done(note(made, course_id, ANTICOAGULANT))
    done(hold(made, course_id))

    assert codes(resume(made, course_id, role="practitioner")) == ["anticoagulant"]
    assert codes(resume(made, course_id, reasons={"anticoagulant": "Low dose"})) == ["practitioner-needed"]
    done(resume(made, course_id, role="practitioner", reasons={"anticoagulant": "Low dose"}))
    done(hold(made, course_id))
    done(resume(made, course_id))


def test_what_cannot_be_so_is_not_kept(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    before = counts(engine)
    tried = [
        (Heard("gout"), "unknown-answer"),
        (Heard("active_herpes", over="Healed"), "not-noted"),
        (Heard("sunburn_or_recent_tan", date(2027, 3, 2)), "date"),
        (Heard("active_herpes", date(2027, 3, 1)), "date"),
        (Heard("metal_allergy", date(2027, 3, 1)), "date"),
    ]

    for what, refused in tried:
        assert (codes(note(made, course_id, what)), counts(engine)) == ([refused], before)


def test_a_date_that_was_heard_wrong_is_heard_again(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    done(note(made, course_id, TAN))

    done(note(made, course_id, Heard("sunburn_or_recent_tan", date(2027, 2, 10))))

    assert newest(made, course_id).answers["applies"] == {"sunburn_or_recent_tan": "2027-02-10"}
    first = standing(made, course_id)[0]
    assert times(made, first.treatment_session_id or 0, date(2027, 3, 2)).times != ()


def test_nothing_is_given_up_while_the_patient_is_here(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    first = standing(made, course_id)[0]
    made.now = first.starts_at
    with made.work() as work:
        work.db.execute(sa.update(Appointment).where(Appointment.id == first.id)
                        .values(state="arrived", arrived_at=made.now))
        work.commit()

    assert codes(hold(made, course_id)) == ["arrived"]
    assert codes(note(made, course_id, HERPES, confirmed=True)) == ["arrived"]


def test_an_appointment_that_is_over_is_left_to_its_visit(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    first = standing(made, course_id)[0]
    made.now = first.ends_at

    done(hold(made, course_id))

    assert [each.id for each in standing(made, course_id)] == [first.id]
    assert [each.state for each in sessions_of(made, course_id=course_id)] == ["booked", "owed", "owed"]
    done(perform(made, first))


def test_the_upkeep_of_a_course_that_ends_at_rest_rests_until_it_is_let_go_on(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=1)
    [last] = standing(made, course_id)
    made.now = last.ends_at
    done(note(made, course_id, HERPES))

    done(perform(made, last))

    assert course_row(made, course_id).state == "completed"
    with Session(engine) as db:
        assert db.scalars(sa.select(MaintenancePlan.state)).one() == "on-hold"
    assert "recall" not in dict(living(made))
    done(resume(made, course_id, over={"active_herpes": "Healed"}))
    assert "recall" in dict(living(made))
    assert audit(engine, untold_at=made.now) == []


def test_upkeep_that_rests_still_owes_what_follows_a_visit_that_was_over(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=1)
    plan_id = finish(made, course_id)
    [owed] = sessions_of(made, maintenance_plan_id=plan_id)
    assert owed.ideal_on is not None
    offer = times(made, owed.id, owed.ideal_on).times[0]
    visit = row(made, Appointment, done(rebook(made, owed.id, parse_choice(offer.choice))))
    made.now = visit.ends_at
    done(hold(made, course_id))

    done(perform(made, visit))

    assert [each.state for each in sessions_of(made, maintenance_plan_id=plan_id)] == ["completed", "owed"]
    assert "recall" not in dict(living(made))


def test_the_upkeep_of_a_completed_course_rests_and_goes_on_too(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=1)
    plan_id = finish(made, course_id)
    [owed] = sessions_of(made, maintenance_plan_id=plan_id)

    done(note(made, course_id, HERPES))

    with Session(engine) as db:
        assert db.get_one(MaintenancePlan, plan_id).state == "on-hold"
        assert maintenance_series(db, plan_id, now=made.now).course.state == "completed"
    assert "recall" not in dict(living(made))
    done(resume(made, course_id, over={"active_herpes": "Healed"}))
    assert "recall" in dict(living(made))
    tanned = Heard("facial_surgery_recent", made.now.date())
    done(note(made, course_id, tanned))
    assert sessions_of(made, maintenance_plan_id=plan_id)[0].earliest_on == max(
        owed.earliest_on or date.min, made.now.date() + timedelta(days=365))
    assert audit(engine, untold_at=made.now) == []


def test_a_course_that_has_ended_without_upkeep_hears_nothing(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    with made.work() as work:
        work.db.execute(sa.text("UPDATE course SET state = 'revoked', ended_on = '2027-03-01'"))
        work.commit()

    assert codes(note(made, course_id, HERPES)) == ["ended"]
    assert codes(hold(made, course_id)) == ["ended"]
    assert codes(change(made, course_id, SIX_WEEKS)) == ["ended"]


def test_nothing_rests_whichever_statement_of_it_fails(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    before = counts(engine)

    for number in (2, 6, 10, 14, 18, 22):
        with pytest.raises(ConnectionError), failing_at(engine, number):
            hold(made, course_id)
        assert (counts(engine), course_row(made, course_id).state) == (before, "active")
        assert len(standing(made, course_id)) == 2


def test_a_visit_that_nobody_told_the_end_of_is_not_moved_ahead_while_its_course_rests(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    first = standing(made, course_id)[0]
    held = [resource for _, resource in held_by(made, first.id)[1:]]
    made.now = first.ends_at + timedelta(days=1)
    done(hold(made, course_id))

    outcome = move(made, row(made, Appointment, first.id), choose(1, first.starts_at + timedelta(days=7), held))

    assert codes(outcome) == ["ended"]
