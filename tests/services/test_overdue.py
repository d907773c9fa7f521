"""A session without a date: its patient is asked twice, then a person is asked to call, once."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.course_changes import Heard
from clinic.queries.visit_choice import parse_choice
from clinic.services.contraindications import note_contraindication
from clinic.services.letters import MessageBody, body_of
from clinic.services.overdue import ask_to_call
from clinic.services.resting import hold_course
from clinic.store.accounts import Task
from clinic.store.outbox import Message, MessageItem
from tests.booking import booked, cancel, course_row, done, perform, rebook, sessions_of, standing, times
from tests.small_clinic import SmallClinic, small_clinic


def waiting(made: SmallClinic) -> tuple[int, date, date, date]:
    """A course whose second session lost its date; and its window."""
    course_id = booked(made, sessions=2)
    first, second = standing(made, course_id)
    done(perform(made, first))
    done(cancel(made, second))
    row = sessions_of(made, course_id=course_id)[1]
    assert row.earliest_on and row.ideal_on and row.latest_on
    return course_id, row.earliest_on, row.ideal_on, row.latest_on


def nudges(made: SmallClinic) -> list[tuple[str, str, datetime, str | None]]:
    with Session(made.engine) as db:
        rows = db.execute(
            sa.select(MessageItem.kind, Message.state, Message.due_at, Message.reason)
            .join(Message, Message.id == MessageItem.message_id)
            .where(MessageItem.kind.like("nudge%")).order_by(Message.id))
        return [(row.kind, row.state, row.due_at, row.reason) for row in rows]


def body(made: SmallClinic, kind: str, on: date) -> MessageBody:
    """What a message of that kind would say on that morning."""
    with Session(made.engine) as db:
        message_id = db.scalars(sa.select(MessageItem.message_id).where(MessageItem.kind == kind)).one()
        found = body_of(db, message_id, now=nine(on))
    assert found is not None
    return found


def sweep(made: SmallClinic) -> int:
    with made.work() as work:
        return ask_to_call(work)


def tasks(made: SmallClinic) -> list[Task]:
    with Session(made.engine, expire_on_commit=False) as db:
        return list(db.scalars(sa.select(Task).order_by(Task.id)))


def nine(day: date) -> datetime:
    """Nine in the morning in London."""
    return datetime(day.year, day.month, day.day, 8 if date(2027, 3, 28) <= day < date(2027, 10, 31) else 9, tzinfo=UTC)


def test_a_session_that_loses_its_date_is_asked_about_twice_until_it_is_booked(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id, earliest, ideal, _ = waiting(made)

    assert nudges(made) == [
        ("nudge-14d", "pending", nine(earliest - timedelta(days=14)), None),
        ("nudge-ideal", "pending", nine(ideal), None)]

    session_id = sessions_of(made, course_id=course_id)[1].id
    offer = times(made, session_id, ideal).times[0]
    done(rebook(made, session_id, parse_choice(offer.choice)))

    assert [(state, reason) for _, state, _, reason in nudges(made)] == [
        ("superseded", "the session has been booked")] * 2


def test_what_the_patient_reads_names_the_days_that_are_left_and_nothing_medical(engine: Engine) -> None:
    made = small_clinic(engine)
    _, earliest, _, latest = waiting(made)

    before = body(made, "nudge-14d", earliest - timedelta(days=14))
    again = body(made, "nudge-ideal", earliest + timedelta(days=9))

    assert before.subject == "Your next appointment has no date yet"
    assert f"{earliest.day} {earliest:%B} {earliest.year}" in before.text
    for each in (before, again):
        assert f"{latest.day} {latest:%B} {latest.year}" in each.text
        assert "needling" not in (each.subject + each.text).lower()


def test_an_offer_never_begins_in_the_past(engine: Engine) -> None:
    made = small_clinic(engine)
    _, earliest, _, latest = waiting(made)

    late = body(made, "nudge-14d", latest - timedelta(days=1))
    over = body(made, "nudge-14d", latest + timedelta(days=30))

    today = latest - timedelta(days=1)
    assert f"between {today:%A} {today.day} {today:%B} {today.year}" in late.text
    assert f"between {latest:%A} {latest.day} {latest:%B} {latest.year}" in over.text
    assert earliest < today


def test_a_course_whose_sessions_all_have_dates_asks_nothing(engine: Engine) -> None:
    made = small_clinic(engine)
    booked(made)

    assert nudges(made) == []


def test_a_course_at_rest_asks_nothing(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id, *_ = waiting(made)

    with made.work() as work:
        done(hold_course(work, course_id, reason="Abroad", lock_version=course_row(made, course_id).lock_version))

    assert [(state, reason) for _, state, _, reason in nudges(made)] == [
        ("superseded", "the course has ended or rests")] * 2


def test_a_window_that_a_contraindication_moves_moves_the_asking_with_it(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id, *_ = waiting(made)
    surgery = Heard("facial_surgery_recent", made.now.date())

    with made.work("receptionist") as work:
        done(note_contraindication(
            work, course_id, surgery, lock_version=course_row(made, course_id).lock_version))

    floor = made.now.date() + timedelta(days=365)
    [only] = [each for each in nudges(made) if each[1] == "pending" and each[0] == "nudge-14d"]
    assert only[2] == datetime.combine(floor - timedelta(days=14), datetime.min.time(), UTC) + timedelta(hours=9)


def test_a_person_is_asked_to_call_once_when_the_window_has_closed(engine: Engine) -> None:
    made = small_clinic(engine)
    *_, latest = waiting(made)
    made.now = datetime(latest.year, latest.month, latest.day, 22, 59, tzinfo=UTC)
    assert sweep(made) == 0

    made.now += timedelta(minutes=1)
    assert (sweep(made), sweep(made)) == (1, 0)
    made.now += timedelta(days=30)
    assert sweep(made) == 0

    [task] = tasks(made)
    assert (task.kind, task.clinic_id, task.due_on) == ("call", made.clinic_id, latest + timedelta(days=1))
    told = f"{latest.day} {latest:%B} {latest.year}"
    assert task.text == f"Call the patient: session 2 was due by {told} and has no date."


def test_a_window_that_moved_and_closed_again_is_asked_about_again(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id, _, _, latest = waiting(made)
    made.now = nine(latest) + timedelta(days=3)
    assert sweep(made) == 1

    with made.work("receptionist") as work:
        done(note_contraindication(
            work, course_id, Heard("facial_surgery_recent", made.now.date()),
            lock_version=course_row(made, course_id).lock_version))
    assert sweep(made) == 0
    made.now += timedelta(days=367)

    assert sweep(made) == 1
    assert len(tasks(made)) == 2


def test_nobody_is_called_for_a_course_at_rest_or_for_upkeep(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id, _, _, latest = waiting(made)
    with made.work() as work:
        done(hold_course(work, course_id, reason="Abroad", lock_version=course_row(made, course_id).lock_version))
    other = booked(made, sessions=1, patient_id=made.patients[1])
    done(perform(made, standing(made, other)[0]))
    made.now += timedelta(days=2000)

    assert (sweep(made), latest < made.now.date()) == (0, True)
