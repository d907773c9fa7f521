"""Taking everything out and bringing it back: the same bytes, on either database, whole or not at all."""
from __future__ import annotations

import csv
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.services import archive_tables
from clinic.services.archive_tables import COLUMNS_LEFT_BEHIND, EXPORTED, LEFT_BEHIND, exported_columns, exported_tables
from clinic.services.export import Progress, export_all, note_export
from clinic.services.work import Actor, Done, Refused, UnitOfWork
from clinic.store.base import Row
from clinic.store.engine import for_writing, open_engine
from clinic.store.outbox import Message
from tests.everything import clinic_of_everything
from tests.small_clinic import MONDAY


def exported(engine: Engine, folder: Path, progress: Progress = lambda done, total, what: None) -> dict[str, bytes]:
    """The files of an export."""
    with Session(engine) as db:
        outcome = export_all(db, folder, progress)
    assert isinstance(outcome, Done), outcome
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def left(engine: Engine) -> Engine:
    """The database of a clinic that has everything."""
    clinic_of_everything(engine)
    return engine


def rows_of(folder: Path, table: str) -> list[dict[str, str]]:
    with open(folder / f"{table}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_table_is_taken_along_or_left_behind_for_a_reason() -> None:
    tables = set(Row.metadata.tables)

    assert EXPORTED | set(LEFT_BEHIND) == tables, "a new table: say in archive_tables whether it is taken along"
    assert not EXPORTED & set(LEFT_BEHIND)
    assert {f"{table}.{column}" for table, columns in COLUMNS_LEFT_BEHIND.items() for column in columns} <= {
        str(column) for table in Row.metadata.tables.values() for column in table.columns}
    assert all(archive_tables.as_archive(table).words for table in exported_tables())


def test_nothing_that_opens_a_door_is_taken_along() -> None:
    names = {column.name for table in exported_tables() for column in exported_columns(table)}

    assert not [name for name in names if any(word in name for word in ("password", "secret", "token", "hash"))]


def test_an_export_holds_every_kind_of_row_and_no_secret(left: Engine, tmp_path: Path) -> None:
    found = exported(left, tmp_path / "out")

    assert set(found) == {"README.txt", "manifest.json", *(f"{name}.csv" for name in EXPORTED)}
    assert [name for name in EXPORTED if found[f"{name}.csv"].count(b"\n") < 2] == []
    assert not [name for name, content in found.items() if b"argon2" in content or b"token" in content]
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0


def test_two_exports_of_one_clinic_are_the_same_bytes_though_they_are_written_down(
    left: Engine, tmp_path: Path
) -> None:
    first = exported(left, tmp_path / "one")
    with UnitOfWork(left, lambda: MONDAY, Actor("cli")) as work:
        note_export(work)

    assert exported(left, tmp_path / "two") == first
    with Session(left) as db:
        assert db.execute(sa.text("SELECT action FROM audit WHERE subject_kind = 'installation'")).scalars().all() == [
            "data-exported"]


def test_no_cell_of_an_export_is_a_formula(left: Engine, tmp_path: Path) -> None:
    exported(left, tmp_path / "out")

    cells = [cell for name in EXPORTED for row in rows_of(tmp_path / "out", name) for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)


def test_a_message_that_is_being_sent_leaves_as_what_it_may_be(left: Engine, tmp_path: Path) -> None:
    exported(left, tmp_path / "out")

    tried = [row for row in rows_of(tmp_path / "out", "message") if row["attempts"] == "1"]
    assert [(row["state"], row["reason"], row["settled_at"] == row["dot_at"]) for row in tried] == [
        ("pending", "", True), ("uncertain", "the mail server's answer was lost", True)]


def test_an_export_tells_one_instant_whatever_is_written_meanwhile(left: Engine, tmp_path: Path) -> None:
    alone = exported(left, tmp_path / "alone")
    written: list[str] = []

    def write(done: int, total: int, what: str) -> None:
        if what == "business" and not written:
            with for_writing(left).begin() as connection:
                connection.execute(sa.text("UPDATE task SET text = 'changed meanwhile'"))
                connection.execute(sa.text("DELETE FROM recall_attempt"))
            written.append(what)

    assert exported(left, tmp_path / "out", write) == alone
    assert written == ["business"]


def test_a_folder_that_holds_something_is_left_alone(left: Engine, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    with Session(left) as db:
        outcome = export_all(db, tmp_path)

    assert isinstance(outcome, Refused)
    assert "not empty" in outcome.findings[0].text
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_export_that_breaks_off_leaves_nothing(left: Engine, tmp_path: Path) -> None:
    def fail(done: int, total: int, what: str) -> None:
        if what == "message":
            raise RuntimeError("the disk is full")

    with Session(left) as db, pytest.raises(RuntimeError):
        export_all(db, tmp_path / "out", fail)

    assert list(tmp_path.iterdir()) == []


MESSAGES = 4_000
MOST_MEMORY = 12_000_000


@pytest.fixture
def crowded(left: Engine) -> Iterator[Engine]:
    """Forty million bytes of messages."""
    with Session(for_writing(left)) as db:
        base = db.scalars(sa.select(Message).where(Message.state == "pending").limit(1)).one()
        shared: dict[str, Any] = {
            "patient_id": base.patient_id, "clinic_id": base.clinic_id, "state": "sent", "due_at": base.due_at,
            "useless_after": base.useless_after, "created_at": base.created_at, "attempts": 0, "mime": b"x" * 10_000,
            "mime_sha256": "ab"}
        for _ in range(MESSAGES // 100):
            db.execute(sa.insert(Message), [shared] * 100)
        db.commit()
    engine = open_engine(left.url)
    yield engine
    engine.dispose()


def test_an_export_needs_no_more_memory_for_more_rows(crowded: Engine, tmp_path: Path) -> None:
    tracemalloc.start()
    with Session(crowded) as db:
        export_all(db, tmp_path / "out")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (tmp_path / "out" / "message.csv").stat().st_size > 13_000 * MESSAGES
    assert peak < MOST_MEMORY
