"""A restore that is killed leaves nothing behind, wherever it was; an export that is killed leaves no folder."""
from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.services import export, restore
from clinic.services.work import Actor, Done, UnitOfWork
from clinic.store.engine import open_engine
from tests.databases import SQLiteFiles, is_full
from tests.everything import clinic_of_everything
from tests.services.test_export import exported
from tests.services.test_restore import is_empty, restored
from tests.small_clinic import MONDAY

pytestmark = pytest.mark.prove

POINTS = 60 if is_full() else 7
PATIENCE = 60.0
AT_ONCE = 10
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.prove.test_restore_kills"])


class Killer:
    """Counts what an engine is asked, and ends the process without warning when it is asked for the nth time.

    The end of the transaction counts as well: the last point is where everything is written and nothing committed.
    """

    def __init__(self, engine: Engine, nth: int | None) -> None:
        self.asked = 0
        self._nth = nth
        sa.event.listen(engine, "before_cursor_execute", self._ask)
        sa.event.listen(engine, "commit", self._ask)

    def _ask(self, *_what: object) -> None:
        self.asked += 1
        if self.asked == self._nth:
            os.kill(os.getpid(), signal.SIGKILL)


def restore_and_die(url: str, folder: Path, nth: int) -> None:
    """What a process does: it restores and is killed at its nth statement."""
    restore.ROWS_AT_ONCE = AT_ONCE
    engine = open_engine(url)
    Killer(engine, nth)
    with UnitOfWork(engine, lambda: MONDAY, Actor("cli")) as work:
        restore.restore(work, folder)


def export_and_die(url: str, folder: Path, nth: int) -> None:
    """The same of an export."""
    engine = open_engine(url)
    Killer(engine, nth)
    with Session(engine) as db:
        export.export_all(db, folder)


def died(target: object, *given: object) -> bool:
    """Whether a process that does this was killed."""
    process = _CONTEXT.Process(target=target, args=given)  # type: ignore[arg-type]
    process.start()
    process.join(PATIENCE)
    return process.exitcode == -signal.SIGKILL


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sqlite_files: SQLiteFiles) -> Path:
    """What a clinic of everything has left."""
    url = sqlite_files.migrated()
    engine = open_engine(url)
    clinic_of_everything(engine)
    found = tmp_path_factory.mktemp("left") / "out"
    exported(engine, found)
    engine.dispose()
    return found


def spread(most: int) -> list[int]:
    """Points from the first statement to the last, both included."""
    return sorted({1 + (most - 1) * place // (POINTS - 1) for place in range(POINTS)})


class Undone(UnitOfWork):
    """A unit of work that does everything but commit."""

    def commit(self) -> None:
        """Goes as far as the database lets it without keeping anything."""
        self.db.flush()
        self.db.rollback()


def statements_of(url: str, folder: Path) -> int:
    """How many statements a restore takes, its commit included."""
    engine = open_engine(url)
    counter = Killer(engine, None)
    with Undone(engine, lambda: MONDAY, Actor("cli")) as work:
        assert isinstance(restore.restore(work, folder), Done)
    engine.dispose()
    return counter.asked + 1


def test_a_restore_that_is_killed_anywhere_leaves_nothing_and_can_be_repeated(
    database_url: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore, "ROWS_AT_ONCE", AT_ONCE)
    engine = open_engine(database_url)
    points = spread(statements_of(database_url, folder))

    for nth in points:
        assert died(restore_and_die, database_url, folder, nth), f"it ended before statement {nth}"
        assert is_empty(engine), f"killed at statement {nth} it left rows behind"

    assert isinstance(restored(engine, folder), Done)
    assert exported(engine, tmp_path / "again") == {path.name: path.read_bytes() for path in folder.iterdir()}
    engine.dispose()


def test_an_export_that_is_killed_anywhere_leaves_no_folder_of_that_name(
    database_url: str, folder: Path, tmp_path: Path
) -> None:
    engine = open_engine(database_url)
    restored(engine, folder)
    counter = Killer(engine, None)
    exported(engine, tmp_path / "whole")
    engine.dispose()

    for nth in spread(counter.asked)[::2]:
        assert died(export_and_die, database_url, tmp_path / "out", nth), f"it ended before statement {nth}"
        assert not (tmp_path / "out").exists(), f"killed at statement {nth} it left a folder"
