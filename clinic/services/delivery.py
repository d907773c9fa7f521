"""Delivers the messages that are due: claim, check again, freeze, hand over, record; and takes over from the dead.

No transaction is open while the mail server is spoken to. Every step that records something does so only while the
lease holds the message, so whoever comes late changes nothing. What may have reached the server is repeated once,
byte for byte; after that it is left to staff. Each commit waits for the disk, so a message has three: frozen, about to
end, and what became of it together with the claim of the next.
"""
from __future__ import annotations

import logging
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from clinic.care.repeats import goes_once_more
from clinic.care.states import MessageState
from clinic.logs import told
from clinic.messages.return_path import ReturnPath
from clinic.messages.transport import Outcome, OutcomeKind, Phase, Transport
from clinic.services.bounces import take_refusal
from clinic.services.correspondence import Correspondents
from clinic.services.correspondents import CORRESPONDENTS
from clinic.services.recheck import freeze
from clinic.services.settling import LOST_ANSWER, put_back, settle
from clinic.services.work import UnitOfWork
from clinic.store.claims import abandoned, begin_dot, claim_next, copies_out, has_room, held_by, note_step, said_in
from clinic.store.outbox import Message, MessageAttempt

_SERVER_TROUBLE = frozenset({Phase.CONNECT, Phase.TLS, Phase.AUTH})
_AWAY = 1.0
"""Seconds until a database that was away is asked again."""
_log = logging.getLogger(__name__)

_GO_AWAY = 421


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait before a message is tried again, how often it is tried before it is set aside for staff,
    and after which silence a worker counts as dead."""

    first_wait: timedelta = timedelta(minutes=1)
    longest_wait: timedelta = timedelta(hours=1)
    most_attempts: int = 8
    dead_after: timedelta = timedelta(seconds=60)

    def wait(self, attempts: int, chance: float) -> timedelta:
        """Doubles with each attempt up to the longest, and spreads by a quarter either way."""
        whole = min(self.first_wait * 2 ** min(max(attempts - 1, 0), 10), self.longest_wait)
        return timedelta(seconds=round(whole.total_seconds() * (0.75 + chance / 2)))


@dataclass(frozen=True, slots=True)
class Round:
    """One round of deliveries: how many messages were dealt with, what trouble with the mail server ended it, and
    whether the server took or refused one before that: only then is an earlier trouble over."""

    done: int
    trouble: str | None = None
    is_answered: bool = False

    @property
    def in_trouble(self) -> bool:
        """Whether the mail server is better left alone for a while."""
        return self.trouble is not None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to deliver one message until the lease ends; `begun_at` is this process's monotonic clock."""

    message_id: int
    lease_token: str
    number: int
    begun_at: float


