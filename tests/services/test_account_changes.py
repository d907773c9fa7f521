"""Accounts after they were made: roles, use, passwords, and what nobody may take from the last administrator."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.access import Grant, Role
from clinic.services import account_changes as service
from clinic.services import accounts, passwords
from clinic.services.account_changes import AccountDetails
from clinic.services.work import Actor, Done, NotFound, Refused, Stale, UnitOfWork
from clinic.store.accounts import Account, AccountRole, AuditEntry, BrowserSession
from clinic.store.engine import for_writing
from tests.web import seed

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)


@dataclass
class Business:
    """Two clinics; Ada administers both, Ruth receives at the first one."""

    engine: Engine
    harbour: int = 0
    hill: int = 0
    ada: int = 0
    ruth: int = 0

    def work(self, by: int | None = None) -> UnitOfWork:
        """A unit of work, of Ada unless said."""
        return UnitOfWork(self.engine, lambda: NOW, Actor("account", by or self.ada))

    @property
    def both(self) -> tuple[int, int]:
        """Both clinics."""
        return self.harbour, self.hill

    def add(self, email: str, *grants: Grant) -> int:
        """Another account."""
        with Session(for_writing(self.engine)) as db:
            account_id = seed.add_account(db, email, {})
            db.add_all(AccountRole(account_id=account_id, clinic_id=each.clinic_id, role=each.role) for each in grants)
            db.commit()
        return account_id

    def row(self, account_id: int) -> Account:
        """An account's row as it is."""
        with Session(self.engine) as db:
            return db.get_one(Account, account_id)

    def grants(self, account_id: int) -> set[Grant]:
        """Its roles."""
        with Session(self.engine) as db:
            rows = db.execute(sa.select(AccountRole.clinic_id, AccountRole.role)
                              .where(AccountRole.account_id == account_id)).all()
        return {Grant(row.clinic_id, Role(row.role)) for row in rows}

    def browsers(self, account_id: int) -> list[str]:
        """The browsers that it is signed in with."""
        with Session(self.engine) as db:
            return list(db.scalars(sa.select(BrowserSession.id_hash).where(BrowserSession.account_id == account_id)))

    def sign_in(self, account_id: int) -> str:
        """Signs in with one more browser; the hash of its secret."""
        with self.work() as unit:
            secret = accounts.sign_in(unit, account_id, password=seed.PASSWORD, email="any", network="::1")
        return accounts.hash_of(secret)

    def actions(self) -> list[str]:
        """What the audit tells, in order."""
        with Session(self.engine) as db:
            return list(db.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)))


@pytest.fixture
def business(engine: Engine) -> Business:
    """The business."""
    made = Business(engine)
    with Session(for_writing(engine)) as db:
        made.harbour, made.hill = seed.add_clinic(db), seed.add_clinic(db, "Hill")
        made.ada = seed.add_account(db, "ada@example.org", dict.fromkeys(made.both, Role.ADMINISTRATOR))
        made.ruth = seed.add_account(db, "ruth@example.org", {made.harbour: Role.RECEPTIONIST})
        db.commit()
    return made


def codes(outcome: Done[Any] | Refused) -> list[str]:
    """The findings of a refusal."""
    assert isinstance(outcome, Refused)
    return [finding.code for finding in outcome.findings]


def edit(business: Business, account_id: int, *grants: Grant, **more: object) -> Done[int] | Refused:
    """Changes an account's roles, and what else is given."""
    values: dict[str, object] = {"name": "Ruth Vale", "grants": grants, "practitioner_id": None}
    manages = more.pop("manages", business.both)
    version = more.pop("lock_version", 1)
    with business.work() as unit:
        return service.edit_account(unit, account_id, AccountDetails(**(values | more)),  # type: ignore[arg-type]
                                    manages=manages, lock_version=version)  # type: ignore[arg-type]


def test_a_new_account_gets_a_password_that_fits_and_is_kept_nowhere(business: Business) -> None:
    details = AccountDetails("Ben Low", (Grant(business.hill, Role.MANAGER),))

    with business.work() as unit:
        outcome = service.add_account(unit, "Ben@example.org", details, manages=business.both)

    assert isinstance(outcome, Done)
    account_id, password = outcome.value
    row = business.row(account_id)
    assert passwords.fits(row.password_hash, password)
    assert (row.email, row.name, business.grants(account_id)) == ("ben@example.org", "Ben Low", set(details.grants))
    assert passwords.judge_password(password, email="ben@example.org") is None
    with Session(business.engine) as db:
        assert password not in str(db.execute(sa.select(AuditEntry.facts)).all())


