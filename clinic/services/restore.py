"""Brings back what an export has written: into an empty database, wholly or not at all."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from clinic.interchange.archive import ArchiveFault, Manifest, check_files, read_manifest, read_table
from clinic.planning.findings import Finding, Weight
from clinic.services.archive_tables import (
    COLUMNS_LEFT_BEHIND,
    OF_THIS_INSTALLATION,
    as_archive,
    exported_columns,
    exported_tables,
)
from clinic.services.export import Progress
from clinic.services.subscriber_links import bring_back_stop_links
from clinic.services.work import Done, Refused, UnitOfWork, record
from clinic.store.clinics import Business
from clinic.store.migrate import revision_in
from clinic.store.occupancy import merge_changes

ROWS_AT_ONCE = 500

_Numbered = tuple[int, dict[str, Any]]
"""A row with its line in the file."""


def restore(
    work: UnitOfWork, folder: Path, progress: Progress = lambda done, total, what: None
) -> Done[Mapping[str, int]] | Refused:
    """Brings back the folder; the rows of each file, or the first thing that stands in the way.

    No message leaves before a person lets them go: what was due may have been sent from where the folder comes from.
    """
    try:
        manifest = read_manifest(folder)
        refused = _refused(work.db, manifest)
        if refused:
            return Refused((Finding("cannot-restore", Weight.BLOCKS, refused),))
        check_files(folder, manifest, [as_archive(table) for table in exported_tables()])
        counts = _fill(work, folder, manifest, progress)
    except ArchiveFault as fault:
        return Refused((Finding("archive-fault", Weight.BLOCKS, str(fault)),))
    _number_on(work.db)
    bring_back_stop_links(work)
    while merge_changes(work.db):
        pass
    work.db.execute(sa.update(Business).values(held_since=work.now))
    record(work, "data-restored", OF_THIS_INSTALLATION, 1, rows=sum(counts.values()))
    work.commit()
    progress(sum(counts.values()), sum(counts.values()), "")
    return Done(counts)


def _refused(db: Session, manifest: Manifest) -> str | None:
    """Why this database cannot take the folder; none: it can."""
    here = revision_in(db.connection())
    if manifest.schema != here:
        return (f"The folder is of revision {manifest.schema} of the tables and this program of {here}. Import it with "
                "the version of the program that wrote it, run `clinic db upgrade` with this one, or export it again.")
    for table in exported_tables():
        if db.scalar(sa.select(sa.exists().select_from(table))):
            return ("This database already holds a clinic, and an export comes back into an empty one only: name a new "
                    "one in CLINIC_DATABASE_URL, or another CLINIC_DATA_DIR.")
    return None


def _fill(work: UnitOfWork, folder: Path, manifest: Manifest, progress: Progress) -> dict[str, int]:
    total = sum(file.rows for file in manifest.files.values())
    done = 0
    counts: dict[str, int] = {}
    for table in exported_tables():
        archive = as_archive(table)
        counts[archive.file] = 0
        for batch in _batches(_filled_in(folder, table)):
            progress(done, total, table.name)
            _insert(work.db, table, archive.file, [_without_kin(table, row) for _, row in batch], batch)
            counts[archive.file] += len(batch)
            done += len(batch)
        if counts[archive.file] != manifest.files[archive.file].rows:
            raise ArchiveFault(archive.file, "has another number of rows than the manifest says")
        _join_kin(work.db, folder, table)
    return counts


def _filled_in(folder: Path, table: sa.Table) -> Iterator[_Numbered]:
    """The rows of a file, with what was left behind filled in."""
    names = [column.name for column in exported_columns(table)]
    instead = COLUMNS_LEFT_BEHIND.get(table.name, {})
    for line, values in read_table(folder, as_archive(table)):
        yield line, {**dict(zip(names, values, strict=True)), **instead}


def _insert(
    db: Session, table: sa.Table, file: str, rows: Sequence[Mapping[str, Any]], batch: Sequence[_Numbered]
) -> None:
    try:
        with db.begin_nested():
            db.execute(sa.insert(table), rows)
    except OperationalError:
        raise
    except DBAPIError as error:
        if len(rows) == 1:
            told = str(error.orig).splitlines()[0]
            raise ArchiveFault(file, f"the database refuses this row ({told})", batch[0][0]) from error
        for row, numbered in zip(rows, batch, strict=True):
            _insert(db, table, file, [row], [numbered])


def _kin(table: sa.Table) -> list[str]:
    """Columns that point to rows of their own table, which may come later."""
    return [column.name for column in table.columns
            if any(key.column.table is table for key in column.foreign_keys)]


def _without_kin(table: sa.Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, **dict.fromkeys(_kin(table))}


def _join_kin(db: Session, folder: Path, table: sa.Table) -> None:
    """Now that all rows are there, lets them point to each other."""
    for name in _kin(table):
        archive = as_archive(table)
        pointing = ((line, row) for line, row in _filled_in(folder, table) if row[name] is not None)
        statement = sa.update(table).where(table.c.id == sa.bindparam("of")).values({name: sa.bindparam("to")})
        for batch in _batches(pointing):
            try:
                with db.begin_nested():
                    db.connection().execute(statement, [{"of": row["id"], "to": row[name]} for _, row in batch])
            except DBAPIError as error:
                raise ArchiveFault(archive.file, f"a value of {name} points to no row", batch[0][0]) from error


def _batches(rows: Iterable[_Numbered]) -> Iterator[list[_Numbered]]:
    found = iter(rows)
    while batch := list(islice(found, ROWS_AT_ONCE)):
        yield batch


def _number_on(db: Session) -> None:
    """The next row of each table gets a number that none has had; SQLite finds it by itself."""
    if db.get_bind().dialect.name != "postgresql":
        return
    for table in exported_tables():
        sequence = db.scalar(sa.select(sa.func.pg_get_serial_sequence(table.name, "id"))) if "id" in table.c else None
        if sequence is not None:
            highest = sa.select(sa.func.max(table.c.id)).scalar_subquery()
            db.execute(sa.select(sa.func.setval(sequence, highest)))
