"""What people decide about messages: skip one, tell it themselves, and what became of it when they tried.

A decision stands: the worker never claims a message that somebody decided about, and the sweep leaves it alone. What
was told by a person counts as told, so that a later change says old and new.
"""
from __future__ import annotations

from collections.abc import Sequence

from clinic.care.own_text import fault_of
from clinic.care.states import FINAL_DECISIONS, TELLING_DECISIONS, ContactOutcome, MessageDecision, MessageState
from clinic.queries.owner_facts import told_document
from clinic.services.message_rows import InHand, actor_name, in_hand, refused, said_now
from clinic.services.reconcile import WAITING, reconcile
from clinic.services.told import told_of
from clinic.services.work import Done, Refused, UnitOfWork, record
from clinic.store.outbox import ContactAttempt

LONGEST_NOTE = 500
_TELLING = {ContactOutcome.TOLD: MessageDecision.TOLD, ContactOutcome.PRINTED: MessageDecision.PRINTED}
_SAID = {MessageDecision.TOLD: "told by {name}", MessageDecision.PRINTED: "printed as a letter by {name}"}
_STILL_TO_TELL = (*WAITING, MessageState.FAILED, MessageState.UNCERTAIN, MessageState.EXPIRED)
_NOT_WAITING = "This message does not wait any more. Look at where it stands now."
_ON_ITS_WAY = "This message may be on its way at this moment. Look again in a few minutes."
_NOT_TRUE = "What this message says is not true any more. Look at what the patient has to know now."


def skip(work: UnitOfWork, message_id: int) -> Done[int] | Refused:
    """Keeps a waiting message from going, until somebody takes that back."""
    [held] = in_hand(work, (message_id,))
    if held.message.decision == MessageDecision.SKIPPED:
        return Done(message_id)
    return _rest(work, held, MessageDecision.SKIPPED, f"skipped by {actor_name(work)}", "message-skipped")


def take_over(work: UnitOfWork, message_id: int) -> Done[int] | Refused:
    """Stops a waiting message because a person will tell the patient: it waits among the people to tell.

    It is still overtaken by what happens: what is not true any more need not be told.
    """
    [held] = in_hand(work, (message_id,))
    if held.message.decision == MessageDecision.TAKEN_OVER:
        return Done(message_id)
    return _rest(work, held, MessageDecision.TAKEN_OVER, f"{actor_name(work)} tells it", "message-taken-over")


def take_back(work: UnitOfWork, message_id: int) -> Done[int] | Refused:
    """Lets a message that was skipped or taken over go its way again, while it is true and of use."""
    [held] = in_hand(work, (message_id,))
    message = held.message
    if message.decision is None and message.state in WAITING:
        return Done(message_id)
    if message.decision not in (MessageDecision.SKIPPED, MessageDecision.TAKEN_OVER):
        return refused("decided", "The patient knows already: this cannot be taken back.")
    if message.state != MessageState.WITHHELD or message.useless_after <= work.now:
        return refused("useless", "This message is of no use any more.")
    message.decision = message.decided_at = message.decided_by = None
    message.state, message.reason, message.settled_at = MessageState.PENDING.value, None, None
    work.db.flush()
    for owner in held.owners:
        reconcile(work, owner)
    if message.state not in WAITING:
        return refused("untrue", _NOT_TRUE)
    record(work, "message-taken-back", "message", message.id, clinic_id=message.clinic_id)
    work.commit()
    return Done(message_id)


def note_contact(
    work: UnitOfWork, message_ids: Sequence[int], outcome: ContactOutcome, *, note: str = ""
) -> Done[tuple[int, ...]] | Refused:
    """Keeps that somebody tried to tell these messages; told or printed, they are settled, all or none.

    What is told is frozen into their items as a sent message freezes it. One that the patient knows already stays as
    it is.
    """
    if fault := fault_of(note, longest=LONGEST_NOTE, most_lines=5):
        return refused("note", fault, "note")
    found = [held for held in in_hand(work, message_ids) if held.message.decision not in TELLING_DECISIONS]
    for held in found:
        if (against := _against_telling(held)) is not None:
            return against
        if outcome in _TELLING and not _freeze_told(work, held):
            return refused("untrue", _NOT_TRUE)
    for held in found:
        work.db.add(ContactAttempt(message_id=held.message.id, at=work.now, by=work.actor.account_id,
                                   outcome=outcome.value, note=note.strip()))
        if outcome in _TELLING:
            _settle_told(work, held, _TELLING[outcome])
        record(work, "contact-noted", "message", held.message.id, clinic_id=held.message.clinic_id,
               outcome=outcome.value)
    work.db.flush()
    for owner in sorted({owner for held in found for owner in held.owners}, key=lambda each: (each.kind, each.id)):
        reconcile(work, owner)
    work.commit()
    return Done(tuple(held.message.id for held in found))


def _rest(
    work: UnitOfWork, held: InHand, decision: MessageDecision, reason: str, action: str
) -> Done[int] | Refused:
    message = held.message
    if message.state == MessageState.SENDING or message.dot_at is not None:
        return refused("on-its-way", _ON_ITS_WAY)
    if message.state not in WAITING or message.decision in FINAL_DECISIONS:
        return refused("not-waiting", _NOT_WAITING)
    _decide(work, held, decision)
    message.state, message.reason, message.settled_at = MessageState.WITHHELD.value, reason, work.now
    record(work, action, "message", message.id, clinic_id=message.clinic_id)
    work.commit()
    return Done(message.id)


def _against_telling(held: InHand) -> Refused | None:
    message = held.message
    if message.state == MessageState.SENT:
        return refused("sent", "This message was sent after all: there is nothing to tell.")
    if message.state == MessageState.SENDING or (message.state == MessageState.PENDING and message.dot_at is not None):
        return refused("on-its-way", _ON_ITS_WAY)
    if message.state not in _STILL_TO_TELL:
        return refused("untrue", _NOT_TRUE)
    return None


def _freeze_told(work: UnitOfWork, held: InHand) -> bool:
    """Writes what the patient hears into the items; False where nothing of it is true any more."""
    told = said_now(work, held)
    for said in told:
        for row, item in said.items:
            row.facts = told_document(told_of(said.facts, item))
    return bool(told)


def _settle_told(work: UnitOfWork, held: InHand, decision: MessageDecision) -> None:
    message = held.message
    _decide(work, held, decision)
    if message.state in WAITING:
        message.state, message.settled_at = MessageState.WITHHELD.value, work.now
        message.reason = _SAID[decision].format(name=actor_name(work))


def _decide(work: UnitOfWork, held: InHand, decision: MessageDecision) -> None:
    message = held.message
    message.decision, message.decided_at, message.decided_by = decision.value, work.now, work.actor.account_id
