"""What happened to one message, from when it was written down to where it stands; and why it waits so long."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.message_kinds import MessageKind
from clinic.care.owed_items import GRACE
from clinic.care.quiet import QuietHours, is_quiet, next_allowed
from clinic.care.states import MessageState
from clinic.planning.local import zone
from clinic.queries.bounces import bounces_of
from clinic.queries.people_to_tell import ContactLine, contact_attempts
from clinic.store.accounts import Account, AuditEntry
from clinic.store.clinics import Clinic
from clinic.store.outbox import Message, MessageAttempt, MessageItem

_UNREMARKABLE = ("claimed", "begun")


class Wait(StrEnum):
    """Why a pending message goes when it goes, and not before."""

    DUE = "due"
    TRIED = "tried"
    HASTENED = "hastened"
    QUIET = "quiet"
    GRACE = "grace"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: a code with its facts; `who` where a person did it."""

    at: datetime
    what: str
    who: str | None = None
    number: int | None = None
    phase: str | None = None
    code: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class MessageStory:
    """Everything that happened, oldest first; what a person made of it; and of a pending one, why it waits.

    `newer_id` is the message that says the same once more.
    """

    happenings: tuple[Happening, ...]
    contacts: tuple[ContactLine, ...]
    decision: str | None
    note: str | None
    has_bytes: bool
    may_be_out: bool
    goes_at: datetime
    waits: Wait | None
    newer_id: int | None


def message_story(db: Session, message_id: int, *, now: datetime) -> MessageStory:
    """The story of a message that is there, in six statements."""
    row = db.execute(
        sa.select(Message, Clinic.zone, Clinic.quiet_from, Clinic.quiet_to)
        .join(Clinic, Clinic.id == Message.clinic_id).where(Message.id == message_id)).one()
    message: Message = row.Message
    quiet = QuietHours(row.quiet_from, row.quiet_to, zone(row.zone))
    contacts = contact_attempts(db, message_id)
    told = [Happening(message.created_at, "written"), *_tries(db, message_id), *_deeds(db, message_id),
            *_bounces(db, message_id), *_end(message)]
    told += [Happening(each.at, f"contact-{each.outcome}", each.by, text=each.note) for each in contacts]
    items = db.scalars(sa.select(MessageItem).where(MessageItem.message_id == message_id)).all()
    return MessageStory(
        tuple(sorted(told, key=lambda each: each.at)), contacts, message.decision, message.note,
        message.mime is not None, message.dot_at is not None, next_allowed(max(message.due_at, now), quiet),
        _wait(message, quiet, {item.kind for item in items}, now), _newer(db, items))


def _tries(db: Session, message_id: int) -> list[Happening]:
    """Each step that says something: that a try began is said by its end."""
    rows = db.execute(
        sa.select(MessageAttempt.at, MessageAttempt.number, MessageAttempt.phase, MessageAttempt.code,
                  MessageAttempt.text)
        .where(MessageAttempt.message_id == message_id, MessageAttempt.phase.not_in(_UNREMARKABLE))
        .order_by(MessageAttempt.id))
    return [Happening(row.at, "tried", None, row.number, row.phase, row.code, row.text) for row in rows]


def _deeds(db: Session, message_id: int) -> list[Happening]:
    """What people did with it; that somebody tried to tell it has rows of its own."""
    rows = db.execute(
        sa.select(AuditEntry.at, AuditEntry.action, Account.name)
        .outerjoin(Account, Account.id == AuditEntry.account_id)
        .where(AuditEntry.subject_kind == "message", AuditEntry.subject_id == message_id,
               AuditEntry.action != "contact-noted").order_by(AuditEntry.id))
    return [Happening(row.at, row.action, row.name) for row in rows]


def _bounces(db: Session, message_id: int) -> list[Happening]:
    """What mail systems reported; the status code of each is its phase."""
    return [
        Happening(row.at, ("came-back-for-good" if row.is_hard else "came-back") if row.is_final else "late",
                  phase=row.status, text=row.text)
        for row in bounces_of(db, message_id)]


def _end(message: Message) -> list[Happening]:
    """What ended it without a try that would say so."""
    if message.settled_at is None or message.state in (MessageState.SENT, MessageState.FAILED, MessageState.UNCERTAIN):
        return []
    return [Happening(message.settled_at, f"became-{message.state}", text=message.reason or "")]


def _wait(message: Message, quiet: QuietHours, kinds: set[str], now: datetime) -> Wait | None:
    if message.state != MessageState.PENDING:
        return None
    if message.due_at <= now:
        return Wait.DUE
    if message.attempts:
        return Wait.TRIED
    if is_quiet(message.due_at - timedelta(seconds=1), quiet):
        return Wait.QUIET
    if message.hastened_at is not None:
        return Wait.HASTENED
    if message.due_at - message.created_at <= GRACE and MessageKind.AFTERCARE not in kinds:
        return Wait.GRACE
    return Wait.RULE


def _newer(db: Session, items: Sequence[MessageItem]) -> int | None:
    """The message that says one of these things in the newest generation, if another does."""
    said = [sa.and_(MessageItem.kind == item.kind, MessageItem.subject_kind == item.subject_kind,
                    MessageItem.subject_id == item.subject_id, MessageItem.revision == item.revision,
                    MessageItem.generation > item.generation) for item in items]
    if not said:
        return None
    return db.scalar(sa.select(MessageItem.message_id).where(sa.or_(*said)).order_by(
        MessageItem.generation.desc(), MessageItem.id.desc()).limit(1))
