"""The folder of an export: every value comes back as it was, and what is not as it was written is found."""
from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.interchange.archive import (
    MANIFEST,
    ArchiveColumn,
    ArchiveFault,
    ArchiveTable,
    Manifest,
    check_files,
    read_manifest,
    read_table,
    write_manifest,
    write_table,
)
from clinic.interchange.archive_values import DECODERS, Kind

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    ["=1+1", "'", "''", "a\r\nb", 'say "no"', "\tx", "مريم", "👩‍⚕️", "a,b;c", "\ufeff", "-5", "", " ", "\r", "\n"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    "text": TEXT,
    "integer": st.integers(-2**31, 2**31 - 1),
    "boolean": st.booleans(),
    "date": st.dates(),
    "instant": st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
    "local": st.datetimes(),
    "json": st.lists(JSON, max_size=3) | st.dictionaries(TEXT, JSON, max_size=3),
    "bytes": st.binary(max_size=40),
}
NEEDED = ArchiveTable("needed", tuple(ArchiveColumn(kind, kind) for kind in VALUES))
OPTIONAL = ArchiveTable("optional", tuple(ArchiveColumn(kind, kind, optional=True) for kind in VALUES))
PAIR = ArchiveTable("pair", (ArchiveColumn("id", "integer"), ArchiveColumn("name", "text", optional=True)))


def test_there_is_a_value_of_each_kind() -> None:
    assert set(VALUES) == set(DECODERS)


@given(st.lists(st.tuples(*VALUES.values()), max_size=4),
       st.lists(st.tuples(*(st.none() | each for each in VALUES.values())), max_size=4))
def test_whatever_is_written_is_read_again(needed: list[Any], optional: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = {table.file: write_table(folder, table, rows)
                 for table, rows in ((NEEDED, needed), (OPTIONAL, optional))}
        write_manifest(folder, Manifest("0005", files), [NEEDED, OPTIONAL])

        manifest = read_manifest(folder)
        check_files(folder, manifest, [NEEDED, OPTIONAL])
        assert [row for _, row in read_table(folder, NEEDED)] == needed
        assert [row for _, row in read_table(folder, OPTIONAL)] == optional
        assert manifest == Manifest("0005", files)
        assert [file.rows for file in files.values()] == [len(needed), len(optional)]


def test_a_row_is_found_by_the_line_at_which_it_begins(tmp_path: Path) -> None:
    write_table(tmp_path, PAIR, [(1, "one\nline\r\nmore"), (2, None), (3, "")])

    assert list(read_table(tmp_path, PAIR)) == [(2, (1, "one\nline\r\nmore")), (5, (2, None)), (6, (3, ""))]


FAULTS: dict[str, tuple[bytes, str]] = {
    "a number that is none": (b"id,name\r\n1,a\r\nx,b\r\n", "pair.csv, line 3, column id: 'x' is no whole number"),
    "a number too large": (b"id,name\r\n99999999999,a\r\n", "pair.csv, line 2, column id"),
    "a number that other digits write": ("id,name\r\n١,a\r\n".encode(), "pair.csv, line 2, column id"),
    "a missing value": (b"id,name\r\n,a\r\n", "pair.csv, line 2, column id: a value is missing"),
    "a row too short": (b"id,name\r\n1\r\n", "pair.csv, line 2: has 1 cells instead of 2"),
    "a blank line": (b"id,name\r\n\r\n", "pair.csv, line 2: has 0 cells instead of 2"),
    "another heading": (b"id,names\r\n", "pair.csv, line 1: has other columns"),
    "nothing": (b"", "pair.csv, line 1: has other columns"),
    "a quote left open": (b'id,name\r\n1,"a\r\n', "pair.csv, line 2: is no table any more"),
    "Latin-1": (b"id,name\r\n1,caf\xe9\r\n", "is not UTF-8"),
    "a NUL": (b"id,name\r\n1,a\0b\r\n", "pair.csv, line 2, column name: holds a character"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_by_file_line_and_column(tmp_path: Path, name: str) -> None:
    content, words = FAULTS[name]
    (tmp_path / "pair.csv").write_bytes(content)

    with pytest.raises(ArchiveFault) as caught:
        list(read_table(tmp_path, PAIR))

    assert words in str(caught.value)


@pytest.mark.parametrize(("kind", "cell"), [
    ("boolean", "yes"), ("date", "2027-02-30"), ("instant", "2027-03-01T09:00:00"), ("instant", "2027-03-01T09:00+01Z"),
    ("local", "2027-03-01T09:00:00+01:00"), ("json", "1"), ("json", "{"), ("json", "[" * 100_000), ("bytes", "a"),
])
def test_a_cell_that_says_nothing_of_its_kind_is_told(tmp_path: Path, kind: Kind, cell: str) -> None:
    table = ArchiveTable("one", (ArchiveColumn("value", kind),))
    (tmp_path / "one.csv").write_text(f"value\n{cell}\n")

    with pytest.raises(ArchiveFault, match="one.csv, line 2, column value"):
        list(read_table(tmp_path, table))


def _rename(folder: Path) -> None:
    (folder / "pair.csv").rename(folder / "other.csv")


def _cut(folder: Path) -> None:
    (folder / "pair.csv").write_bytes((folder / "pair.csv").read_bytes()[:-3])


def _empty(folder: Path) -> None:
    (folder / MANIFEST).write_text("")


def _future(folder: Path) -> None:
    (folder / MANIFEST).write_text((folder / MANIFEST).read_text().replace('"version": 1', '"version": 2'))


def _foreign(folder: Path) -> None:
    (folder / MANIFEST).write_text('{"format": "something"}')


@pytest.mark.parametrize(("damage", "words"), [
    (_rename, "pair.csv: cannot be read"), (_cut, "was changed or cut off"), (_empty, "is damaged"),
    (_future, "upgrade it"), (_foreign, "is no clinic-export"),
])
def test_a_damaged_folder_is_not_read(tmp_path: Path, damage: Callable[[Path], None], words: str) -> None:
    files = {PAIR.file: write_table(tmp_path, PAIR, [(1, "a")])}
    write_manifest(tmp_path, Manifest("0005", files), [PAIR])
    damage(tmp_path)

    with pytest.raises(ArchiveFault, match=words):
        check_files(tmp_path, read_manifest(tmp_path), [PAIR])


def test_what_is_written_is_for_its_owner_only_and_always_the_same(tmp_path: Path) -> None:
    row = (1, date(2027, 3, 1), datetime.fromisoformat("2027-03-28T01:30"), {"b": 1, "a": "é"}, b"\xf8")
    kinds: tuple[Kind, ...] = ("integer", "date", "local", "json", "bytes")
    table = ArchiveTable("one", tuple(ArchiveColumn(kind, kind) for kind in kinds))

    write_table(tmp_path, table, [row])

    assert (tmp_path / "one.csv").read_text(encoding="utf-8") == (
        'integer,date,local,json,bytes\n1,2027-03-01,2027-03-28T01:30:00,"{""b"":1,""a"":""é""}",\'+A==\n')
    assert (tmp_path / "one.csv").stat().st_mode & 0o077 == 0
