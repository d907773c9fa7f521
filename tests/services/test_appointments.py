"""One appointment's life: booked for an owed session, moved, cancelled, arrived, missed."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.windows import Fit
from clinic.queries.visit_choice import VisitChoice
from clinic.services import appointments, attendance
from clinic.services.work import Done, NotFound, Refused, Stale
from clinic.store.courses import CourseOverride, MaintenancePlan
from clinic.store.diary import Appointment
from clinic.store.engine import for_writing
from tests.booking import (
    asked,
    at,
    book,
    booked,
    cancel,
    choose,
    codes,
    counts,
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
from tests.small_clinic import SmallClinic, small_clinic

Mark = Callable[[SmallClinic, Appointment], Done[int] | Refused]


def arrive(made: SmallClinic, appointment: Appointment) -> Done[int] | Refused:
    with made.work() as work:
        return attendance.mark_arrived(work, appointment.id, lock_version=appointment.lock_version)


def miss(made: SmallClinic, appointment: Appointment) -> Done[int] | Refused:
    with made.work() as work:
        return attendance.mark_noshow(work, appointment.id, lock_version=appointment.lock_version)


def move_on(made: SmallClinic, appointment: Appointment) -> Done[int] | Refused:
    return move(made, appointment, choose(1, at(2, 9), [need for _, need in held_by(made, appointment.id)[1:]]))


def test_a_moved_appointment_keeps_its_identity_and_says_that_it_changed(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    before = standing(made, course_id)[2]
    third_on = before.local_start.date()
    offer = times(made, before.treatment_session_id or 0, third_on + timedelta(days=3)).times[0]

    done(move(made, before, offer))

    after = row(made, Appointment, before.id)
    assert (after.uid, after.revision, after.lock_version, after.state) == (
        before.uid, before.revision + 1, before.lock_version + 1, "booked")
    assert (after.starts_at, after.scheduled_at) == (offer.starts_at, made.now)
    assert held_by(made, after.id) == [(0, made.patients[0]), *enumerate(offer.resource_ids, 1)]
    assert audit(engine, untold_at=made.now) == []


def test_nothing_is_moved_whichever_statement_of_it_fails(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    appointment = standing(made, course_id)[1]
    offer = times(made, appointment.treatment_session_id or 0, appointment.local_start.date()).times[-1]
    before, held = counts(engine), held_by(made, appointment.id)
    number = 0

    while row(made, Appointment, appointment.id).starts_at == appointment.starts_at:
        number += 1
        with failing_at(engine, number):
            try:
                done(move(made, appointment, offer))
            except ConnectionError:
                continue

    assert number > 15
    after = counts(engine)
    assert after["audit"] == before["audit"] + 1
    assert (after["appointment"], after["resource_booking"]) == (before["appointment"], before["resource_booking"])
    assert held_by(made, appointment.id) != [] != held
    assert audit(engine, untold_at=made.now) == []


def test_a_move_too_early_is_refused_and_one_too_late_needs_a_reason(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    second = standing(made, course_id)[1]
    resources = [resource for _, resource in held_by(made, second.id)[1:]]
    early, late = choose(2, at(26, 9), resources), choose(2, at(3, 9, month=5), resources)

    refused = [
        move(made, second, early), move(made, second, early, overrides={"too-soon": "please"}),
        move(made, second, late), move(made, second, late, overrides={"too-late": "   "}),
    ]
    with made.work("receptionist") as work:
        done(appointments.move_appointment(
            work, second.id, late, lock_version=second.lock_version, overrides={"too-late": "On holiday"}))

    assert [codes(each) for each in refused] == [["too-soon"], ["too-soon"], ["too-late"], ["too-late"]]
    with Session(engine) as db:
        kept = db.execute(sa.select(CourseOverride.code, CourseOverride.reason, CourseOverride.made_by)).all()
    assert [tuple(each) for each in kept] == [("too-late", "On holiday", made.accounts["receptionist"])]


def test_a_session_between_two_others_keeps_its_distance_to_both(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    first, second, third = standing(made, course_id)
    resources = [resource for _, resource in held_by(made, second.id)[1:]]
    near = datetime.combine(third.local_start.date() - timedelta(days=27), datetime.min.time(), ZoneInfo("UTC"))

    outcome = move(made, second, choose(2, near + timedelta(hours=9), resources))

    assert "too-soon" in codes(outcome)
    assert row(made, Appointment, first.id).lock_version == first.lock_version


def test_a_time_that_another_patient_holds_is_refused(engine: Engine) -> None:
    made = small_clinic(engine)
    mine = standing(made, booked(made, sessions=1))[0]
    theirs = standing(made, booked(made, sessions=1, patient_id=made.patients[1]))[0]
    resources = [resource for _, resource in held_by(made, theirs.id)[1:]]

    outcome = move(made, mine, choose(1, theirs.starts_at, resources))

    assert set(codes(outcome)) == {"busy"}
    assert row(made, Appointment, mine.id).starts_at == mine.starts_at


def test_an_appointment_may_be_moved_into_its_own_time(engine: Engine) -> None:
    made = small_clinic(engine)
    mine = standing(made, booked(made, sessions=1))[0]
    resources = [resource for _, resource in held_by(made, mine.id)[1:]]

    done(move(made, mine, choose(1, mine.starts_at + timedelta(minutes=15), resources)))

    assert row(made, Appointment, mine.id).starts_at == mine.starts_at + timedelta(minutes=15)
    assert audit(engine, untold_at=made.now) == []


@pytest.mark.parametrize("act", [move_on, cancel, arrive, miss, perform])
def test_who_saw_an_older_version_is_told_the_present_one_and_changes_nothing(engine: Engine, act: Mark) -> None:
    made = small_clinic(engine)
    shown = standing(made, booked(made, sessions=1))[0]
    done(move_on(made, shown))
    before = counts(engine)

    with pytest.raises(Stale) as stale:
        act(made, shown)

    assert (stale.value.subject_kind, stale.value.subject_id, stale.value.current_version) == (
        "appointment", shown.id, shown.lock_version + 1)
    assert counts(engine) == before


def test_an_appointment_that_is_not_there_is_not_found(engine: Engine) -> None:
    made = small_clinic(engine)

    for act in (attendance.mark_arrived, attendance.mark_noshow):
        with pytest.raises(NotFound), made.work() as work:
            act(work, 999_999, lock_version=1)
    with pytest.raises(NotFound):
        rebook(made, 999_999, VisitChoice(1, at(1, 9), (1,)))


def test_a_cancelled_appointment_frees_its_time_and_its_session_is_owed_again(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    second = standing(made, course_id)[1]

    done(cancel(made, second))

    after = row(made, Appointment, second.id)
    assert (after.state, after.cancellation_reason, after.revision, after.closed_at) == (
        "cancelled", "patient", 1, made.now)
    assert held_by(made, second.id) == []
    assert [each.state for each in sessions_of(made, course_id=course_id)] == ["booked", "owed"]
    assert audit(engine, untold_at=made.now) == []


def test_a_cancelled_session_is_booked_again_at_the_time_that_it_left(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    old = standing(made, course_id)[1]
    resources = [resource for _, resource in held_by(made, old.id)[1:]]
    done(cancel(made, old))

    new_id = done(rebook(made, old.treatment_session_id or 0, choose(2, old.starts_at, resources)))

    new = row(made, Appointment, new_id)
    assert new_id != old.id
    assert (new.uid == old.uid, new.revision, new.starts_at) == (False, 0, old.starts_at)
    assert audit(engine, untold_at=made.now) == []


def test_a_session_that_has_a_date_is_not_booked_again(engine: Engine) -> None:
    made = small_clinic(engine)
    second = standing(made, booked(made, sessions=2))[1]
    resources = [resource for _, resource in held_by(made, second.id)[1:]]

    outcome = rebook(made, second.treatment_session_id or 0, choose(2, second.starts_at, resources))

    assert codes(outcome) == ["not-owed"]


def test_a_choice_of_another_session_is_refused(engine: Engine) -> None:
    made = small_clinic(engine)
    first = standing(made, booked(made, sessions=2))[0]
    resources = [resource for _, resource in held_by(made, first.id)[1:]]

    assert codes(move(made, first, choose(2, at(2, 9), resources))) == ["visits"]


def test_nothing_is_booked_for_upkeep_that_rests(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, "rfmn_laxity", 1)
    performed = standing(made, course_id)[0]
    resources = [resource for _, resource in held_by(made, performed.id)[1:]]
    done(perform(made, performed))
    with Session(for_writing(engine)) as db:
        plan = db.scalars(sa.select(MaintenancePlan)).one()
        plan.state, plan_id = "on-hold", plan.id
        db.commit()
    owed = sessions_of(made, maintenance_plan_id=plan_id)[0]

    outcome = rebook(made, owed.id, choose(1, at(1, 10, month=12), resources))

    assert codes(outcome) == ["ended"]


def test_nobody_arrives_on_another_day_nor_twice(engine: Engine) -> None:
    made = small_clinic(engine)
    first, second = standing(made, booked(made, sessions=2))

    tomorrow = arrive(made, second)
    done(arrive(made, first))
    again = arrive(made, row(made, Appointment, first.id))

    assert codes(tomorrow) == ["other-day"]
    assert codes(again) == ["closed"]
    assert row(made, Appointment, first.id).arrived_at == made.now
    assert audit(engine, untold_at=made.now) == []


def test_today_is_the_clinics_day(engine: Engine) -> None:
    made = small_clinic(engine, zone="Pacific/Auckland")
    made.now = at(1, 21)
    first = standing(made, booked(made, sessions=1, not_before_on=date(2027, 3, 2)))[0]

    assert first.local_start.date() == date(2027, 3, 2)
    done(arrive(made, first))


def test_a_visit_is_missed_only_once_it_has_begun_and_its_session_is_owed_again(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=1, not_before_on=date(2027, 3, 2))
    visit = standing(made, course_id)[0]

    early = miss(made, visit)
    made.now = visit.starts_at
    done(miss(made, visit))

    assert codes(early) == ["not-yet"]
    after = row(made, Appointment, visit.id)
    assert (after.state, after.closed_at, after.revision) == ("noshow", made.now, 0)
    assert held_by(made, visit.id) == []
    assert [each.state for each in sessions_of(made, course_id=course_id)] == ["owed"]
    assert audit(engine, untold_at=made.now) == []


def test_what_is_over_stays_as_it_is(engine: Engine) -> None:
    made = small_clinic(engine)
    visits = [standing(made, booked(made, sessions=1, patient_id=each))[0] for each in made.patients]
    made.now = max(visit.ends_at for visit in visits)
    for end, visit in zip((cancel, perform, miss), visits, strict=True):
        done(end(made, visit))
    ended = [row(made, Appointment, visit.id) for visit in visits]
    needs = [resource for _, resource in held_by(made, visits[1].id)[1:]]

    answers = [codes(act(made, visit)) for act in (cancel, arrive, miss, perform) for visit in ended]
    answers += [codes(move(made, visit, choose(1, at(2, 9), needs))) for visit in ended]

    assert answers == [["closed"]] * 15
    assert audit(engine) == []


def test_what_is_owed_after_a_missed_session_keeps_its_distance_to_the_one_that_was_done(engine: Engine) -> None:
    """The first visit was called off, the second was the first session then: the next is not on the day after."""
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    first, second, third = standing(made, course_id)
    resources = [resource for _, resource in held_by(made, first.id)[1:]]
    done(cancel(made, first))
    done(cancel(made, third))
    done(perform(made, second))
    performed_on = second.local_start.date()
    next_day = datetime.combine(performed_on + timedelta(days=1), datetime.min.time(), ZoneInfo("Europe/London"))

    owed = sessions_of(made, course_id=course_id)[1]
    outcome = rebook(made, owed.id, choose(2, next_day + timedelta(hours=9), resources))
    page = times(made, owed.id, performed_on + timedelta(days=20), days=10)

    assert codes(outcome) == ["too-soon"]
    assert min(time.local_start.date() for time in page.times) == performed_on + timedelta(days=28)
    assert audit(engine) == []


def test_a_session_whose_neighbour_has_no_date_keeps_twice_the_distance(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    first, second, third = standing(made, course_id)
    done(cancel(made, second))
    done(cancel(made, third))

    page = times(made, third.treatment_session_id or 0, date(2027, 4, 19), days=14)

    assert first.local_start.date() == date(2027, 3, 1)
    assert page.times[0].local_start.date() == date(2027, 4, 26)


@pytest.mark.parametrize("zone, around, hour", [
    ("Europe/London", date(2027, 3, 28), 9), ("Europe/London", date(2027, 10, 31), 9),
    ("America/New_York", date(2027, 3, 14), 14), ("America/New_York", date(2027, 11, 7), 14),
])
def test_a_session_moved_across_a_clock_change_keeps_the_wall_clock(
    engine: Engine, zone: str, around: date, hour: int
) -> None:
    made = small_clinic(engine, zone=zone)
    first_on = around - timedelta(days=20)
    made.now = datetime(first_on.year, first_on.month, first_on.day, hour, tzinfo=UTC)
    course_id = booked(made, "ipl_photorejuvenation", 2, not_before_on=first_on)
    second = standing(made, course_id)[1]

    for days in (-2, 1, 8):
        offers = times(made, second.treatment_session_id or 0, around + timedelta(days=days)).times
        for offer in offers[:1]:
            done(move(made, row(made, Appointment, second.id), offer))

            moved = row(made, Appointment, second.id)
            wall = moved.local_start.replace(tzinfo=ZoneInfo(zone), fold=moved.fold)
            assert (wall, wall.astimezone(ZoneInfo("UTC"))) == (offer.local_start, moved.starts_at)
            assert moved.local_start == offer.local_start.replace(tzinfo=None)

    assert audit(engine, untold_at=made.now) == []


def test_the_hour_that_comes_twice_is_two_times_and_is_kept_apart(engine: Engine) -> None:
    """Open all night on 31 October 2027: 01:15 comes twice, and an appointment says which."""
    made = small_clinic(engine)
    made.now = at(30, 12, month=10)
    with Session(for_writing(engine)) as db:
        db.execute(sa.text("INSERT INTO opening_hours (clinic_id, weekday, opens, closes) VALUES (1, 6, 0, 1440)"))
        db.execute(sa.text("INSERT INTO rota_span (rota_id, week, weekday, opens, closes, clinic_id)"
                           " SELECT id, 0, 6, 0, 1440, 1 FROM rota"))
        db.commit()
    request = asked(made, "peel_superficial", 1, not_before_on=date(2027, 10, 31))
    needs = (made.practitioners[0], made.rooms[0])

    first = done(book(made, request, [choose(1, at(31, 0, 15, month=10), needs)]))
    visit = standing(made, first)[0]
    done(move(made, visit, choose(1, at(31, 1, 15, month=10), needs)))
    moved = row(made, Appointment, visit.id)
    other = asked(made, "peel_superficial", 1, not_before_on=date(2027, 10, 31), patient_id=made.patients[1])
    both = book(made, other, [choose(1, at(31, 0, 15, month=10), needs)])
    between = book(made, replace(other, patient_id=made.patients[2]), [choose(1, at(31, 0, 45, month=10), needs)])

    assert isinstance(both, Done), "one reads 01:15 on the first pass, the other on the second"
    assert isinstance(between, Refused), "its half hours meet both"
    assert (visit.local_start, visit.fold) == (datetime(2027, 10, 31, 1, 15), 0)  # noqa: DTZ001 wall clock
    assert (moved.local_start, moved.fold) == (datetime(2027, 10, 31, 1, 15), 1)  # noqa: DTZ001 wall clock
    assert audit(engine, untold_at=made.now) == []


def test_an_ideal_day_is_offered_as_such(engine: Engine) -> None:
    made = small_clinic(engine)
    second = standing(made, booked(made, sessions=2))[1]

    fits = [
        {time.fit for time in times(made, second.treatment_session_id or 0, date(2027, month, day)).times}
        for month, day in ((3, 26), (3, 29), (4, 5), (4, 26), (4, 27))]

    assert fits == [set(), {Fit.IDEAL}, {Fit.LATE}, {Fit.LATE}, {Fit.TOO_LATE}]
