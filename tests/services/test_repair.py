"""A course put right in one go, and taken back."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.course_changes import Heard
from clinic.messages.mailbox import MailboxTransport
from clinic.planning import Relaxation
from clinic.planning.local import day_of, local_of, resolve
from clinic.queries.offers import sayable
from clinic.queries.repair import Becomes, Proposal, Repairs, Way, propose_repairs
from clinic.queries.rest_of_course import last_repair
from clinic.queries.series import course_series
from clinic.queries.visit_choice import VisitChoice
from clinic.services import mail
from clinic.services.appointments import move_appointment
from clinic.services.completion import complete_appointment
from clinic.services.delivery import Courier
from clinic.services.repair import repair_course, undo_repair
from clinic.services.work import Done, Refused, Stale
from clinic.store.courses import CourseOverride, MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageItem
from clinic.store.resources import Absence, Patient
from tests.booking import (
    asked,
    book,
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
    sessions_of,
    standing,
    times,
)
from tests.prove.audit import audit
from tests.services.changing import note
from tests.small_clinic import SmallClinic, small_clinic


def repairs(made: SmallClinic, course_id: int, wanted: VisitChoice | None = None) -> Repairs:
    with Session(made.engine) as db:
        return propose_repairs(db, course_id, now=made.now, wanted=wanted)


def way(found: Repairs, wanted: Way) -> Proposal:
    return next(each for each in found.proposals if each.way is wanted)


def do(
    made: SmallClinic, found: Repairs, proposal: Proposal, overrides: dict[str, str] | None = None
) -> Done[int] | Refused:
    with made.work() as work:
        return repair_course(
            work, found.course_id, proposal.choices, proposal.undated, token=found.token, overrides=overrides)


def undo(made: SmallClinic, course_id: int, token: str) -> Done[int] | Refused:
    with made.work() as work:
        return undo_repair(work, course_id, token=token)


def dates(made: SmallClinic, course_id: int) -> list[date]:
    return [each.local_start.date() for each in standing(made, course_id)]


def becomes(proposal: Proposal) -> list[str]:
    return [line.becomes.value for line in proposal.lines]


def gaps(days: Sequence[date]) -> list[int]:
    return [(after - before).days for before, after in zip(days, days[1:], strict=False)]


def later(made: SmallClinic, appointment: Appointment, days: int) -> VisitChoice:
    """The same hour and people so many days later, as a time for that session."""
    [number] = [row.number for row in sessions_of(made, course_id=course_of(made, appointment))
                if row.id == appointment.treatment_session_id]
    held = [resource for _, resource in held_by(made, appointment.id)[1:]]
    starts_at = resolve(appointment.local_start + timedelta(days=days), ZoneInfo(appointment.zone))
    return choose(number, starts_at, held)


def course_of(made: SmallClinic, appointment: Appointment) -> int:
    with Session(made.engine) as db:
        return db.get_one(TreatmentSession, appointment.treatment_session_id).course_id or 0


def put_off(made: SmallClinic, course_id: int, days: int = 14) -> Repairs:
    """The proposals after the second session was given a time so many days later."""
    return repairs(made, course_id, later(made, standing(made, course_id)[1], days))


def say_all(made: SmallClinic) -> None:
    """Lets everything go out that is due by the evening."""
    with made.work() as work:
        mail.switch_mail_on(work)
    made.now += timedelta(hours=1)
    Courier(made.work, MailboxTransport(), "test").deliver_due(100)


def owed_messages(made: SmallClinic) -> list[str]:
    with Session(made.engine) as db:
        return list(db.scalars(
            sa.select(MessageItem.kind).join(Message, Message.id == MessageItem.message_id)
            .where(Message.state.in_(("pending", "held", "withheld")),
                   MessageItem.kind.in_(("confirmation", "change", "cancellation")))))


def test_a_course_in_order_needs_nothing(engine: Engine) -> None:
    made = small_clinic(engine)

    found = repairs(made, booked(made, sessions=4))

    assert (found.proposals, found.reason) == ((), None)


def test_a_cancelled_session_gets_a_date_and_the_others_stay(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    before = standing(made, course_id)
    done(cancel(made, before[1]))

    found = repairs(made, course_id)
    proposal = found.proposals[0]
    done(do(made, found, proposal))

    assert (proposal.way, becomes(proposal)) == (Way.KEEP, ["stays", "dated", "stays", "stays"])
    after = standing(made, course_id)
    assert [each.id for each in after if each.id in {one.id for one in before}] == [
        before[0].id, before[2].id, before[3].id]
    assert all(28 <= gap <= 56 for gap in gaps(dates(made, course_id)))
    assert [row.state for row in sessions_of(made, course_id=course_id)] == ["booked"] * 4
    assert audit(engine, untold_at=made.now) == []


def test_a_moved_session_takes_along_only_what_then_lies_too_close(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    before = dates(made, course_id)

    found = put_off(made, course_id)
    keep = found.proposals[0]
    done(do(made, found, keep))

    assert (keep.way, becomes(keep)) == (Way.KEEP, ["stays", "moves", "moves", "moves"])
    assert [line.why and line.why.split(";")[0] for line in keep.lines][2] == (
        f"Session 3 comes {(before[2] - before[1]).days - 14} days after the session of 14 April 2027")
    assert all(28 <= gap <= 56 for gap in gaps(dates(made, course_id)))
    assert {row.lock_version for row in standing(made, course_id)[1:]} == {2}
    assert audit(engine, untold_at=made.now) == []


def test_each_way_does_what_it_says(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=5)
    # A wide space after the third: only the third has to follow the second.
    found = repairs(made, course_id, later(made, standing(made, course_id)[3], 21))
    done(do(made, found, found.proposals[0]))
    found = put_off(made, course_id)

    shown = {each.way: becomes(each) for each in found.proposals}

    assert shown[Way.KEEP] == ["stays", "moves", "moves", "stays", "stays"]
    assert shown[Way.UNDATED] == ["stays", "moves", "loses-date", "stays", "stays"]
    assert shown[Way.SHIFT] == ["stays", "moves", "moves", "moves", "moves"]
    assert Way.NEXT not in shown, "here it is what keeping comes to"


def test_only_the_next_session_moves_and_what_then_does_not_fit_waits(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    found = put_off(made, course_id)
    proposal = way(found, Way.NEXT)
    done(do(made, found, proposal))

    assert becomes(proposal) == ["stays", "moves", "moves", "loses-date"]
    assert [row.state for row in sessions_of(made, course_id=course_id)] == ["booked", "booked", "booked", "owed"]
    assert sessions_of(made, course_id=course_id)[3].earliest_on == dates(made, course_id)[2] + timedelta(days=28)
    assert audit(engine, untold_at=made.now) == []


def test_a_fixed_session_never_moves(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    third = standing(made, course_id)[2]
    with made.work() as work:
        work.db.get_one(Appointment, third.id).pinned = True
        work.commit()

    found = put_off(made, course_id)

    assert all(line.becomes is Becomes.STAYS for each in found.proposals for line in each.lines if line.number == 3)
    assert all(line.is_fixed for each in found.proposals for line in each.lines if line.number == 3)
    assert [finding.code for finding in found.standing_in_the_way] == ["too-soon"]


def test_one_message_tells_all_the_changes_and_undoing_takes_it_back(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    say_all(made)
    before = [(each.id, each.starts_at, held_by(made, each.id)) for each in standing(made, course_id)]
    found = put_off(made, course_id)
    done(do(made, found, found.proposals[0]))
    told = owed_messages(made)
    with Session(engine) as db:
        token = repairs(made, course_id).token
        assert last_repair(db, course_series(db, course_id, now=made.now)) is not None

    done(undo(made, course_id, token))

    assert told == ["change"]
    assert owed_messages(made) == []
    assert [(each.id, each.starts_at, held_by(made, each.id)) for each in standing(made, course_id)] == before
    assert codes(undo(made, course_id, repairs(made, course_id).token)) == ["nothing-to-undo"]
    assert audit(engine) == []


def test_a_date_that_was_taken_away_is_given_back(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    before = [(each.starts_at, held_by(made, each.id)) for each in standing(made, course_id)]
    found = put_off(made, course_id)
    done(do(made, found, way(found, Way.UNDATED)))
    assert len(standing(made, course_id)) == 2

    done(undo(made, course_id, repairs(made, course_id).token))

    assert [(each.starts_at, held_by(made, each.id)) for each in standing(made, course_id)] == before
    assert audit(engine, untold_at=made.now) == []


def test_nothing_is_undone_once_something_else_has_changed_or_a_time_is_taken(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    old = standing(made, course_id)
    found = put_off(made, course_id)
    done(do(made, found, found.proposals[0]))
    rooms = [resource for _, resource in held_by(made, old[1].id)[1:]]
    done(book(made, asked(made, sessions=1, patient_id=made.patients[1]), [choose(1, old[1].starts_at, rooms)]))

    taken = undo(made, course_id, repairs(made, course_id).token)
    done(cancel(made, standing(made, course_id)[3]))
    changed = undo(made, course_id, repairs(made, course_id).token)

    assert (codes(taken), codes(changed)) == (["taken"], ["nothing-to-undo"])
    assert audit(engine, untold_at=made.now) == []


def test_a_proposal_that_is_out_of_date_is_told_and_nothing_changes(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    found = put_off(made, course_id)
    done(cancel(made, standing(made, course_id)[3]))
    before = counts(engine)

    with pytest.raises(Stale):
        do(made, found, found.proposals[0])

    assert counts(engine) == before


def test_what_no_page_offers_is_refused(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    done(perform(made, standing(made, course_id)[0]))
    token = repairs(made, course_id).token
    first, second, third, _ = standing(made, course_id)
    too_soon = later(made, second, -7)

    def tried(choices: Sequence[VisitChoice], undated: Sequence[int] = ()) -> list[str]:
        with made.work() as work:
            return codes(repair_course(work, course_id, choices, undated, token=token))

    assert tried([]) == ["visits"]
    assert tried([later(made, first, 60)]) == ["visits"]
    assert tried([later(made, second, 1), later(made, second, 2)]) == ["visits"]
    assert tried([later(made, second, 1)], [2]) == ["visits"]
    assert tried([too_soon]) == ["too-soon"]
    assert "too-soon" in tried([later(made, third, 1), later(made, second, 14)])


def test_nothing_is_put_right_whichever_statement_of_it_fails(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    found = put_off(made, course_id)
    before, times_before, number = counts(engine), dates(made, course_id), 0

    while dates(made, course_id) == times_before:
        number += 1
        with failing_at(engine, number):
            try:
                done(do(made, found, way(found, Way.UNDATED)))
            except ConnectionError:
                assert counts(engine) == before

    assert number > 15
    assert audit(engine, untold_at=made.now) == []


@pytest.mark.parametrize(("zone", "begins"), [
    ("Europe/London", datetime(2027, 3, 1, 9, tzinfo=UTC)), ("Europe/London", datetime(2027, 9, 13, 8, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2027, 3, 1, 0, tzinfo=UTC)),
])
def test_the_hour_on_the_wall_stays_across_a_clock_change(engine: Engine, zone: str, begins: datetime) -> None:
    made = small_clinic(engine, zone=zone)
    made.now = begins
    course_id = booked(made, sessions=4, not_before_on=day_of(begins, ZoneInfo(zone)))

    found = put_off(made, course_id)
    done(do(made, found, found.proposals[0]))

    for each in standing(made, course_id):
        assert local_of(each.starts_at, ZoneInfo(zone)).replace(tzinfo=None, fold=0) == each.local_start
    assert all(28 <= gap <= 56 for gap in gaps(dates(made, course_id)))
    assert repairs(made, course_id).proposals == ()
    assert audit(engine, untold_at=made.now) == []


def test_a_session_keeps_its_distance_to_one_performed_while_an_earlier_one_is_still_open(engine: Engine) -> None:
    """The first visit is long past and nobody has said what became of it; the second was performed."""
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    first, second = standing(made, course_id)[:2]
    done(perform(made, second))
    assert first.state == "booked"

    found = repairs(made, course_id, later(made, standing(made, course_id)[3], 14))
    proposed = [choice for each in found.proposals for choice in each.choices if choice.number == 3]
    third = standing(made, course_id)[2]
    near = later(made, third, -14)
    with made.work() as work:
        refused = move_appointment(work, third.id, near, lock_version=third.lock_version)

    assert all((choice.starts_at - second.starts_at).days >= 27 for choice in proposed)
    assert codes(refused) == ["dates"]
    days = {time.local_start.date() for time in times(made, third.treatment_session_id or 0, made.now.date(), 42).times}
    assert min(days) >= second.local_start.date() + timedelta(days=28)


def test_upkeep_counts_from_the_session_performed_last_not_from_the_one_recorded_last(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    first, second = standing(made, course_id)
    done(perform(made, second))
    with made.work() as work:
        done(complete_appointment(
            work, first.id, lock_version=first.lock_version, performed_at=first.starts_at + timedelta(minutes=30)))

    course = course_row(made, course_id)
    with Session(engine) as db:
        plan = db.scalars(sa.select(MaintenancePlan)).one()
    [owed] = sessions_of(made, maintenance_plan_id=plan.id)

    assert (course.state, course.ended_on) == ("completed", second.local_start.date())
    assert owed.ideal_on == second.local_start.date() + timedelta(days=plan.interval_days)


def test_sessions_keep_their_numbers_in_every_text_though_some_are_over(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    done(perform(made, standing(made, course_id)[0]))

    found = put_off(made, course_id)
    second = standing(made, course_id)[1]
    against = repairs(made, course_id, later(made, second, -7)).standing_in_the_way

    whys = {line.number: line.why for line in found.proposals[0].lines}
    assert (whys[3] or "").startswith("Session 3 comes ")
    assert [finding.text.split(" ")[:3] for finding in against] == [["Session", "2", "comes"]]


def test_nobody_is_told_to_treat_sooner_than_the_protocol_allows() -> None:
    told = sayable((
        Relaxation("course.steps[1].gap_days.min", 20, "Let session 2 come 20 days after session 1, 8 days sooner."),
        Relaxation("course.steps[1].dates.from", "2027-03-01", "Let session 2 be from 1 March 2027 on."),
        Relaxation("course.steps[1].gap_days.max", 70, "Let session 2 come up to 70 days after session 1."),
    ))

    assert told == ("Let session 2 come up to 70 days after session 1.",)


def test_a_session_without_a_date_keeps_its_distance_to_the_visit_that_was_given_instead(engine: Engine) -> None:
    """The first visit has begun and was never ended, the second was cancelled, the third performed as the second."""
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    _, second, third = standing(made, course_id)
    done(cancel(made, second))
    done(perform(made, third))

    [owed] = [each for each in sessions_of(made, course_id=course_id) if each.state == "owed"]
    offered_days = {time.local_start.date() for time in times(made, owed.id, made.now.date(), 42).times}
    proposed = [choice.starts_at.date() for each in repairs(made, course_id).proposals for choice in each.choices]

    assert owed.number == 3
    assert min(offered_days) >= third.local_start.date() + timedelta(days=28)
    assert proposed
    assert min(proposed) >= third.local_start.date() + timedelta(days=28)


def test_a_course_that_is_over_has_nothing_to_place_and_says_so(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=1)
    done(perform(made, standing(made, course_id)[0]))

    found = repairs(made, course_id)

    assert (found.proposals, found.reason) == ((), "This course is not active: it has no session to place now.")


def test_a_course_whose_sessions_have_no_date_and_none_yet_to_come_needs_no_change(engine: Engine) -> None:
    made = small_clinic(engine, horizon=95)
    course_id = booked(made, sessions=2)
    first, second = standing(made, course_id)
    done(perform(made, first))
    done(cancel(made, second))
    done(note(made, course_id, Heard("facial_surgery_recent", date(2027, 3, 1))))  # not for a year

    found = repairs(made, course_id)

    assert (found.proposals, found.reason) == ((), None)


def test_what_a_patient_agreed_to_stays_when_the_course_is_put_right_and_what_they_did_not_moves(
    engine: Engine
) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    with made.work() as work:
        work.db.get_one(Patient, made.patients[0]).only_times = [
            {"weekdays": [0, 1, 2, 3, 4], "begins": 13 * 60, "ends": 18 * 60}]
        work.commit()
    second, third = standing(made, course_id)[1:]

    warned = move(made, second, later(made, second, 1))
    done(move(made, second, later(made, second, 1), overrides={"patient-unwilling": "They agree"}))
    found = way(repairs(made, course_id), Way.KEEP)

    assert isinstance(warned, Refused) and [each.code for each in warned.findings] == ["patient-unwilling"]
    moved = [line.number for line in found.lines if line.becomes is Becomes.MOVES]
    assert moved == [1, 3] or moved == [3]
    assert all(line.new and line.new.local_start.hour >= 13 for line in found.lines if line.number in moved)
    with made.work() as work:
        kept = work.db.execute(sa.select(CourseOverride.code, CourseOverride.value)).one()
    assert (kept.code, kept.value["number"]) == ("patient-unwilling", 2)


def test_a_reason_is_given_though_a_session_stands_late_with_leave(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    second = standing(made, course_id)[1]
    done(move(made, second, later(made, second, 40), overrides={"too-late": "On holiday"}))
    done(cancel(made, standing(made, course_id)[0]))
    with made.work() as work:
        for device in made.devices:
            work.db.add(Absence(resource_id=device, starts_at=made.now - timedelta(days=1),
                                ends_at=made.now + timedelta(days=900), reason="repair"))
        work.commit()

    found = repairs(made, course_id)

    assert found.reason is not None
    assert found.reason.startswith("Session 1 ")
