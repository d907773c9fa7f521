"""The statements of delivery that need a lock or a claim, on either database."""
from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.owner_facts import Owner
from clinic.care.priority import Priority
from clinic.care.states import MessageState
from clinic.store.clinics import Business
from clinic.store.courses import Course, MaintenancePlan
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageAttempt, MessageItem, WorkerRow


def lock_owner(db: Session, owner: Owner, *, skip_locked: bool = False) -> bool:
    """Locks the row of the owner's course, or of another visit's appointment, until the transaction ends; False where
    it is not there.

    With `skip_locked` also False where another transaction holds it.
    """
    if owner.kind == "appointment":
        visit_id = sa.select(Appointment.id).where(Appointment.id == owner.id)
        return db.scalar(visit_id.with_for_update(skip_locked=skip_locked)) is not None
    if owner.kind == "course":
        course_id = sa.select(Course.id).where(Course.id == owner.id)
    else:
        course_id = sa.select(Course.id).where(Course.id == (
            sa.select(MaintenancePlan.course_id).where(MaintenancePlan.id == owner.id).scalar_subquery()))
    return db.scalar(course_id.with_for_update(skip_locked=skip_locked)) is not None


def lock_owners(db: Session, owners: Iterable[Owner]) -> None:
    """Locks them all: courses in the order of their ids, whoever of them and their upkeep is named, then visits."""
    named = set(owners)
    plans = sa.select(MaintenancePlan.course_id).where(
        MaintenancePlan.id.in_([owner.id for owner in named if owner.kind == "maintenance-plan"]))
    courses = {owner.id for owner in named if owner.kind == "course"}
    if any(owner.kind == "maintenance-plan" for owner in named):
        courses |= set(db.scalars(plans))
    for ident in sorted(courses):
        lock_owner(db, Owner("course", ident))
    for ident in sorted(owner.id for owner in named if owner.kind == "appointment"):
        lock_owner(db, Owner("appointment", ident))


def next_due(db: Session, now: datetime) -> Message | None:
    """The most urgent message, and of those the one due longest, that nobody else is about to claim; none while mail is
    off or held back."""
    mail_is_on = sa.exists().where(Business.mail_on_since.is_not(None), Business.held_since.is_(None))
    # A question for each priority reads one entry of the index, however many messages wait for their time.
    for priority in Priority:
        found = db.scalar(
            sa.select(Message)
            .where(Message.state == MessageState.PENDING, Message.priority == priority, Message.due_at <= now,
                   Message.decision.is_(None), mail_is_on)
            .order_by(Message.due_at, Message.id).limit(1).with_for_update(skip_locked=True))
        if found is not None:
            return found
    return None


def has_room(db: Session, now: datetime, per_minute: int) -> bool:
    """Whether all workers together have claimed fewer than that many messages within the last minute.

    Whoever asks next waits for this transaction, or two workers would take the last place.
    """
    db.execute(sa.select(Business.id).with_for_update(key_share=True))
    claims = sa.select(MessageAttempt.at).where(MessageAttempt.phase == "claimed").order_by(MessageAttempt.id.desc())
    made_at = db.scalar(claims.offset(per_minute - 1).limit(1))
    return made_at is None or made_at < now - timedelta(minutes=1)


def held_by(db: Session, message_id: int, lease_token: str) -> Message | None:
    """The message, locked, where that lease still holds it; none where someone else has taken it over."""
    return db.scalar(
        sa.select(Message)
        .where(Message.id == message_id, Message.lease_token == lease_token, Message.state == MessageState.SENDING)
        .with_for_update().execution_options(populate_existing=True)
    )


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
        .where(Message.state == MessageState.SENDING,
               sa.or_(Message.lease_until < now, Message.worker_id.is_(None), Message.worker_id.not_in(living)))
        .order_by(Message.id).with_for_update(skip_locked=True)
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
