"""Writes down who gets an edition, a few readers at a time; the outbox does the rest.

A few only: so everything else that is due goes before it, and a stop finds little to take back. Each piece is one
transaction that also moves the edition's own mark on, so that whoever is killed in between has written all of a piece
or nothing; and the key of a message item lets no reader be written down twice.
"""
from __future__ import annotations

import sqlalchemy as sa

from clinic.care.newsletter import GOES_OUT_FOR, Audience
from clinic.care.priority import priority_of
from clinic.care.quiet import is_quiet
from clinic.care.states import MessageState
from clinic.queries.audience import stretch_of
from clinic.services.newsletter_post import EDITION, quiet_hours
from clinic.services.work import UnitOfWork, record
from clinic.store.clinics import Business
from clinic.store.newsletter import Edition, EditionText
from clinic.store.outbox import Message, MessageItem

BATCH = 200


def publish(work: UnitOfWork, *, batch: int = BATCH) -> int:
    """Writes the next piece of the editions that go out, so that at most `batch` of each wait; how many messages."""
    may_leave = sa.exists().where(Business.mail_on_since.is_not(None), Business.held_since.is_(None))
    editions = work.db.scalars(
        sa.select(Edition)
        .where(Edition.state == "approved", Edition.queued_at.is_(None), Edition.send_at <= work.now, may_leave)
        .order_by(Edition.id).with_for_update(skip_locked=True)).all()
    written = sum(_write_piece(work, edition, batch) for edition in editions)
    work.commit()
    return written


def audience_of(work: UnitOfWork, edition: Edition) -> Audience:
    """For whom an edition is."""
    languages = work.db.scalars(sa.select(EditionText.language).where(EditionText.edition_id == edition.id))
    return Audience(frozenset(languages), frozenset(edition.interests))


def _write_piece(work: UnitOfWork, edition: Edition, batch: int) -> int:
    assert edition.send_at is not None and edition.approved_at is not None  # approved
    if work.now >= edition.send_at + GOES_OUT_FOR:
        _end(work, edition, in_time=False)
        return 0
    room = batch - _waiting(work, edition.id)
    if room <= 0 or is_quiet(work.now, quiet_hours(work.db, edition.clinic_id)):
        return 0
    stretch = stretch_of(work.db, audience_of(work, edition), after=edition.queued_to, most=room,
                         consented_by=edition.approved_at)
    messages = [
        Message(subscriber_id=reader_id, clinic_id=edition.clinic_id, state=MessageState.PENDING, due_at=work.now,
                priority=priority_of([EDITION]), useless_after=edition.send_at + GOES_OUT_FOR, created_at=work.now)
        for reader_id in stretch.reader_ids]
    work.db.add_all(messages)
    work.db.flush()
    work.db.add_all(
        MessageItem(message_id=message.id, kind=EDITION, owner_kind="subscriber", owner_id=reader_id,
                    subject_kind=EDITION, subject_id=edition.id, revision=reader_id)
        for message, reader_id in zip(messages, stretch.reader_ids, strict=True))
    edition.queued_to = stretch.reached
    if stretch.is_last:
        _end(work, edition, in_time=True)
    return len(messages)


def _waiting(work: UnitOfWork, edition_id: int) -> int:
    return work.db.scalar(
        sa.select(sa.func.count()).select_from(MessageItem).join(Message, Message.id == MessageItem.message_id)
        .where(MessageItem.kind == EDITION, MessageItem.subject_kind == EDITION, MessageItem.subject_id == edition_id,
               Message.state.in_((MessageState.PENDING, MessageState.SENDING)))) or 0


def _end(work: UnitOfWork, edition: Edition, *, in_time: bool) -> None:
    edition.queued_at = work.now
    record(work, "edition-queued", "edition", edition.id, clinic_id=edition.clinic_id, in_time=in_time)
