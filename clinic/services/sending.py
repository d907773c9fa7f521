"""What people do about a message that is to be sent: let it go, sooner or once more, and add a line of their own."""
from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from clinic.care.own_text import fault_of
from clinic.care.owner_facts import MessageKind
from clinic.care.quiet import next_allowed
from clinic.care.states import MessageState
from clinic.messages.discretion import telling_words
from clinic.planning.findings import Finding, Weight
from clinic.services.message_rows import InHand, Said, in_hand, refused, said_now
from clinic.services.reconcile import WAITING
from clinic.services.work import Done, Refused, UnitOfWork, record
from clinic.store.outbox import Message, MessageItem

LONGEST_NOTE = 400
MOST_LINES = 4
_OVER = (MessageState.SENT, MessageState.UNCERTAIN, MessageState.FAILED)


def send_now(work: UnitOfWork, message_id: int) -> Done[datetime] | Refused:
    """Lets a pending message go at once, or when quiet hours end; when that is."""
    [held] = in_hand(work, (message_id,))
    message = held.message
    if message.state != MessageState.PENDING or message.dot_at is not None:
        return refused("not-pending", "Only a pending message can be sent at once.")
    if message.due_at <= work.now:
        return Done(message.due_at)
    said = said_now(work, held)
    if not said:
        return refused("untrue", "What this message says is not true any more.")
    if withheld := _withheld(said):
        return refused("withheld", f"It cannot go now: {withheld}.")
    message.hastened_at, message.due_at = work.now, min(message.due_at, _goes_at(work, said))
    record(work, "message-hastened", "message", message.id, clinic_id=message.clinic_id)
    work.commit()
    return Done(message.due_at)


def send_again(work: UnitOfWork, message_id: int, *, sure: bool) -> Done[int] | Refused:
    """A new message that says the same once more, after somebody looked at it; its id.

    Refused where it is not true or of use any more, or where the patient may have it already and nobody was sure.
    """
    [held] = in_hand(work, (message_id,))
    newer = _newer(work, held)
    if newer is not None:
        return Done(newer)
    said = said_now(work, held)
    if (against := _against_again(work, held, said, sure)) is not None:
        return against
    items = [item for each in said for _, item in each.items]
    message = Message(
        patient_id=held.message.patient_id, clinic_id=held.message.clinic_id, state=MessageState.PENDING.value,
        priority=held.message.priority,
        due_at=_goes_at(work, said), useless_after=max(item.useless_after for item in items), created_at=work.now,
        note=held.message.note, hastened_at=work.now, looked_at=work.now, looked_by=work.actor.account_id)
    work.db.add(message)
    work.db.flush()
    work.db.add_all(_next_generation(row, message.id) for each in said for row, _ in each.items)
    record(work, "message-sent-again", "message", message.id, clinic_id=message.clinic_id, before=message_id)
    work.commit()
    return Done(message.id)


def set_note(work: UnitOfWork, message_id: int, note: str) -> Done[int] | Refused:
    """Adds a personal line to a message whose words are not fixed yet, or changes it, or takes it back if empty.

    Warns of words that tell what the patient is treated for.
    """
    if fault := fault_of(note, longest=LONGEST_NOTE, most_lines=MOST_LINES):
        return refused("note", fault, "note")
    [held] = in_hand(work, (message_id,))
    message = held.message
    if message.state not in WAITING or message.mime is not None:
        return refused("fixed", "The words of this message are fixed: it has been sent, or tried, or settled.", "note")
    told = note.strip() or None
    if told != message.note:
        message.note = told
        record(work, "message-note-changed", "message", message.id, clinic_id=message.clinic_id, has_note=bool(told))
        work.commit()
    return Done(message.id, _worth_knowing(note))


def _worth_knowing(note: str) -> tuple[Finding, ...]:
    words = telling_words(note)
    if not words:
        return ()
    return (Finding("telling", Weight.WARNS, f"Whoever sees the screen reads “{words[0]}” in it.", "note"),)


def _against_again(work: UnitOfWork, held: InHand, said: list[Said], sure: bool) -> Refused | None:
    message = held.message
    if message.state not in _OVER and message.decision is None:
        return refused("not-over", "This message was not sent yet.")
    items = [item for each in said for _, item in each.items]
    if not items or max(item.useless_after for item in items) <= work.now:
        return refused("untrue", "What this message says is not true or not of use any more.")
    if withheld := _withheld(said):
        return refused("unreachable", f"No e-mail can be sent: {withheld}.")
    may_know = message.state in (MessageState.SENT, MessageState.UNCERTAIN) or message.decision is not None
    if may_know and not sure:
        return refused("known", "The patient may have this message already. Say that you are sure.", "sure")
    return None


def _withheld(said: list[Said]) -> str | None:
    return next((item.withheld for each in said for _, item in each.items if item.withheld), None)


def _newer(work: UnitOfWork, held: InHand) -> int | None:
    """The message that says one of these things in the newest generation, if it is not this one."""
    for row in held.items:
        newer = work.db.scalar(
            sa.select(MessageItem.message_id)
            .where(MessageItem.kind == row.kind, MessageItem.subject_kind == row.subject_kind,
                   MessageItem.subject_id == row.subject_id, MessageItem.revision == row.revision,
                   MessageItem.generation > row.generation)
            .order_by(MessageItem.generation.desc()).limit(1))
        if newer is not None:
            return newer
    return None


def _next_generation(row: MessageItem, message_id: int) -> MessageItem:
    return MessageItem(
        message_id=message_id, kind=row.kind, owner_kind=row.owner_kind, owner_id=row.owner_id,
        subject_kind=row.subject_kind, subject_id=row.subject_id, revision=row.revision,
        generation=row.generation + 1)


def _goes_at(work: UnitOfWork, said: list[Said]) -> datetime:
    """At once; outside quiet hours, unless all of it keeps the patient safe."""
    if all(item.kind is MessageKind.AFTERCARE for each in said for _, item in each.items):
        return work.now
    return next_allowed(work.now, said[0].head.quiet)
