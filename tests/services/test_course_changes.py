"""A course departs from its protocol, rests, and goes on: what is kept, what follows, and who may."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.course_changes import SHORTER, Heard, IntervalChange
from clinic.care.protocols import Interval
from clinic.care.windows import Window
from clinic.queries.appointments import session_page
from clinic.queries.session_problem import course_series, maintenance_series
from clinic.queries.visit_choice import parse_choice
from clinic.services.contraindications import CONFIRM, note_contraindication
from clinic.services.course_changes import change_interval
from clinic.services.resting import hold_course, resume_course
from clinic.services.work import Done, Refused, Stale
from clinic.store.accounts import Task
from clinic.store.courses import CourseOverride, MaintenancePlan, Screening
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageItem
from tests.booking import (
    booked,
    cancel,
    choose,
    codes,
    counts,
    course_row,
    done,
    failing_at,
    healthy,
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

TWO_WEEKS = IntervalChange(2, Interval(14, 21, 35))
SIX_WEEKS = IntervalChange(3, Interval(42, 45, 60))
HERPES = Heard("active_herpes")
TAN = Heard("sunburn_or_recent_tan", date(2027, 3, 1))
METAL = Heard("metal_allergy")
ANTICOAGULANT = Heard("anticoagulant")


def version(made: SmallClinic, course_id: int) -> int:
    return course_row(made, course_id).lock_version


def change(
    made: SmallClinic, course_id: int, what: IntervalChange, *, role: str = "practitioner", reason: str = "Heals fast",
    overrides: Mapping[str, str] | None = None,
) -> Done[int] | Refused:
    lock_version = version(made, course_id)
    with made.work(role) as work:
        return change_interval(work, course_id, what, reason=reason, lock_version=lock_version, overrides=overrides)


def note(
    made: SmallClinic, course_id: int, what: Heard, *, role: str = "receptionist", reason: str = "",
    confirmed: bool = False,
) -> Done[int] | Refused:
    lock_version = version(made, course_id)
    with made.work(role) as work:
        return note_contraindication(
            work, course_id, what, lock_version=lock_version, reason=reason, confirmed=confirmed)


def hold(made: SmallClinic, course_id: int, reason: str = "Goes abroad") -> Done[int] | Refused:
    lock_version = version(made, course_id)
    with made.work("receptionist") as work:
        return hold_course(work, course_id, reason=reason, lock_version=lock_version)


def resume(
    made: SmallClinic, course_id: int, *, role: str = "receptionist", asked_again: bool = True, **words: Any
) -> Done[int] | Refused:
    lock_version = version(made, course_id)
    with made.work(role) as work:
        return resume_course(work, course_id, asked_again=asked_again, lock_version=lock_version, **words)


def spans(made: SmallClinic, course_id: int) -> list[tuple[date | None, date | None, date | None]]:
    return [(each.earliest_on, each.ideal_on, each.latest_on) for each in sessions_of(made, course_id=course_id)]


def kept(made: SmallClinic, course_id: int) -> list[tuple[str, dict[str, Any], str]]:
    with Session(made.engine) as db:
        rows = db.scalars(sa.select(CourseOverride).where(CourseOverride.course_id == course_id)
                          .order_by(CourseOverride.id))
        return [(each.code, each.value, each.reason) for each in rows]


def newest(made: SmallClinic, course_id: int) -> Screening:
    with Session(made.engine, expire_on_commit=False) as db:
        return db.scalars(sa.select(Screening).where(Screening.course_id == course_id)
                          .order_by(Screening.id.desc()).limit(1)).one()


def living(made: SmallClinic) -> list[tuple[str, int]]:
    """The kinds of message that wait, each with the number of its messages."""
    with Session(made.engine) as db:
        rows = db.execute(
            sa.select(MessageItem.kind, sa.func.count()).join(Message, Message.id == MessageItem.message_id)
            .where(Message.state == "pending").group_by(MessageItem.kind).order_by(MessageItem.kind))
        return [(row.kind, row[1]) for row in rows]


def tasks(made: SmallClinic) -> list[Task]:
    with Session(made.engine, expire_on_commit=False) as db:
        return list(db.scalars(sa.select(Task).order_by(Task.id)))


def finish(made: SmallClinic, course_id: int) -> int:
    """Performs the whole course; the plan of its upkeep."""
    for each in standing(made, course_id):
        done(perform(made, each))
    with Session(made.engine) as db:
        return db.scalars(sa.select(MaintenancePlan.id).where(MaintenancePlan.course_id == course_id)).one()


def test_a_changed_interval_rules_windows_and_times_from_its_session_on(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    second_on = standing(made, course_id)[1].local_start.date()

    done(change(made, course_id, SIX_WEEKS))

    assert spans(made, course_id)[1][0] == standing(made, course_id)[0].local_start.date() + timedelta(days=28)
    assert spans(made, course_id)[2] == tuple(second_on + timedelta(days=days) for days in (42, 45, 60))
    with Session(engine) as db:
        series = course_series(db, course_id, now=made.now)
        assert [place.interval for place in series.places][2:] == [SIX_WEEKS.interval] * 2
    [(code, value, reason)] = kept(made, course_id)
    assert (code, reason) == ("interval", "Heals fast")
    assert {name: value[name] for name in ("from_number", "shortest", "ideal", "longest")} == {
        "from_number": 3, "shortest": 42, "ideal": 45, "longest": 60}
    assert audit(engine, untold_at=made.now) == []


def test_appointments_that_a_changed_interval_leaves_outside_are_named_and_stay(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    before = [each.starts_at for each in standing(made, course_id)]

    outcome = change(made, course_id, SIX_WEEKS)

    assert isinstance(outcome, Done) and [each.code for each in outcome.findings] == ["outside"]
    assert "Session 3" in outcome.findings[0].text
    assert [each.starts_at for each in standing(made, course_id)] == before


def test_booking_follows_the_changed_interval_both_ways(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    first, second = standing(made, course_id)
    sooner = first.local_start.date() + timedelta(days=14)
    assert times(made, second.treatment_session_id or 0, sooner, days=5).times == ()

    done(change(made, course_id, TWO_WEEKS, overrides={SHORTER: "Superficial passes only"}))

    offer = times(made, second.treatment_session_id or 0, sooner).times[0]
    assert offer.gap_days == 14
    done(move(made, second, offer))
    assert ("shorter-than-protocol", "Superficial passes only") in [
        (code, reason) for code, _, reason in kept(made, course_id)]


def test_the_page_of_an_appointment_follows_the_changed_interval_and_the_first_day(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    second = sessions_of(made, course_id=course_id)[1]
    done(change(made, course_id, SIX_WEEKS))
    done(note(made, course_id, Heard("facial_surgery_recent", date(2027, 3, 1))))
    on, floor = date(2027, 4, 5), date(2028, 2, 29)

    with Session(engine) as db:
        page = session_page(db, second.id)
    assert page is not None
    [third] = page.knock_on(on)

    assert page.intervals == (None, Interval(28, 30, 56), SIX_WEEKS.interval)
    assert third.window == Window(floor, floor, floor)


def test_the_newest_change_of_a_session_decides(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    done(change(made, course_id, SIX_WEEKS))

    done(change(made, course_id, IntervalChange(4, Interval(30, 30, 30))))

    with Session(engine) as db:
        places = course_series(db, course_id, now=made.now).places
        assert [each.interval for each in places] == [
            None, Interval(28, 30, 56), SIX_WEEKS.interval, Interval(30, 30, 30)]


def test_a_change_that_may_not_be_leaves_everything_as_it_is(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    before = counts(engine)
    tried: list[tuple[IntervalChange, str, str, dict[str, str], str]] = [
        (SIX_WEEKS, "receptionist", "Because", {}, "practitioner-needed"),
        (SIX_WEEKS, "manager", "Because", {}, "practitioner-needed"),
        (SIX_WEEKS, "practitioner", "  ", {}, "reason"),
        (IntervalChange(1, Interval(30, 30, 30)), "practitioner", "Because", {}, "from-number"),
        (IntervalChange(9, Interval(30, 30, 30)), "practitioner", "Because", {}, "from-number"),
        (IntervalChange(2, Interval(30, 30, 4000)), "practitioner", "Because", {}, "too-long"),
        (TWO_WEEKS, "practitioner", "Because", {}, SHORTER),
        (TWO_WEEKS, "practitioner", "Because", {SHORTER: " "}, SHORTER),
    ]

    for what, role, reason, overrides, refused in tried:
        outcome = change(made, course_id, what, role=role, reason=reason, overrides=overrides)
        assert (codes(outcome), counts(engine)) == ([refused], before)


def test_an_interval_below_what_two_treatments_need_between_them_is_refused(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, "combo_mn_peel", 3, answers=healthy(indication="texture"))

    outcome = change(made, course_id, TWO_WEEKS, overrides={SHORTER: "Heals fast"})

    assert "spacing" in codes(outcome)


def test_whoever_changes_what_has_moved_on_is_told_so(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    done(change(made, course_id, SIX_WEEKS))

    with pytest.raises(Stale), made.work("practitioner") as work:
        change_interval(work, course_id, SIX_WEEKS, reason="Again", lock_version=1)


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
    _tell(made)
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


def _tell(made: SmallClinic) -> None:
    """The patient has had the confirmation."""
    with made.work() as work:
        for message in work.db.scalars(sa.select(Message).order_by(Message.id)):
            item = work.db.scalars(sa.select(MessageItem).where(MessageItem.message_id == message.id)).one()
            if item.kind != "confirmation":
                continue
            visits = work.db.scalars(sa.select(Appointment)).all()
            item.facts = {"visits": [
                {"appointment": each.id, "treatment_session": each.treatment_session_id, "clinic": each.clinic_id,
                 "revision": each.revision, "local_start": each.local_start.isoformat(), "fold": each.fold,
                 "zone": each.zone, "cancelled": False} for each in visits]}
            message.state, message.settled_at = "sent", made.now
            message.mime, message.mime_sha256 = b"told", "-"
        work.commit()
