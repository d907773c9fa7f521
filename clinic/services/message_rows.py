"""One message in a person's hands: its rows locked, with what it says now."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import sqlalchemy as sa

from clinic.care.owed import OwedItem, messages_owed
from clinic.care.owner_facts import Owner, OwnerKind, owner_named
from clinic.planning.findings import Finding, Weight
from clinic.queries.letters import LetterFacts, letter_facts
from clinic.queries.owner_facts import OwnerHead, owner_facts, owner_head, said_alike
from clinic.services.work import NotFound, Refused, UnitOfWork
from clinic.store.accounts import Account
from clinic.store.claims import lock_owner
from clinic.store.outbox import Message, MessageItem

_OF_PATIENTS = frozenset(get_args(OwnerKind))


@dataclass(frozen=True, slots=True)
class InHand:
    """A message and what it says, locked with the owners of what it says until the unit of work ends."""

    message: Message
    items: Sequence[MessageItem]

    @property
    def owners(self) -> list[Owner]:
        """The courses, maintenance plans and visits that it is about; none for what goes to others than patients."""
        named = {(row.owner_kind, row.owner_id) for row in self.items if row.owner_kind in _OF_PATIENTS}
        return [owner_named(*each) for each in sorted(named)]


@dataclass(frozen=True, slots=True)
class Said:
    """What a message says about one owner as things stand: each item with its row."""

    head: OwnerHead
    facts: LetterFacts
    items: tuple[tuple[MessageItem, OwedItem], ...]


def in_hand(work: UnitOfWork, message_ids: Sequence[int]) -> list[InHand]:
    """These messages, locked after their owners and each in the order of its id, as delivery locks them."""
    rows: dict[int, list[MessageItem]] = {ident: [] for ident in sorted(set(message_ids))}
    for row in work.db.scalars(
            sa.select(MessageItem).where(MessageItem.message_id.in_(rows)).order_by(MessageItem.id)):
        rows[row.message_id].append(row)
    owners = {(row.owner_kind, row.owner_id) for each in rows.values() for row in each}
    for kind, ident in sorted(owners):
        if kind in _OF_PATIENTS:
            lock_owner(work.db, owner_named(kind, ident))
    messages = work.db.scalars(
        sa.select(Message).where(Message.id.in_(rows)).order_by(Message.id)
        .with_for_update().execution_options(populate_existing=True)).all()
    if len(messages) != len(rows):
        raise NotFound(f"messages {sorted(set(rows) - {message.id for message in messages})}")
    return [InHand(message, rows[message.id]) for message in messages]


def said_now(work: UnitOfWork, held: InHand) -> list[Said]:
    """What the message would say if it were read out now, owner by owner; nothing of what is not true any more."""
    alike = said_alike(work.db, (held.message.id,))
    found = []
    for owner in held.owners:
        head = owner_head(work.db, owner)
        if head is None:
            continue
        owed = {item.key: item for item in messages_owed(
            owner_facts(work.db, head, leaving_out=alike), now=work.now)}
        items = tuple((row, owed[key]) for row in held.items
                      if (key := (row.kind, row.subject_kind, row.subject_id, row.revision)) in owed)
        if items:
            found.append(Said(head, letter_facts(work.db, head), items))
    return found


def actor_name(work: UnitOfWork) -> str:
    """Who acts, as the page of a message says it."""
    name = work.db.scalar(sa.select(Account.name).where(Account.id == work.actor.account_id))
    return name or work.actor.name


def refused(code: str, text: str, field: str | None = None) -> Refused:
    """A refusal for one reason."""
    return Refused((Finding(code, Weight.BLOCKS, text, field),))
