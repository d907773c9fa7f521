"""A form that is sent twice is done once."""
from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.services.idempotency import KEPT_FOR, KeyReused, answered, once
from clinic.services.work import Actor, UnitOfWork
from clinic.store.accounts import IdempotencyKey
from clinic.store.engine import for_writing
from tests.web import seed

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def ruth(engine: Engine) -> int:
    """An account."""
    with Session(for_writing(engine)) as db:
        account_id = seed.add_account(db, "ruth@example.org", {seed.add_clinic(db): Role.RECEPTIONIST})
        db.commit()
    return account_id


def work(engine: Engine, account_id: int | None, at: datetime = NOW) -> UnitOfWork:
    """A unit of work of an account."""
    return UnitOfWork(engine, lambda: at, Actor("account", account_id))


def test_the_second_sending_gets_the_first_answer(engine: Engine, ruth: int) -> None:
    with work(engine, ruth) as unit:
        assert once(unit, "key", "sha") is None
        unit.commit()
        answered(unit, "key", {"to": "/courses/7"})

    with work(engine, ruth) as unit:
        assert once(unit, "key", "sha") == {"to": "/courses/7"}


def test_a_request_that_left_no_answer_still_counts(engine: Engine, ruth: int) -> None:
    with work(engine, ruth) as unit:
        once(unit, "key", "sha")
        unit.commit()

    with work(engine, ruth) as unit:
        assert once(unit, "key", "sha") == {}


def test_what_was_rolled_back_may_be_sent_again(engine: Engine, ruth: int) -> None:
    with work(engine, ruth) as unit:
        once(unit, "key", "sha")

    with work(engine, ruth) as unit:
        assert once(unit, "key", "other") is None


def test_the_same_key_with_another_content_is_refused(engine: Engine, ruth: int) -> None:
    with work(engine, ruth) as unit:
        once(unit, "key", "sha")
        unit.commit()

    with pytest.raises(KeyReused), work(engine, ruth) as unit:
        once(unit, "key", "other")


def test_without_a_key_or_an_account_nothing_is_kept(engine: Engine, ruth: int) -> None:
    for account_id, key in ((ruth, ""), (None, "key")):
        with work(engine, account_id) as unit:
            assert once(unit, key, "sha") is None
            answered(unit, key, {"to": "/"})

    with Session(engine) as db:
        assert db.scalars(sa.select(IdempotencyKey.key)).all() == []


def test_old_keys_are_forgotten(engine: Engine, ruth: int) -> None:
    for at, key in ((NOW, "old"), (NOW + KEPT_FOR + timedelta(hours=1), "new")):
        with work(engine, ruth, at) as unit:
            once(unit, key, "sha")
            unit.commit()
            answered(unit, key, {"to": "/"})

    with Session(engine) as db:
        assert db.scalars(sa.select(IdempotencyKey.key)).all() == ["new"]


def test_of_eight_that_race_for_one_key_one_acts(engine: Engine, ruth: int) -> None:
    acted: list[int] = []
    gate = threading.Barrier(8)

    def send(number: int) -> None:
        gate.wait()
        with work(engine, ruth) as unit:
            if once(unit, "key", "sha") is None:
                acted.append(number)
                unit.commit()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(acted) == 1
