"""What one message says, owner by owner, as things stand; and what else goes to the same patient in the same e-mail.

A patient with two courses gets one e-mail where two would follow each other within the hour. Patients who share an
address are never put together: each message is one patient's.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.message_kinds import SCHEDULE
from clinic.care.owed import OwedItem, messages_owed, why_no_longer
from clinic.care.owner_facts import Owner, owner_named
from clinic.care.quiet import is_quiet
from clinic.care.states import MessageState
from clinic.care.together import MOST, SOON, may_go_now, may_share
from clinic.queries.letters import LetterFacts, letter_facts
from clinic.queries.owner_facts import OwnerHead, owner_facts, owner_head, said_alike
from clinic.services.reconcile import TOO_LATE
from clinic.services.translations import is_approved, unread
from clinic.services.work import UnitOfWork
from clinic.store.claims import lock_owner
from clinic.store.outbox import Message, MessageAttempt, MessageItem


@dataclass(frozen=True, slots=True)
class Share:
    """What a message says of one owner: each of its rows with what is owed. It `waits` where it tells dates of which
    another message is just being sent: the later must not overtake the earlier, which may turn out to be lost."""

    head: OwnerHead
    said: tuple[tuple[MessageItem, OwedItem], ...]
    waits: bool = False

    @property
    def items(self) -> list[OwedItem]:
        """What is said, without the rows."""
        return [item for _, item in self.said]


ShareInFull = tuple[LetterFacts, Share]
"""A share with everything that its letter may say."""


def items_of(db: Session, message_id: int) -> Sequence[MessageItem]:
    """What a message says, in the order in which it was put together."""
    return db.scalars(_items_of(), {"message_id": message_id}).all()


def shares_of(work: UnitOfWork, message: Message, rows: Sequence[MessageItem]) -> list[Share]:
    """The rows that are owed under the same key, owner by owner; the others are dropped, with the reason."""
    found = []
    alike = said_alike(work.db, (message.id,))
    for owner in dict.fromkeys(map(owner_of, rows)):
        own = [row for row in rows if owner_of(row) == owner and (row.dropped is None or len(rows) == 1)]
        head = owner_head(work.db, owner)
        if head is None:
            for row in own:
                row.dropped = "no longer true"
            continue
        facts = owner_facts(work.db, head, leaving_out=alike)
        owed = {item.key: item for item in messages_owed(facts, now=work.now)}
        said = []
        for row in own:
            item = owed.get(_key(row))
            if item is None:
                row.dropped = why_no_longer(facts, *_key(row))
            elif item.useless_after < work.now:
                row.dropped = TOO_LATE
            else:
                said.append((row, item))
        if said:
            waits = facts.is_being_told and any(item.kind in SCHEDULE for _, item in said)
            found.append(Share(head, tuple(said), waits))
    return found


def in_full(work: UnitOfWork, shares: Sequence[Share]) -> list[ShareInFull]:
    """The shares with what their letters may say."""
    return [(letter_facts(work.db, share.head), share) for share in shares]


def with_what_goes_along(work: UnitOfWork, message: Message, full: list[ShareInFull]) -> list[ShareInFull]:
    """The shares, and those of the patient's other messages that are due within the hour: they become part of this one,
    in which news of dates comes first.

    Only what was never tried, what nobody looked at or decided about, and what needs nobody to read it first. Nothing
    is taken along in quiet hours.
    """
    shares = [share for _, share in full]
    if is_quiet(work.now, shares[0].head.quiet) or message.note or not _may_share(shares):
        return full
    found = list(full)
    for ident in _others(work, message):
        rows = items_of(work.db, ident)
        # Whoever holds an owner's row may be changing what is to be said: that goes by itself, a little later.
        if rows and all(lock_owner(work.db, owner, skip_locked=True) for owner in set(map(owner_of, rows))):
            found += _taken_along(work, message, ident, rows)
    return sorted(found, key=lambda each: not any(item.kind in SCHEDULE for item in each[1].items))


def unread_of(work: UnitOfWork, full: Sequence[ShareInFull]) -> str | None:
    """Why somebody has to read these shares before they go; none where all they say is approved in its language."""
    for facts, share in full:
        if not is_approved(work.db, facts, share.items, now=work.now):
            return unread(facts.language)
    return None


def owner_of(row: MessageItem) -> Owner:
    """Whose item it is."""
    return owner_named(row.owner_kind, row.owner_id)


def _taken_along(work: UnitOfWork, message: Message, ident: int, rows: Sequence[MessageItem]) -> list[ShareInFull]:
    other = work.db.scalar(
        sa.select(Message).where(Message.id == ident, *_untouched())
        .with_for_update(skip_locked=True).execution_options(populate_existing=True), {"now": work.now})
    if other is None or len(shares := shares_of(work, other, rows)) == 0:
        return []
    items = [item for share in shares for item in share.items]
    if len(items) != len(rows) or not all(may_go_now(item, work.now) for item in items) or not _may_share(shares):
        return []
    if any(share.waits for share in shares):
        return []
    full = in_full(work, shares)
    if unread_of(work, full) is not None:
        return []
    for row in rows:
        row.message_id = message.id
    message.useless_after = max(message.useless_after, other.useless_after)
    message.priority = min(message.priority, other.priority)
    work.db.flush()
    work.db.delete(other)
    work.db.flush()
    return full


def _may_share(shares: Sequence[Share]) -> bool:
    return may_share([item.kind for share in shares for item in share.items])


def _others(work: UnitOfWork, message: Message) -> Sequence[int]:
    return work.db.scalars(_others_of(), {
        "patient_id": message.patient_id, "clinic_id": message.clinic_id, "message_id": message.id,
        "soon": work.now + SOON, "now": work.now}).all()


@cache
def _items_of() -> sa.Select[Any]:
    return sa.select(MessageItem).where(MessageItem.message_id == sa.bindparam("message_id")).order_by(MessageItem.id)


@cache
def _others_of() -> sa.Select[int]:
    tried = sa.exists().where(MessageAttempt.message_id == Message.id)
    return (
        sa.select(Message.id)
        .where(Message.patient_id == sa.bindparam("patient_id"), Message.clinic_id == sa.bindparam("clinic_id"),
               Message.id != sa.bindparam("message_id"), Message.due_at <= sa.bindparam("soon"), ~tried, *_untouched())
        .order_by(Message.due_at, Message.id).limit(MOST))


@cache
def _untouched() -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Message.state == MessageState.PENDING, Message.attempts == 0, Message.dot_at.is_(None), Message.mime.is_(None),
        Message.decision.is_(None), Message.note.is_(None), Message.looked_at.is_(None), Message.hastened_at.is_(None),
        Message.useless_after > sa.bindparam("now"),
        ~sa.exists().where(MessageItem.message_id == Message.id,
                           MessageItem.owner_kind.not_in(("course", "maintenance-plan", "appointment"))),
    )


def _key(row: MessageItem) -> tuple[str, str, int, int]:
    return (row.kind, row.subject_kind, row.subject_id, row.revision)
