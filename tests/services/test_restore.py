"""Bringing an export back: the same clinic on either database, and only where nothing is in the way."""
from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.interchange.archive import MANIFEST
from clinic.services.archive_tables import exported_tables
from clinic.services.passwords import NO_PASSWORD
from clinic.services.restore import restore
from clinic.services.work import Actor, Done, Refused, UnitOfWork
from clinic.store.clinics import Business
from clinic.store.engine import open_engine
from clinic.store.resources import Patient
from tests.databases import DatabasesOf, SQLiteFiles
from tests.everything import clinic_of_everything
from tests.prove.audit_pages import page_faults
from tests.prove.plain_rows import Tables
from tests.services.test_export import exported
from tests.small_clinic import MONDAY


def restored(engine: Engine, folder: Path) -> Done[Any] | Refused:
    """What became of bringing the folder back."""
    with UnitOfWork(engine, lambda: MONDAY, Actor("cli")) as work:
        return restore(work, folder)


@pytest.fixture(scope="module")
def left(sqlite_files: SQLiteFiles) -> Iterator[Engine]:
    """The database that a clinic leaves."""
    url = sqlite_files.migrated()
    engine = open_engine(url)
    clinic_of_everything(engine)
    yield engine
    engine.dispose()
    sqlite_files.remove(url)


@pytest.fixture(scope="module")
def folder(left: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its export."""
    found = tmp_path_factory.mktemp("left") / "out"
    exported(left, found)
    return found


def test_what_is_brought_back_is_exported_as_the_same_bytes(engine: Engine, folder: Path, tmp_path: Path) -> None:
    outcome = restored(engine, folder)

    assert isinstance(outcome, Done), outcome
    assert exported(engine, tmp_path / "again") == {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.postgres
def test_a_clinic_may_change_its_database_and_come_back(
    folder: Path, databases_of: DatabasesOf, tmp_path: Path
) -> None:
    before = folder
    for number, kind in enumerate(("postgresql", "sqlite", "postgresql")):
        databases = databases_of(kind)
        url = databases.migrated()
        engine = open_engine(url)
        assert isinstance(restored(engine, before), Done)
        before = tmp_path / str(number)
        files = exported(engine, before)
        engine.dispose()
        databases.remove(url)

        assert files == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_it_can_be_worked_with_at_once_and_nothing_leaves(engine: Engine, folder: Path) -> None:
    restored(engine, folder)

    with Session(engine) as db:
        business = db.scalars(sa.select(Business)).one()
        assert (business.held_since, business.mail_on_since) == (MONDAY, None)
        assert set(db.execute(sa.text("SELECT password_hash FROM account")).scalars()) == {NO_PASSWORD}
        assert db.execute(sa.text("SELECT action FROM audit WHERE subject_kind = 'installation'")).scalars().all() == [
            "data-restored"]
        highest = db.execute(sa.text("SELECT max(id) FROM resource")).scalar_one()
    with UnitOfWork(engine, lambda: MONDAY, Actor("test")) as work:
        patient = Patient(given_name="New", family_name="One", search_text="new one", created_at=MONDAY)
        work.db.add(patient)
        work.commit()
    assert patient.id > highest
    assert page_faults(Tables(engine).read()) == []
    with Session(engine) as db:
        assert db.execute(sa.text("SELECT count(*) FROM occupancy_change")).scalar_one() == 0
        assert db.execute(sa.text("SELECT count(*) FROM occupancy")).scalar_one() > 0


def test_a_database_that_holds_a_clinic_is_left_alone(engine: Engine, folder: Path) -> None:
    restored(engine, folder)
    rows = Tables(engine).read()

    outcome = restored(engine, folder)

    assert isinstance(outcome, Refused)
    assert "already holds a clinic" in outcome.findings[0].text
    assert Tables(engine).read() == rows


def _older(folder: Path) -> None:
    document = json.loads((folder / MANIFEST).read_text())
    document["schema"] = "0004"
    (folder / MANIFEST).write_text(json.dumps(document))


def _changed(folder: Path) -> None:
    (folder / "patient.csv").write_bytes((folder / "patient.csv").read_bytes() + b"\r\n")


def _fewer(folder: Path) -> None:
    document = json.loads((folder / MANIFEST).read_text())
    document["files"]["task.csv"]["rows"] = 7
    (folder / MANIFEST).write_text(json.dumps(document))


def _forged(name: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    """Changes a file together with what the manifest says of it."""
    def forge(folder: Path) -> None:
        content = (folder / name).read_bytes()
        assert old in content
        (folder / name).write_bytes(content.replace(old, new, 1))
        document = json.loads((folder / MANIFEST).read_text())
        document["files"][name]["sha256"] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        (folder / MANIFEST).write_text(json.dumps(document))
    return forge


@pytest.mark.parametrize(("damage", "words"), [
    (_older, "of revision 0004"),
    (_changed, "patient.csv: was changed or cut off"),
    (_fewer, "task.csv: has another number of rows"),
    (_forged("course.csv", b",active,", b",asleep,"), "course.csv, line 2: the database refuses this row"),
    (_forged("course.csv", b"\r\n1,", b"\r\nx,"), "course.csv, line 2, column id: 'x' is no whole number"),
    (_forged("opening_hours.csv", b"\r\n2,1,", b"\r\n2,99,"), "opening_hours.csv, line 3: the database refuses"),
    (_forged("patient.csv", b",false,", b",maybe,"), "column wants_service_messages: 'maybe' is no true or false"),
])
def test_what_cannot_be_brought_back_is_told_and_leaves_nothing(
    engine: Engine, folder: Path, tmp_path: Path, damage: Callable[[Path], None], words: str
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    if words.startswith("column wants"):
        content = (copy / "patient.csv").read_bytes().replace(b",true,", b",false,", 1)
        (copy / "patient.csv").write_bytes(content)
    damage(copy)

    outcome = restored(engine, copy)

    assert isinstance(outcome, Refused)
    assert words in outcome.findings[0].text
    assert is_empty(engine)


def is_empty(engine: Engine) -> bool:
    """Whether no table has a row, those of the packed diary included."""
    with Session(engine) as db:
        names = [table.name for table in exported_tables()]
        return not any(db.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one()
                       for name in (*names, "occupancy", "occupancy_change"))


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(words=st.lists(WORDS, min_size=3, max_size=6))
def test_whatever_was_typed_comes_back(
    words: list[str], sqlite_files: SQLiteFiles, tmp_path_factory: pytest.TempPathFactory
) -> None:
    where = tmp_path_factory.mktemp("typed")
    urls = [sqlite_files.migrated(), sqlite_files.migrated()]
    engines = [open_engine(url) for url in urls]
    clinic_of_everything(engines[0], words)

    first = exported(engines[0], where / "one")
    assert isinstance(restored(engines[1], where / "one"), Done)
    assert exported(engines[1], where / "two") == first

    for engine, url in zip(engines, urls, strict=True):
        engine.dispose()
        sqlite_files.remove(url)
