"""Accounts after they were made: their roles, whom they belong to, whether they are in use, and their passwords."""
from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from clinic.access import Grant, Right, Role, clinics_where
from clinic.planning.findings import Finding, Weight
from clinic.services import passwords
from clinic.services.accounts import create_account, normal_email
from clinic.services.work import Done, NotFound, Refused, UnitOfWork, check_version, record
from clinic.store.accounts import Account, AccountRole, BrowserSession
from clinic.store.clinics import Clinic
from clinic.store.resources import Practitioner

_ELSEWHERE = Finding(
    "elsewhere", Weight.BLOCKS, "This account also works at a clinic whose accounts you do not manage, so only its "
    "roles at your clinics are yours to change. Ask an administrator of all its clinics.")


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """What may be changed of an account; the grants are those at the clinics that are managed."""

    name: str
    grants: tuple[Grant, ...]
    practitioner_id: int | None = None


def add_account(
    work: UnitOfWork, email: str, details: AccountDetails, *, manages: Collection[int]
) -> Done[tuple[int, str]] | Refused:
    """Makes an account; answers its id and a password made for it, which is kept nowhere in words."""
    findings = [*_judge_places(details.grants, manages), *_judge_practitioner(work, details.practitioner_id, None)]
    if findings:
        return Refused(tuple(findings))
    password = passwords.generated()
    made = create_account(work, email=email, name=details.name, password=password, grants=details.grants,
                          practitioner_id=details.practitioner_id)
    return made if isinstance(made, Refused) else Done((made.value, password))


def edit_account(
    work: UnitOfWork, account_id: int, details: AccountDetails, *, manages: Collection[int], lock_version: int
) -> Done[int] | Refused:
    """Changes an account and its roles at the clinics that are managed; Stale where someone else was faster."""
    row = _locked(work, account_id, with_administrators=True)
    held = _grants(work, account_id)
    findings = [
        *_judge_places(details.grants, manages), *_judge_practitioner(work, details.practitioner_id, account_id)]
    name = details.name.strip()
    if not name or len(name) > 200:
        findings.append(Finding("name", Weight.BLOCKS, "The account needs a name of at most 200 characters.", "name"))
    if _is_elsewhere(held, manages) and (name, details.practitioner_id) != (row.name, row.practitioner_id):
        findings.append(_ELSEWHERE)
    kept = {grant for grant in held if grant.clinic_id not in manages}
    wanted = kept | set(details.grants)
    if not wanted:
        findings.append(Finding("no-role", Weight.BLOCKS, "The account needs a role at one clinic at least. To keep "
                                "somebody out, end the use of the account."))
    if row.active:
        findings += _judge_last(work, account_id, held - wanted)
    if findings:
        return Refused(tuple(findings))
    check_version("account", row, lock_version)
    row.name, row.practitioner_id = name, details.practitioner_id
    _keep_grants(work, account_id, held, wanted)
    record(work, "account-changed", "account", account_id, added=_codes(wanted - held), taken=_codes(held - wanted))
    work.commit()
    return Done(account_id)


def end_use(work: UnitOfWork, account_id: int, *, manages: Collection[int]) -> Done[int] | Refused:
    """Keeps an account out from now on, and signs its browsers out; what it did stays in its name."""
    row = _locked(work, account_id, with_administrators=True)
    held = _grants(work, account_id)
    findings = [_ELSEWHERE] if _is_elsewhere(held, manages) else []
    if account_id == work.actor.account_id:
        findings.append(Finding("own-account", Weight.BLOCKS, "Only somebody else can end the use of your account."))
    if row.active:
        findings += _judge_last(work, account_id, held)
    if findings:
        return Refused(tuple(findings))
    row.active = False
    row.lock_version += 1
    _sign_out(work, account_id)
    record(work, "account-ended", "account", account_id)
    work.commit()
    return Done(account_id)


def begin_use(work: UnitOfWork, account_id: int, *, manages: Collection[int]) -> Done[int] | Refused:
    """Lets an account in again, with the password that it had."""
    row = _locked(work, account_id)
    if _is_elsewhere(_grants(work, account_id), manages):
        return Refused((_ELSEWHERE,))
    row.active = True
    row.lock_version += 1
    record(work, "account-begun", "account", account_id)
    work.commit()
    return Done(account_id)


def give_password(work: UnitOfWork, account_id: int, *, manages: Collection[int]) -> Done[str] | Refused:
    """Gives an account a password made for it, answers it once, and signs its browsers out."""
    row = _locked(work, account_id)
    if _is_elsewhere(_grants(work, account_id), manages):
        return Refused((_ELSEWHERE,))
    if account_id == work.actor.account_id:
        # Who finds a browser that is signed in must not be able to take the account over without its password.
        return Refused((Finding("own-account", Weight.BLOCKS, "Change your own password on the page Password, with the "
                                "one that you have."),))
    password = passwords.generated()
    _keep_password(work, row, password)
    work.commit()
    return Done(password)


