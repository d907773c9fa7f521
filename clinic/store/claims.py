"""The statements of delivery that need a lock or a claim, on either database.

What is said for every message is put together once, with a place for what changes.
"""
from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.owner_facts import Owner, OwnerKind
from clinic.care.priority import Priority
from clinic.care.states import MessageState
from clinic.store.base import Row
from clinic.store.clinics import Business
from clinic.store.courses import Course, MaintenancePlan
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageAttempt, MessageItem, WorkerRow, state_is

_MESSAGE = Row.metadata.tables["message"]


def lock_owner(db: Session, owner: Owner, *, skip_locked: bool = False) -> bool:
    """Locks the row of the owner's course, or of another visit's appointment, until the transaction ends; False where
    it is not there.

    With `skip_locked` also False where another transaction holds it.
    """
    return db.scalar(_row_of(owner.kind, skip_locked), {"owner_id": owner.id}) is not None


@cache
def _row_of(kind: OwnerKind, skip_locked: bool) -> sa.Select[int]:
    owner_id = sa.bindparam("owner_id", type_=sa.Integer)
    if kind == "appointment":
        found = sa.select(Appointment.id).where(Appointment.id == owner_id)
    elif kind == "course":
        found = sa.select(Course.id).where(Course.id == owner_id)
    else:
        found = sa.select(Course.id).where(Course.id == (
            sa.select(MaintenancePlan.course_id).where(MaintenancePlan.id == owner_id).scalar_subquery()))
    return found.with_for_update(skip_locked=skip_locked)


def lock_owners(db: Session, owners: Iterable[Owner]) -> None:
    """Locks them all: courses in the order of their ids, whoever of them and their upkeep is named, then visits."""
    named = set(owners)
    courses = {owner.id for owner in named if owner.kind == "course"}
    if plans := [owner.id for owner in named if owner.kind == "maintenance-plan"]:
        courses |= set(db.scalars(sa.select(MaintenancePlan.course_id).where(MaintenancePlan.id.in_(plans))))
    for ident in sorted(courses):
        lock_owner(db, Owner("course", ident))
    for ident in sorted(owner.id for owner in named if owner.kind == "appointment"):
        lock_owner(db, Owner("appointment", ident))


def claim_next(
    db: Session, now: datetime, *, worker_id: str, lease_token: str, lease_until: datetime
) -> tuple[int, int] | None:
    """Gives that lease to the most urgent message, and of those to the one due longest, that nobody else is about to
    claim: its id, and the number of the attempt; none while mail is off or held back."""
    # A question for each priority reads one entry of the index, however many messages wait for their time.
    for priority in Priority:
        found = db.execute(_claim_next(), {
            "of_priority": priority, "now": now, "token": lease_token, "until": lease_until,
            "worker": worker_id}).one_or_none()
        if found is not None:
            return found.id, found.attempts
    return None


@cache
def _claim_next() -> sa.UpdateBase:
    row = _MESSAGE.c
    mail_is_on = sa.exists().where(Business.mail_on_since.is_not(None), Business.held_since.is_(None))
    next_due = (
        sa.select(row.id)
        .where(state_is(MessageState.PENDING), row.priority == sa.bindparam("of_priority"),
               row.due_at <= sa.bindparam("now"), row.decision.is_(None), mail_is_on)
        .order_by(row.due_at, row.id).limit(1).with_for_update(skip_locked=True))
    return (
        sa.update(_MESSAGE).where(row.id == next_due.scalar_subquery())
        .values(state=MessageState.SENDING, attempts=row.attempts + 1, lease_token=sa.bindparam("token"),
                lease_until=sa.bindparam("until"), worker_id=sa.bindparam("worker"))
        .returning(row.id, row.attempts))


