"""A unit of work: one transaction, one instant, one actor; what is not committed never happened."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from clinic.planning.findings import Finding
from clinic.store.accounts import AuditEntry
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.engine import for_writing, is_busy
from clinic.store.occupancy import merge_changes

__all__ = [
    "Actor", "Done", "NotFound", "Refused", "Stale", "UnitOfWork", "check_version", "is_busy", "record",
]

T = TypeVar("T")


class NotFound(LookupError):
    """What was asked for is not here."""


class Stale(Exception):
    """Someone else was faster: the row has moved on since it was shown."""

    def __init__(self, subject_kind: str, subject_id: int, current_version: int) -> None:
        super().__init__(f"{subject_kind} {subject_id} is at version {current_version}")
        self.subject_kind = subject_kind
        self.subject_id = subject_id
        self.current_version = current_version


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """It was done; the findings are the warnings that were overridden or merely worth knowing."""

    value: T
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not done, and nothing has changed."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an account, the worker, the command line, the demo."""

    name: str
    account_id: int | None = None


class UnitOfWork:
    """A transaction that writes. Used with `with`; rolls back unless `commit` was called."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime], actor: Actor) -> None:
        self._engine = for_writing(engine)
        self._clock = clock
        self.actor = actor

    def __enter__(self) -> UnitOfWork:
        self.db = Session(self._engine, expire_on_commit=False)
        self._changes_diary = False
        sa.event.listen(self.db, "after_flush", self._notice)
        try:
            self.now = self._instant()
        except BaseException:
            self.db.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.db.close()
        if isinstance(error, NoResultFound):
            raise NotFound(str(error)) from error

    def commit(self) -> None:
        """Makes everything of this unit of work real, at once or not at all; the packed diary with it."""
        self.db.flush()
        if self._changes_diary:
            merge_changes(self.db)
        self.db.commit()

    def _instant(self) -> datetime:
        return self._clock()

    def _notice(self, db: Session, _context: Any) -> None:
        """Whatever changes what is held changes an appointment too."""
        if not self._changes_diary:
            changed = (*db.new, *db.dirty, *db.deleted)
            self._changes_diary = any(isinstance(row, (Appointment, ResourceBooking)) for row in changed)


def record(
    work: UnitOfWork, action: str, subject_kind: str, subject_id: int, *, clinic_id: int | None = None, **facts: Any
) -> None:
    """Adds to the audit what is being done, in the transaction that does it. Facts are ids and codes, never names."""
    work.db.add(AuditEntry(
        at=work.now, actor=work.actor.name, account_id=work.actor.account_id, clinic_id=clinic_id,
        action=action, subject_kind=subject_kind, subject_id=subject_id, facts=facts,
    ))


def check_version(subject_kind: str, row: Any, lock_version: int) -> None:
    """Raises Stale where the row has moved on; otherwise moves its version."""
    if row.lock_version != lock_version:
        raise Stale(subject_kind, row.id, row.lock_version)
    row.lock_version += 1
