"""A form that is sent twice is done once."""
from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from clinic.services.work import UnitOfWork
from clinic.store.accounts import IdempotencyKey

KEPT_FOR = timedelta(days=2)


class KeyReused(Exception):
    """The same key came with another content: not a repetition, but a broken or forged form."""


def once(work: UnitOfWork, key: str, request_sha256: str) -> dict[str, Any] | None:
    """Takes the key for what this unit of work commits; or the answer of the request that took it before.

    The answer is empty where that request had no time to leave one. A unit of work that is rolled back gives the
    key free. No key, or nobody signed in, means no check. Two that race for one key take turns.
    """
    if not key or work.actor.account_id is None:
        return None
    values = {
        "account_id": work.actor.account_id, "key": key[:100], "request_sha256": request_sha256, "answer": {},
        "created_at": work.now,
    }
    taken = _insert(work).values(**values).on_conflict_do_nothing().returning(IdempotencyKey.key)
    if work.db.scalar(taken) is not None:
        return None
    kept = work.db.get_one(IdempotencyKey, (work.actor.account_id, key[:100]))
    if kept.request_sha256 != request_sha256:
        raise KeyReused(key)
    return kept.answer


def answered(work: UnitOfWork, key: str, answer: dict[str, Any]) -> None:
    """Keeps what the request that took the key was answered, and forgets keys that nobody will send again."""
    if not key or work.actor.account_id is None:
        return
    work.db.execute(
        sa.update(IdempotencyKey)
        .where(IdempotencyKey.account_id == work.actor.account_id, IdempotencyKey.key == key[:100])
        .values(answer=answer))
    work.db.execute(sa.delete(IdempotencyKey).where(IdempotencyKey.created_at < work.now - KEPT_FOR))
    work.commit()


def _insert(work: UnitOfWork) -> sqlite.Insert | postgresql.Insert:
    if work.db.get_bind().dialect.name == "postgresql":
        return postgresql.insert(IdempotencyKey)
    return sqlite.insert(IdempotencyKey)
