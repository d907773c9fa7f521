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
from clinic.store.types import Instant

IDLE_FOR = timedelta(minutes=30)
"""A browser that has not been used for so long is signed out."""


@dataclass(frozen=True, slots=True)
class ClinicCard:
    """A clinic as pages name it."""

    id: int
    name: str
    zone: ZoneInfo
    horizon_days: int
    notice_hours: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The account of a signed-in browser, the clinic it works at, and all that it may work at.

    `practitioner_id` names whom it is the account of, where that is somebody who treats.
    """

    account_id: int
    name: str
    grants: tuple[Grant, ...]
    clinic: ClinicCard
    clinics: tuple[ClinicCard, ...]
    id_hash: str
    seen_at: datetime
    practitioner_id: int | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a sign-in is checked against."""

    account_id: int
    password_hash: str


def account_of_browser(db: Session, id_hash: str, *, now: datetime) -> SignedIn | None:
    """The account signed in by the browser session of that hash, if it is active, fresh and has a clinic."""
    rows = db.execute(_OF_BROWSER, {"id_hash": id_hash, "now": now, "seen_since": now - IDLE_FOR}).all()
    if not rows:
        return None
    first = rows[0]
    grants = tuple(Grant(row.clinic_id, Role(row.role)) for row in rows)
    by_id = {row.clinic_id: ClinicCard(row.clinic_id, row.clinic, zone(row.zone), row.booking_horizon_days,
                                        row.notice_hours) for row in rows}
    clinics = tuple(by_id.values())
    return SignedIn(first.id, first.name, grants, by_id.get(first.works_at, clinics[0]), clinics, id_hash,
                    first.seen_at, first.practitioner_id)


def credentials_of(db: Session, email: str) -> Credentials | None:
    """What the active account of that e-mail address, which has a role somewhere, is checked against."""
    found = db.execute(
        sa.select(Account.id, Account.password_hash).where(
            Account.email == email, Account.active,
            sa.exists().where(AccountRole.account_id == Account.id),
        )
    ).one_or_none()
    return Credentials(found.id, found.password_hash) if found else None


def grants_by_clinic(db: Session, account_id: int) -> dict[int, tuple[Grant, ...]]:
    """What the account may at each clinic that there is: in one statement, for clinics may come with their roles."""
    found: dict[int, tuple[Grant, ...]] = {}
    for clinic_id, role in db.execute(
        sa.select(Clinic.id, AccountRole.role).outerjoin(
            AccountRole, sa.and_(AccountRole.clinic_id == Clinic.id, AccountRole.account_id == account_id))
    ):
        found[clinic_id] = (*found.get(clinic_id, ()), *([Grant(clinic_id, Role(role))] if role else []))
    return found


def has_accounts(db: Session) -> bool:
    """Whether anybody has an account, in use or not: the first run is over then."""
    return db.scalar(sa.select(Account.id).limit(1)) is not None


_OF_BROWSER = (
    sa.select(Account.id, Account.name, Account.practitioner_id, BrowserSession.clinic_id.label("works_at"),
              BrowserSession.seen_at, AccountRole.role, Clinic.id.label("clinic_id"), Clinic.name.label("clinic"),
              Clinic.zone, Clinic.booking_horizon_days, Clinic.notice_hours)
    .join(BrowserSession, BrowserSession.account_id == Account.id)
    .join(AccountRole, AccountRole.account_id == Account.id)
    .join(Clinic, Clinic.id == AccountRole.clinic_id)
    .where(BrowserSession.id_hash == sa.bindparam("id_hash"), Account.active,
           BrowserSession.expires_at > sa.bindparam("now", type_=Instant()),
           BrowserSession.seen_at > sa.bindparam("seen_since", type_=Instant()))
    .order_by(Clinic.id, AccountRole.role))
"""A row for each role; put together once, for every page asks it."""
