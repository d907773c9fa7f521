"""Accounts as those see them who manage them: who signs in, as what, and where."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.access import Grant, Role
from clinic.store.accounts import Account, AccountRole, BrowserSession
from clinic.store.clinics import Clinic
from clinic.store.resources import Practitioner

PAGE = 50


@dataclass(frozen=True, slots=True)
class AccountCard:
    """An account with all its roles; `seen_at` is when one of its browsers that is still signed in was last used."""

    id: int
    name: str
    email: str
    active: bool
    lock_version: int
    practitioner_id: int | None
    practitioner: str | None
    seen_at: datetime | None
    grants: tuple[Grant, ...]

    def roles_at(self, clinic_id: int) -> tuple[Role, ...]:
        """The roles that it holds at a clinic, in the order in which roles are listed."""
        held = {grant.role for grant in self.grants if grant.clinic_id == clinic_id}
        return tuple(role for role in Role if role in held)


@dataclass(frozen=True, slots=True)
class AccountList:
    """One page of the accounts, those in use first."""

    rows: tuple[AccountCard, ...]
    total: int
    number: int

    @property
    def has_next(self) -> bool:
        """Whether there is a further page."""
        return self.number * PAGE < self.total


def account_list(db: Session, *, number: int = 1) -> AccountList:
    """The accounts of that page, by name; in three statements."""
    total = db.scalar(sa.select(sa.func.count()).select_from(Account)) or 0
    number = max(1, min(number, -(-total // PAGE) or 1))
    rows = db.execute(
        _cards().order_by(Account.active.desc(), sa.func.lower(Account.name), Account.id)
        .limit(PAGE).offset((number - 1) * PAGE)).all()
    return AccountList(_with_grants(db, rows), total, number)


def account_card(db: Session, account_id: int) -> AccountCard | None:
    """One account, if there is one of that id."""
    rows = db.execute(_cards().where(Account.id == account_id)).all()
    return next(iter(_with_grants(db, rows)), None)


def email_of_account(db: Session, account_id: int) -> str:
    """The address by which an account signs in; raises NoResultFound for one that is not there."""
    return db.scalars(sa.select(Account.email).where(Account.id == account_id)).one()


def practitioners_to_link(db: Session, account_id: int | None = None) -> tuple[tuple[int, str], ...]:
    """The practitioners in use whom no other account belongs to, by name: what an account may be linked to."""
    taken = sa.select(Account.practitioner_id).where(
        Account.practitioner_id.is_not(None), Account.id != (account_id or 0))
    rows = db.execute(
        sa.select(Practitioner.id, Practitioner.name)
        .where(Practitioner.active, Practitioner.id.not_in(taken)).order_by(Practitioner.name, Practitioner.id)).all()
    return tuple((row.id, row.name) for row in rows)


def clinic_names(db: Session) -> tuple[tuple[int, str], ...]:
    """Every clinic, in the order of their ids."""
    return tuple((row.id, row.name) for row in db.execute(sa.select(Clinic.id, Clinic.name).order_by(Clinic.id)))


def _cards() -> sa.Select[int, str, str, bool, int, int | None, str, datetime]:
    seen = sa.select(sa.func.max(BrowserSession.seen_at)).where(
        BrowserSession.account_id == Account.id).correlate(Account).scalar_subquery()
    return sa.select(
        Account.id, Account.name, Account.email, Account.active, Account.lock_version, Account.practitioner_id,
        Practitioner.name.label("practitioner"), seen.label("seen_at"),
    ).outerjoin(Practitioner, Practitioner.id == Account.practitioner_id)


def _with_grants(db: Session, rows: Sequence[Any]) -> tuple[AccountCard, ...]:
    held: dict[int, list[Grant]] = {row.id: [] for row in rows}
    found = db.execute(
        sa.select(AccountRole.account_id, AccountRole.clinic_id, AccountRole.role)
        .where(AccountRole.account_id.in_(held)).order_by(AccountRole.clinic_id, AccountRole.role)).all()
    for each in found:
        held[each.account_id].append(Grant(each.clinic_id, Role(each.role)))
    return tuple(
        AccountCard(row.id, row.name, row.email, row.active, row.lock_version, row.practitioner_id, row.practitioner,
                    row.seen_at, tuple(held[row.id]))
        for row in rows)
