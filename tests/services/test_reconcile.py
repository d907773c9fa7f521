from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.care.owner_facts import MessageKind
from clinic.messages.letters import Kind
from clinic.services.reconcile import Owner, reconcile, reconcile_patient, settle_expired, sweep
from clinic.store.engine import open_engine
from clinic.store.outbox import Message, MessageItem
from tests.databases import DatabasesOf
from tests.services.desk import NOW, Desk, Line


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(engine, "before_cursor_execute", note)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_kinds_of_messages_owed_and_rendered_are_the_same() -> None:
    assert [kind.value for kind in MessageKind] == [kind.value for kind in Kind]


def test_a_booked_course_has_its_messages_in_the_same_transaction(desk: Desk) -> None:
    desk.book_course()

    assert desk.lines() == [
        Line("confirmation", "pending", utc("2027-03-01T09:03")),
        Line("precare", "pending", utc("2027-03-01T09:03")),
        Line("reminder-7d", "pending", utc("2027-03-13T09:00")),
        Line("reminder-2d", "pending", utc("2027-03-18T09:00")),
        Line("reminder-7d", "pending", utc("2027-04-13T08:00")),
        Line("reminder-2d", "pending", utc("2027-04-18T08:00")),
        Line("reminder-7d", "pending", utc("2027-05-13T08:00")),
        Line("reminder-2d", "pending", utc("2027-05-18T08:00")),
    ]


def test_reconciling_again_changes_nothing(desk: Desk) -> None:
    course_id = desk.book_course()
    before = desk.lines()

    for _ in range(2):
        with desk.work() as work:
            reconcile(work, Owner("course", course_id))
            work.commit()

    assert desk.lines() == before


def test_an_owner_that_is_not_there_owes_nothing(desk: Desk) -> None:
    with desk.work() as work:
        reconcile(work, Owner("course", 999))
        reconcile(work, Owner("maintenance-plan", 999))
        work.commit()

    assert desk.lines() == []


def test_a_change_before_anything_was_told_only_renews_the_confirmation(desk: Desk) -> None:
    course_id = desk.book_course()
    desk.wait(minutes=2)

    desk.move(desk.appointment_ids(course_id)[1], date(2027, 4, 25))

    assert desk.lines("confirmation", "change") == [
        Line("confirmation", "superseded", utc("2027-03-01T09:03"), "the dates have changed since"),
        Line("confirmation", "pending", utc("2027-03-01T09:05")),
    ]
    assert [line for line in desk.lines("reminder-7d") if line.due_at.month == 4] == [
        Line("reminder-7d", "superseded", utc("2027-04-13T08:00"), "the appointment was moved"),
        Line("reminder-7d", "pending", utc("2027-04-18T08:00")),
    ]


def test_a_cancelled_appointment_takes_its_reminders_with_it(desk: Desk) -> None:
    course_id = desk.book_course((date(2027, 3, 20),))

    desk.cancel(desk.appointment_ids(course_id)[0])

    assert {(line.state, line.reason) for line in desk.lines("reminder-7d", "reminder-2d", "precare")} == {
        ("superseded", "the appointment was cancelled")}
    assert desk.lines(live=True) == []


def test_a_course_that_rests_and_goes_on_gets_its_reminders_back_as_new_generations(desk: Desk) -> None:
    course_id = desk.book_course((date(2027, 3, 20),))

    desk.set_course(course_id, state="on-hold")
    resting = desk.lines(live=True)
    desk.set_course(course_id, state="active")

    assert resting == []
    assert [line.kind for line in desk.lines(live=True)] == ["confirmation", "precare", "reminder-7d", "reminder-2d"]
    with desk.work() as work:
        assert sorted(work.db.scalars(sa.select(MessageItem.generation))) == [0] * 4 + [1] * 4


def test_a_patient_without_address_has_messages_withheld_until_one_is_known(desk: Desk) -> None:
    desk.set_patient(email=None)
    desk.book_course((date(2027, 3, 20),))
    without = desk.lines()

    desk.set_patient(email="maria@example.org")
    with desk.work() as work:
        reconcile_patient(work, desk.patient_id)
        work.commit()

    assert {(line.state, line.reason) for line in without} == {("withheld", "no e-mail address")}
    assert {(line.state, line.reason) for line in desk.lines()} == {("pending", None)}


def test_the_reason_why_a_message_is_withheld_follows_the_patient(desk: Desk) -> None:
    desk.book_course((date(2027, 3, 20),))
    desk.set_patient(wants_service_messages=False)

    with desk.work() as work:
        reconcile_patient(work, desk.patient_id)
        work.commit()
    desk.set_patient(wants_service_messages=True, channel="phone")
    with desk.work() as work:
        reconcile_patient(work, desk.patient_id)
        work.commit()

    assert {(line.state, line.reason) for line in desk.lines()} == {("withheld", "asked for the phone")}


def test_a_completed_session_owes_aftercare_at_once_and_the_next_preparation(desk: Desk) -> None:
    course_id = desk.book_course()
    desk.now = utc("2027-03-20T11:00")

    desk.complete(desk.appointment_ids(course_id)[0])

    assert desk.lines("aftercare", "check-in-24h", "check-in-72h", "precare", live=True) == [
        Line("aftercare", "pending", utc("2027-03-20T11:00")),
        Line("precare", "pending", utc("2027-03-20T11:03")),
        Line("check-in-24h", "pending", utc("2027-03-21T11:00")),
        Line("check-in-72h", "pending", utc("2027-03-23T11:00")),
    ]


