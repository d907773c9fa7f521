"""Keeps the messages that wait in step with what is owed: called by every change in its own transaction."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from clinic.care.mail_address import check_address
from clinic.care.owed import OwedItem, messages_owed, why_no_longer
from clinic.care.owed_items import waits_as
from clinic.care.owner_facts import Owner, OwnerFacts, OwnerKind
from clinic.care.priority import priority_of
from clinic.care.quiet import hastened
from clinic.care.states import FINAL_DECISIONS, MessageState
from clinic.queries.living import living_courses, living_plans, other_visits
from clinic.queries.owner_facts import OwnerHead, owner_facts, owner_head
from clinic.services.work import UnitOfWork
from clinic.store.claims import lock_owner
from clinic.store.courses import Course, MaintenancePlan
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageItem, state_is

__all__ = ["Owner", "owners_of", "reconcile", "reconcile_patient", "sweep"]

WAITING = (MessageState.PENDING, MessageState.HELD, MessageState.WITHHELD)
"""States in which a message can still be changed by what happens to its owner."""
TOO_LATE = "its time passed before it could be sent"

Key = tuple[str, str, int, int]
Known = tuple[Message, MessageItem]


def reconcile(work: UnitOfWork, owner: Owner) -> None:
    """Makes the waiting messages of the owner those that it owes now; leaves the commit to the caller."""
    if lock_owner(work.db, owner):
        _reconcile_locked(work, owner)


def reconcile_patient(work: UnitOfWork, patient_id: int) -> None:
    """Reconciles all that concerns a patient whose address, channel or wishes have changed."""
    for owner in owners_of(work, patient_id):
        reconcile(work, owner)


def owners_of(work: UnitOfWork, patient_id: int) -> list[Owner]:
    """What owes a patient messages: courses, then their maintenance plans, then other visits."""
    courses = work.db.scalars(
        sa.select(Course.id).where(Course.patient_id == patient_id).order_by(Course.id)).all()
    plans = work.db.scalars(
        sa.select(MaintenancePlan.id).where(MaintenancePlan.course_id.in_(courses)).order_by(MaintenancePlan.id)).all()
    visits = work.db.scalars(other_visits(work.now).where(Appointment.patient_id == patient_id)).all()
    return [*(Owner("course", ident) for ident in courses), *(Owner("maintenance-plan", ident) for ident in plans),
            *(Owner("appointment", ident) for ident in visits)]


def sweep(work: UnitOfWork, *, after: Owner | None = None, limit: int = 50) -> Owner | None:
    """Reconciles the next owners that may owe anything: courses, then maintenance plans, then other visits; the last of
    them, or none at the end.

    Safe to run twice or in parallel: each batch is a transaction of its own.
    """
    batch = _owners_after(work, after, limit)
    for owner in batch:
        # Whoever holds the owner's row reconciles it: waiting for them would only invite a deadlock.
        if lock_owner(work.db, owner, skip_locked=True):
            _reconcile_locked(work, owner)
    work.commit()
    return batch[-1] if batch else None


def settle_expired(work: UnitOfWork) -> int:
    """Settles what waits and has passed its use, and says how many.

    What may have been sent once is left to its delivery, which has something else to say of it.
    """
    over = (
        sa.select(Message.id)
        .where(state_is(MessageState.PENDING, MessageState.HELD), Message.useless_after < work.now,
               Message.dot_at.is_(None))
        .with_for_update(skip_locked=True)
    )
    ids = work.db.scalars(over).all()
    work.db.execute(
        sa.update(Message).where(Message.id.in_(ids))
        .values(state=MessageState.EXPIRED, reason=TOO_LATE, settled_at=work.now))
    work.commit()
    return len(ids)


def _reconcile_locked(work: UnitOfWork, owner: Owner) -> None:
    head = owner_head(work.db, owner)
    assert head is not None  # its row is locked
    # Locked before the facts are read: a message that is just being sent counts as told, unless it is put back first.
    known = _known(work, owner)
    facts = owner_facts(work.db, head)
    owed = {item.key: item for item in messages_owed(facts, now=work.now)}
    latest = _latest(known)
    owed |= _said_again(work, head, known, owed)
    shared = _shared(work, known)
    for key, item in owed.items():
        if key in latest and latest[key][0].id not in shared:
            _keep_up(work, facts, latest[key][0], item)
    for message, row in known:
        if _key(row) not in owed:
            _let_go(work, facts, message, row, is_shared=message.id in shared)
    _insert(work, head, [
        (item, latest[key][1].generation + 1 if key in latest else 0) for key, item in owed.items()
        if item.useless_after > work.now and (
            key not in latest or _was_let_go(*latest[key]) or _goes_elsewhere(facts, latest[key][0], item))
    ])


def _known(work: UnitOfWork, owner: Owner) -> Sequence[Known]:
    found = work.db.execute(_messages_of(), {"owner_kind": owner.kind, "owner_id": owner.id})
    return [(message, item) for message, item in found]


@cache
def _messages_of() -> sa.Select[Message, MessageItem]:
    return (
        sa.select(Message, MessageItem).join(MessageItem, MessageItem.message_id == Message.id)
        .where(MessageItem.owner_kind == sa.bindparam("owner_kind"), MessageItem.owner_id == sa.bindparam("owner_id"))
        .order_by(Message.id, MessageItem.id)
        .with_for_update(of=Message).execution_options(populate_existing=True)
        # What was sent is much to read, and nothing is decided by it.
        .options(sa.orm.defer(Message.mime)))


def _shared(work: UnitOfWork, known: Sequence[Known]) -> frozenset[int]:
    """The waiting messages that say several things: they became one when they were about to leave."""
    tried = {message.id for message, _ in known if message.state in WAITING and (
        message.mime_sha256 is not None or message.state == MessageState.HELD)}
    if not tried:
        return frozenset()
    return frozenset(work.db.scalars(
        sa.select(MessageItem.message_id).where(MessageItem.message_id.in_(tried), MessageItem.dropped.is_(None))
        .group_by(MessageItem.message_id).having(sa.func.count() > 1)))


def _was_let_go(message: Message, row: MessageItem) -> bool:
    """Whether it was not said, because it was not owed then: by its message, or by a message that said other things."""
    return message.state == MessageState.SUPERSEDED or row.dropped is not None


def _goes_elsewhere(facts: OwnerFacts, message: Message, item: OwedItem) -> bool:
    """Whether it failed at an address that the patient has no longer: at the new one it is said once more."""
    if message.state != MessageState.FAILED or message.decision is not None or item.withheld or not message.recipient:
        return False
    try:
        return check_address(facts.patient.email or "").lower() != message.recipient.lower()
    except ValueError:
        return False


def _latest(known: Sequence[Known]) -> Mapping[Key, Known]:
    """The newest generation of each key."""
    return {_key(item): (message, item) for message, item in sorted(known, key=lambda each: each[1].generation)}


def _key(item: MessageItem) -> Key:
    return (item.kind, item.subject_kind, item.subject_id, item.revision)


def _said_again(
    work: UnitOfWork, head: OwnerHead, known: Sequence[Known], owed: Mapping[Key, OwedItem]
) -> Mapping[Key, OwedItem]:
    """What waits to be said once more because a person wants it, as if it had not been said before, while it is true.
    """
    again = {_key(row) for message, row in known
             if message.state in WAITING and message.hastened_at is not None and row.generation} - owed.keys()
    if not again:
        return {}
    before = {message.id for message, row in known if _key(row) in again}
    facts = owner_facts(work.db, head, leaving_out=before)
    return {item.key: item for item in messages_owed(facts, now=work.now) if item.key in again}


def _insert(work: UnitOfWork, head: OwnerHead, items: Sequence[tuple[OwedItem, int]]) -> None:
    """New items with their generations, each in a message of its own."""
    messages = [
        Message(
            patient_id=head.patient_id, clinic_id=head.clinic_id, priority=priority_of([item.kind]), due_at=item.due_at,
            useless_after=item.useless_after, created_at=work.now, reason=item.withheld,
            state=MessageState.WITHHELD if item.withheld else MessageState.PENDING,
            settled_at=work.now if item.withheld else None,
        )
        for item, _ in items
    ]
    work.db.add_all(messages)
    work.db.flush()
    work.db.add_all(
        MessageItem(
            message_id=message.id, kind=item.kind.value, owner_kind=head.owner.kind, owner_id=head.owner.id,
            subject_kind=item.subject_kind, subject_id=item.subject_id, revision=item.revision,
            generation=generation,
        )
        for message, (item, generation) in zip(messages, items, strict=True)
    )
    work.db.flush()


def _keep_up(work: UnitOfWork, facts: OwnerFacts, message: Message, item: OwedItem) -> None:
    """A waiting message takes the item's times, and is withheld or released as things now stand.

    What has been tried keeps its later turn, and what may have been sent once is left to its delivery. What a person
    decided about stays as it is.
    """
    if message.state not in WAITING or message.dot_at is not None or message.decision in FINAL_DECISIONS:
        return
    due_at = hastened(item.due_at, message.hastened_at, facts.quiet, now=work.now)
    message.due_at = max(message.due_at, due_at) if message.attempts else due_at
    message.useless_after = item.useless_after
    if message.decision is not None:
        return
    state = waits_as(MessageState(message.state), item.withheld, is_of_use=item.useless_after > work.now)
    if item.withheld:
        _settle(message, state, item.withheld, message.settled_at or work.now)
    elif state != message.state:
        _settle(message, state, None, None)


def _let_go(work: UnitOfWork, facts: OwnerFacts, message: Message, row: MessageItem, *, is_shared: bool) -> None:
    """A waiting message that is not owed any more is superseded, or expired where its time has simply passed; of one
    that says other things too, only this is dropped.

    One that failed stays so, and keeps why nobody need be told of it any more.
    """
    if message.state == MessageState.FAILED and row.dropped is None and message.decision not in FINAL_DECISIONS:
        row.dropped = why_no_longer(facts, *_key(row))
    if message.state not in WAITING or message.dot_at is not None or message.decision in FINAL_DECISIONS:
        return
    if is_shared:
        row.dropped = row.dropped or why_no_longer(facts, *_key(row))
    elif message.useless_after > work.now:
        row.dropped = why_no_longer(facts, *_key(row))
        _settle(message, MessageState.SUPERSEDED, row.dropped, work.now)
    elif message.state != MessageState.WITHHELD:
        _settle(message, MessageState.EXPIRED, TOO_LATE, work.now)


def _settle(message: Message, state: MessageState, reason: str | None, at: datetime | None) -> None:
    message.state, message.reason, message.settled_at = state.value, reason, at


def _owners_after(work: UnitOfWork, after: Owner | None, limit: int) -> list[Owner]:
    living: tuple[tuple[OwnerKind, sa.Select[int], Any], ...] = (
        ("course", living_courses(work.now), Course.id), ("maintenance-plan", living_plans(), MaintenancePlan.id),
        ("appointment", other_visits(work.now), Appointment.id))
    done = 0 if after is None else [kind for kind, _, _ in living].index(after.kind)
    found: list[Owner] = []
    for kind, ids, column in living[done:]:
        if len(found) < limit:
            last = after.id if after is not None and after.kind == kind else 0
            rows = work.db.scalars(ids.where(column > last).limit(limit - len(found)))
            found += [Owner(kind, ident) for ident in rows]
    return found
