"""Many rows at once: as COPY on PostgreSQL, as one prepared statement on SQLite, with ids taken beforehand."""
from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

AT_ONCE = 2000


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
        writers = [_writer(table.c[name], connection.dialect) for name in columns]
        ready = (
            [value if write is None or value is None else write(value)
             for value, write in zip(row, writers, strict=True)]
            for row in rows)
        cursor: Any = connection.connection.cursor()
        names = ", ".join(columns)
        try:
            if self._is_postgresql:
                return self._copy(cursor, f"COPY {table.name} ({names}) FROM STDIN", ready)
            statement = f"INSERT INTO {table.name} ({names}) VALUES ({', '.join('?' * len(columns))})"
            count = 0
            while batch := list(islice(ready, AT_ONCE)):
                cursor.executemany(statement, batch)
                count += len(batch)
            return count
        except connection.dialect.loaded_dbapi.Error as error:
            raise DBAPIError.instance(
                f"INSERT INTO {table.name}", None, error, connection.dialect.loaded_dbapi.Error) from error
        finally:
            cursor.close()

    @staticmethod
    def _copy(cursor: Any, statement: str, rows: Iterable[Sequence[Any]]) -> int:
        count = 0
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
                count += 1
        return count


def _writer(column: sa.Column[Any], dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    if isinstance(column.type, sa.JSON):
        return json.dumps
    return column.type.dialect_impl(dialect).bind_processor(dialect)
