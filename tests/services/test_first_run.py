"""The first run: everything at once or nothing, once and never again, behind a code that nobody can guess."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.queries.accounts import account_of_browser
from clinic.services import clinics
from clinic.services.accounts import hash_of
from clinic.services.clinics import ClinicDetails, Hours
from clinic.services.first_run import Begun, FirstRun, begin, code_fits, setup_code
from clinic.services.work import Actor, Done, NotFound, Refused, UnitOfWork
from clinic.store.base import Row
from clinic.store.clinics import Business, OpeningHours
from clinic.store.protocols import ProtocolVersion
from clinic.store.resources import Practitioner
from tests.booking import done, failing_at
from tests.small_clinic import MONDAY

HARBOUR = ClinicDetails(
    name="Harbour Street", zone="Europe/London", address="1 Quay", phone="+44 1", sender_name="Harbour Skin",
    sender_email="desk@harbour.example", hours=(Hours((0, 1, 2, 3, 4), 540, 1080),))
FIRST = FirstRun("Harbour Skin", HARBOUR, "Anna Bell", "Anna@Harbour.example", "seven quiet herons", treats=True)


def work(engine: Engine) -> UnitOfWork:
    return UnitOfWork(engine, lambda: MONDAY, Actor("visitor"))


def begun(engine: Engine, first: FirstRun = FIRST) -> Done[Begun] | Refused:
    with work(engine) as unit:
        return begin(unit, first)


def rows(engine: Engine) -> dict[str, int]:
    """How many rows each table has."""
    with engine.connect() as connection:
        return {name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
                for name, table in Row.metadata.tables.items()}


def test_an_empty_database_becomes_a_clinic_whose_maker_is_signed_in(engine: Engine) -> None:
    made: Begun = done(begun(engine))

    with Session(engine) as db:
        who = account_of_browser(db, hash_of(made.secret), now=MONDAY)
        drafts = db.scalars(sa.select(ProtocolVersion.state).distinct()).all()
        hours = db.scalar(sa.select(sa.func.count()).select_from(OpeningHours))
        names = (db.scalar(sa.select(Business.name)), db.scalar(sa.select(Practitioner.name)))
    assert who is not None
    assert (who.account_id, who.name, who.clinic.id) == (made.account_id, "Anna Bell", made.clinic_id)
    assert {grant.role.value for grant in who.grants} == {"manager", "administrator", "practitioner"}
    assert (drafts, hours, names) == (["draft"], 5, ("Harbour Skin", "Anna Bell"))


def test_who_does_not_treat_is_no_practitioner(engine: Engine) -> None:
    made: Begun = done(begun(engine, replace(FIRST, treats=False)))

    with Session(engine) as db:
        who = account_of_browser(db, hash_of(made.secret), now=MONDAY)
    assert who is not None
    assert {grant.role.value for grant in who.grants} == {"manager", "administrator"}
    assert rows(engine)["practitioner"] == 0


def test_everything_that_is_wrong_is_said_by_its_field_and_nothing_is_kept(engine: Engine) -> None:
    before = rows(engine)
    clinic = replace(HARBOUR, name="", zone="X", phone="", address="", sender_email="x", sender_name="",
                     hours=(Hours((0,), 600, 540),))

    outcome = begun(engine, FirstRun(" ", clinic, "", "y", "short", treats=True))

    assert isinstance(outcome, Refused)
    assert {finding.field for finding in outcome.findings} == {
        "business", "clinic", "zone", "phone", "address", "sender_email", "hours-0-0-from", "name", "email", "password"}
    assert rows(engine) == before


def test_it_happens_once(engine: Engine) -> None:
    done(begun(engine))
    before = rows(engine)

    with pytest.raises(NotFound):
        begun(engine, replace(FIRST, email="ben@harbour.example"))

    assert rows(engine) == before


def test_two_who_begin_at_one_moment_are_one(engine: Engine) -> None:
    def attempt(number: int) -> bool:
        try:
            return isinstance(begun(engine, replace(FIRST, email=f"a{number}@harbour.example")), Done)
        except NotFound:
            return False

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(attempt, range(4)))

    found = rows(engine)
    assert (told.count(True), found["account"], found["clinic"]) == (1, 1, 1)


def test_a_break_at_any_statement_leaves_nothing_behind(engine: Engine) -> None:
    empty = rows(engine)
    outcome: Done[Begun] | Refused | None = None
    number = 1
    while outcome is None:
        with failing_at(engine, number), suppress(ConnectionError):
            outcome = begun(engine)
        assert outcome is not None or rows(engine) == empty
        number += 7

    assert (isinstance(outcome, Done), number > 21) == (True, True)


def test_a_clinic_from_the_command_line_is_its_own_too(engine: Engine) -> None:
    with work(engine) as unit:
        done(clinics.open_clinic(unit, replace(HARBOUR, name="Hill")))

    made: Begun = done(begun(engine))

    with Session(engine) as db:
        who = account_of_browser(db, hash_of(made.secret), now=MONDAY)
    assert who is not None
    assert [clinic.name for clinic in who.clinics] == ["Hill", "Harbour Street"]


def test_the_code_is_of_the_key_alone_and_read_however_it_is_typed() -> None:
    code = setup_code("k" * 64)

    assert (len(code), code[4], code == setup_code("k" * 64), code == setup_code("l" * 64)) == (9, "-", True, False)
    assert all(code_fits("k" * 64, typed) for typed in (code, code.lower(), code.replace("-", " "), f" {code}"))
    wrong = ("", code[:-1], code + "A", "ÄÖÜß-éèàù", setup_code("l" * 64))
    assert not any(code_fits("k" * 64, typed) for typed in wrong)