def has_room(db: Session, now: datetime, per_minute: int) -> bool:
    """Whether all workers together have claimed fewer than that many messages within the last minute.

    Whoever asks next waits for this transaction, or two workers would take the last place.
    """
    db.execute(sa.select(Business.id).with_for_update(key_share=True))
    claims = sa.select(MessageAttempt.at).where(MessageAttempt.phase == "claimed").order_by(MessageAttempt.id.desc())
    made_at = db.scalar(claims.offset(per_minute - 1).limit(1))
    return made_at is None or made_at < now - timedelta(minutes=1)


def held_by(db: Session, message_id: int, lease_token: str) -> Message | None:
    """The message, locked, where that lease still holds it; none where someone else has taken it over.

    Its bytes are read only by who asks for them: they are much, and who marks a message does not need them.
    """
    return db.scalar(_held_by(), {"of_id": message_id, "of_lease": lease_token})


def begin_dot(db: Session, message_id: int, lease_token: str, now: datetime) -> bool:
    """Notes that the end of the message is about to be sent; False where that lease does not hold it any more."""
    begun = db.execute(_begin_dot(), {"of_id": message_id, "of_lease": lease_token, "now": now})
    return begun.one_or_none() is not None


def note_step(
    db: Session, message_id: int, number: int, phase: str, *, at: datetime, worker_id: str, code: int | None = None,
    text: str = ""
) -> None:
    """Adds one step of one try to send."""
    db.execute(_note_step(), {"message_id": message_id, "number": number, "at": at, "worker_id": worker_id,
                              "phase": phase, "code": code, "text": text})


@cache
def _held_by() -> sa.Select[Message]:
    return (
        sa.select(Message).where(_is_held(Message))
        .with_for_update().options(sa.orm.defer(Message.mime)).execution_options(populate_existing=True))


@cache
def _begin_dot() -> sa.UpdateBase:
    row = _MESSAGE.c
    return (
        sa.update(_MESSAGE).where(_is_held(row)).values(dot_at=sa.bindparam("now")).returning(row.id))


def _is_held(row: Any) -> sa.ColumnElement[bool]:
    """The lease is what keeps whoever comes back late from a message that is not theirs any more."""
    return sa.and_(row.id == sa.bindparam("of_id"), row.lease_token == sa.bindparam("of_lease"),
                   row.state == MessageState.SENDING)


@cache
def _note_step() -> sa.Insert:
    return sa.insert(Row.metadata.tables["message_attempt"])


def abandoned(db: Session, now: datetime, silence: timedelta, *, asked_by: str, is_sending: bool) -> list[Message]:
    """Messages, locked, whose lease has run out or whose worker has not been heard of for that long.

    The worker that asks lives, however late its own heartbeat is; but what it is not sending was left behind. A
    heartbeat of the future was made before the clock was set back: who lives has made another since.
    """
    heard = WorkerRow.heartbeat_at.between(now - silence, now + silence)
    asks = WorkerRow.id == asked_by
    living = sa.select(WorkerRow.id).where(sa.or_(heard, asks) if is_sending else sa.and_(heard, ~asks))
    return list(db.scalars(
        sa.select(Message)
        .where(state_is(MessageState.SENDING),
               sa.or_(Message.lease_until < now, Message.worker_id.is_(None), Message.worker_id.not_in(living)))
        .order_by(Message.lease_until, Message.id).with_for_update(skip_locked=True)
    ))


def copies_out(db: Session, message_id: int) -> int:
    """How often the message may have reached the server: transmissions that began and were not refused."""
    begun = sa.case((MessageAttempt.phase == "begun", 1), else_=0)
    refused = sa.case((sa.and_(MessageAttempt.phase == "dot", MessageAttempt.code >= 400), 1), else_=0)
    return db.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(begun - refused), 0)).where(MessageAttempt.message_id == message_id)
    ) or 0


def said_in(db: Session, message_id: int) -> list[str]:
    """The kinds of what the message says."""
    return list(db.scalars(
        sa.select(MessageItem.kind).where(MessageItem.message_id == message_id, MessageItem.dropped.is_(None))))
