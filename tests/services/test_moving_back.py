"""A move that was a slip is taken back, while nobody has heard of it: nothing is said of either."""
from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.messages.mailbox import MailboxTransport
from clinic.services.delivery import Courier
from clinic.services.moving_back import move_back
from clinic.services.work import Done, Refused, Stale
from clinic.store.clinics import Business
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageItem, WorkerRow
from tests.booking import booked, codes, done, held_by, move, standing, times
from tests.prove.audit import audit
from tests.small_clinic import SmallClinic, small_clinic


def moved(made: SmallClinic, course_id: int) -> Appointment:
    """The second visit an hour or more later, and with somebody else."""
    second = standing(made, course_id)[1]
    page = times(made, second.treatment_session_id or 0, second.local_start.date())
    done(move(made, second, next(each for each in page.times if each.starts_at > second.ends_at)))
    return second


def undone(made: SmallClinic, appointment_id: int, lock_version: int = 2) -> Done[int] | Refused:
    with made.work() as work:
        return move_back(work, appointment_id, lock_version=lock_version)


def deliver(made: SmallClinic) -> list[str]:
    """Sends all that is due; answers the kinds of all that ever went out."""
    mailbox = MailboxTransport()
    with made.work() as work:
        work.db.execute(sa.update(Business).values(mail_on_since=made.now))
        work.db.merge(WorkerRow(id="w", host="test", started_at=made.now, heartbeat_at=made.now))
        work.commit()
    Courier(made.work, mailbox, "w", base_url="https://clinic.example").deliver_due()
    with made.work() as work:
        return list(work.db.scalars(
            sa.select(MessageItem.kind).join(Message, Message.id == MessageItem.message_id)
            .where(Message.state == "sent").order_by(MessageItem.id)))


def test_it_is_as_it_was_and_nothing_is_said_of_it(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    made.now += timedelta(minutes=4)
    told = deliver(made)
    with made.work() as work:
        work.db.execute(sa.update(Appointment).values(confirmed_at=made.now))
        work.commit()
    before, held = standing(made, course_id)[1], held_by(made, standing(made, course_id)[1].id)
    made.now += timedelta(minutes=1)
    moved(made, course_id)

    made.now += timedelta(minutes=2)
    done(undone(made, before.id))
    made.now += timedelta(minutes=10)

    after = standing(made, course_id)[1]
    assert (after.starts_at, after.scheduled_at, after.confirmed_at) == (
        before.starts_at, before.scheduled_at, before.confirmed_at)
    assert (held_by(made, after.id), after.revision) == (held, before.revision + 2)
    assert deliver(made) == told == ["confirmation"]
    assert audit(engine) == []


def test_it_is_refused_once_the_patient_has_heard_of_the_move(engine: Engine) -> None:
    made = small_clinic(engine)
    second = moved(made, booked(made, sessions=3))
    made.now += timedelta(minutes=4)
    assert deliver(made) == ["confirmation"]

    assert codes(undone(made, second.id)) == ["told"]


def test_it_is_refused_once_anything_else_was_done_or_the_time_is_taken(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    second = moved(made, course_id)
    with pytest.raises(Stale):
        undone(made, second.id, lock_version=1)

    done(undone(made, second.id))
    again = undone(made, second.id, lock_version=3)
    made.now = second.starts_at
    past = undone(made, second.id, lock_version=3)

    assert (codes(again), codes(past)) == (["told"], ["told"])
