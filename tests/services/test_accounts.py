"""Accounts: made with care, signed in with limits."""
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.access import Grant, Role
from clinic.services import accounts, passwords
from clinic.services.work import Actor, Done, NotFound, Refused, UnitOfWork
from clinic.store.accounts import Account, AccountRole, BrowserSession, SignInAttempt
from clinic.store.engine import for_writing
from tests.web import seed

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)


def work(engine: Engine, at: datetime = NOW) -> UnitOfWork:
    """A unit of work of the command line."""
    return UnitOfWork(engine, lambda: at, Actor("cli"))


@pytest.fixture
def harbour(engine: Engine) -> int:
    """A clinic."""
    with Session(for_writing(engine)) as db:
        clinic_id = seed.add_clinic(db)
        db.commit()
    return clinic_id


def create(engine: Engine, clinic_id: int, **change: object) -> Done[int] | Refused:
    """Makes Ruth's account, changed as given."""
    values: dict[str, object] = {"email": " Ruth@Example.org", "name": "Ruth Vale", "password": seed.PASSWORD,
                                 "grants": [Grant(clinic_id, Role.RECEPTIONIST)], **change}
    with work(engine) as unit:
        return accounts.create_account(unit, **values)  # type: ignore[arg-type]


def test_an_account_is_made_with_its_roles_and_no_readable_password(engine: Engine, harbour: int) -> None:
    outcome = create(engine, harbour)

    assert isinstance(outcome, Done)
    with Session(engine) as db:
        row = db.get_one(Account, outcome.value)
        roles = db.execute(sa.select(AccountRole.clinic_id, AccountRole.role)).all()
    assert (row.email, row.name, row.active) == ("ruth@example.org", "Ruth Vale", True)
    assert row.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert [tuple(role) for role in roles] == [(harbour, "receptionist")]


@pytest.mark.parametrize(("change", "codes"), [
    ({"email": "ruth"}, ["email"]), ({"name": " "}, ["name"]), ({"grants": []}, ["no-role"]),
    ({"grants": [Grant(99, Role.MANAGER)]}, ["unknown-clinic"]), ({"password": "short"}, ["weak-password"]),
    ({"password": "Password123"}, ["weak-password"]), ({"password": "x" * 1025}, ["weak-password"]),
    ({"password": "ruth@example.org", "email": "ruth@example.org"}, ["weak-password"]),
    ({"email": "", "name": "", "password": ""}, ["name", "email", "weak-password"]),
])
def test_what_is_wrong_is_said_at_once_and_nothing_is_made(
    change: dict[str, object], codes: list[str], engine: Engine, harbour: int
) -> None:
    outcome = create(engine, harbour, **change)

    assert isinstance(outcome, Refused)
    assert [finding.code for finding in outcome.findings] == codes
    with Session(engine) as db:
        assert db.scalars(sa.select(Account.id)).all() == []


def test_an_address_has_one_account(engine: Engine, harbour: int) -> None:
    create(engine, harbour)

    outcome = create(engine, harbour, email="RUTH@example.ORG")

    assert isinstance(outcome, Refused)
    assert [finding.code for finding in outcome.findings] == ["email-taken"]


@pytest.mark.parametrize("password", [
    "x" * 64 + "y" * 960, "пароль из четырёх слов", "correct horse battery \N{HORSE}"])
def test_a_long_or_foreign_password_counts_whole(password: str) -> None:
    assert passwords.judge_password(password, email="a@example.org") is None
    kept = passwords.hash_password(password)

    assert passwords.fits(kept, password)
    assert not passwords.fits(kept, password[:-1])


def test_an_unknown_account_fits_no_password() -> None:
    assert not passwords.fits(None, "no account has this password")


def test_a_pair_of_account_and_network_has_five_tries_in_a_quarter_of_an_hour(engine: Engine) -> None:
    def admitted(email: str, network: str, minutes: int = 0) -> bool:
        with work(engine, NOW + timedelta(minutes=minutes)) as unit:
            return accounts.admit_attempt(unit, email=email, network=network)

    tries = [admitted("ruth@example.org", "203.0.113.9") for _ in range(7)]

    assert tries == [True] * 5 + [False] * 2
    assert admitted("RUTH@example.org ", "203.0.113.9") is False
    assert admitted("ruth@example.org", "203.0.113.10") is True
    assert admitted("ada@example.org", "203.0.113.9") is True
    assert admitted("ruth@example.org", "203.0.113.9", minutes=16) is True


def test_a_network_of_ipv6_is_counted_as_one(engine: Engine) -> None:
    def admitted(network: str) -> bool:
        with work(engine) as unit:
            return accounts.admit_attempt(unit, email="ruth@example.org", network=network)

    tries = [admitted(f"2001:db8:0:1::{host}") for host in range(6)]

    assert tries == [True] * 5 + [False]
    assert admitted("2001:db8:0:2::1") is True


def test_a_sign_in_forgets_the_tries_and_old_browsers(engine: Engine, harbour: int) -> None:
    outcome = create(engine, harbour)
    assert isinstance(outcome, Done)
    about = {"email": "ruth@example.org", "network": "203.0.113.9"}
    with work(engine) as unit:
        accounts.admit_attempt(unit, **about)
    with work(engine) as unit:
        accounts.sign_in(unit, outcome.value, password=seed.PASSWORD, **about)
    later = NOW + timedelta(hours=13)

    with work(engine, later) as unit:
        secret = accounts.sign_in(unit, outcome.value, password=seed.PASSWORD, **about)

    with Session(engine) as db:
        assert db.scalars(sa.select(BrowserSession.id_hash)).all() == [accounts.hash_of(secret)]
        assert [key for key in db.scalars(sa.select(SignInAttempt.key)) if key.startswith("pair:")] == []


def test_a_password_kept_with_older_figures_is_kept_anew(engine: Engine, harbour: int) -> None:
    outcome = create(engine, harbour)
    assert isinstance(outcome, Done)
    with Session(for_writing(engine)) as db:
        weaker = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)
        db.get_one(Account, outcome.value).password_hash = weaker.hash(seed.PASSWORD)
        db.commit()

    with work(engine) as unit:
        accounts.sign_in(unit, outcome.value, password=seed.PASSWORD, email="ruth@example.org", network="::1")

    with Session(engine) as db:
        kept = db.get_one(Account, outcome.value).password_hash
    assert "m=19456,t=2" in kept
    assert passwords.fits(kept, seed.PASSWORD)


def test_nobody_signs_in_as_an_account_that_was_disabled_meanwhile(engine: Engine, harbour: int) -> None:
    outcome = create(engine, harbour)
    assert isinstance(outcome, Done)
    with Session(for_writing(engine)) as db:
        db.get_one(Account, outcome.value).active = False
        db.commit()

    with pytest.raises(NotFound), work(engine) as unit:
        accounts.sign_in(unit, outcome.value, password=seed.PASSWORD, email="ruth@example.org", network="::1")
