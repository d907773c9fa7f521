from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.care.priority import Priority
from clinic.care.states import MESSAGE_MOVES, MessageState
from clinic.logs import JsonLines
from clinic.messages.smtp import Security, SmtpSettings, SmtpTransport, Timeouts
from clinic.messages.transport import BeforeDot, Outcome, OutcomeKind, Phase
from clinic.services.delivery import Courier, Patience, Round, rescue
from clinic.services.reconcile import reconcile_patient
from clinic.services.work import UnitOfWork
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageAttempt, MessageItem, WorkerRow
from clinic.store.resources import Patient
from tests.services.desk import NOW, Desk, Line
from tests.sink import Faults, Sink

GRACE_OVER = NOW + timedelta(minutes=3)
TIMEOUTS = Timeouts(connect=5, command=5, data=5, dot=5)


class Crash(BaseException):
    """The process dies here."""


class Scripted:
    """Says what a test wants it to say, after reaching the dot where the outcome is one of the dot."""

    def __init__(self, *outcomes: Outcome, around_dot: Callable[[str], None] = lambda place: None) -> None:
        self.outcomes = list(outcomes)
        self.around_dot = around_dot
        self.taken: list[bytes] = []

    def connection(self) -> AbstractContextManager[None]:
        return nullcontext()

    def deliver(self, sender: str, recipient: str, mime: bytes, *, before_dot: BeforeDot) -> Outcome:
        outcome = self.outcomes.pop(0) if self.outcomes else Outcome(OutcomeKind.SENT, Phase.DOT, 250, "ok")
        if outcome.phase is not Phase.DOT:
            return outcome
        self.around_dot("before dot")
        if before_dot() is False:
            return Outcome(OutcomeKind.ABORTED, Phase.DATA, None, "stopped")
        self.around_dot("after dot")
        if outcome.kind in (OutcomeKind.SENT, OutcomeKind.UNCERTAIN):
            self.taken.append(mime)
        self.around_dot("after answer")
        return outcome


LOST = Outcome(OutcomeKind.UNCERTAIN, Phase.DOT, None, "Connection unexpectedly closed")
REFUSED = Outcome(OutcomeKind.FAILED, Phase.RCPT, 550, "no such mailbox")
LATER = Outcome(OutcomeKind.RETRY, Phase.RCPT, 451, "greylisted")
LATER_AT_DOT = Outcome(OutcomeKind.RETRY, Phase.DOT, 452, "disk full")
NO_SERVER = Outcome(OutcomeKind.RETRY, Phase.CONNECT, None, "Connection refused")


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    with Sink(tmp_path / "sink.log") as running:
        yield running


def courier(desk: Desk, transport: Scripted | SmtpTransport | None = None, **facts: object) -> Courier:
    with desk.work() as work:
        work.db.merge(WorkerRow(id="worker-1", host="test", started_at=desk.now, heartbeat_at=desk.now))
        work.commit()
    found = Courier(desk.work, transport or Scripted(), "worker-1", jitter=lambda: 0.5)
    return replace(found, **facts)  # type: ignore[arg-type]


def smtp(sink: Sink) -> SmtpTransport:
    return SmtpTransport(SmtpSettings("127.0.0.1", sink.port, Security.NONE, timeouts=TIMEOUTS))


def confirmed(desk: Desk) -> int:
    """A course whose confirmation is the only message that is due."""
    course_id = desk.book_course((date(2027, 5, 20),))
    desk.now = GRACE_OVER
    return course_id


def confirmed_twice(desk: Desk) -> int:
    """The same with two dates."""
    course_id = desk.book_course((date(2027, 5, 20), date(2027, 6, 20)))
    desk.now = GRACE_OVER
    return course_id


def all_confirmed(desk: Desk, count: int) -> None:
    """Courses of as many patients whose confirmations are the only messages that are due."""
    for number in range(count):
        desk.book_course((date(2027, 5, 20),), patient_id=desk.new_patient(f"ana{number}@example.org"))
    desk.now = GRACE_OVER


