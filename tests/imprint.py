"""The rows of a clinic that was built once, pressed into other databases: building it anew takes ten times as long."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clinic.store.base import Row

_Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Imprint:
    """Every row by table, those first that others refer to."""

    rows: Sequence[tuple[sa.Table, _Rows]]


def is_blank(connection: Connection) -> bool:
    """Whether no table has a row."""
    return not connection.scalar(sa.select(sa.or_(*(
        sa.select(sa.literal(1)).select_from(table).exists() for table in Row.metadata.sorted_tables))))


def taken(connection: Connection) -> Imprint:
    """What is in the database."""
    return Imprint([part for table in Row.metadata.sorted_tables for part in _parts(connection, table)])


def press(connection: Connection, imprint: Imprint) -> None:
    """Put the rows into a blank database, where the next numbers follow theirs."""
    for table, rows in imprint.rows:
        connection.execute(table.insert(), rows)
    if connection.dialect.name == "postgresql":
        numbered = {table: key for table, _ in imprint.rows if (key := table.autoincrement_column) is not None}
        connection.execute(sa.select(*(
            sa.func.setval(sa.func.pg_get_serial_sequence(table.name, key.name),
                           sa.select(sa.func.max(key)).scalar_subquery())
            for table, key in numbered.items())))


def _parts(connection: Connection, table: sa.Table) -> list[tuple[sa.Table, _Rows]]:
    """Rows in the order of their keys; what is null is left out, for JSON has a null of its own."""
    found = connection.execute(sa.select(table).order_by(*table.primary_key)).mappings()
    rows = [{name: value for name, value in row.items() if value is not None} for row in found]
    return [(table, list(alike)) for _, alike in groupby(rows, key=lambda row: list(row))]
