"""Accounts: made, signed in and out, and moved between clinics."""
from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from clinic.access import Grant
from clinic.care.mail_address import check_address
from clinic.planning.findings import Finding, Weight
from clinic.queries.accounts import IDLE_FOR
from clinic.services import passwords
from clinic.services.attempts import admit, near
from clinic.services.work import Done, NotFound, Refused, UnitOfWork, record
from clinic.store.accounts import Account, AccountRole, BrowserSession, SignInAttempt
from clinic.store.clinics import Clinic
from clinic.store.engine import PATIENCE

SIGNED_IN_FOR = timedelta(hours=12)
TRIES_OF_A_PAIR = 5
TRIES_OF_A_NETWORK = 40
TRIES_OF_AN_ACCOUNT = 100
"""Failures within `attempts.COUNTED_FOR` after which a sign-in is refused unread. An account's own limit is high, so
that a stranger elsewhere cannot lock its owner out with a few tries."""


def create_account(
    work: UnitOfWork, *, email: str, name: str, password: str, grants: Sequence[Grant],
    practitioner_id: int | None = None,
) -> Done[int] | Refused:
    """Makes an account with its roles, or says what stands in the way."""
    findings = [*judge_account(work, email=email, name=name, password=password), *_judge_grants(work, grants)]
    if findings:
        return Refused(tuple(findings))
    account_id = put_account(
        work, email=email, name=name, password=password, grants=grants, practitioner_id=practitioner_id)
    work.commit()
    return Done(account_id)


def judge_account(work: UnitOfWork, *, email: str, name: str, password: str) -> tuple[Finding, ...]:
    """What speaks against a new account, each at its field."""
    weak = passwords.judge_password(password, email=email)
    return (*_judge_identity(work, email, name), *(() if weak is None else (weak,)))


def put_account(
    work: UnitOfWork, *, email: str, name: str, password: str, grants: Sequence[Grant],
    practitioner_id: int | None = None,
) -> int:
    """Adds an account that was judged, as part of a unit of work that goes on."""
    account = Account(
        email=normal_email(email), name=name.strip(), password_hash=passwords.hash_password(password),
        practitioner_id=practitioner_id, created_at=work.now,
    )
    work.db.add(account)
    work.db.flush()
    for grant in dict.fromkeys(grants):
        work.db.add(AccountRole(account_id=account.id, clinic_id=grant.clinic_id, role=grant.role.value))
    record(work, "account-created", "account", account.id)
    return account.id


def admit_attempt(work: UnitOfWork, *, email: str, network: str) -> bool:
    """Counts a try to sign in before anything is hashed; False where there were too many of late."""
    return admit(work, _limits(email, network))


def forget_attempts(work: UnitOfWork, *, email: str, network: str) -> None:
    """Counts earlier tries no more: what was tried has succeeded."""
    pair = [key for key in _limits(email, network) if key.startswith("pair:")]
    work.db.execute(sa.delete(SignInAttempt).where(SignInAttempt.key.in_(pair)))
    work.commit()


def sign_in(work: UnitOfWork, account_id: int, *, password: str, email: str, network: str) -> str:
    """Begins a browser session for an account whose password was found to fit; answers the browser's secret."""
    account = work.db.get(Account, account_id)
    if account is None or not account.active:
        raise NotFound(f"account {account_id}")
    if passwords.is_outdated(account.password_hash):
        account.password_hash = passwords.hash_password(password)
    _forget(work, account_id, _limits(email, network))
    secret = put_browser(work, account_id)
    work.commit()
    return secret


def put_browser(work: UnitOfWork, account_id: int) -> str:
    """Begins a browser session as part of a unit of work that goes on; answers the browser's secret."""
    secret = secrets.token_urlsafe(32)
    work.db.add(BrowserSession(
        id_hash=hash_of(secret), account_id=account_id, created_at=work.now, seen_at=work.now,
        expires_at=work.now + SIGNED_IN_FOR,
    ))
    record(work, "signed-in", "account", account_id)
    return secret


def sign_out(work: UnitOfWork, id_hash: str) -> None:
    """Ends a browser session: its cookie, wherever it was copied to, opens nothing any more."""
    row = work.db.get(BrowserSession, id_hash)
    if row is not None:
        record(work, "signed-out", "account", row.account_id)
        work.db.delete(row)
    work.commit()


def switch_clinic(work: UnitOfWork, id_hash: str, clinic_id: int) -> Done[int]:
    """Makes another clinic the one that a browser works at; NotFound where the account has no role there."""
    row = work.db.get(BrowserSession, id_hash)
    held = row is not None and work.db.scalar(sa.select(AccountRole.role).where(
        AccountRole.account_id == row.account_id, AccountRole.clinic_id == clinic_id).limit(1))
    if row is None or not held:
        raise NotFound(f"clinic {clinic_id}")
    row.clinic_id = clinic_id
    work.commit()
    return Done(clinic_id)


def note_seen(work: UnitOfWork, id_hash: str) -> None:
    """Notes that a browser is in use, so that it stays signed in; where somebody writes for long, a later page does."""
    try:
        work.db.connection(execution_options={PATIENCE: 0.3})
    except OperationalError:  # who moves in a whole clinic must not stop those who only look
        return
    work.db.execute(
        sa.update(BrowserSession).where(BrowserSession.id_hash == id_hash).values(seen_at=work.now))
    work.commit()


def hash_of(secret: str) -> str:
    """What is kept of a browser's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def normal_email(email: str) -> str:
    """The form in which an account's address is kept and looked up."""
    return email.strip().lower()


def _judge_identity(work: UnitOfWork, email: str, name: str) -> list[Finding]:
    findings = []
    if not name.strip() or len(name) > 200:
        findings.append(Finding("name", Weight.BLOCKS, "The account needs a name of at most 200 characters.", "name"))
    try:
        check_address(email.strip())
    except ValueError as fault:
        findings.append(Finding("email", Weight.BLOCKS, str(fault), "email"))
    else:
        taken = work.db.scalar(sa.select(Account.id).where(Account.email == normal_email(email)))
        if taken is not None:
            findings.append(Finding(
                "email-taken", Weight.BLOCKS, "There is already an account with this e-mail address.", "email"))
    return findings


def _judge_grants(work: UnitOfWork, grants: Sequence[Grant]) -> list[Finding]:
    if not grants:
        return [Finding("no-role", Weight.BLOCKS, "The account needs a role at one clinic at least.", "role")]
    known = set(work.db.scalars(sa.select(Clinic.id).where(Clinic.id.in_({grant.clinic_id for grant in grants}))))
    return [
        Finding("unknown-clinic", Weight.BLOCKS, f"There is no clinic {clinic_id}.", "clinic")
        for clinic_id in sorted({grant.clinic_id for grant in grants} - known)
    ]


def _limits(email: str, network: str) -> dict[str, int]:
    account, nearby = hash_of(normal_email(email)), near(network)
    return {
        f"account:{account}": TRIES_OF_AN_ACCOUNT,
        f"network:{nearby}": TRIES_OF_A_NETWORK,
        f"pair:{account}:{nearby}": TRIES_OF_A_PAIR,
    }


def _forget(work: UnitOfWork, account_id: int, keys: dict[str, int]) -> None:
    pair = [key for key in keys if key.startswith("pair:")]
    work.db.execute(sa.delete(SignInAttempt).where(SignInAttempt.key.in_(pair)))
    work.db.execute(sa.delete(BrowserSession).where(
        BrowserSession.account_id == account_id,
        sa.or_(BrowserSession.expires_at <= work.now, BrowserSession.seen_at <= work.now - IDLE_FOR)))
