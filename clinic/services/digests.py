"""The morning digest: owed to each account that wants it, once for each clinic and day on which the clinic is open."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.access import Grant, Right, Role, may
from clinic.care.states import MessageState
from clinic.messages.digest import DigestLine
from clinic.planning.local import day_of, instant, zone
from clinic.queries.digests import (
    Morning,
    diary_numbers,
    is_open_on,
    message_numbers,
    paper_numbers,
    session_numbers,
    task_numbers,
)
from clinic.queries.undated import Horizon
from clinic.services.work import UnitOfWork, record
from clinic.store.accounts import Account, AccountRole
from clinic.store.clinics import Clinic
from clinic.store.outbox import Message, MessageItem

DIGEST = "digest"
BEGINS, ENDS = 7 * 60, 12 * 60
"""From when a digest goes out, and after when it is of no use, by the clock of its clinic."""
_DAYS = 1_000_000


@dataclass(frozen=True, slots=True)
class Reader:
    """An account that wants the digest of a clinic, and what it may see there."""

    account_id: int
    practitioner_id: int | None
    rights: frozenset[Right]


@dataclass(frozen=True, slots=True)
class DigestNow:
    """What the digest of a clinic would say to an account now."""

    clinic: str
    lines: tuple[DigestLine, ...]


def choose_digest(work: UnitOfWork, account_id: int, *, wanted: bool) -> None:
    """Whether an account gets the morning digest of its clinics from now on."""
    account = work.db.get_one(Account, account_id, with_for_update=True)
    account.wants_digest = wanted
    record(work, "digest-chosen", "account", account_id, wanted=wanted)
    work.commit()


def digests_now(db: Session, account_id: int, base_url: str, now: datetime) -> tuple[bool, tuple[DigestNow, ...]]:
    """Whether an account gets the digest, and what it would say now of each of its clinics."""
    account = db.get_one(Account, account_id)
    clinics = db.scalars(
        sa.select(Clinic).where(sa.exists().where(
            AccountRole.account_id == account_id, AccountRole.clinic_id == Clinic.id)).order_by(Clinic.name)).all()
    return account.wants_digest, tuple(
        DigestNow(clinic.name, lines_of(morning_of(
            db, reader_of(db, account, clinic.id), clinic, day_of(now, zone(clinic.zone)), now), base_url))
        for clinic in clinics)


def owe_digests(work: UnitOfWork) -> int:
    """Writes down the digests of this morning that are not there yet; how many. Safe to run twice or in parallel."""
    # Whoever holds a clinic's row writes its digests: nobody has to wait.
    clinics = work.db.scalars(
        sa.select(Clinic).order_by(Clinic.id).with_for_update(skip_locked=True, key_share=True)).all()
    written = sum(_owe(work, clinic) for clinic in clinics)
    work.commit()
    return written


def revision_of(clinic_id: int, day: date) -> int:
    """What makes a digest of an account one of its kind: the clinic and the day, as one number."""
    return clinic_id * _DAYS + day.toordinal()


def place_of(revision: int) -> tuple[int, date]:
    """The clinic and the day of such a number."""
    clinic_id, ordinal = divmod(revision, _DAYS)
    return clinic_id, date.fromordinal(ordinal)


def morning_of(db: Session, reader: Reader, clinic: Clinic, day: date, now: datetime) -> Morning:
    """What waits at a clinic on a day, of what the reader may see."""
    where, may_see = zone(clinic.zone), reader.rights.__contains__
    horizon = Horizon(day, day + timedelta(days=clinic.booking_horizon_days - 1))
    appointments, unconfirmed, own = diary_numbers(
        db, clinic.id, day, where=where, practitioner_id=reader.practitioner_id) if may_see(
        Right.SEE_DIARY) else (0, 0, 0)
    to_tell, failed, held = message_numbers(db, clinic.id, now) if may_see(Right.SEE_MESSAGES) else (0, 0, 0)
    overdue, undated = session_numbers(db, clinic.id, horizon) if may_see(Right.BOOK) else (0, 0)
    urgent, tasks, due = task_numbers(db, clinic.id, day, now) if may_see(Right.SETTLE_TASKS) else (0, 0, 0)
    lapsed, papers = paper_numbers(db, day) if may_see(Right.SET_UP) else (0, 0)
    return Morning(
        appointments, unconfirmed, own, to_tell, failed, held, overdue, undated, urgent, tasks, due, lapsed,
        papers)


def lines_of(morning: Morning, base_url: str) -> tuple[DigestLine, ...]:
    """What waits, in words, the most urgent first; each with the page on which it is settled."""
    found: Iterable[tuple[int, str, str, str, bool]] = (
        (morning.urgent_requests, "urgent request", "urgent requests", "/requests", True),
        (morning.to_tell, "patient has to be told by a person", "patients have to be told by a person",
         "/people-to-tell", True),
        (morning.failed, "message did not go out or may not have arrived",
         "messages did not go out or may not have arrived", "/messages?state=failed", True),
        (morning.held, "message waits for your word", "messages wait for your word", "/messages?state=held", False),
        (morning.appointments, "appointment today", "appointments today", "/", False),
        (morning.own, "of them is yours", "of them are yours", "/", False),
        (morning.unconfirmed, "appointment today is not confirmed", "appointments today are not confirmed",
         "/unconfirmed", False),
        (morning.overdue, "session is past its window without a date", "sessions are past their window without a date",
         "/to-plan", False),
        (morning.undated, "session needs a date now", "sessions need a date now", "/to-plan", False),
        (morning.tasks, "task is open", "tasks are open", "/tasks", False),
        (morning.due_tasks, "of them is due", "of them are due", "/tasks", False),
        (morning.lapsed_papers, "certificate has run out", "certificates have run out", "/setup/people", True),
        (morning.papers, "certificate runs out soon", "certificates run out soon", "/setup/people", False),
    )
    lines = tuple(DigestLine(f"{number} {one if number == 1 else several}", f"{base_url}{path}", urgent)
                  for number, one, several, path, urgent in found if number)
    return tuple(sorted(lines, key=lambda line: not line.urgent))


def reader_of(db: Session, account: Account, clinic_id: int) -> Reader:
    """What an account may see at a clinic now."""
    grants = [Grant(clinic_id, Role(role)) for role in db.scalars(
        sa.select(AccountRole.role).where(AccountRole.account_id == account.id, AccountRole.clinic_id == clinic_id))]
    return Reader(account.id, account.practitioner_id,
                  frozenset(right for right in Right if may(grants, right, clinic_id)))


def _owe(work: UnitOfWork, clinic: Clinic) -> int:
    where = zone(clinic.zone)
    day = day_of(work.now, where)
    if not _is_morning(work, day, where) or not is_open_on(work.db, clinic.id, day):
        return 0
    revision = revision_of(clinic.id, day)
    wanting = work.db.scalars(
        sa.select(Account.id)
        .where(Account.active, Account.wants_digest,
               sa.exists().where(AccountRole.account_id == Account.id, AccountRole.clinic_id == clinic.id),
               sa.not_(sa.exists().where(
                   MessageItem.kind == DIGEST, MessageItem.subject_kind == "account",
                   MessageItem.subject_id == Account.id, MessageItem.revision == revision)))
        .order_by(Account.id)).all()
    for account_id in wanting:
        message = Message(account_id=account_id, clinic_id=clinic.id, state=MessageState.PENDING,
                          due_at=instant(day, BEGINS, where), useless_after=instant(day, ENDS, where),
                          created_at=work.now)
        work.db.add(message)
        work.db.flush()
        work.db.add(MessageItem(message_id=message.id, kind=DIGEST, owner_kind="account", owner_id=account_id,
                                subject_kind="account", subject_id=account_id, revision=revision))
    return len(wanting)


def _is_morning(work: UnitOfWork, day: date, where: ZoneInfo) -> bool:
    return instant(day, BEGINS, where) <= work.now < instant(day, ENDS, where)
