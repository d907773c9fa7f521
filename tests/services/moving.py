"""Folders to be moved in, written and read in tests: an example clinic, and what one file of it says otherwise."""
from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.interchange.moving_in import Report
from clinic.interchange.tables import Limits
from clinic.services.move_in import move_in
from clinic.services.moving.state import Progress
from clinic.store import Row
from tests.small_clinic import SmallClinic, small_clinic

EXAMPLE = Path(__file__).parent.parent / "interchange" / "example_clinic"


def silent(done: int, total: int, what: str) -> None:
    """Says nothing."""


class Mover:
    """A small clinic with approved protocols, and a folder that begins as the example."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        """The example is copied into the folder, which must not be there yet."""
        self.made: SmallClinic = small_clinic(engine)
        self.engine, self.folder = engine, folder
        shutil.copytree(EXAMPLE, folder)

    def write(self, file: str, content: str | bytes) -> None:
        """Replaces a file of the folder."""
        (self.folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())

    def change(self, file: str, before: str, after: str) -> None:
        """Replaces a text of a file that stands there once."""
        text = (self.folder / file).read_text()
        assert text.count(before) == 1, f"{before!r} stands {text.count(before)} times in {file}"
        self.write(file, text.replace(before, after))

    def append(self, file: str, *lines: str) -> None:
        """Adds lines to a file."""
        with (self.folder / file).open("a") as stream:
            stream.writelines(f"{line}\n" for line in lines)

    def move(self, *, dry_run: bool = False, progress: Progress = silent, limits: Limits | None = None) -> Report:
        """Moves the folder in."""
        with self.made.work() as work:
            return move_in(work, self.folder, dry_run=dry_run, progress=progress, limits=limits)

    def counts(self) -> Mapping[str, int]:
        """How many rows each table has."""
        return row_counts(self.engine)


def row_counts(engine: Engine) -> Mapping[str, int]:
    """How many rows each table of a database has."""
    with Session(engine) as db:
        return {table.name: db.scalar(sa.select(sa.func.count()).select_from(table)) or 0
                for table in Row.metadata.sorted_tables}
