"""How a message in somebody's hands comes to rest: settled, or put back to wait for its next turn."""
from __future__ import annotations

from datetime import datetime

from clinic.care.states import MessageState
from clinic.services.work import UnitOfWork
from clinic.store.outbox import Message

LOST_ANSWER = "the mail server's answer was lost"
TO_READ = "read it before it goes"
"""How the reason of a message ends that a person has to read first."""


def settle_unsent(work: UnitOfWork, message: Message, state: MessageState, reason: str | None) -> None:
    """Settles a message that is not to be sent now; one that may have gone out before stays in sight as such."""
    if message.dot_at is None:
        settle(work, message, state, reason)
    else:
        settle(work, message, MessageState.UNCERTAIN, f"{LOST_ANSWER}; not repeated: {reason}")


def settle(work: UnitOfWork, message: Message, state: MessageState, reason: str | None) -> None:
    """Gives a message its last state, with the reason, and ends the lease."""
    message.state, message.reason, message.settled_at = state.value, reason, work.now
    message.lease_token = message.lease_until = message.worker_id = None


def hold(message: Message, reason: str) -> None:
    """Lets a message that has not begun to leave wait until a person has read it; no attempt is used."""
    message.attempts -= 1
    message.state, message.reason = MessageState.HELD.value, reason
    message.lease_token = message.lease_until = message.worker_id = None


def put_back(message: Message, due_at: datetime, reason: str | None) -> None:
    """Lets a message wait until then, and ends the lease."""
    message.state, message.due_at, message.reason = MessageState.PENDING.value, due_at, reason
    message.lease_token = message.lease_until = message.worker_id = None