@dataclass(frozen=True, slots=True)
class Courier:
    """Delivers for one worker.

    `budget` is what must be left of the lease when the dot is sent: the longest wait for its answer, and a margin.
    `per_minute` is the most that all workers of the database send in a minute, where the mail server takes no more.
    `base_url` is where our pages are; without it messages carry no links. `return_path` makes the address that what
    cannot be delivered comes back to.
    """

    work: Callable[[], UnitOfWork]
    transport: Transport
    worker_id: str
    budget: float = 660.0
    lease_for: timedelta = timedelta(seconds=1080)
    per_minute: int | None = None
    patience: Patience = Patience()
    correspondents: Correspondents = field(default_factory=lambda: CORRESPONDENTS)
    monotonic: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = field(default=random.random)
    base_url: str | None = None
    return_path: ReturnPath | None = None

    def deliver_due(self, most: int = 50, *, stopping: Callable[[], bool] = lambda: False) -> Round:
        """Delivers what is due, most urgent and longest due first, over one connection.

        Ends when nothing is due, at `most` or the most of a minute, when the mail server is in trouble, or when
        `stopping` says so.
        """
        done, is_answered = 0, False
        with self.transport.connection():
            claim = self._claim_next() if most > 0 and not stopping() else None
            while claim is not None:
                outcome = self._deliver(claim)
                if outcome is not None and _is_trouble(outcome):
                    self._record(claim, outcome, claims_next=False)
                    return Round(done, f"{outcome.phase}: {_words(outcome)}", is_answered)
                done += 1
                goes_on = done < most and not stopping()
                if outcome is None:
                    claim = self._claim_next() if goes_on else None
                    continue
                is_answered = True
                following = self._record(claim, outcome, claims_next=goes_on)
                if outcome.kind is OutcomeKind.FAILED and outcome.phase is Phase.RCPT:
                    with self.work() as work:
                        take_refusal(work, claim.message_id, f"{outcome.code} {outcome.text}")
                claim = following
        return Round(done, is_answered=is_answered)

    def _claim_next(self) -> Claim | None:
        """The most urgent message, and of those the one due longest; none where nothing is due or no more may go."""
        with self.work() as work:
            claim = _claim(work, self)
            work.commit()
        return claim

    def _deliver(self, claim: Claim) -> Outcome | None:
        """Hands the message over and says what became of it; none where it is settled, or waits, without that."""
        outcome: Outcome | None = None
        try:
            frozen = freeze(
                self.work, claim.message_id, claim.lease_token, self.correspondents, base_url=self.base_url,
                return_path=self.return_path)
            if frozen is not None:
                outcome = self.transport.deliver(
                    frozen.sender, frozen.recipient, frozen.mime, before_dot=lambda: self._begin(claim))
        except Exception as error:  # one message must never stop the others, whatever is wrong with it
            _say("delivery-failed", claim.message_id, attempt=claim.number, error=told(error))
            outcome = outcome or Outcome(OutcomeKind.RETRY, Phase.DATA, None, f"our own fault: {type(error).__name__}")
        return outcome

    def _record(self, claim: Claim, outcome: Outcome, *, claims_next: bool) -> Claim | None:
        """Writes down what became of a delivery, however often the database is away until the lease ends; with
        `claims_next` the next message is claimed in the same commit.

        What the mail server said is known only here: forgetting it would cost the patient a second copy. So no claim
        is tried again. As it may have been made all the same, the error is raised once all is written down.
        """
        lost: DBAPIError | None = None
        while True:
            try:
                with self.work() as work:
                    _finish(work, self, claim, outcome)
                    following = _claim(work, self) if claims_next and lost is None else None
                    work.commit()
                break
            except DBAPIError as error:
                is_away = isinstance(error, (OperationalError, InterfaceError))
                if self.monotonic() - claim.begun_at > self.lease_for.total_seconds() or not (
                        is_away or (claims_next and lost is None)):
                    raise
                lost = error
                if is_away:
                    _say("database-away", claim.message_id, attempt=claim.number)
                    self.pause(_AWAY)
        if lost is not None and claims_next:
            raise lost
        return following

    def _begin(self, claim: Claim) -> bool:
        """Notes that the end of the message is about to be sent; False where the lease is not ours any more."""
        if self.monotonic() - claim.begun_at > self.lease_for.total_seconds() - self.budget:
            return False
        with self.work() as work:
            if not begin_dot(work.db, claim.message_id, claim.lease_token, work.now):
                return False
            _note(work, self.worker_id, claim, "begun")
            work.commit()
        return True


def rescue(
    work: UnitOfWork, *, worker_id: str, patience: Patience = Patience(), is_sending: bool = True
) -> int:
    """Takes messages from workers that died or let their lease run out; how many.

    With `is_sending` False also from the worker that asks: it has none in hand, and lost track of what it held.
    """
    found = abandoned(work.db, work.now, patience.dead_after, asked_by=worker_id, is_sending=is_sending)
    for message in found:
        note_step(work.db, message.id, message.attempts, "rescued", at=work.now, worker_id=worker_id,
                  text="its worker was not heard of again")
        if copies_out(work.db, message.id) > 0:
            _after_lost_answer(work, message, patience, patience.first_wait)
        elif message.attempts >= patience.most_attempts:
            settle(work, message, MessageState.FAILED, f"no worker survived it in {message.attempts} attempts")
        else:
            # A message that kills its workers must let the others pass before it is tried again.
            again_at = work.now + patience.first_wait * (message.attempts - 1)
            put_back(message, max(message.due_at, again_at) if message.attempts > 1 else message.due_at, None)
        _say("message-rescued", message.id, state=message.state, attempt=message.attempts)
    work.commit()
    return len(found)


def _claim(work: UnitOfWork, courier: Courier) -> Claim | None:
    begun_at = courier.monotonic()
    if courier.per_minute is not None and not has_room(work.db, work.now, courier.per_minute):
        return None
    lease_token = secrets.token_hex(16)
    found = claim_next(work.db, work.now, worker_id=courier.worker_id, lease_token=lease_token,
                       lease_until=work.now + courier.lease_for)
    if found is None:
        return None
    message_id, number = found
    claim = Claim(message_id, lease_token, number, begun_at)
    _note(work, courier.worker_id, claim, "claimed")
    return claim


