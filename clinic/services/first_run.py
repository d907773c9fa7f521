"""The first run: an empty database becomes a clinic with somebody who may arrange everything, all at once."""
from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, replace

import sqlalchemy as sa

from clinic.access import Grant, Role
from clinic.planning.findings import Finding, Weight
from clinic.services.accounts import judge_account, put_account, put_browser
from clinic.services.clinics import ClinicDetails, judge_clinic, put_clinic, put_name
from clinic.services.protocols import bring_catalogue
from clinic.services.work import Done, NotFound, Refused, UnitOfWork, record
from clinic.store.accounts import Account
from clinic.store.clinics import Clinic
from clinic.store.resources import Practitioner

ATTEMPTS_OF = "set-up code"
"""What tries of the code are counted under, as tries to sign in are under an address."""
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LETTERS = 8


@dataclass(frozen=True, slots=True)
class FirstRun:
    """What the first person tells of the business, its first clinic (none: there is one already), and themselves."""

    business: str
    clinic: ClinicDetails | None
    name: str
    email: str
    password: str
    treats: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """What the first run made: the account, the clinic, and the secret of the browser that is signed in with it."""

    account_id: int
    clinic_id: int
    secret: str


def setup_code(secret_key: str) -> str:
    """The code that opens the first run, such as ABCD-EFGH: told to who starts the program, and kept nowhere."""
    digest = hmac.new(secret_key.encode(), b"set-up code", hashlib.sha256).digest()
    letters = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:_LETTERS])
    return f"{letters[:4]}-{letters[4:]}"


def code_fits(secret_key: str, typed: str) -> bool:
    """Whether this is the set-up code, however it was typed; takes as long for any wrong one."""
    plain = typed.upper().replace("-", "").replace(" ", "")
    return hmac.compare_digest(plain.encode(), setup_code(secret_key).replace("-", "").encode())


def begin(work: UnitOfWork, first: FirstRun) -> Done[Begun] | Refused:
    """Makes the business, its clinic, the library as drafts and the first account, signed in: all of it or nothing.

    NotFound once there is an account: the first run is over for good.
    """
    _alone(work)
    findings = tuple(_judge(work, first))
    if findings:
        return Refused(findings)
    if first.clinic is not None:
        put_name(work, first.business.strip())
        put_clinic(work, first.clinic)
    bring_catalogue(work)
    # A clinic that was opened at the command line, or moved in, waits for somebody too.
    clinics = work.db.scalars(sa.select(Clinic.id).order_by(Clinic.id)).all()
    account_id = put_account(
        work, email=first.email, name=first.name, password=first.password,
        grants=[Grant(each, role) for each in clinics for role in _roles(first)],
        practitioner_id=_practitioner(work, first))
    record(work, "first-run", "account", account_id, clinic_id=clinics[-1])
    secret = put_browser(work, account_id)
    work.commit()
    return Done(Begun(account_id, clinics[-1], secret))


def _judge(work: UnitOfWork, first: FirstRun) -> Iterator[Finding]:
    if first.clinic is not None:
        yield from _judge_clinic(work, first.business, first.clinic)
    elif work.db.scalar(sa.select(Clinic.id).limit(1)) is None:
        yield Finding("missing", Weight.BLOCKS, "Say what the clinic is called.", "clinic")
    yield from judge_account(work, email=first.email, name=first.name, password=first.password)


def _judge_clinic(work: UnitOfWork, business: str, clinic: ClinicDetails) -> Iterator[Finding]:
    if not business.strip():
        yield Finding("missing", Weight.BLOCKS, "Say what the business is called.", "business")
    for finding in judge_clinic(work, clinic):
        # The form has two names: the clinic's and the person's. Messages come from the business.
        if finding.field != "sender_name":
            yield replace(finding, field="clinic") if finding.field == "name" else finding


def _alone(work: UnitOfWork) -> None:
    # Two people who send the form at one moment must not both begin: SQLite has one writer at a time already.
    if work.db.get_bind().dialect.name == "postgresql":
        work.db.execute(sa.text("LOCK TABLE account IN EXCLUSIVE MODE"))
    if work.db.scalar(sa.select(Account.id).limit(1)) is not None:
        raise NotFound("the first run is over")


def _roles(first: FirstRun) -> tuple[Role, ...]:
    return (Role.MANAGER, Role.ADMINISTRATOR, *((Role.PRACTITIONER,) if first.treats else ()))


def _practitioner(work: UnitOfWork, first: FirstRun) -> int | None:
    """Who treats: the practitioner of that name where one was moved in, else a new one."""
    if not first.treats:
        return None
    table = Practitioner.__table__
    known: int | None = work.db.scalar(
        sa.select(table.c.id).where(table.c.name == first.name.strip(), table.c.active).order_by(table.c.id).limit(1))
    if known is not None:
        return known
    person = Practitioner(name=first.name.strip())
    work.db.add(person)
    work.db.flush()
    record(work, "practitioner-added", "practitioner", person.id)
    return person.id
