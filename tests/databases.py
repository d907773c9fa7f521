"""Databases for tests: a template of each kind is migrated once, and every test gets a copy that nobody else uses."""
from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from clinic.store import migrate
from clinic.store.engine import open_engine
from tests.postgres import Postgres
from tests.rinse import Shape, rinse, shape_of

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
"""The values of a fixture that runs a test on both databases."""

_NUMBERS = itertools.count(1)


def is_full() -> bool:
    """Whether pytest was asked for the long counts, by `--full`."""
    return os.environ.get("TEST_FULL") == "1"


def unavailable(reason: str) -> NoReturn:
    """Skip the test with that reason; fail it where nothing may be missing (`TEST_REQUIRE_ALL=1`)."""
    if os.environ.get("TEST_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


class SQLiteFiles:
    """SQLite databases in one folder."""

    def __init__(self, folder: Path) -> None:
        """Keep the files in this folder."""
        self.folder = folder
        self._template: Path | None = None
        self._free: list[Path] = []

    def empty(self) -> str:
        """The address of a database that does not exist yet."""
        return f"sqlite:///{self.folder / f'{next(_NUMBERS)}.db'}"

    def migrated(self) -> str:
        """The address of a new database with every table and no row."""
        if self._template is None:
            self._template = self.folder / "template.db"
            _migrate(f"sqlite:///{self._template}")
        return self._copy(self._template)

    def copied(self, url: str) -> str:
        """The address of a copy of a database that nobody has open."""
        return self._copy(_path(url))

    def remove(self, url: str) -> None:
        """Delete the database with the files beside it."""
        name = _path(url)
        for path in name.parent.glob(f"{name.name}*"):
            path.unlink()
        self._free.append(name)

    def _copy(self, of: Path) -> str:
        copy = self._free.pop() if self._free else self.folder / f"{next(_NUMBERS)}.db"
        shutil.copyfile(of, copy)
        return f"sqlite:///{copy}"


class PostgreSQLDatabases:
    """Databases of one PostgreSQL server; what one test leaves is emptied for the next one."""

    def __init__(self, server: Postgres) -> None:
        """Keep the databases on this server."""
        self.server = server
        self._shape: Shape | None = None
        self._lent: set[str] = set()
        self._free: list[str] = []

    def empty(self) -> str:
        """The address of a new database without any table."""
        return self.server.create(f"test{next(_NUMBERS)}")

    def migrated(self) -> str:
        """The address of a database with every table and no row."""
        if self._shape is None:
            _migrate(self.server.create("migrated"))
            with self.server.connect("migrated") as connection:
                self._shape = shape_of(connection)
        url = self._free.pop() if self._free else self.server.create(f"test{next(_NUMBERS)}", template="migrated")
        self._lent.add(url)
        return url

    def remove(self, url: str) -> None:
        """Take the database back; drop it with whoever is still connected to it, unless another test can have it."""
        name = self.name_of(url)
        if url in self._lent and self._is_rinsed(name):
            self._free.append(url)
        else:
            self.server.drop(name)
        self._lent.discard(url)

    def name_of(self, url: str) -> str:
        """The name of the database at that address."""
        return url.partition("@/")[2].partition("?")[0]

    def _is_rinsed(self, name: str) -> bool:
        assert self._shape is not None
        with self.server.connect(name) as connection:
            return rinse(connection, self._shape)


Databases = SQLiteFiles | PostgreSQLDatabases
DatabasesOf = Callable[[str], Databases]


def _path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _migrate(url: str) -> None:
    engine = open_engine(url)
    migrate.upgrade(engine)
    engine.dispose()
