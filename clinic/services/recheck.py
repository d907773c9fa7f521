"""Asks of a claimed message, just before it leaves, whether it is still true; and freezes the bytes of one that is.

Whatever happened since it was written down counts: nothing leaves for a time that no longer holds.
"""
from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from clinic.care.mail_address import check_address
from clinic.care.quiet import hastened
from clinic.care.states import MessageState
from clinic.messages.return_path import ReturnPath
from clinic.services.correspondence import Correspondent, Correspondents, Stays, Waits
from clinic.services.letters import Written, write
from clinic.services.links import link_for
from clinic.services.reconcile import TOO_LATE, reconcile
from clinic.services.settling import hold, put_back, settle_unsent
from clinic.services.shares import (
    Share,
    ShareInFull,
    in_full,
    items_of,
    owner_of,
    shares_of,
    unread_of,
    with_what_goes_along,
)
from clinic.services.told import kept_of
from clinic.services.work import UnitOfWork
from clinic.store.claims import held_by, lock_owners
from clinic.store.outbox import Message, MessageItem

_IN_TURN = timedelta(seconds=10)
"""How long a message that tells dates waits while another about them is just being sent."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """What is handed over: who to whom, and the bytes."""

    sender: str
    recipient: str
    mime: bytes


def freeze(
    open_work: Callable[[], UnitOfWork], message_id: int, lease_token: str, correspondents: Correspondents, *,
    base_url: str | None = None, return_path: ReturnPath | None = None
) -> Frozen | None:
    """The bytes of a message that is still true, rendered at most once; none where it is settled without sending.

    `base_url` is where our pages are: the message gets links of its own to the patient's page there, one for each
    course or visit that it is about. `return_path`
    makes the address that a mail system sends it back to; without one that is the clinic's own.
    """
    with open_work() as work:
        rows = items_of(work.db, message_id)
        correspondent = correspondents.get(rows[0].owner_kind) if rows else None
        if correspondent is not None:
            frozen = _of_correspondent(work, correspondent, message_id, lease_token, rows, base_url)
        else:
            lock_owners(work.db, map(owner_of, rows))
            message = held_by(work.db, message_id, lease_token)
            frozen = _checked(work, message, rows, base_url) if message is not None else None
        if frozen is not None and return_path is not None:
            frozen = _from_its_return_path(work, message_id, frozen, return_path)
        work.commit()
    return frozen


def _from_its_return_path(work: UnitOfWork, message_id: int, frozen: Frozen, return_path: ReturnPath) -> Frozen:
    """The same, sent from the message's own return path. Of one that may be out already a report may be on its way."""
    message = work.db.get_one(Message, message_id)
    if message.dot_at is None and message.message_id is not None:
        message.sender = return_path.of(message.id, message.message_id)
    return replace(frozen, sender=message.sender or frozen.sender)


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
    if message.mime_sha256 is None:
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
    shares = shares_of(work, message, rows)
    if not shares:
        settle_unsent(work, message, MessageState.SUPERSEDED, _why_nothing(rows))
        return None
    withheld = [item.withheld for share in shares for item in share.items]
    if all(withheld):
        settle_unsent(work, message, MessageState.WITHHELD, withheld[0])
        return None
    shares = _without_withheld(shares)
    due_at = hastened(min(item.due_at for share in shares for item in share.items), message.hastened_at,
                      shares[0].head.quiet, now=work.now)
    if any(share.waits for share in shares):
        due_at = work.now + _IN_TURN
    if due_at > work.now:
        message.attempts -= 1
        put_back(message, due_at, message.reason)
        return None
    return _frozen(work, message, rows, shares, base_url)


def _why_nothing(rows: Sequence[MessageItem]) -> str:
    return next((row.dropped for row in rows if row.dropped), "no longer true")


def _without_withheld(shares: Sequence[Share]) -> list[Share]:
    """What of a message that says several things may go; the rest is dropped, and owed anew where it still is."""
    for row, item in (pair for share in shares for pair in share.said):
        row.dropped = item.withheld or row.dropped
    going = (replace(share, said=tuple(pair for pair in share.said if not pair[1].withheld)) for share in shares)
    return [share for share in going if share.said]


def _frozen(
    work: UnitOfWork, message: Message, rows: Sequence[MessageItem], shares: list[Share], base_url: str | None
) -> Frozen | None:
    head = shares[0].head
    try:
        address = check_address(head.patient.email or "")
    except ValueError as error:
        settle_unsent(work, message, MessageState.WITHHELD, str(error))
        return None
    if message.mime_sha256 is None:
        full = in_full(work, shares)
        reason = None if message.looked_at is not None else unread_of(work, full)
        if reason is not None:
            hold(message, reason)
            return None
        _write(work, message, with_what_goes_along(work, message, full), base_url)
        return _frozen_of(message)
    wrong = _why_not_as_frozen(message, rows, address)
    if wrong is None:
        return _frozen_of(message)
    settle_unsent(work, message, MessageState.SUPERSEDED, wrong)
    for share in shares:
        reconcile(work, share.head.owner)
    return None


def _why_not_as_frozen(message: Message, rows: Sequence[MessageItem], address: str) -> str | None:
    """Why the bytes, which never change, may not go any more: what is still owed goes in a message of its own then.

    What an item told is kept when the bytes are frozen: one that was dropped since is still in them.
    """
    if message.recipient != address:
        return "the e-mail address has changed"
    return "part of it is not true any more" if any(row.dropped and row.facts for row in rows) else None


def _write(work: UnitOfWork, message: Message, full: Sequence[ShareInFull], base_url: str | None) -> None:
    rows = [row for _, share in full for row, _ in share.said]
    facts, first = full[0]
    about = {known.head.owner: known for known, _ in full}
    links = {owner: link_for(work, message.id, known, base_url=base_url) for owner, known in about.items()
             } if base_url else {}
    _keep(message, write(
        facts, first.items, identity=_identity(message, rows), now=work.now, link=links.pop(facts.head.owner, None),
        note=message.note,
        more=[(others, share.items, links.pop(others.head.owner, None)) for others, share in full[1:]]))
    for known, share in full:
        for row, item in share.said:
            row.facts = kept_of(known, item)


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
