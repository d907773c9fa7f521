"""Asks of a claimed message, just before it leaves, whether it is still true; and freezes the bytes of one that is.

Whatever happened since it was written down counts: nothing leaves for a time that no longer holds.
"""
from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from clinic.care.owed import OwedItem, messages_owed, why_no_longer
from clinic.care.owner_facts import Owner, owner_named
from clinic.care.quiet import hastened
from clinic.care.states import MessageState
from clinic.messages.envelope import check_address
from clinic.queries.letters import LetterFacts, letter_facts
from clinic.queries.owner_facts import OwnerHead, owner_facts, owner_head, said_alike
from clinic.services.correspondence import Correspondent, Correspondents, Stays, Waits
from clinic.services.letters import Written, kept_of, write
from clinic.services.links import link_for
from clinic.services.reconcile import TOO_LATE, reconcile
from clinic.services.settling import put_back, settle_unsent
from clinic.services.work import UnitOfWork
from clinic.store.claims import held_by, lock_owner
from clinic.store.outbox import Message, MessageItem


@dataclass(frozen=True, slots=True)
class Frozen:
    """What is handed over: who to whom, and the bytes."""

    sender: str
    recipient: str
    mime: bytes


def freeze(
    open_work: Callable[[], UnitOfWork], message_id: int, lease_token: str, correspondents: Correspondents, *,
    base_url: str | None = None
) -> Frozen | None:
    """The bytes of a message that is still true, rendered at most once; none where it is settled without sending.

    `base_url` is where our pages are: the message gets a link of its own to the patient's page there.
    """
    with open_work() as work:
        rows = work.db.scalars(
            sa.select(MessageItem).where(MessageItem.message_id == message_id).order_by(MessageItem.id)).all()
        correspondent = correspondents.get(rows[0].owner_kind) if rows else None
        if correspondent is not None:
            frozen = _of_correspondent(work, correspondent, message_id, lease_token, rows, base_url)
        else:
            for owner in sorted({_owner(row) for row in rows}, key=lambda owner: (owner.kind, owner.id)):
                lock_owner(work.db, owner)
            message = held_by(work.db, message_id, lease_token)
            frozen = _checked(work, message, rows, base_url) if message is not None else None
        work.commit()
    return frozen


def _of_correspondent(
    work: UnitOfWork, correspondent: Correspondent, message_id: int, lease_token: str, rows: Sequence[MessageItem],
    base_url: str | None
) -> Frozen | None:
    is_there = all(correspondent.lock(work.db, owner_id) for owner_id in sorted({row.owner_id for row in rows}))
    message = held_by(work.db, message_id, lease_token)
    if message is None:
        return None
    if message.useless_after < work.now:
        settle_unsent(work, message, MessageState.EXPIRED, TOO_LATE)
        return None
    answer = correspondent.answer(work, message, rows) if is_there else Stays(
        MessageState.SUPERSEDED, "no longer true")
    if isinstance(answer, Stays):
        settle_unsent(work, message, answer.state, answer.reason)
        return None
    if isinstance(answer, Waits):
        message.attempts -= 1
        put_back(message, answer.until, message.reason)
        return None
    try:
        address = check_address(answer.to)
    except ValueError as error:
        settle_unsent(work, message, MessageState.WITHHELD, str(error))
        return None
    if message.mime is None:
        _keep(message, correspondent.write(
            work, message, rows, identity=_identity(message, rows), base_url=base_url))
    elif message.recipient != address:
        settle_unsent(work, message, MessageState.SUPERSEDED, "the e-mail address has changed")
        return None
    return _frozen_of(message)


def _checked(
    work: UnitOfWork, message: Message, rows: Sequence[MessageItem], base_url: str | None
) -> Frozen | None:
    if message.useless_after < work.now:
        settle_unsent(work, message, MessageState.EXPIRED, TOO_LATE)
        return None
    head = owner_head(work.db, _owner(rows[0])) if rows else None
    if head is None:
        settle_unsent(work, message, MessageState.SUPERSEDED, "no longer true")
        return None
    items = _still_owed(work, head, message, rows)
    if not items:
        settle_unsent(work, message, MessageState.SUPERSEDED, next(row.dropped for row in rows if row.dropped))
        return None
    withheld = next((item.withheld for item in items if item.withheld), None)
    if withheld:
        settle_unsent(work, message, MessageState.WITHHELD, withheld)
        return None
    due_at = hastened(max(item.due_at for item in items), message.hastened_at, head.quiet, now=work.now)
    if due_at > work.now:
        message.attempts -= 1
        put_back(message, due_at, message.reason)
        return None
    return _frozen(work, message, rows, head, items, base_url)


def _still_owed(
    work: UnitOfWork, head: OwnerHead, message: Message, rows: Sequence[MessageItem]
) -> list[OwedItem]:
    """The items that are owed under the same key; the others are dropped, with the reason."""
    facts = owner_facts(work.db, head, leaving_out=said_alike(work.db, (message.id,)))
    owed = {item.key: item for item in messages_owed(facts, now=work.now)}
    found = []
    for row in rows:
        key = (row.kind, row.subject_kind, row.subject_id, row.revision)
        if key in owed:
            found.append(owed[key])
        else:
            row.dropped = why_no_longer(facts, *key)
    return found


def _frozen(
    work: UnitOfWork, message: Message, rows: Sequence[MessageItem], head: OwnerHead, items: Sequence[OwedItem],
    base_url: str | None
) -> Frozen | None:
    try:
        address = check_address(head.patient.email or "")
    except ValueError as error:
        settle_unsent(work, message, MessageState.WITHHELD, str(error))
        return None
    if message.mime is None:
        _write(work, message, rows, letter_facts(work.db, head), items, base_url)
    elif message.recipient != address:
        settle_unsent(work, message, MessageState.SUPERSEDED, "the e-mail address has changed")
        reconcile(work, head.owner)
        return None
    return _frozen_of(message)


def _write(
    work: UnitOfWork, message: Message, rows: Sequence[MessageItem], facts: LetterFacts, items: Sequence[OwedItem],
    base_url: str | None
) -> None:
    link = link_for(work, message.id, facts, base_url=base_url) if base_url else None
    _keep(message, write(facts, items, identity=_identity(message, rows), now=work.now, link=link, note=message.note))
    by_key = {item.key: item for item in items}
    for row in rows:
        item = by_key.get((row.kind, row.subject_kind, row.subject_id, row.revision))
        if item is not None:
            row.facts = kept_of(facts, item)


def _identity(message: Message, rows: Sequence[MessageItem]) -> str:
    said = ",".join(f"{row.kind}/{row.subject_kind}/{row.subject_id}/{row.revision}/{row.generation}" for row in rows)
    return f"{said}@{message.created_at.isoformat()}#{message.id}"


def _keep(message: Message, written: Written) -> None:
    message.message_id, message.sender, message.recipient = written.message_id, written.sender, written.recipient
    message.subject, message.mime = written.subject, written.mime
    message.mime_sha256 = hashlib.sha256(written.mime).hexdigest()


def _frozen_of(message: Message) -> Frozen:
    assert message.sender and message.recipient and message.mime  # frozen together
    return Frozen(message.sender, message.recipient, message.mime)


def _owner(row: MessageItem) -> Owner:
    return owner_named(row.owner_kind, row.owner_id)
