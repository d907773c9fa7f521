"""docs/moving-in.md lists the files and columns as the reader knows them; `TEST_APPROVE=1` writes the list anew."""
from __future__ import annotations

import os
import re
from pathlib import Path

from clinic.interchange.moving_in import FORMS

PAGE = Path(__file__).parents[2] / "docs" / "moving-in.md"
LISTED = re.compile(r"(?<=<!-- forms -->\n).*(?=<!-- /forms -->)", re.DOTALL)


def tables() -> str:
    """A table for each file."""
    found = []
    for form in FORMS:
        found.append(f"\n### {form.file}\n\n| column | what it holds | example |\n| --- | --- | --- |\n")
        for column in form.columns:
            name = f"**{column.name}**" if column.is_needed else column.name
            found.append(f"| {name} | {column.words} | `{column.example}` |\n")
    return "".join([*found, "\n"])


def test_the_page_lists_every_column() -> None:
    text = PAGE.read_text()
    if os.environ.get("TEST_APPROVE") == "1":
        text = LISTED.sub(lambda _: tables(), text)
        PAGE.write_text(text)

    assert LISTED.findall(text) == [tables()]


def test_every_column_of_the_example_is_one_that_is_read() -> None:
    known = {form.file: set(form.names) for form in FORMS}
    for path in (Path(__file__).parent / "example_clinic").glob("*.csv"):
        if path.name != "patients.csv":
            assert set(re.split("[,;]", path.read_text().splitlines()[0])) <= known[path.name]
