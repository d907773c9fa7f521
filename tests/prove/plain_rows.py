"""Every table as plain rows, read with plain SQL: the same values from both databases, by none of the clinic's code."""
from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

Row = Any
"""A row, its columns as attributes: instants aware UTC, dates as dates, documents parsed."""
Rows = Mapping[str, list[Row]]

_LEFT_OUT = {"alembic_version", "protocol", "protocol_version"}
"""The library does not change, and is read once."""
_INSTANTS = {"at", "useless_after", "lease_until", "mail_on_since"}
_DATES = {"valid_from"}
_BYTES = {"bits", "mime"}
_JSON = {"facts", "value", "answers", "answer", "findings", "features", "only_times", "rather_times", "parts", "wished"}


class Tables:
    """The tables of one database, in the order of their keys."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        look = sa.inspect(engine)
        names = sorted(set(look.get_table_names()) - _LEFT_OUT)
        self.statements = {
            name: f"SELECT * FROM {name} ORDER BY {', '.join(look.get_pk_constraint(name)['constrained_columns'])}"
            for name in names
        }
        with engine.connect() as connection:
            self.documents: dict[int, Any] = {
                ident: _json(document)
                for ident, document in connection.execute(sa.text("SELECT id, document FROM protocol_version"))}

    def read(self) -> Rows:
        """All rows of all tables, in one transaction."""
        with self.engine.connect() as connection:
            return {name: _rows(connection.execute(sa.text(each))) for name, each in self.statements.items()}


def changes(before: Rows, after: Rows) -> list[str]:
    """What differs, in words; nothing where every row of every table is as it was."""
    found = []
    for name in sorted(before.keys() | after.keys()):
        old, new = map(_known, (before.get(name, []), after.get(name, [])))
        found += [f"{name}: gone {old[key]}" for key in sorted(old.keys() - new.keys())]
        found += [f"{name}: new {new[key]}" for key in sorted(new.keys() - old.keys())]
    return found


def _known(rows: list[Row]) -> dict[str, str]:
    return {repr(row): str(row) for row in rows}


def _rows(result: sa.CursorResult[Any]) -> list[Row]:
    readers = [(name, _reader(name)) for name in tuple(result.keys())]
    return [
        SimpleNamespace(**{
            name: value if value is None or read is None else read(value)
            for (name, read), value in zip(readers, row, strict=True)})
        for row in result
    ]


def _reader(column: str) -> Any:
    if column.endswith("_at") or column in _INSTANTS:
        return _instant
    if column.endswith("_on") or column in _DATES:
        return _date
    if column == "local_start":
        return _wall
    if column in _BYTES:
        return bytes
    return _json if column in _JSON else None


def _instant(value: Any) -> datetime:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int) else value.astimezone(UTC)


def _date(value: Any) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _wall(value: Any) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
