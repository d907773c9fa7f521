"""The two databases as a clinic runs them: each commit waits for the disk."""
from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.processes import children_of
from tests.postgres import Postgres


class SQLite:
    """Files in a folder."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0

    def empty(self) -> str:
        """The address of a database that does not exist yet."""
        self._count += 1
        return f"sqlite:///{self._folder / f'{self._count}.db'}"

    def copy(self, url: str) -> str:
        """Another database with the same in it."""
        made = self.empty()
        shutil.copyfile(url.removeprefix("sqlite:///"), made.removeprefix("sqlite:///"))
        return made

    def drop(self, url: str) -> None:
        """It is not needed any more."""
        name = Path(url.removeprefix("sqlite:///"))
        for path in name.parent.glob(f"{name.name}*"):
            path.unlink()

    def processes(self) -> Sequence[int]:
        """It runs in its clients."""
        return ()


class PostgreSQL:
    """Databases of a server of our own."""

    name = "PostgreSQL"

    def __init__(self, server: Postgres) -> None:
        self._server, self._count = server, 0

    def empty(self) -> str:
        """The address of a new database without any table."""
        self._count += 1
        return self._server.create(f"mail{self._count}")

    def copy(self, url: str) -> str:
        """Another database with the same in it."""
        self._count += 1
        return self._server.create(f"mail{self._count}", template=_name(url))

    def drop(self, url: str) -> None:
        """It is not needed any more."""
        self._server.drop(_name(url))

    def processes(self) -> Sequence[int]:
        """The server and whom it has started."""
        first = self._server.process.pid
        return (first, *children_of(first))


Database = SQLite | PostgreSQL


@contextmanager
def databases() -> Iterator[tuple[Database, ...]]:
    """Both kinds, gone afterwards; only SQLite where this machine has no PostgreSQL."""
    with tempfile.TemporaryDirectory() as name:
        try:
            server = Postgres(is_durable=True)
        except FileNotFoundError as missing:
            sys.stdout.write(f"not measured: {missing}\n")
            yield (SQLite(Path(name)),)
            return
        try:
            yield SQLite(Path(name)), PostgreSQL(server)
        finally:
            server.stop()


def _name(url: str) -> str:
    return url.partition("@/")[2].partition("?")[0]