def set_password(work: UnitOfWork, email: str, password: str) -> Done[int] | Refused:
    """Sets the password of the account with this address; for who holds the machine itself."""
    row = work.db.scalars(
        sa.select(Account).where(Account.email == normal_email(email)).with_for_update()).one_or_none()
    if row is None:
        return Refused((Finding("no-account", Weight.BLOCKS, "No account has this e-mail address.", "email"),))
    weak = passwords.judge_password(password, email=row.email)
    if weak is not None:
        return Refused((weak,))
    _keep_password(work, row, password)
    work.commit()
    return Done(row.id)


def change_own_password(work: UnitOfWork, account_id: int, password: str, *, id_hash: str) -> Done[int] | Refused:
    """Sets the password that its owner chose, whose present one was found to fit; all other browsers are signed out."""
    row = _locked(work, account_id)
    weak = passwords.judge_password(password, email=row.email)
    if weak is None and passwords.fits(row.password_hash, password):
        weak = Finding("same-password", Weight.BLOCKS, "This is the password that you have. Choose another one.",
                       "password")
    if weak is not None:
        return Refused((weak,))
    _keep_password(work, row, password, but=id_hash)
    work.commit()
    return Done(account_id)


def _locked(work: UnitOfWork, account_id: int, *, with_administrators: bool = False) -> Account:
    # Two administrators who end each other's use at once must see one another: all of them are locked, in one order.
    administrators = sa.select(AccountRole.account_id).where(AccountRole.role == Role.ADMINISTRATOR)
    which = Account.id == account_id
    rows = work.db.scalars(
        sa.select(Account).where(sa.or_(which, Account.id.in_(administrators)) if with_administrators else which)
        .order_by(Account.id).with_for_update()).all()
    row = next((each for each in rows if each.id == account_id), None)
    if row is None:
        raise NotFound(f"account {account_id}")
    return row


def _grants(work: UnitOfWork, account_id: int) -> set[Grant]:
    rows = work.db.execute(
        sa.select(AccountRole.clinic_id, AccountRole.role).where(AccountRole.account_id == account_id)).all()
    return {Grant(row.clinic_id, Role(row.role)) for row in rows}


def _is_elsewhere(held: Collection[Grant], manages: Collection[int]) -> bool:
    """Whether it has a role where the actor manages no accounts: a password for it would open doors there."""
    return any(grant.clinic_id not in manages for grant in held)


def _judge_places(grants: Sequence[Grant], manages: Collection[int]) -> list[Finding]:
    if all(grant.clinic_id in manages for grant in grants):
        return []
    return [Finding("not-yours", Weight.BLOCKS, "You can give roles only at clinics whose accounts you manage.")]


def _judge_practitioner(work: UnitOfWork, practitioner_id: int | None, account_id: int | None) -> list[Finding]:
    if practitioner_id is None:
        return []
    if work.db.get(Practitioner, practitioner_id) is None:
        return [Finding("practitioner", Weight.BLOCKS, "Choose the practitioner again.", "practitioner")]
    other = work.db.scalar(sa.select(Account.id).where(
        Account.practitioner_id == practitioner_id, Account.id != (account_id or 0)).limit(1))
    if other is None:
        return []
    return [Finding("practitioner-taken", Weight.BLOCKS, "Another account belongs to this practitioner.",
                    "practitioner")]


def _judge_last(work: UnitOfWork, account_id: int, lost: Collection[Grant]) -> list[Finding]:
    """Whether somebody else in use still manages the accounts of each clinic where these grants did."""
    concerned = set(clinics_where(lost, Right.MANAGE_ACCOUNTS))
    if not concerned:
        return []
    others = set(work.db.scalars(
        sa.select(AccountRole.clinic_id).join(Account, Account.id == AccountRole.account_id)
        .where(Account.active, AccountRole.role == Role.ADMINISTRATOR, AccountRole.account_id != account_id)))
    names = work.db.scalars(
        sa.select(Clinic.name).where(Clinic.id.in_(concerned - others)).order_by(Clinic.id)).all()
    if not names:
        return []
    return [Finding("last-administrator", Weight.BLOCKS, f"This is the last administrator of {', '.join(names)}. "
                    "Make somebody else administrator there first.")]


def _keep_grants(work: UnitOfWork, account_id: int, held: set[Grant], wanted: set[Grant]) -> None:
    for grant in held - wanted:
        work.db.execute(sa.delete(AccountRole).where(
            AccountRole.account_id == account_id, AccountRole.clinic_id == grant.clinic_id,
            AccountRole.role == grant.role.value))
    work.db.add_all(AccountRole(account_id=account_id, clinic_id=grant.clinic_id, role=grant.role.value)
                    for grant in sorted(wanted - held, key=lambda each: (each.clinic_id, each.role)))


def _codes(grants: Collection[Grant]) -> list[str]:
    return sorted(f"{grant.clinic_id}:{grant.role.value}" for grant in grants)


def _keep_password(work: UnitOfWork, row: Account, password: str, *, but: str = "") -> None:
    row.password_hash = passwords.hash_password(password)
    row.lock_version += 1
    _sign_out(work, row.id, but=but)
    record(work, "password-set", "account", row.id)


def _sign_out(work: UnitOfWork, account_id: int, *, but: str = "") -> None:
    work.db.execute(sa.delete(BrowserSession).where(
        BrowserSession.account_id == account_id, BrowserSession.id_hash != but))