def _finish(work: UnitOfWork, courier: Courier, claim: Claim, outcome: Outcome) -> None:
    """Records what became of a delivery, if the lease still holds the message."""
    message = held_by(work.db, claim.message_id, claim.lease_token)
    if message is None and _was_noted(work, courier, claim, outcome):
        return  # the database had it all, and only its answer was lost
    late = "" if message is not None else "late: "
    _note(work, courier.worker_id, claim, outcome.phase.value, outcome.code, f"{late}{outcome.kind}: {outcome.text}")
    if message is None:
        _finish_late(work, claim, outcome)
        return
    wait = courier.patience.wait(message.attempts, courier.jitter())
    if outcome.kind is OutcomeKind.SENT:
        settle(work, message, MessageState.SENT, None)
    elif outcome.kind is OutcomeKind.UNCERTAIN or (outcome.code is None and _has_begun(work, claim)):
        _after_lost_answer(work, message, courier.patience, wait)
    elif outcome.kind is OutcomeKind.RETRY and outcome.phase in _SERVER_TROUBLE:
        # The server's trouble is not the message's: an outage must not use up its attempts.
        message.attempts -= 1
        put_back(message, message.due_at, _words(outcome))
    elif outcome.kind is OutcomeKind.RETRY and outcome.phase is Phase.MAIL:
        # Nor is what is said before a recipient is named; but should it be, the others go first now.
        message.attempts -= 1
        put_back(message, work.now + wait, _words(outcome))
    else:
        _after_refusal(work, message, outcome, courier.patience, wait)
    _say("message-delivered", message.id, state=message.state, attempt=claim.number, phase=outcome.phase.value)


def _finish_late(work: UnitOfWork, claim: Claim, outcome: Outcome) -> None:
    """Someone else has taken the message over; that the server has it is worth knowing all the same."""
    if outcome.kind is not OutcomeKind.SENT:
        return
    message = work.db.scalar(
        sa.select(Message).where(
            Message.id == claim.message_id,
            Message.state.in_((MessageState.PENDING, MessageState.SENDING, MessageState.UNCERTAIN)),
        ).with_for_update())
    if message is not None:
        settle(work, message, MessageState.SENT, None)


def _after_lost_answer(work: UnitOfWork, message: Message, patience: Patience, wait: timedelta) -> None:
    """Once more with the same bytes, where a missing message is worse than a repeated one; then staff decide."""
    may_repeat = goes_once_more(said_in(work.db, message.id)) and message.attempts < patience.most_attempts
    if copies_out(work.db, message.id) > 1 or not may_repeat:
        settle(work, message, MessageState.UNCERTAIN, LOST_ANSWER)
    else:
        put_back(message, work.now + wait, f"{LOST_ANSWER}; it goes once more, unchanged")


def _after_refusal(
    work: UnitOfWork, message: Message, outcome: Outcome, patience: Patience, wait: timedelta
) -> None:
    """The server certainly has not taken this attempt; an earlier one it may have."""
    may_be_out = copies_out(work.db, message.id) > 0
    if not may_be_out:
        message.dot_at = None
    if outcome.kind is not OutcomeKind.FAILED and message.attempts < patience.most_attempts:
        # The last try comes when the message is about to lose its use, however long the wait.
        put_back(message, min(work.now + wait, max(message.useless_after, work.now)), _words(outcome))
    elif may_be_out:
        settle(work, message, MessageState.UNCERTAIN, f"{LOST_ANSWER}; the repeat failed: {_words(outcome)}")
    else:
        settle(work, message, MessageState.FAILED, _words(outcome))


def _has_begun(work: UnitOfWork, claim: Claim) -> bool:
    return work.db.scalar(
        sa.select(MessageAttempt.id).where(
            MessageAttempt.message_id == claim.message_id, MessageAttempt.number == claim.number,
            MessageAttempt.phase == "begun").limit(1)) is not None


def _is_trouble(outcome: Outcome) -> bool:
    """Whether the next message would fare no better: what ends before a recipient is named, or with "go away"."""
    before_recipient = outcome.phase in _SERVER_TROUBLE or outcome.phase is Phase.MAIL
    return outcome.kind is OutcomeKind.RETRY and (before_recipient or outcome.code == _GO_AWAY)


def _was_noted(work: UnitOfWork, courier: Courier, claim: Claim, outcome: Outcome) -> bool:
    return work.db.scalar(
        sa.select(MessageAttempt.id).where(
            MessageAttempt.message_id == claim.message_id, MessageAttempt.number == claim.number,
            MessageAttempt.worker_id == courier.worker_id, MessageAttempt.phase == outcome.phase.value,
        ).limit(1)) is not None


def _words(outcome: Outcome) -> str:
    return f"the mail server said: {outcome.code} {outcome.text}" if outcome.code else outcome.text


def _note(
    work: UnitOfWork, worker_id: str, claim: Claim, phase: str, code: int | None = None, text: str = ""
) -> None:
    note_step(work.db, claim.message_id, claim.number, phase, at=work.now, worker_id=worker_id, code=code, text=text)


def _say(action: str, message_id: int, **facts: object) -> None:
    _log.info(action, extra={"facts": {"message_id": message_id, **facts}})