def rescued(desk: Desk, *, after: timedelta = timedelta(seconds=61), by: str = "worker-2") -> int:
    desk.now += after
    with desk.work() as work:
        count = rescue(work, worker_id=by)
        work.commit()
    return count


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_due_message_is_sent_and_everything_about_it_is_kept(desk: Desk, sink: Sink) -> None:
    course_id = confirmed(desk)

    done = courier(desk, smtp(sink)).deliver_due()

    message = desk.message("confirmation")
    [taken] = sink.accepted()
    assert done == Round(1, is_answered=True)
    assert (message.state, message.settled_at, message.attempts) == ("sent", GRACE_OVER, 1)
    assert (message.sender, message.recipient) == ("ola@alvor.example", "maria@example.org")
    assert message.mime is not None
    assert hashlib.sha256(message.mime).hexdigest() == message.mime_sha256 == taken.sha256
    assert taken.message_id == message.message_id
    assert desk.attempts(message.id) == [(1, "claimed"), (1, "begun"), (1, "dot")]
    with desk.work() as work:
        facts = work.db.scalars(sa.select(MessageItem.facts).where(MessageItem.kind == "confirmation")).one()
    assert facts == {"visits": [{
        "appointment": desk.appointment_ids(course_id)[0], "treatment_session": desk.session_ids(course_id)[0],
        "clinic": 1, "revision": 0, "local_start": "2027-05-20T10:00:00", "fold": 0, "zone": "Europe/Lisbon",
        "cancelled": False}]}


def test_nothing_goes_before_it_is_due(desk: Desk) -> None:
    desk.book_course((date(2027, 5, 20),))

    assert courier(desk).deliver_due() == Round(0)


def test_nothing_is_claimed_while_mail_is_switched_off(engine: Engine) -> None:
    desk = Desk(engine, mail_on=False)
    confirmed(desk)

    assert courier(desk).deliver_due() == Round(0)
    assert desk.lines("confirmation") == [Line("confirmation", "pending", GRACE_OVER)]


def test_a_move_after_the_confirmation_is_told_as_a_change_and_then_known(desk: Desk, sink: Sink) -> None:
    course_id = confirmed(desk)
    post = courier(desk, smtp(sink))
    post.deliver_due()

    desk.move(desk.appointment_ids(course_id)[0], date(2027, 5, 27), hour=15)
    desk.wait(minutes=3)
    post.deliver_due()

    assert [line.state for line in desk.lines("change")] == ["sent"]
    assert desk.lines("confirmation", "change", "cancellation", live=True) == []
    change = desk.message("change").mime
    assert change is not None
    assert b"method=REQUEST" in change


def test_a_move_and_its_undo_within_the_grace_send_nothing(desk: Desk, sink: Sink) -> None:
    course_id = confirmed(desk)
    post = courier(desk, smtp(sink))
    post.deliver_due()
    [appointment_id] = desk.appointment_ids(course_id)

    desk.move(appointment_id, date(2027, 5, 27))
    desk.wait(minutes=2)
    desk.move(appointment_id, date(2027, 5, 20))
    desk.wait(minutes=10)
    post.deliver_due()

    assert len(sink.accepted()) == 1
    assert [(line.state, line.reason) for line in desk.lines("change")] == [
        ("superseded", "the dates have changed since")]


def test_what_changed_behind_the_back_of_reconcile_is_found_before_sending(desk: Desk, sink: Sink) -> None:
    confirmed(desk)
    with desk.work() as work:
        work.db.execute(sa.update(Appointment).values(revision=1))
        work.commit()

    courier(desk, smtp(sink)).deliver_due()

    assert sink.accepted() == []
    assert desk.lines("confirmation") == [
        Line("confirmation", "superseded", GRACE_OVER, "the dates have changed since")]
    with desk.work() as work:
        dropped = work.db.scalars(sa.select(MessageItem.dropped).where(MessageItem.kind == "confirmation")).one()
    assert dropped == "the dates have changed since"


def test_a_patient_who_lost_the_address_is_withheld_before_sending(desk: Desk) -> None:
    confirmed(desk)
    desk.set_patient(email=None)

    courier(desk).deliver_due()

    assert desk.lines("confirmation") == [Line("confirmation", "withheld", GRACE_OVER, "no e-mail address")]


def test_an_address_that_cannot_be_right_is_withheld_with_the_reason(desk: Desk) -> None:
    desk.set_patient(email="maria at example")
    confirmed(desk)

    courier(desk).deliver_due()

    assert desk.lines("confirmation") == [
        Line("confirmation", "withheld", GRACE_OVER, "An e-mail address has the form name@example.org.")]


def test_what_is_past_its_use_expires_instead_of_going_out(desk: Desk) -> None:
    confirmed(desk)
    desk.now = utc("2027-05-18T11:00")

    courier(desk).deliver_due()

    assert {(line.kind, line.state) for line in desk.lines()} == {
        ("confirmation", "sent"), ("precare", "sent"), ("reminder-7d", "expired"), ("reminder-2d", "sent")}