def test_generated_passwords_are_long_readable_and_never_the_same() -> None:
    made = {passwords.generated() for _ in range(200)}

    assert len(made) == 200
    assert {len(each) for each in made} == {17}
    assert not set("01ilo").intersection("".join(made))


def test_roles_are_given_and_taken_with_the_name(business: Business) -> None:
    wanted = (Grant(business.hill, Role.MANAGER), Grant(business.harbour, Role.PRACTITIONER))

    outcome = edit(business, business.ruth, *wanted, name=" Ruth Hill ")

    assert isinstance(outcome, Done)
    assert business.grants(business.ruth) == set(wanted)
    assert (business.row(business.ruth).name, business.row(business.ruth).lock_version) == ("Ruth Hill", 2)
    with Session(business.engine) as db:
        facts = db.scalars(sa.select(AuditEntry.facts).where(AuditEntry.action == "account-changed")).one()
    assert facts == {"added": [f"{business.harbour}:practitioner", f"{business.hill}:manager"],
                     "taken": [f"{business.harbour}:receptionist"]}


def test_the_second_of_two_editors_is_told(business: Business) -> None:
    edit(business, business.ruth, Grant(business.harbour, Role.MANAGER))

    with pytest.raises(Stale):
        edit(business, business.ruth, Grant(business.harbour, Role.AUDITOR))

    assert business.grants(business.ruth) == {Grant(business.harbour, Role.MANAGER)}


def test_an_account_keeps_a_role_somewhere_and_a_name(business: Business) -> None:
    assert codes(edit(business, business.ruth, name=" ")) == ["name", "no-role"]
    assert codes(edit(business, business.ruth, Grant(business.hill, Role.MANAGER), name="x" * 201)) == ["name"]


def test_who_manages_one_clinic_changes_nothing_of_another(business: Business) -> None:
    both = business.add("both@example.org", Grant(business.harbour, Role.RECEPTIONIST),
                        Grant(business.hill, Role.MANAGER))
    here = (business.harbour,)

    grant_there = edit(business, both, Grant(business.hill, Role.AUDITOR), manages=here)
    other_name = edit(business, both, Grant(business.harbour, Role.AUDITOR), manages=here, name="Another")
    roles_here = edit(business, both, Grant(business.harbour, Role.AUDITOR), manages=here)
    with business.work() as unit:
        password = service.give_password(unit, both, manages=here)
    with business.work() as unit:
        ended = service.end_use(unit, both, manages=here)
    with business.work() as unit:
        begun = service.begin_use(unit, both, manages=here)

    assert codes(grant_there) == ["not-yours"]
    assert codes(other_name) == codes(password) == codes(ended) == codes(begun) == ["elsewhere"]
    assert isinstance(roles_here, Done)
    assert business.grants(both) == {Grant(business.harbour, Role.AUDITOR), Grant(business.hill, Role.MANAGER)}


def test_the_last_administrator_of_a_clinic_stays(business: Business) -> None:
    taken = edit(business, business.ada, Grant(business.harbour, Role.ADMINISTRATOR))
    with business.work(by=business.ruth) as unit:
        ended = service.end_use(unit, business.ada, manages=business.both)
    business.add("eve@example.org", Grant(business.hill, Role.ADMINISTRATOR))

    taken_with_another_there = edit(business, business.ada, Grant(business.harbour, Role.ADMINISTRATOR))

    assert codes(taken) == codes(ended) == ["last-administrator"]
    assert isinstance(taken, Refused) and "Hill." in taken.findings[0].text
    assert isinstance(taken_with_another_there, Done)


def test_an_administrator_who_is_not_in_use_counts_for_nothing(business: Business) -> None:
    eve = business.add("eve@example.org", *(Grant(each, Role.ADMINISTRATOR) for each in business.both))
    with business.work() as unit:
        assert isinstance(service.end_use(unit, eve, manages=business.both), Done)

    assert codes(edit(business, business.ada, Grant(business.hill, Role.MANAGER))) == ["last-administrator"]


def test_two_administrators_who_end_each_other_leave_one(business: Business) -> None:
    eve = business.add("eve@example.org", *(Grant(each, Role.ADMINISTRATOR) for each in business.both))

    def end(by: int, whom: int) -> Done[int] | Refused:
        with business.work(by=by) as unit:
            return service.end_use(unit, whom, manages=business.both)

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(end, (business.ada, eve), (eve, business.ada)))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Done", "Refused"]
    assert [business.row(business.ada).active, business.row(eve).active].count(True) == 1


def test_nobody_ends_the_use_of_their_own_account(business: Business) -> None:
    business.add("eve@example.org", *(Grant(each, Role.ADMINISTRATOR) for each in business.both))

    with business.work() as unit:
        outcome = service.end_use(unit, business.ada, manages=business.both)

    assert codes(outcome) == ["own-account"]


