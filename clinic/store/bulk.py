"""Many rows at once: as COPY on PostgreSQL, as one prepared statement on SQLite, with ids taken beforehand."""
from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from clinic.store.types import Instant

AT_ONCE = 5000


class Bulk:
    """Writes into the tables of one transaction, past the mapping: every column that has no default of the database
    must be given."""

    def __init__(self, db: Session) -> None:
        """The transaction must be one that writes."""
        self._db = db
        self._is_postgresql = db.get_bind().dialect.name == "postgresql"
        self._next: dict[str, int] = {}

    def ids(self, table: sa.Table, count: int) -> list[int]:
        """So many ids of that table that nobody else will be given."""
        if self._is_postgresql:
            taken = self._db.scalars(
                sa.text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)"),
                {"name": table.name, "count": count})
            return list(taken)
        # SQLite has one writer, who is us.
        if table.name not in self._next:
            self._next[table.name] = (self._db.scalar(sa.select(sa.func.max(table.c.id))) or 0) + 1
        first = self._next[table.name]
        self._next[table.name] = first + count
        return list(range(first, first + count))

    def insert(self, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
        """Inserts the rows, as Python values in the order of the columns; how many."""
        connection = self._db.connection()
        writers = [(place, write) for place, name in enumerate(columns)
                   if (write := _writer(table.c[name], connection.dialect)) is not None]
        ready = (_ready(row, writers) for row in rows)
        cursor: Any = connection.connection.cursor()
        names = ", ".join(columns)
        try:
            if self._is_postgresql:
                statement = f"COPY {table.name} ({names}) FROM STDIN"
                return sum(self._copied(cursor, statement, batch) for batch in _batches(ready))
            statement = f"INSERT INTO {table.name} ({names}) VALUES ({', '.join('?' * len(columns))})"
            return sum(self._executed(cursor, statement, batch) for batch in _batches(ready))
        except connection.dialect.loaded_dbapi.Error as error:
            raise DBAPIError.instance(
                f"INSERT INTO {table.name}", None, error, connection.dialect.loaded_dbapi.Error) from error
        finally:
            cursor.close()

    @staticmethod
    def _copied(cursor: Any, statement: str, rows: list[list[Any]]) -> int:
        # Some at a time: what PostgreSQL has to check of them is remembered until the statement ends.
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        return len(rows)

    @staticmethod
    def _executed(cursor: Any, statement: str, rows: list[list[Any]]) -> int:
        cursor.executemany(statement, rows)
        return len(rows)


def _batches(rows: Iterator[list[Any]]) -> Iterator[list[list[Any]]]:
    while batch := list(islice(rows, AT_ONCE)):
        yield batch


def _ready(row: Sequence[Any], writers: Sequence[tuple[int, Callable[[Any], Any]]]) -> list[Any]:
    values = list(row)
    for place, write in writers:
        if values[place] is not None:
            values[place] = write(values[place])
    return values


def _writer(column: sa.Column[Any], dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    """How a value of that column is written; an instant may be given as seconds since 1970 too."""
    if isinstance(column.type, Instant):
        return _as_seconds if dialect.name == "sqlite" else _as_instant
    if isinstance(column.type, sa.JSON):
        return json.dumps
    if isinstance(column.type, sa.DateTime) and dialect.name == "sqlite":
        return _as_text
    return column.type.dialect_impl(dialect).bind_processor(dialect)


def _as_seconds(value: datetime | int) -> int:
    return value if isinstance(value, int) else int(value.timestamp())


def _as_instant(value: datetime | int) -> datetime:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int) else value.replace(microsecond=0)


def _as_text(value: datetime) -> str:
    return value.isoformat(" ", "microseconds")