def test_a_completed_course_owes_its_ending_and_its_recall_until_that_is_booked(desk: Desk) -> None:
    course_id = desk.book_course((date(2027, 3, 2),))
    desk.now = utc("2027-03-02T11:00")
    desk.complete(desk.appointment_ids(course_id)[0])

    plan_id = desk.finish_course(course_id, ask_on=date(2027, 8, 10), due=(date(2027, 8, 30), date(2027, 10, 1)))
    asked = desk.lines("course-complete", "recall")
    with desk.work() as work:
        recalled = work.db.scalars(sa.select(MessageItem.subject_id).where(MessageItem.kind == "recall")).one()
    desk.book(recalled, date(2027, 9, 1))

    assert asked == [Line("course-complete", "pending", utc("2027-03-02T12:00")),
                     Line("recall", "pending", utc("2027-08-10T08:00"))]
    assert desk.lines("recall") == [
        Line("recall", "superseded", utc("2027-08-10T08:00"), "the session has been booked")]
    with desk.work() as work:
        confirmed = work.db.scalars(sa.select(MessageItem.owner_id).where(
            MessageItem.kind == "confirmation", MessageItem.owner_kind == "maintenance-plan"))
        assert confirmed.all() == [plan_id]


def test_a_message_past_its_use_expires_and_says_so(desk: Desk) -> None:
    desk.book_course((date(2027, 3, 20),))
    desk.now = utc("2027-03-19T00:00")

    with desk.work() as work:
        count = settle_expired(work)
        work.commit()

    assert count == 1
    assert desk.lines("reminder-7d") == [
        Line("reminder-7d", "expired", utc("2027-03-13T09:00"), "its time passed before it could be sent")]


def test_the_sweep_restores_what_is_missing_and_is_safe_to_repeat(desk: Desk) -> None:
    for day in range(1, 6):
        desk.book_course((date(2027, 4, day),))
    whole = desk.lines()
    with desk.work() as work:
        work.db.execute(sa.delete(MessageItem))
        work.db.execute(sa.delete(Message))
        work.commit()

    rounds = sweep_all(desk, limit=2)
    again = sweep_all(desk, limit=2)

    assert (rounds, again) == (3, 3)
    assert desk.lines() == whole


@pytest.mark.postgres
def test_the_sweep_passes_over_a_course_that_someone_else_is_changing(databases_of: DatabasesOf) -> None:
    url = databases_of("postgresql").migrated()
    desk = Desk(open_engine(url))
    desk.book_course((date(2027, 4, 1),))
    desk.set_messages(sa.true(), due_at=NOW + timedelta(days=99))

    with desk.work() as other:
        reconcile(other, Owner("course", 1))
        sweep_all(desk, limit=10)

    assert {line.due_at for line in desk.lines()} == {NOW + timedelta(days=99)}
    desk.engine.dispose()
    databases_of("postgresql").remove(url)


def test_two_transactions_that_reconcile_one_course_at_once_insert_each_message_once(desk: Desk) -> None:
    course_id = desk.book_course((date(2027, 4, 1),))
    whole = desk.lines()
    with desk.work() as work:
        work.db.execute(sa.delete(MessageItem))
        work.db.execute(sa.delete(Message))
        work.commit()

    def again(_: int) -> None:
        with desk.work() as work:
            reconcile(work, Owner("course", course_id))
            work.commit()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(again, range(8)))

    assert desk.lines() == whole


def test_reconciling_takes_the_same_statements_for_a_long_course_as_for_a_short_one(desk: Desk) -> None:
    short = desk.book_course((date(2027, 4, 1),))
    long = desk.book_course(tuple(date(2027, 4, day) for day in range(2, 14)))

    counts = []
    for course_id in (short, long):
        with statements(desk.engine) as seen, desk.work() as work:
            reconcile(work, Owner("course", course_id))
            counts.append(len([each for each in seen if not each.startswith("BEGIN")]))

    assert counts[0] == counts[1] <= 8


def test_what_was_tried_keeps_its_later_turn(desk: Desk) -> None:
    course_id = desk.book_course((date(2027, 4, 1),))
    later = NOW + timedelta(hours=1)
    desk.set_messages(Message.id == desk.message("confirmation").id, attempts=2, due_at=later)

    with desk.work() as work:
        reconcile(work, Owner("course", course_id))
        work.commit()

    assert desk.lines("confirmation") == [Line("confirmation", "pending", later)]


def test_held_messages_stay_held_and_still_go_when_they_are_no_longer_true(desk: Desk) -> None:
    course_id = desk.book_course((date(2027, 4, 1),))
    desk.set_messages(sa.true(), state="held")
    held = desk.lines()

    with desk.work() as work:
        reconcile(work, Owner("course", course_id))
        work.commit()
    same = desk.lines()
    desk.cancel(desk.appointment_ids(course_id)[0])

    assert same == held
    assert {line.state for line in desk.lines()} == {"superseded"}


def sweep_all(desk: Desk, *, limit: int) -> int:
    rounds, after = 0, None
    while True:
        with desk.work() as work:
            after = sweep(work, after=after, limit=limit)
            work.commit()
        if after is None:
            return rounds
        rounds += 1
