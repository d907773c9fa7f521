"""What waits since the move-in: nothing leaves, whatever a worker does, until a person lets it go."""
from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.messages.mailbox import MailboxTransport
from clinic.queries.held_back import HeldBack, held_back
from clinic.services.delivery import Courier, Patience, Round, rescue
from clinic.services.mail import LetGo, let_go, switch_mail_off, switch_mail_on
from clinic.store.accounts import AuditEntry
from clinic.store.clinics import Business
from clinic.store.outbox import Message, MessageAttempt
from tests.services.desk import NOW, Desk


@pytest.fixture
def desk(engine: Engine) -> Desk:
    """A clinic that has just moved in, with a confirmation that is due and reminders that are not."""
    found = Desk(engine)
    found.book_course((date(2027, 5, 20),))
    with found.work() as work:
        work.db.execute(sa.update(Business).values(held_since=NOW))
        work.commit()
    found.wait(minutes=3)
    return found


def delivered(desk: Desk) -> Round:
    return Courier(desk.work, MailboxTransport(), "worker").deliver_due()


def waits(desk: Desk) -> HeldBack | None:
    with desk.work() as work:
        return held_back(work.db, desk.now)


def test_nothing_leaves_before_it_is_let_go_and_then_only_what_is_due(desk: Desk) -> None:
    before = delivered(desk)
    waiting = waits(desk)
    with desk.work() as work:
        done = let_go(work)

    assert before == Round(0)
    assert waiting is not None
    assert (waiting.since, waiting.due, waiting.useless) == (NOW, 1, 0)
    assert done == LetGo(waiting.waiting, 0)
    assert delivered(desk) == Round(1, is_answered=True)
    assert [line.state for line in desk.lines("confirmation")] == ["sent"]
    assert {line.state for line in desk.lines("reminder-7d", "reminder-2d", "precare")} == {"pending"}
    assert waits(desk) is None


def test_mail_that_is_switched_on_meanwhile_holds_nothing_a_second_time(desk: Desk) -> None:
    with desk.work() as work:
        switch_mail_off(work)
    with desk.work() as work:
        held = switch_mail_on(work)
    with desk.work() as work:
        let_go(work)

    assert held == 0
    assert delivered(desk) == Round(1, is_answered=True)


def test_what_a_dead_worker_left_is_taken_back_but_does_not_leave(desk: Desk) -> None:
    message_id = desk.message("confirmation").id
    with desk.work() as work:
        message = work.db.get_one(Message, message_id)
        message.state, message.lease_token, message.lease_until, message.attempts = "sending", "t", NOW, 1
        message.worker_id, message.dot_at = "dead", NOW
        work.db.add(MessageAttempt(message_id=message_id, number=1, at=NOW, worker_id="dead", phase="begun"))
        work.commit()

    with desk.work() as work:
        rescued = rescue(work, worker_id="worker", patience=Patience(first_wait=timedelta()))

    assert (rescued, delivered(desk)) == (1, Round(0))
    assert [line.state for line in desk.lines("confirmation")] == ["pending"]


def test_what_is_past_its_use_expires_unless_it_may_be_out(desk: Desk) -> None:
    confirmation = desk.message("confirmation").id
    desk.set_messages(Message.id == confirmation, dot_at=NOW)
    desk.now = NOW + timedelta(days=200)
    waiting = waits(desk)

    with desk.work() as work:
        done = let_go(work)

    assert waiting is not None
    assert done is not None
    assert (waiting.waiting, waiting.due) == (0, 0)
    assert (done.released, done.expired) == (1, waiting.useless - 1)
    assert {line.state for line in desk.lines("reminder-7d", "reminder-2d", "precare")} == {"expired"}
    assert delivered(desk) == Round(1)
    assert [line.state for line in desk.lines("confirmation")] == ["uncertain"]


def test_it_is_let_go_once_and_written_down(desk: Desk) -> None:
    with desk.work() as work:
        first = let_go(work)
    with desk.work() as work:
        second = let_go(work)

    assert (first is None, second) == (False, None)
    with desk.work() as work:
        entry = work.db.scalars(sa.select(AuditEntry).where(AuditEntry.action == "messages-let-go")).one()
        assert entry.facts == {"released": first.released if first else 0, "expired": 0}
