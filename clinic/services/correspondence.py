"""How an owner that is no course, upkeep or visit answers for its messages just before they leave.

Everything goes through the one outbox: a message to a subscriber, to an account or to a patient who asked for a link is
a `Message` with `MessageItem` rows whose `owner_kind` is `subscriber`, `account` or `patient`, inserted by whoever
owes it (its unique key keeps it from being said twice). The worker claims it like any other. Then, in one short
transaction, `recheck.freeze` asks the correspondent of its owner kind, in this order:

1. `lock` each owner, so that nothing about it changes until the message is frozen or settled;
2. `answer`: does it still go, and to which address (`Goes`); later (`Waits`, no attempt is used); or never (`Stays`,
   with one of the states superseded, expired, withheld and a reason in a few words);
3. `write`, at most once for each message: the bytes are frozen and the same ones leave in every attempt.

A correspondent never commits, never sends and keeps nothing between two calls. All items of one message have the same
owner kind. The use of a message ends with its `useless_after` without its correspondent being asked. Whether it may be
repeated after a lost answer is said of its kind in `clinic/care/repeats.py`. Add yours to `correspondents.py`.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from clinic.care.states import MessageState
from clinic.services.letters import Written
from clinic.services.work import UnitOfWork
from clinic.store.outbox import Message, MessageItem


@dataclass(frozen=True, slots=True)
class Goes:
    """The message is still true and goes to this address."""

    to: str


@dataclass(frozen=True, slots=True)
class Waits:
    """The message is still true, and its time has not come."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Stays:
    """The message never goes as it is."""

    state: MessageState
    reason: str


Answer = Goes | Waits | Stays


class Correspondent(Protocol):
    """Answers for the messages of one kind of owner."""

    def lock(self, db: Session, owner_id: int) -> bool:
        """Locks the owner's row until the transaction ends; False where it is not there any more."""

    def answer(self, work: UnitOfWork, message: Message, items: Sequence[MessageItem]) -> Answer:
        """Whether the message still goes, and where to; may note in `dropped` what it says no longer."""

    def write(
        self, work: UnitOfWork, message: Message, items: Sequence[MessageItem], *, identity: str, base_url: str | None
    ) -> Written:
        """The message's bytes; `identity` is what its Message-ID is made from, `base_url` where our pages are, for the
        links in it. May keep in `facts` what it told.

        Raises ValueError where the address cannot be written to.
        """


Correspondents = Mapping[str, Correspondent]
