"""Who signs in, what they may, and which browsers they use."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.access import Grant, Role
from clinic.planning.local import zone
from clinic.store.accounts import Account, AccountRole, BrowserSession
from clinic.store.clinics import Clinic

IDLE_FOR = timedelta(minutes=30)
"""A browser that has not been used for so long is signed out."""


@dataclass(frozen=True, slots=True)
class ClinicCard:
    """A clinic as pages name it."""

    id: int
    name: str
    zone: ZoneInfo
    horizon_days: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The account of a signed-in browser, the clinic it works at, and all that it may work at."""

    account_id: int
    name: str
    grants: tuple[Grant, ...]
    clinic: ClinicCard
    clinics: tuple[ClinicCard, ...]
    id_hash: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a sign-in is checked against."""

    account_id: int
    password_hash: str


def account_of_browser(db: Session, id_hash: str, *, now: datetime) -> SignedIn | None:
    """The account signed in by the browser session of that hash, if it is active, fresh and has a clinic."""
    found = db.execute(
        sa.select(Account.id, Account.name, BrowserSession.clinic_id, BrowserSession.seen_at)
        .join(BrowserSession, BrowserSession.account_id == Account.id)
        .where(
            BrowserSession.id_hash == id_hash, Account.active,
            BrowserSession.expires_at > now, BrowserSession.seen_at > now - IDLE_FOR,
        )
    ).one_or_none()
    if found is None:
        return None
    grants, clinics = _grants(db, found.id)
    if not clinics:
        return None
    current = next((clinic for clinic in clinics if clinic.id == found.clinic_id), clinics[0])
    return SignedIn(found.id, found.name, grants, current, clinics, id_hash, found.seen_at)


def credentials_of(db: Session, email: str) -> Credentials | None:
    """What the active account of that e-mail address, which has a role somewhere, is checked against."""
    found = db.execute(
        sa.select(Account.id, Account.password_hash).where(
            Account.email == email, Account.active,
            sa.exists().where(AccountRole.account_id == Account.id),
        )
    ).one_or_none()
    return Credentials(found.id, found.password_hash) if found else None


def has_accounts(db: Session) -> bool:
    """Whether anybody has an account, in use or not: the first run is over then."""
    return db.scalar(sa.select(Account.id).limit(1)) is not None


def _grants(db: Session, account_id: int) -> tuple[tuple[Grant, ...], tuple[ClinicCard, ...]]:
    rows = db.execute(
        sa.select(AccountRole.role, Clinic.id, Clinic.name, Clinic.zone, Clinic.booking_horizon_days)
        .join(Clinic, Clinic.id == AccountRole.clinic_id)
        .where(AccountRole.account_id == account_id)
        .order_by(Clinic.id, AccountRole.role)
    ).all()
    grants = tuple(Grant(row.id, Role(row.role)) for row in rows)
    clinics = {row.id: ClinicCard(row.id, row.name, zone(row.zone), row.booking_horizon_days) for row in rows}
    return grants, tuple(clinics.values())
