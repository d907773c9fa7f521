"""The links of the newsletter: a secret that only its e-mail holds, and what its holder may do with it.

One that asks for consent works for a week and is revoked by a stop; one that stops works for years, as often as it is
pressed, and can do nothing else.
"""
from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Literal

import sqlalchemy as sa

from clinic.services.accounts import hash_of
from clinic.services.work import UnitOfWork
from clinic.store.links import Link
from clinic.store.newsletter import Subscriber

Purpose = Literal["opt-in", "stop"]
WORKS_FOR = {"opt-in": timedelta(days=7), "stop": timedelta(days=3650)}


def new_link(work: UnitOfWork, purpose: Purpose, subscriber_id: int, message_id: int) -> str:
    """Makes a link that is about to be written into that message; answers its secret, which is kept nowhere."""
    secret = secrets.token_urlsafe(32)
    work.db.add(Link(secret_hash=hash_of(secret), purpose=purpose, subscriber_id=subscriber_id, message_id=message_id,
                     created_at=work.now, expires_at=work.now + WORKS_FOR[purpose]))
    return secret


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
