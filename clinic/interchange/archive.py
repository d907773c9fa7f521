"""A folder that holds a whole clinic: one CSV file a table, and a manifest that says what is complete and untouched.

Every value has one way to be written, and nothing in the folder tells when or where it was made: the same clinic
gives the same bytes. An empty cell is no value; an empty text where no value would do too is one apostrophe.
"""
from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from clinic.interchange.archive_values import CALLED, DECODERS, ENCODERS, Decoder, Kind

MANIFEST = "manifest.json"
README = "README.txt"
FORMAT = "clinic-export"
VERSION = 1
MOST_MANIFEST_BYTES = 1_000_000
MOST_CELL_CHARACTERS = 64_000_000
"""A message with its calendar file stays far below; the reader of the standard library has to be told."""


@dataclass(frozen=True, slots=True)
class ArchiveColumn:
    """A column: what its cells hold, and whether a row may have no value."""

    name: str
    kind: Kind
    optional: bool = False


@dataclass(frozen=True, slots=True)
class ArchiveTable:
    """A file of the folder: its name without `.csv`, its columns in order, and what a row is, for whoever reads it."""

    name: str
    columns: tuple[ArchiveColumn, ...]
    words: str = ""

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.name}.csv"


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """What the manifest says of a file."""

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the folder holds, and of which revision of the tables."""

    schema: str
    files: Mapping[str, ArchiveFile]


class ArchiveFault(ValueError):
    """The folder cannot be read, with the file, line and column in words."""

    def __init__(self, file: str, text: str, line: int | None = None, column: str | None = None) -> None:
        where = file + (f", line {line}" if line else "") + (f", column {column}" if column else "")
        super().__init__(f"{where}: {text}")


def is_archive(folder: Path) -> bool:
    """Whether the folder says of itself that it is a whole export."""
    return (folder / MANIFEST).is_file()


def write_table(folder: Path, table: ArchiveTable, rows: Iterable[Sequence[Any]]) -> ArchiveFile:
    """Writes the rows as they come; keeps none of them."""
    with _HashedFile(folder / table.file) as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([column.name for column in table.columns])
        encoders = [(ENCODERS[column.kind], column.optional) for column in table.columns]
        count = 0
        for row in rows:
            writer.writerow([
                "" if value is None else encode(value) or ("'" if optional else "")
                for (encode, optional), value in zip(encoders, row, strict=True)])
            count += 1
    return ArchiveFile(count, file.sha256)


def write_manifest(folder: Path, manifest: Manifest, tables: Sequence[ArchiveTable]) -> None:
    """Writes what the folder holds, last of all, and the words for whoever finds it."""
    document = {
        "format": FORMAT, "version": VERSION, "schema": manifest.schema,
        "files": {name: {"rows": file.rows, "sha256": file.sha256} for name, file in sorted(manifest.files.items())},
    }
    with _HashedFile(folder / README) as file:
        file.write(_readme(tables))
    with _HashedFile(folder / MANIFEST) as file:
        file.write(json.dumps(document, indent=1) + "\n")


def zip_folder(folder: Path, target: Path) -> None:
    """Puts the files into one zip, for its owner only; it tells the time as little as they do."""
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            info = zipfile.ZipInfo(f"{folder.name}/{path.name}")
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            with open(path, "rb") as source, archive.open(info, "w", force_zip64=True) as inside:
                shutil.copyfileobj(source, inside, 1 << 20)


def read_manifest(folder: Path) -> Manifest:
    """What the manifest says; ArchiveFault where it cannot be ours."""
    try:
        with open(folder / MANIFEST, "rb") as file:
            document = json.loads(file.read(MOST_MANIFEST_BYTES))
        if document["format"] != FORMAT:
            raise ArchiveFault(MANIFEST, f"this is no {FORMAT}")
        if document["version"] != VERSION:
            raise ArchiveFault(MANIFEST, f"format {document['version']} is newer than this program reads: upgrade it")
        files = {str(name): ArchiveFile(int(file["rows"]), str(file["sha256"]))
                 for name, file in document["files"].items()}
        return Manifest(str(document["schema"]), files)
    except ArchiveFault:
        raise
    except OSError as error:
        raise ArchiveFault(MANIFEST, f"cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ArchiveFault(MANIFEST, "is damaged: take the folder from where it was exported once more") from error


def check_files(folder: Path, manifest: Manifest, tables: Sequence[ArchiveTable]) -> None:
    """ArchiveFault unless every file of every table is there, byte for byte as it was written."""
    for table in tables:
        told = manifest.files.get(table.file)
        if told is None:
            raise ArchiveFault(MANIFEST, f"does not name {table.file}")
        try:
            with open(folder / table.file, "rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ArchiveFault(table.file, f"cannot be read ({error.strerror})") from error
        if found != told.sha256:
            raise ArchiveFault(table.file, "was changed or cut off since it was exported: take it from there once more")
    unknown = sorted(set(manifest.files) - {table.file for table in tables})
    if unknown:
        raise ArchiveFault(MANIFEST, f"names {unknown[0]}, which this program does not know")


def read_table(folder: Path, table: ArchiveTable) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The rows with the line that each begins at; keeps none of them. ArchiveFault at the first that cannot be."""
    csv.field_size_limit(MOST_CELL_CHARACTERS)
    with open(folder / table.file, encoding="utf-8", newline="") as file:
        reader = csv.reader(file, strict=True)
        line = 1
        try:
            if next(reader, None) != [column.name for column in table.columns]:
                raise ArchiveFault(table.file, "has other columns than this program writes", 1)
            decoders = [(column, DECODERS[column.kind]) for column in table.columns]
            line = reader.line_num + 1
            for cells in reader:
                if len(cells) != len(decoders):
                    raise ArchiveFault(table.file, f"has {len(cells)} cells instead of {len(decoders)}", line)
                yield line, tuple(
                    _decoded(table, line, column, decode, cell)
                    for (column, decode), cell in zip(decoders, cells, strict=True))
                line = reader.line_num + 1
        except UnicodeDecodeError as error:
            raise ArchiveFault(table.file, "is not UTF-8 from here on", line) from error
        except csv.Error as error:
            raise ArchiveFault(table.file, f"is no table any more from here on ({error})", line) from error


