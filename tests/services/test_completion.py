"""Completing a session: later ones count from the real date; the last one completes the course and begins upkeep."""
from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.course_changes import Heard
from clinic.care.recalls import RECALL_DAYS_BEFORE
from clinic.services.completion import complete_appointment
from clinic.services.work import Done, Refused
from clinic.store.courses import Course, MaintenancePlan, Recall
from clinic.store.diary import Appointment
from clinic.store.outbox import MessageItem
from tests.booking import (
    at,
    booked,
    cancel,
    choose,
    codes,
    counts,
    course_row,
    done,
    failing_at,
    held_by,
    perform,
    rebook,
    row,
    sessions_of,
    standing,
    times,
)
from tests.prove.audit import audit
from tests.services.changing import note
from tests.small_clinic import SmallClinic, small_clinic


def complete(
    made: SmallClinic, appointment: Appointment, performed_at: datetime | None = None
) -> Done[int] | Refused:
    with made.work("practitioner") as work:
        return complete_appointment(
            work, appointment.id, lock_version=appointment.lock_version, performed_at=performed_at)


def test_a_completed_session_keeps_when_it_was_done_and_goes_on_holding_its_time(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    first = standing(made, course_id)[0]
    made.now = at(1, 17)

    done(complete(made, first, at(1, 10, 30)))

    session_one = sessions_of(made, course_id=course_id)[0]
    after = row(made, Appointment, first.id)
    assert (session_one.state, session_one.performed_at, session_one.performed_on) == (
        "completed", at(1, 10, 30), date(2027, 3, 1))
    assert (after.state, after.closed_at, after.revision) == ("fulfilled", made.now, 0)
    assert len(held_by(made, first.id)) == 4
    assert audit(engine, untold_at=made.now) == []


def test_windows_of_later_sessions_count_from_the_day_it_was_done(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    first, second, third = standing(made, course_id)
    needs = [resource for _, resource in held_by(made, first.id)[1:]]
    for each in (first, second, third):
        done(cancel(made, each))
    new_id = done(rebook(made, first.treatment_session_id or 0, choose(1, at(9, 9), needs)))

    done(perform(made, row(made, Appointment, new_id)))

    windows = [(each.earliest_on, each.ideal_on, each.latest_on) for each in sessions_of(made, course_id=course_id)]
    day = date(2027, 3, 9)
    assert windows == [
        (None, None, None),
        tuple(day + timedelta(days=days) for days in (28, 30, 56)),
        tuple(day + timedelta(days=days) for days in (56, 60, 112)),
    ]


@pytest.mark.parametrize("performed_at, code", [
    (at(1, 12, 1), "not-yet"), (at(2, 9), "not-yet"), (datetime(2026, 2, 28, 11, tzinfo=at(1, 1).tzinfo), "long-ago"),
])
def test_a_session_is_not_completed_in_the_future_nor_a_year_ago(
    engine: Engine, performed_at: datetime, code: str
) -> None:
    made = small_clinic(engine)
    first = standing(made, booked(made, sessions=1))[0]
    made.now = at(1, 12)

    outcome = complete(made, first, performed_at)

    assert codes(outcome) == [code]
    assert row(made, Appointment, first.id).lock_version == first.lock_version


def test_tomorrows_session_is_not_completed_today(engine: Engine) -> None:
    made = small_clinic(engine)
    second = standing(made, booked(made, sessions=2))[1]

    assert codes(complete(made, second)) == ["other-day"]


def test_the_day_it_was_done_is_the_clinics_day(engine: Engine) -> None:
    made = small_clinic(engine, zone="Pacific/Auckland")
    made.now = at(1, 19)
    course_id = booked(made, sessions=1, not_before_on=date(2027, 3, 2))
    visit = standing(made, course_id)[0]
    made.now = visit.ends_at

    done(complete(made, visit))

    assert visit.ends_at.date() == date(2027, 3, 1)
    assert sessions_of(made, course_id=course_id)[0].performed_on == date(2027, 3, 2)


def test_the_last_session_completes_the_course_and_begins_upkeep_with_its_recall(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)

    for each in standing(made, course_id):
        assert course_row(made, course_id).state == "active"
        done(perform(made, each))

    course = course_row(made, course_id)
    last_on = made.now.date()
    with Session(engine) as db:
        plan = db.scalars(sa.select(MaintenancePlan)).one()
        asked_on = db.scalars(sa.select(Recall.ask_on)).one()
        told = set(db.scalars(sa.select(MessageItem.kind).where(MessageItem.subject_kind != "appointment")))
        owed = sessions_of(made, maintenance_plan_id=plan.id)
    assert (course.state, course.ended_on, course.lock_version) == ("completed", last_on, 2)
    assert (plan.state, plan.shortest_days, plan.interval_days, plan.longest_days) == ("active", 180, 270, 365)
    assert [(each.state, each.earliest_on, each.ideal_on, each.latest_on) for each in owed] == [
        ("owed", *(last_on + timedelta(days=days) for days in (180, 270, 365)))]
    assert asked_on == last_on + timedelta(days=270 - RECALL_DAYS_BEFORE)
    assert told == {"aftercare", "check-in-24h", "check-in-72h", "confirmation", "course-complete", "recall",
                    "review-visit"}
    assert audit(engine) == []


def test_a_course_with_a_session_still_owed_is_not_completed_by_its_last_one(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    first, second = standing(made, course_id)
    done(cancel(made, first))

    done(perform(made, second))

    assert course_row(made, course_id).state == "active"
    assert counts(engine)["maintenance_plan"] == 0


def test_upkeep_is_booked_completed_and_owed_again(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, "rfmn_laxity", 1)
    done(perform(made, standing(made, course_id)[0]))
    with Session(engine) as db:
        plan_id = db.scalars(sa.select(MaintenancePlan.id)).one()
    owed = sessions_of(made, maintenance_plan_id=plan_id)[0]
    made.now = at(10, 9, month=8)
    offer = times(made, owed.id, date(2027, 11, 1)).times[0]

    appointment_id = done(rebook(made, owed.id, choose(1, offer.starts_at, offer.resource_ids)))
    state = sessions_of(made, maintenance_plan_id=plan_id)[0].state
    done(perform(made, row(made, Appointment, appointment_id)))

    first, second = sessions_of(made, maintenance_plan_id=plan_id)
    assert state == "booked"
    assert (first.state, first.performed_on) == ("completed", date(2027, 11, 1))
    assert (second.number, second.state, second.ideal_on) == (2, "owed", date(2028, 10, 31))
    assert counts(engine)["recall"] == 2
    assert counts(engine)["maintenance_plan"] == 1
    assert row(made, Course, course_id).state == "completed"
    assert audit(engine) == []


def test_upkeep_is_neither_owed_nor_asked_for_before_what_was_heard_of_the_patient_lets_it_be(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=1)
    done(note(made, course_id, Heard("facial_surgery_recent", date(2027, 3, 1))))

    done(perform(made, standing(made, course_id)[0]))

    floor = date(2028, 2, 29)
    with Session(engine) as db:
        plan_id = db.scalars(sa.select(MaintenancePlan.id)).one()
        asked_on = db.scalars(sa.select(Recall.ask_on)).one()
    [owed] = sessions_of(made, maintenance_plan_id=plan_id)
    assert (owed.earliest_on, owed.ideal_on) == (floor, floor)
    assert owed.latest_on == max(floor, made.now.date() + timedelta(days=365))
    assert asked_on == floor - timedelta(days=RECALL_DAYS_BEFORE)


def test_upkeep_too_soon_is_refused(engine: Engine) -> None:
    made = small_clinic(engine)
    visit = standing(made, booked(made, "rfmn_laxity", 1))[0]
    needs = [resource for _, resource in held_by(made, visit.id)[1:]]
    done(perform(made, visit))
    with Session(engine) as db:
        plan_id = db.scalars(sa.select(MaintenancePlan.id)).one()
    owed = sessions_of(made, maintenance_plan_id=plan_id)[0]

    assert codes(rebook(made, owed.id, choose(1, at(26, 9, month=8), needs))) == ["too-soon"]


def test_nothing_of_a_completion_is_kept_whichever_statement_of_it_fails(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, "rfmn_laxity", 1)
    visit = standing(made, course_id)[0]
    made.now = visit.ends_at
    before, number = counts(engine), 0

    while counts(engine) == before:
        number += 1
        with failing_at(engine, number):
            try:
                done(complete(made, visit))
            except ConnectionError:
                continue

    assert number > 20
    assert counts(engine)["maintenance_plan"] == counts(engine)["recall"] == 1
    assert audit(engine) == []
