"""Writes everything that a clinic has into a folder, from one instant: what it takes to leave, or to come back."""
from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.states import MessageState
from clinic.interchange.archive import ArchiveFile, Manifest, write_manifest, write_table
from clinic.planning.findings import Finding, Weight
from clinic.services.archive_tables import OF_THIS_INSTALLATION, as_archive, exported_columns, exported_tables
from clinic.services.settling import LOST_ANSWER
from clinic.services.work import Done, Refused, UnitOfWork, record
from clinic.store.accounts import AuditEntry
from clinic.store.migrate import revision_in
from clinic.store.outbox import Message

ROWS_AT_ONCE = 500

Values = tuple[Any, ...]
Progress = Callable[[int, int, str], None]
"""Is told how many rows of how many are done, and of what."""


def export_all(db: Session, folder: Path, progress: Progress = lambda done, total, what: None) -> Done[int] | Refused:
    """Writes the folder, whole or not at all; how many rows. One that is there already has to be empty.

    The database session must have read nothing yet: all files tell the one instant at which it begins.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        return Refused((Finding(
            "folder-taken", Weight.BLOCKS, f"{folder} is there already and not empty: name another folder"),))
    revision = revision_in(db.connection())
    assert revision is not None  # callers bring the database up to date first
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    draft.mkdir(parents=True, mode=0o700)
    try:
        files = _write_tables(db, draft, progress)
        write_manifest(draft, Manifest(revision, files), [as_archive(table) for table in exported_tables()])
        os.rename(draft, folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return Done(sum(file.rows for file in files.values()))


def note_export(work: UnitOfWork) -> None:
    """Writes down that everything was taken out, by whom and when."""
    record(work, "data-exported", OF_THIS_INSTALLATION, 1)
    work.commit()


def _write_tables(db: Session, folder: Path, progress: Progress) -> dict[str, ArchiveFile]:
    total = sum(
        db.scalar(sa.select(sa.func.count()).select_from(table).where(_taken(table))) or 0
        for table in exported_tables())
    files: dict[str, ArchiveFile] = {}
    done = 0
    for table in exported_tables():
        archive = as_archive(table)
        told = partial(_tell, progress, done, total, table.name)
        with closing(_rows(db, table)) as rows:
            files[archive.file] = write_table(folder, archive, _counted(rows, told))
        done += files[archive.file].rows
    progress(done, total, "")
    return files


def _counted(rows: Iterator[Values], told: Callable[[int], None]) -> Iterator[Values]:
    for number, row in enumerate(rows):
        if number % ROWS_AT_ONCE == 0:
            told(number)
        yield row


def _tell(progress: Progress, before: int, total: int, what: str, number: int) -> None:
    progress(before + number, total, what)


def _rows(db: Session, table: sa.Table) -> Generator[Values, None, None]:
    """All rows in the order of their keys, a few at a time."""
    instead = _written_instead() if table is Message.__table__ else {}
    columns = [instead.get(column.name, column) for column in exported_columns(table)]
    order = [_in_code_order(db, column) for column in table.primary_key.columns]
    statement = sa.select(*columns).where(_taken(table)).order_by(*order)
    with db.execute(statement, execution_options={"yield_per": ROWS_AT_ONCE}) as result:
        for row in result:
            yield tuple(row)


def _taken(table: sa.Table) -> sa.ColumnElement[bool]:
    """What happened to the data as a whole is the story of this installation, not of the clinic."""
    if table is AuditEntry.__table__:
        return table.c.subject_kind != OF_THIS_INSTALLATION
    return sa.true()


def _in_code_order(db: Session, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Texts in the order of their bytes, as SQLite has them whatever the language of the server is."""
    if isinstance(column.type, sa.Text) and db.get_bind().dialect.name == "postgresql":
        return sa.collate(column, "C")
    return column


def _written_instead() -> Mapping[str, sa.ColumnElement[Any]]:
    """A message that is being sent as what it may be: nobody here will ever learn what became of it."""
    row = Message.__table__.c
    is_sending = row.state == MessageState.SENDING
    may_be_out = sa.and_(is_sending, row.dot_at.is_not(None))
    return {
        "state": sa.case((may_be_out, MessageState.UNCERTAIN.value), (is_sending, MessageState.PENDING.value),
                         else_=row.state),
        "reason": sa.case((may_be_out, LOST_ANSWER), else_=row.reason),
        "settled_at": sa.case((may_be_out, row.dot_at), else_=row.settled_at),
    }