def _decoded(
    table: ArchiveTable, line: int, column: ArchiveColumn, decode: Decoder, cell: str
) -> Any:
    if cell == "" and (column.optional or column.kind not in ("text", "bytes")):
        if column.optional:
            return None
        raise ArchiveFault(table.file, "a value is missing", line, column.name)
    if "\0" in cell:
        raise ArchiveFault(table.file, "holds a character that cannot be kept", line, column.name)
    try:
        return decode(cell)
    except (ValueError, RecursionError) as error:
        shown = cell if len(cell) <= 40 else f"{cell[:40]}…"
        raise ArchiveFault(table.file, f"{shown!r} is no {CALLED[column.kind]}", line, column.name) from error


def _readme(tables: Sequence[ArchiveTable]) -> str:
    about = "\n".join(f"  {table.file:<24}{table.words}" for table in tables)
    return (
        "Everything that a clinic's scheduler knew: its people and things, courses with their future sessions, what\n"
        "patients consented to, every message with the bytes that were sent, and the audit.\n\n"
        "It concerns patients' health. Keep it as safe as the scheduler itself, and delete what nobody needs.\n\n"
        "To bring it back: `clinic import` with this folder, into a new and empty database. Passwords are not in it\n"
        "(`clinic set-password` gives new ones), and no message leaves before a person has released it. Stop the old\n"
        "installation before you do, or patients are written to twice.\n\n"
        "To read it elsewhere: each file is CSV as RFC 4180 has it, in UTF-8, with the names of its columns first.\n"
        "Instants are in UTC, local_start is the wall clock of the zone beside it, minutes of a day count from its\n"
        "midnight. Cells that begin with { or [ are JSON, mime is base64. An empty cell is no value. An apostrophe\n"
        "in front of = + - @ ' or a tab only keeps a spreadsheet from running the cell, and is not part of the text.\n"
        "manifest.json has the number of rows and the SHA-256 of each file.\n\n"
        f"{about}\n")


class _HashedFile:
    """A new file for its owner only, of UTF-8 text, that has reached the disk and has its digest when it is closed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()
        self.sha256 = ""

    def __enter__(self) -> _HashedFile:
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = cast(BinaryIO, os.fdopen(handle, "wb"))
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self.sha256 = self._digest.hexdigest()

    def write(self, text: str) -> int:
        """Adds text; the writer of the standard library asks for nothing else."""
        data = text.encode()
        self._digest.update(data)
        return self._file.write(data)
