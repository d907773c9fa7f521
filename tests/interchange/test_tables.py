"""CSV files as they come: what a careful writer wrote is read back, whatever stands in it and between it."""
from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.interchange.cells import harmless, plain
from clinic.interchange.moving_in import Listed
from clinic.interchange.moving_in.dates import Dates, Unreadable, order_of
from clinic.interchange.tables import Heading, Limits, Table

LETTERS = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufffe\uffff")
TEXTS = st.text(LETTERS, max_size=20).map(str.strip)
LINES = st.lists(TEXTS, min_size=1, max_size=3).map("\n".join).map(str.strip)


def read(folder: Path, content: bytes, limits: Limits | None = None) -> tuple[list[list[str]], Listed]:
    path, faults = folder / "rows.csv", Listed()
    path.write_bytes(content)
    found = [cells for _, cells in Table(path, ["id", "name", "note"], faults, limits).rows(lambda heading: True)]
    return found, faults


@given(
    rows=st.lists(st.tuples(LINES.filter(bool), LINES, LINES), max_size=8), delimiter=st.sampled_from(",;\t"),
    ends=st.sampled_from(["\n", "\r\n"]), mark=st.booleans(), always=st.booleans(), safely=st.booleans())
def test_what_was_written_is_read_back(
    rows: list[tuple[str, str, str]], delimiter: str, ends: str, mark: bool, always: bool, safely: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ends, quoting=csv.QUOTE_ALL if always else 0)
    writer.writerow(["id", "name", "note"])
    cells = [[harmless(cell) if safely else cell for cell in row] for row in rows]
    writer.writerows(cells)

    found, faults = read(tmp_path_factory.mktemp("rows"), text.getvalue().encode("utf-8-sig" if mark else "utf-8"))

    assert faults.kept == []
    # What an apostrophe keeps from being a formula says nothing itself, whoever wrote it.
    assert found == [list(row) if safely else [plain(cell).strip() for cell in row] for row in rows]


@given(content=st.binary(max_size=400))
def test_whatever_bytes_come_they_are_read_or_refused_and_never_crash(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("rows")

    found, _ = read(folder, b"id,name,note\n" + content)
    read(folder, content)

    assert all(len(cells) == 3 for cells in found)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_that_of_the_heading(delimiter: str, tmp_path: Path) -> None:
    path, faults, told = tmp_path / "rows.csv", Listed(), list[Heading]()
    path.write_text(f"ID{delimiter}First, second; third{delimiter}Name\n1{delimiter}2{delimiter}3\n"
                    if delimiter == "\t" else f"ID{delimiter}Extra{delimiter}Name\n1{delimiter}2{delimiter}3\n")

    rows = list(Table(path, ["id", "name"], faults).rows(lambda heading: told.append(heading) or True))

    assert ([heading.delimiter for heading in told], rows, faults.kept) == ([delimiter], [(2, ["1", "2", "3"])], [])


def test_a_row_over_several_lines_keeps_its_first_line_and_the_next_its_own(tmp_path: Path) -> None:
    path, faults = tmp_path / "rows.csv", Listed()
    path.write_text('id,name\n1,"one\n\ntwo"\n\n2,b\n')

    assert list(Table(path, ["id"], faults).rows(lambda heading: True)) == [(2, ["1", "one\n\ntwo"]), (6, ["2", "b"])]


@pytest.mark.parametrize(("texts", "order"), [
    (["01/02/2026", "13/02/2026"], "day-first"), (["01/02/2026", "02/13/2026"], "month-first"),
    (["01/02/2026"], "ambiguous"), (["13/02/2026", "02/13/2026"], "mixed"), (["01.02.2026"], "day-first"),
    (["2026-02-13"], "ambiguous"),
])
def test_the_order_of_a_file_is_told_by_the_dates_that_can_only_be_one(texts: list[str], order: str) -> None:
    assert order_of(texts) == order


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 12, 31)))
def test_a_date_means_the_same_however_it_is_written(day: date) -> None:
    texts = [f"{day:%Y-%m-%d}", f"{day:%Y/%m/%d}", f"{day:%d.%m.%Y}", f"{day:%d/%m/%Y}", f"{day:%d-%m-%Y}"]
    dates = Dates(lambda: ["31/12/2000"])

    assert [dates.day(text) for text in texts] == [day] * 5
    assert Dates(lambda: ["12/31/2000"]).day(f"{day:%m/%d/%Y}") == day


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "2026-02-30", "1.1.26", "45000", "20260101", "1899-12-31"])
def test_what_is_no_date_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(Unreadable):
        Dates(list).day(text)
