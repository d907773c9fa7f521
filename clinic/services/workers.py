"""What the worker does besides delivering: it signs on, shows that it lives, and clears away what has run out."""
from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.clock import Clock, system_clock
from clinic.messages.return_path import ReturnPath
from clinic.messages.transport import Transport
from clinic.services.idempotency import KEPT_FOR
from clinic.services.lapsing import lapse_holds
from clinic.services.links import forget_browsers
from clinic.services.mail import switch_mail_off, switch_mail_on
from clinic.services.work import Actor, UnitOfWork
from clinic.settings import Settings
from clinic.store.accounts import BrowserSession, IdempotencyKey, SignInAttempt
from clinic.store.engine import for_writing
from clinic.store.occupancy import merge_changes
from clinic.store.outbox import WorkerRow
from clinic.store.types import Instant

FORGOTTEN_AFTER = timedelta(days=1)
"""How long a worker that fell silent, and a failed sign-in, stay on record."""
_NOW = sa.text("SELECT now()")


class Kit(Protocol):
    """What a worker needs of the composition root."""

    @property
    def settings(self) -> Settings:
        """What this installation was told."""

    @property
    def engine(self) -> Engine:
        """The database."""

    @property
    def clock(self) -> Clock:
        """The time."""

    @property
    def post_office(self) -> Callable[[], Transport] | None:
        """Makes a way out for messages; none: they stay pending."""


def work_of(kit: Kit) -> Callable[[], UnitOfWork]:
    """Opens the worker's units of work. On PostgreSQL the database's clock tells their time.

    Leases and heartbeats are compared between machines, whose own clocks may differ.
    """
    is_shared = kit.engine.dialect.name == "postgresql" and kit.clock is system_clock
    kind = _SharedWork if is_shared else UnitOfWork
    engine = for_writing(kit.engine)
    return lambda: kind(engine, kit.clock, Actor("worker"))


def return_path_of(settings: Settings) -> ReturnPath | None:
    """What makes the return paths of this installation; none where it has no address for what comes back."""
    return ReturnPath(settings.bounce_address, settings.secret_key) if settings.bounce_address else None


def enlist(work: UnitOfWork, worker_id: str, host: str) -> None:
    """A worker begins; its id is new at every start."""
    work.db.add(_begun(work, worker_id, host))
    work.commit()


def beat(work: UnitOfWork, worker_id: str, host: str) -> None:
    """The worker lives; what it is sending stays its own. One that was forgotten, because its machine slept for days or
    a clock was set on, is on record again."""
    beaten = work.db.execute(
        sa.update(WorkerRow).where(WorkerRow.id == worker_id).values(heartbeat_at=work.now).returning(WorkerRow.id))
    if beaten.first() is None:
        work.db.add(_begun(work, worker_id, host))
    work.commit()


def note_trouble(work: UnitOfWork, worker_id: str, trouble: str | None) -> None:
    """What keeps the worker from the mail server just now, for who looks after it; None where it is over."""
    begins = sa.literal(work.now, Instant())
    since = sa.func.coalesce(WorkerRow.trouble_since, begins) if trouble is not None else None
    work.db.execute(sa.update(WorkerRow).where(WorkerRow.id == worker_id).values(trouble=trouble, trouble_since=since))
    work.commit()


def note_folder(work: UnitOfWork, worker_id: str, trouble: str | None) -> None:
    """What keeps the worker from the folder of what came back, for who looks after it; None where nothing does."""
    work.db.execute(sa.update(WorkerRow).where(WorkerRow.id == worker_id).values(folder_trouble=trouble))
    work.commit()


def note_sweep(work: UnitOfWork, worker_id: str) -> None:
    """The worker has looked at every course just now."""
    work.db.execute(sa.update(WorkerRow).where(WorkerRow.id == worker_id).values(swept_at=work.now))
    work.commit()


def is_swept(work: UnitOfWork, *, within: timedelta, asked_by: str) -> bool:
    """Whether another worker than the one that asks has looked at every course within that time."""
    return work.db.scalar(
        sa.select(WorkerRow.id).where(WorkerRow.id != asked_by, WorkerRow.swept_at > work.now - within,
                                      WorkerRow.swept_at <= work.now).limit(1)) is not None


def leave(work: UnitOfWork, worker_id: str) -> None:
    """The worker ends; what it may have left unfinished is free to be taken over at once."""
    work.db.execute(sa.delete(WorkerRow).where(WorkerRow.id == worker_id))
    work.commit()


def agree_on_mail(work: UnitOfWork, *, has_post_office: bool) -> None:
    """Mail is on where there is a way out for it; what came due while there was none is held."""
    if has_post_office:
        switch_mail_on(work)
    else:
        switch_mail_off(work)


def free_holds(work: UnitOfWork) -> int:
    """Ends the holds that have run out; how many."""
    return lapse_holds(work)


def clean_up(work: UnitOfWork) -> None:
    """Forgets browsers, idempotency keys, failed sign-ins and workers whose time is over."""
    over: list[tuple[type[Any], sa.ColumnElement[bool]]] = [
        (BrowserSession, BrowserSession.expires_at < work.now),
        (IdempotencyKey, IdempotencyKey.created_at < work.now - KEPT_FOR),
        (SignInAttempt, SignInAttempt.at < work.now - FORGOTTEN_AFTER),
        (WorkerRow, WorkerRow.heartbeat_at < work.now - FORGOTTEN_AFTER),
    ]
    for row, is_over in over:
        work.db.execute(sa.delete(row).where(is_over))
    forget_browsers(work)
    work.commit()


def tidy_diary(work: UnitOfWork) -> int:
    """Merges what was booked past every service into the packed diary; how many changes."""
    merged = 0
    while found := merge_changes(work.db):
        work.commit()
        merged += found
    return merged


def _begun(work: UnitOfWork, worker_id: str, host: str) -> WorkerRow:
    return WorkerRow(id=worker_id, host=host, started_at=work.now, heartbeat_at=work.now)


class _SharedWork(UnitOfWork):
    """Its instant is the begin of its transaction by the database's clock."""

    def _instant(self) -> datetime:
        found: datetime = self.db.execute(_NOW).scalar_one()
        return found.astimezone(UTC).replace(microsecond=0)