def test_what_is_overdue_in_the_night_waits_for_the_morning_without_using_an_attempt(desk: Desk) -> None:
    confirmed(desk)
    desk.now = utc("2027-03-02T02:00")

    courier(desk).deliver_due()

    message = desk.message("confirmation")
    assert (message.state, message.due_at, message.attempts) == ("pending", utc("2027-03-02T08:00"), 0)


def test_aftercare_goes_at_any_hour(desk: Desk) -> None:
    course_id = desk.book_course((date(2027, 3, 20),))
    desk.now = utc("2027-03-20T23:30")
    desk.complete(desk.appointment_ids(course_id)[0])

    courier(desk).deliver_due()

    assert [line.state for line in desk.lines("aftercare")] == ["sent"]


def test_a_server_that_asks_for_later_is_tried_again_with_growing_patience(desk: Desk) -> None:
    confirmed(desk)
    post = courier(desk, Scripted(*[LATER] * 8))
    waits = []

    for _ in range(8):
        post.deliver_due(1)
        waits.append((desk.message("confirmation").due_at - desk.now).total_seconds() / 60)
        desk.now = max(desk.now, desk.message("confirmation").due_at)

    message = desk.message("confirmation")
    assert waits[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert (message.state, message.reason) == ("failed", "the mail server said: 451 greylisted")
    assert desk.attempts(message.id)[-2:] == [(8, "claimed"), (8, "rcpt")]


def test_patience_spreads_by_a_quarter_either_way() -> None:
    waits = [Patience().wait(3, chance).total_seconds() for chance in (0.0, 0.5, 1.0)]

    assert waits == [180, 240, 300]


def test_the_last_try_comes_before_the_message_loses_its_use(desk: Desk) -> None:
    course_id = desk.book_course((date(2027, 3, 20),))
    desk.now = utc("2027-03-20T11:00")
    desk.complete(desk.appointment_ids(course_id)[0])
    message = desk.message("aftercare")
    desk.now = message.useless_after - timedelta(seconds=30)
    desk.set_messages(Message.id != message.id, state="expired")

    courier(desk, Scripted(LATER)).deliver_due(1)

    assert desk.message("aftercare").due_at == message.useless_after


def test_a_refusal_for_good_is_shown_in_the_servers_words(desk: Desk) -> None:
    confirmed(desk)

    courier(desk, Scripted(REFUSED)).deliver_due()

    assert desk.lines("confirmation") == [
        Line("confirmation", "failed", GRACE_OVER, "the mail server said: 550 no such mailbox")]


def test_a_lost_answer_is_followed_by_one_true_copy(desk: Desk, sink: Sink, tmp_path: Path) -> None:
    confirmed(desk)
    with Sink(tmp_path / "silent.log", Faults(drop_after_accept=1.0)) as silent:
        courier(desk, smtp(silent)).deliver_due()
        [first] = silent.accepted()
    waiting = desk.message("confirmation")

    desk.now = waiting.due_at
    courier(desk, smtp(sink)).deliver_due(1)

    [second] = sink.accepted()
    assert (waiting.state, waiting.reason) == (
        "pending", "the mail server's answer was lost; it goes once more, unchanged")
    assert (first.message_id, first.sha256) == (second.message_id, second.sha256)
    assert desk.message("confirmation").state == "sent"


def test_an_answer_lost_twice_is_left_to_staff(desk: Desk) -> None:
    confirmed(desk)
    transport = Scripted(LOST, LOST)
    post = courier(desk, transport)

    post.deliver_due(1)
    desk.now = desk.message("confirmation").due_at
    post.deliver_due(1)

    message = desk.message("confirmation")
    assert (message.state, message.reason) == ("uncertain", "the mail server's answer was lost")
    assert len(transport.taken) == 2
    assert transport.taken[0] == transport.taken[1]


def test_a_repeat_that_is_refused_stays_uncertain(desk: Desk) -> None:
    confirmed(desk)
    post = courier(desk, Scripted(LOST, REFUSED))

    post.deliver_due(1)
    desk.now = desk.message("confirmation").due_at
    post.deliver_due(1)

    message = desk.message("confirmation")
    assert (message.state, message.reason) == (
        "uncertain", "the mail server's answer was lost; the repeat failed: the mail server said: 550 no such mailbox")


def test_a_refusal_at_the_dot_is_no_lost_answer(desk: Desk) -> None:
    confirmed(desk)

    courier(desk, Scripted(LATER_AT_DOT)).deliver_due(1)

    message = desk.message("confirmation")
    assert (message.state, message.dot_at) == ("pending", None)


def test_what_may_have_been_sent_counts_as_told(desk: Desk) -> None:
    course_id = confirmed(desk)
    courier(desk, Scripted(LOST)).deliver_due(1)

    desk.move(desk.appointment_ids(course_id)[0], date(2027, 5, 27))
    desk.now = desk.message("confirmation").due_at
    courier(desk).deliver_due(1)

    assert [line.kind for line in desk.lines("confirmation", "change", live=True)] == ["change"]
    message = desk.message("confirmation")
    assert (message.state, message.reason) == (
        "uncertain", "the mail server's answer was lost; not repeated: the dates have changed since")


def test_what_may_be_lost_is_told_once_more_with_the_next_news(desk: Desk, sink: Sink) -> None:
    course_id = confirmed_twice(desk)
    post = courier(desk, smtp(sink))
    post.deliver_due()
    first, second = desk.appointment_ids(course_id)
    desk.move(first, date(2027, 5, 27))
    desk.wait(minutes=3)
    courier(desk, Scripted(LOST), patience=Patience(first_wait=timedelta(hours=1))).deliver_due(1)

    desk.move(second, date(2027, 6, 27))
    desk.wait(minutes=3)
    post.deliver_due()

    assert sorted(line.state for line in desk.lines("change")) == ["pending", "sent"]
    change = desk.message("change").mime or b""
    assert change.count(b"method=REQUEST") == 2
    assert b"2 of your appointments have changed" in change


def test_news_waits_until_it_is_known_whether_the_news_before_it_arrived(desk: Desk, sink: Sink) -> None:
    course_id = confirmed_twice(desk)
    post = courier(desk, smtp(sink))
    post.deliver_due()
    first, second = desk.appointment_ids(course_id)
    desk.move(first, date(2027, 5, 27))
    desk.wait(minutes=3)
    waited: list[tuple[int, str]] = []

    def meanwhile(place: str) -> None:
        if place == "before dot":
            desk.move(second, date(2027, 6, 27))
            desk.wait(minutes=3)
            post.deliver_due()
            waited.append((len(sink.accepted()), desk.message("change").state))

    refuses = Scripted(LATER_AT_DOT, around_dot=meanwhile)
    courier(desk, refuses).deliver_due(1)
    desk.wait(minutes=2)
    post.deliver_due()

    assert waited == [(1, "pending")]
    assert sorted(line.state for line in desk.lines("change")) == ["sent", "superseded"]
    assert (desk.message("change").mime or b"").count(b"method=REQUEST") == 2

def test_an_unreachable_server_uses_up_no_attempt_and_ends_the_round(desk: Desk) -> None:
    confirmed(desk)
    desk.book_course((date(2027, 6, 20),))
    desk.wait(minutes=3)

    done = courier(desk, Scripted(NO_SERVER, NO_SERVER)).deliver_due()

    assert done == Round(0, trouble="connect: Connection refused")
    message = desk.message("confirmation", state="pending", attempts=0)
    assert message.state == "pending"


def test_a_message_that_cannot_be_written_is_set_aside_and_the_others_go(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    confirmed(desk)
    broken = desk.new_patient("jo@example.org")
    with desk.work() as work:
        work.db.get_one(Patient, broken).given_name = "Jo\nhn"
        work.commit()
    desk.book_course((date(2027, 6, 20),), patient_id=broken)
    desk.wait(minutes=3)
    transport = Scripted()
    post = courier(desk, transport, patience=Patience(first_wait=timedelta(seconds=1)))
    caplog.set_level("INFO", "clinic")

    for _ in range(10):
        post.deliver_due()
        desk.wait(minutes=5)

    found = [(line.state, line.reason) for line in desk.lines("confirmation")]
    assert sorted(found, key=str) == [("failed", "our own fault: ValueError"), ("sent", None)]
    assert len(transport.taken) == 1
    assert "hn" not in "".join(JsonLines().format(record) for record in caplog.records)
    assert [record.message for record in caplog.records].count("delivery-failed") == 8


def test_a_lease_that_was_lost_before_the_dot_sends_nothing(desk: Desk) -> None:
    confirmed(desk)

    def take_over(place: str) -> None:
        if place == "before dot":
            desk.set_messages(Message.state == "sending", lease_token="another")

    transport = Scripted(around_dot=take_over)
    courier(desk, transport).deliver_due(1)

    assert transport.taken == []
    assert desk.message("confirmation").state == "sending"
    assert desk.attempts(desk.message("confirmation").id) == [(1, "claimed"), (1, "data")]


def test_a_courier_that_was_asleep_for_its_lease_does_not_send(desk: Desk) -> None:
    confirmed(desk)
    seconds = iter((0.0, 421.0))
    transport = Scripted()

    courier(desk, transport, monotonic=lambda: next(seconds)).deliver_due(1)

    assert transport.taken == []
    assert desk.message("confirmation").state == "pending"


def test_a_late_acceptance_is_kept_although_the_message_was_taken_over(desk: Desk) -> None:
    confirmed(desk)

    def take_over(place: str) -> None:
        if place == "after answer":
            desk.set_messages(Message.state == "sending", lease_token="another")

    courier(desk, Scripted(around_dot=take_over)).deliver_due(1)

    message = desk.message("confirmation")
    assert (message.state, message.lease_token) == ("sent", None)
    with desk.work() as work:
        texts = work.db.scalars(sa.select(MessageAttempt.text).where(MessageAttempt.phase == "dot")).all()
    assert texts == ["late: sent: ok"]


@pytest.mark.parametrize(("place", "copies", "state"), [
    ("after claim", 0, "pending"), ("after freezing", 0, "pending"), ("before dot", 0, "pending"),
    ("after dot", 0, "pending"), ("after answer", 1, "pending"), ("before mark", 1, "pending"),
])
def test_a_crash_costs_at_most_one_true_copy(desk: Desk, place: str, copies: int, state: str) -> None:
    confirmed(desk)
    transport = Scripted(around_dot=crash_at(place))
    post = courier(desk, transport, work=crashing_work(desk, place))

    with pytest.raises(Crash):
        post.deliver_due(1)
    taken_before = len(transport.taken)
    count = rescued(desk)
    waiting = desk.message("confirmation")
    desk.now = max(desk.now, waiting.due_at)
    again = courier(desk, Scripted())
    again.deliver_due(1)

    assert (taken_before, count, waiting.state) == (copies, 1, state)
    assert desk.message("confirmation").state == "sent"
    assert isinstance(again.transport, Scripted)
    assert len(again.transport.taken) == 1
    assert transport.taken in ([], again.transport.taken)


def test_a_living_worker_keeps_what_it_is_sending(desk: Desk) -> None:
    confirmed(desk)
    with pytest.raises(Crash):
        courier(desk, Scripted(around_dot=crash_at("before dot"))).deliver_due(1)

    assert rescued(desk, after=timedelta(seconds=60)) == 0
    assert rescued(desk, after=timedelta(seconds=1)) == 1


def test_a_worker_whose_heartbeat_is_late_does_not_take_over_from_itself(desk: Desk) -> None:
    confirmed(desk)
    with pytest.raises(Crash):
        courier(desk, Scripted(around_dot=crash_at("before dot"))).deliver_due(1)

    assert rescued(desk, by="worker-1") == 0
    assert rescued(desk, by="worker-2") == 1


def test_a_lease_that_ran_out_is_taken_over_even_from_a_living_worker(desk: Desk) -> None:
    confirmed(desk)
    with pytest.raises(Crash):
        courier(desk, Scripted(around_dot=crash_at("before dot"))).deliver_due(1)
    desk.now += timedelta(seconds=1081)
    with desk.work() as work:
        work.db.execute(sa.update(WorkerRow).values(heartbeat_at=desk.now))
        work.commit()

    assert rescued(desk, after=timedelta(0)) == 1


def test_a_message_that_kills_every_worker_lets_the_others_pass_and_is_set_aside(desk: Desk) -> None:
    confirmed(desk)
    deaths = 0

    while desk.message("confirmation").state == "pending":
        desk.now = max(desk.now, desk.message("confirmation").due_at)
        with pytest.raises(Crash):
            courier(desk, work=crashing_work(desk, "after claim")).deliver_due(1)
        deaths += 1
        rescued(desk)

    message = desk.message("confirmation")
    assert deaths == 8
    assert (message.state, message.reason) == ("failed", "no worker survived it in 8 attempts")


def test_a_message_that_was_frozen_for_an_old_address_is_written_anew(desk: Desk) -> None:
    confirmed(desk)
    transport = Scripted(LATER)
    courier(desk, transport).deliver_due(1)
    desk.set_patient(email="maria@new.example")
    with desk.work() as work:
        reconcile_patient(work, desk.patient_id)
        work.commit()

    desk.wait(minutes=2)
    courier(desk, transport).deliver_due()

    found = [(line.state, line.reason) for line in desk.lines("confirmation")]
    assert sorted(found) == [("sent", None), ("superseded", "the e-mail address has changed")]
    assert desk.message("confirmation").recipient == "maria@new.example"


def test_couriers_side_by_side_send_each_message_once(desk: Desk, sink: Sink) -> None:
    all_confirmed(desk, 12)
    couriers = [courier(desk, smtp(sink)) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        rounds = list(pool.map(lambda each: each.deliver_due(), couriers))

    assert sum(each.done for each in rounds) == 12
    assert len(sink.accepted()) == len({each.message_id for each in sink.accepted()}) == 12
    assert [line.state for line in desk.lines() if line.due_at <= desk.now] == ["sent"] * 12


@pytest.mark.parametrize(("outcome", "attempts"), [
    (Outcome(OutcomeKind.RETRY, Phase.RCPT, 421, "closing"), 1),
    (Outcome(OutcomeKind.RETRY, Phase.DOT, 421, "shutting down"), 1),
    (Outcome(OutcomeKind.RETRY, Phase.MAIL, 452, "disk full"), 0),
])
def test_a_server_that_sends_us_away_ends_the_round_and_the_attempt_counts_once_a_patient_was_named(
    desk: Desk, outcome: Outcome, attempts: int
) -> None:
    confirmed(desk)

    done = courier(desk, Scripted(outcome)).deliver_due()

    assert (done.done, done.in_trouble) == (0, True)
    message = desk.message("confirmation")
    assert (message.state, message.attempts, message.due_at) == (
        "pending", attempts, desk.now + timedelta(minutes=1))


def test_in_no_minute_more_leaves_than_the_mail_server_takes(desk: Desk) -> None:
    all_confirmed(desk, 5)
    limited = courier(desk, per_minute=2)

    sent = []
    for _ in range(4):
        sent.append(limited.deliver_due().done)
        desk.wait(seconds=61)

    assert sent == [2, 2, 1, 0]


def test_couriers_side_by_side_share_one_limit(desk: Desk) -> None:
    all_confirmed(desk, 6)
    couriers = [courier(desk, Scripted(), per_minute=3) for _ in range(3)]

    with ThreadPoolExecutor(3) as threads:
        rounds = list(threads.map(lambda each: each.deliver_due(), couriers))

    assert sum(each.done for each in rounds) == 3


def test_after_an_outage_what_keeps_patients_safe_goes_first_and_news_last(desk: Desk) -> None:
    all_confirmed(desk, 3)
    with desk.work() as work:
        first, second, third = work.db.scalars(
            sa.select(Message).join(MessageItem, MessageItem.message_id == Message.id)
            .where(MessageItem.kind == "confirmation").order_by(Message.id))
        first.priority, third.priority = Priority.NEWS, Priority.SAFETY
        ids = [third.id, second.id, first.id]
        work.commit()

    courier(desk).deliver_due()

    with desk.work() as work:
        claims = work.db.scalars(sa.select(MessageAttempt.message_id).where(MessageAttempt.phase == "claimed")
                                 .order_by(MessageAttempt.id)).all()
    assert claims == ids


def test_every_move_that_delivery_makes_is_in_the_table() -> None:
    made = {
        MessageState.PENDING: {MessageState.SENDING},
        MessageState.SENDING: {MessageState.SENT, MessageState.PENDING, MessageState.UNCERTAIN, MessageState.FAILED,
                               MessageState.SUPERSEDED, MessageState.EXPIRED, MessageState.WITHHELD},
        MessageState.UNCERTAIN: {MessageState.SENT},
    }

    assert [(state, move) for state, moves in made.items() for move in moves if move not in MESSAGE_MOVES[state]] == []


def crash_at(place: str) -> Callable[[str], None]:
    def crash(here: str) -> None:
        if here == place:
            raise Crash(place)

    return crash


def crashing_work(desk: Desk, place: str) -> Callable[[], UnitOfWork]:
    """Units of work of which one is never opened: the process is dead by then."""
    dies_at = {"after claim": 2, "after freezing": 3, "before mark": 4}.get(place, 99)
    opened = iter(range(1, 99))

    def open_work() -> UnitOfWork:
        if next(opened) == dies_at:
            raise Crash(place)
        return desk.work()

    return open_work
