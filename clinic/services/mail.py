"""Switches e-mail on and off. What came due while it was off waits for a person to release it."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from clinic.care.states import MessageState
from clinic.services.editions import stop_unfinished
from clinic.services.reconcile import TOO_LATE
from clinic.services.settling import TO_READ
from clinic.services.work import UnitOfWork, record
from clinic.store.clinics import Business
from clinic.store.outbox import Message

WHILE_OFF = "came due while e-mail was switched off"


def mail_is_on(db: Session) -> bool:
    """Whether messages leave this business."""
    return db.scalar(sa.select(Business.mail_on_since)) is not None


def switch_mail_on(work: UnitOfWork) -> int:
    """From now on messages leave; those that are due already are held. How many were; none where it was on.

    While everything waits since the move-in, a person will let go all of it at once, so none is held by itself.
    """
    business = work.db.scalar(sa.select(Business).where(Business.mail_on_since.is_(None)).with_for_update())
    if business is None:
        return 0
    business.mail_on_since = work.now
    ids = _due_now(work) if business.held_since is None else ()
    work.db.execute(
        sa.update(Message).where(Message.id.in_(ids)).values(state=MessageState.HELD, reason=WHILE_OFF))
    record(work, "mail-switched-on", "business", business.id, held=len(ids))
    work.commit()
    return len(ids)


def _due_now(work: UnitOfWork) -> Sequence[int]:
    due = sa.select(Message.id).where(Message.state == MessageState.PENDING, Message.due_at <= work.now)
    return work.db.scalars(due.order_by(Message.id).with_for_update()).all()


def switch_mail_off(work: UnitOfWork) -> None:
    """No message leaves until mail is switched on again."""
    business = work.db.scalar(sa.select(Business).where(Business.mail_on_since.is_not(None)).with_for_update())
    if business is None:
        return
    business.mail_on_since = None
    record(work, "mail-switched-off", "business", business.id)
    work.commit()


def release_held(work: UnitOfWork, message_ids: Sequence[int] | None = None) -> int:
    """Lets held messages go, all or those named; how many will. One that is past its use expires instead.

    One that is named has been looked at. All at once have not: what a person has to read first stays held.
    """
    held = sa.select(Message).where(Message.state == MessageState.HELD).order_by(Message.id).with_for_update()
    unnamed = sa.func.coalesce(Message.reason, "").not_like(f"%{TO_READ}")
    held = held.where(Message.id.in_(message_ids) if message_ids is not None else unnamed)
    released = 0
    for message in work.db.scalars(held):
        if message_ids is not None:
            message.looked_at, message.looked_by = work.now, work.actor.account_id
        released += let_one_go(work, message)
    work.commit()
    return released


def note_read(work: UnitOfWork, message_id: int) -> bool:
    """Notes that a person has read a message before it is due: then it leaves by itself; False where it has left."""
    message = work.db.scalar(
        sa.select(Message).where(Message.id == message_id, Message.state == MessageState.PENDING).with_for_update())
    if message is None:
        return False
    message.looked_at, message.looked_by = work.now, work.actor.account_id
    record(work, "message-read", "message", message.id, clinic_id=message.clinic_id)
    work.commit()
    return True


def let_one_go(work: UnitOfWork, message: Message) -> bool:
    """Lets a held message go its way, without a commit; False where it is past its use and expires instead."""
    is_of_use = message.useless_after >= work.now
    if is_of_use:
        message.state, message.reason = MessageState.PENDING.value, None
    else:
        message.state, message.reason, message.settled_at = MessageState.EXPIRED.value, TOO_LATE, work.now
    record(work, "message-released", "message", message.id, clinic_id=message.clinic_id)
    return is_of_use


@dataclass(frozen=True, slots=True)
class LetGo:
    """How many messages go their way from now on, and how many were past their use and will never."""

    released: int
    expired: int


def let_go(work: UnitOfWork) -> LetGo | None:
    """Ends the wait since the move-in: what is due leaves, the rest when it is due; none where nothing was held back.

    A message that is past its use expires instead, and what was being sent to readers of the newsletter stays: who has
    had it since cannot be known. Each one is still asked, before it leaves, whether it is true.
    """
    business = work.db.scalar(sa.select(Business).where(Business.held_since.is_not(None)).with_for_update())
    if business is None:
        return None
    business.held_since = None
    stop_unfinished(work)
    expired = work.db.execute(
        sa.update(Message)
        .where(Message.state == MessageState.PENDING, Message.useless_after < work.now, Message.dot_at.is_(None))
        .values(state=MessageState.EXPIRED.value, reason=TOO_LATE, settled_at=work.now)
        .execution_options(synchronize_session=False))
    waiting = sa.select(sa.func.count()).select_from(Message).where(Message.state == MessageState.PENDING)
    done = LetGo(work.db.scalar(waiting) or 0, cast(CursorResult[Any], expired).rowcount)
    record(work, "messages-let-go", "business", business.id, released=done.released, expired=done.expired)
    work.commit()
    return done
