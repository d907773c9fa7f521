"""The links of the newsletter: a secret that only its e-mail holds, and what its holder may do with it.

One that asks for consent works for a week and is revoked by a stop; one that stops works for years, as often as it is
pressed, and can do nothing else.
"""
from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from clinic.services.accounts import hash_of
from clinic.services.work import UnitOfWork
from clinic.store.links import Link
from clinic.store.newsletter import Subscriber
from clinic.store.outbox import Message, MessageItem

Purpose = Literal["opt-in", "stop"]
STOP_HASH = "stop"
"""Under which name an edition's item keeps the hash of its stop link, which has to work after a restore, too."""
_AT_ONCE = 1000
WORKS_FOR = {"opt-in": timedelta(days=7), "stop": timedelta(days=3650)}


def new_link(work: UnitOfWork, purpose: Purpose, subscriber_id: int, message_id: int) -> str:
    """Makes a link that is about to be written into that message; answers its secret, which is kept nowhere."""
    secret = secrets.token_urlsafe(32)
    work.db.add(Link(secret_hash=hash_of(secret), purpose=purpose, subscriber_id=subscriber_id, message_id=message_id,
                     created_at=work.now, expires_at=work.now + WORKS_FOR[purpose]))
    return secret


def bring_back_stop_links(work: UnitOfWork) -> None:
    """Makes the stop links of editions that were sent work again where their data were brought back: an edition keeps
    the hash of its own. Part of a unit of work that goes on."""
    after = 0
    while True:
        rows = work.db.execute(
            sa.select(MessageItem.id, MessageItem.message_id, MessageItem.owner_id, MessageItem.facts,
                      Message.created_at)
            .join(Message, Message.id == MessageItem.message_id)
            .where(MessageItem.kind == "edition", MessageItem.id > after).order_by(MessageItem.id).limit(_AT_ONCE)
        ).all()
        links = [_stop_link(row.facts[STOP_HASH], row.owner_id, row.message_id, row.created_at)
                 for row in rows if STOP_HASH in row.facts]
        work.db.add_all(links)
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1].id


def held_link(work: UnitOfWork, purpose: Purpose, secret: str) -> tuple[Link, Subscriber] | None:
    """The link with that secret and its reader, both locked; none where it is not one, or works no longer."""
    link = work.db.scalar(sa.select(Link).where(Link.secret_hash == hash_of(secret), Link.purpose == purpose))
    if link is None:
        return None
    # The reader first, as whoever sends does.
    reader = work.db.get_one(Subscriber, link.subscriber_id, with_for_update=True)
    work.db.refresh(link, with_for_update=True)
    works = link.revoked_at is None and link.expires_at > work.now
    return (link, reader) if works else None


def revoke_questions(work: UnitOfWork, subscriber_id: int) -> None:
    """Makes every link that asks for consent useless: its reader has stopped since."""
    work.db.execute(sa.update(Link).where(
        Link.subscriber_id == subscriber_id, Link.purpose == "opt-in", Link.revoked_at.is_(None)
    ).values(revoked_at=work.now).execution_options(synchronize_session=False))


def _stop_link(secret_hash: str, subscriber_id: int, message_id: int, made_at: datetime) -> Link:
    return Link(secret_hash=secret_hash, purpose="stop", subscriber_id=subscriber_id, message_id=message_id,
                created_at=made_at, expires_at=made_at + WORKS_FOR["stop"])
