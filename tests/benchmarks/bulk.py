"""Many rows at once, past the mapper and past the guards: only for data sets that keep the rules by themselves."""
from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.store import Row

AT_ONCE = 20_000
_Turn = Callable[[Any], Any] | None


class Bulk:
    """Rows by table, numbered after those that are there; the table's defaults are filled in, triggers stay silent."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._raw = engine, engine.raw_connection()
        self._rows: defaultdict[sa.Table, list[tuple[Any, ...]]] = defaultdict(list)
        self._shapes: dict[sa.Table, _Shape] = {}
        self._next: dict[sa.Table, int] = {}
        self._is_postgresql = engine.dialect.name == "postgresql"
        self._silenced = self._silence()

    def add(self, row: type[Row], **values: Any) -> int:
        """One more row of that kind; its number, where it has one."""
        table: Any = row.__table__
        if "id" in table.c and "id" not in values:
            values["id"] = self.reserve(row)
        if table not in self._shapes:
            self._shapes[table] = _Shape(table, self._engine.dialect)
        self._rows[table].append(self._shapes[table].turned(values))
        if len(self._rows[table]) >= AT_ONCE:
            self._write()
        number: int = values.get("id", 0)
        return number

    def reserve(self, row: type[Row]) -> int:
        """The number of a row of that kind that comes later."""
        table: Any = row.__table__
        number = self._next[table] if table in self._next else self._first_of(table)
        self._next[table] = number + 1
        return number

    def finish(self) -> None:
        """Everything is in the database, and its guards are as before."""
        self._write()
        cursor = self._raw.cursor()
        if self._is_postgresql:
            cursor.execute("SET session_replication_role = DEFAULT")
            for table, number in self._next.items():
                if table.autoincrement_column is not None:
                    cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {number})")
        else:
            for statement in self._silenced:
                cursor.execute(statement)
        self._raw.commit()
        if not self._is_postgresql:
            cursor.execute("PRAGMA foreign_keys=ON")
        self._raw.close()
        # As a clinic's: PostgreSQL looks at its tables by itself, SQLite never does.
        if self._is_postgresql:
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(sa.text("VACUUM ANALYZE"))

    def _silence(self) -> list[str]:
        cursor = self._raw.cursor()
        if self._is_postgresql:
            cursor.execute("SET session_replication_role = replica")
            return []
        cursor.execute("PRAGMA foreign_keys=OFF")
        cursor.execute("BEGIN")
        found = cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in found:
            cursor.execute(f"DROP TRIGGER {name}")
        return [statement for _, statement in found]

    def _first_of(self, table: sa.Table) -> int:
        cursor = self._raw.cursor()
        if "id" not in table.c:
            return 1
        cursor.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table.name}")
        return int(cursor.fetchone()[0])

    def _write(self) -> None:
        cursor = self._raw.cursor()
        for table in sorted(self._rows, key=Row.metadata.sorted_tables.index):
            columns = ", ".join(f'"{name}"' for name in self._shapes[table].names)
            if self._is_postgresql:
                with cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
                    for row in self._rows[table]:
                        copy.write_row(row)
            else:
                marks = ", ".join("?" * len(self._shapes[table].names))
                cursor.executemany(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", self._rows[table])
        self._rows.clear()


class _Shape:
    """The columns of a table: what turns a value into what the driver takes, and what stands where none is given."""

    def __init__(self, table: sa.Table, dialect: sa.Dialect) -> None:
        self.names = [column.name for column in table.c]
        self._at = {column.name: (at, _turn(column, dialect)) for at, column in enumerate(table.c)}
        self._usual: list[Any] = [None] * len(self.names)
        self._usual = list(self.turned({column.name: _default(column) for column in table.c}))

    def turned(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """A row in the order of the columns."""
        row = [*self._usual]
        for name, value in values.items():
            at, turn = self._at[name]
            row[at] = value if turn is None or value is None else turn(value)
        return tuple(row)


def _turn(column: sa.Column[Any], dialect: sa.Dialect) -> _Turn:
    if isinstance(column.type, sa.JSON):
        return json.dumps
    turn: _Turn = column.type.dialect_impl(dialect).bind_processor(dialect)
    return turn


def _default(column: sa.Column[Any]) -> Any:
    if column.default is None:
        return None
    value: Any = column.default.arg  # type: ignore[attr-defined]
    return value(None) if callable(value) else value