def test_the_end_of_its_use_signs_every_browser_out_until_it_begins_again(business: Business) -> None:
    business.sign_in(business.ruth)
    with business.work() as unit:
        service.end_use(unit, business.ruth, manages=business.both)
    assert (business.row(business.ruth).active, business.browsers(business.ruth)) == (False, [])

    with business.work() as unit:
        service.begin_use(unit, business.ruth, manages=business.both)

    assert business.row(business.ruth).active
    assert business.actions()[-2:] == ["account-ended", "account-begun"]


def test_a_given_password_replaces_the_old_one_and_signs_out(business: Business) -> None:
    business.sign_in(business.ruth)

    with business.work() as unit:
        outcome = service.give_password(unit, business.ruth, manages=business.both)

    assert isinstance(outcome, Done)
    kept = business.row(business.ruth).password_hash
    assert (passwords.fits(kept, outcome.value), passwords.fits(kept, seed.PASSWORD)) == (True, False)
    assert business.browsers(business.ruth) == []


def test_nobody_gives_themselves_a_password_without_the_one_that_they_have(business: Business) -> None:
    here = business.sign_in(business.ada)

    with business.work(by=business.ada) as unit:
        outcome = service.give_password(unit, business.ada, manages=business.both)

    assert codes(outcome) == ["own-account"]
    assert passwords.fits(business.row(business.ada).password_hash, seed.PASSWORD)
    assert business.browsers(business.ada) == [here]


def test_ones_own_password_keeps_the_browser_at_hand_and_no_other(business: Business) -> None:
    kept, _other = business.sign_in(business.ruth), business.sign_in(business.ruth)

    with business.work(by=business.ruth) as unit:
        outcome = service.change_own_password(unit, business.ruth, "nine loud starlings", id_hash=kept)

    assert isinstance(outcome, Done)
    assert business.browsers(business.ruth) == [kept]
    assert passwords.fits(business.row(business.ruth).password_hash, "nine loud starlings")


@pytest.mark.parametrize(("password", "code"), [
    ("short", "weak-password"), ("ruth@example.org", "weak-password"), (seed.PASSWORD, "same-password")])
def test_a_weak_or_the_same_password_is_refused(password: str, code: str, business: Business) -> None:
    with business.work(by=business.ruth) as unit:
        outcome = service.change_own_password(unit, business.ruth, password, id_hash="")

    assert codes(outcome) == [code]
    assert business.row(business.ruth).password_hash == seed.PASSWORD_HASH


def test_an_account_belongs_to_one_practitioner_and_a_practitioner_to_one_account(business: Business) -> None:
    with Session(for_writing(business.engine)) as db:
        park = seed.add_practitioner(db)
        db.commit()
    grant = Grant(business.harbour, Role.PRACTITIONER)

    linked = edit(business, business.ruth, grant, practitioner_id=park)
    taken = edit(business, business.ada, grant, *(Grant(each, Role.ADMINISTRATOR) for each in business.both),
                 practitioner_id=park)
    unknown = edit(business, business.ruth, grant, practitioner_id=park + 99, lock_version=2)

    assert isinstance(linked, Done)
    assert business.row(business.ruth).practitioner_id == park
    assert (codes(taken), codes(unknown)) == (["practitioner-taken"], ["practitioner"])


def test_an_account_that_came_without_a_password_lets_nobody_in_until_it_has_one(business: Business) -> None:
    with Session(for_writing(business.engine)) as db:
        db.get_one(Account, business.ruth).password_hash = passwords.NO_PASSWORD
        db.commit()
    assert not any(passwords.fits(passwords.NO_PASSWORD, tried) for tried in ("!", "", "no account has this password"))

    with business.work() as unit:
        outcome = service.set_password(unit, " RUTH@example.org", "nine loud starlings")

    assert isinstance(outcome, Done)
    assert passwords.fits(business.row(business.ruth).password_hash, "nine loud starlings")


def test_a_password_is_set_for_an_account_that_is_there_and_only_a_good_one(business: Business) -> None:
    with business.work() as unit:
        nobody = service.set_password(unit, "nobody@example.org", "nine loud starlings")
    with business.work() as unit:
        weak = service.set_password(unit, "ruth@example.org", "password1")

    assert (codes(nobody), codes(weak)) == (["no-account"], ["weak-password"])


def test_an_account_that_is_not_there_is_not_found(business: Business) -> None:
    with pytest.raises(NotFound), business.work() as unit:
        service.end_use(unit, 999, manages=business.both)
