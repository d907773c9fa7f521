"""What revisions share. Frozen like them: add to it, never change what a released revision already uses."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""How constraints and indexes are named when a revision leaves that open."""


def instant() -> sa.types.TypeEngine[Any]:
    """The type of an instant: `timestamptz` on PostgreSQL, seconds since 1970 as an integer on SQLite."""
    return sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")


def is_sqlite() -> bool:
    """Whether the revision runs on SQLite."""
    return op.get_context().dialect.name == "sqlite"


@contextmanager
def altered(table: str, **options: Any) -> Iterator[BatchOperations]:
    """Alter a table on either database and keep every guard: the only way for a revision to alter one.

    SQLite alters by copying the table and dropping the old one. Its triggers go with it, and triggers of
    other tables that name it would stop the renaming: so all step aside first and are put back after.
    """
    guards = _lift_triggers() if is_sqlite() else []
    with op.batch_alter_table(table, **options) as batch:
        yield batch
    for statement in guards:
        op.get_bind().exec_driver_sql(statement)


def _lift_triggers() -> list[str]:
    bind = op.get_bind()
    triggers = bind.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")).all()
    for name, _ in triggers:
        bind.exec_driver_sql(f'DROP TRIGGER "{name}"')
    return [statement for _, statement in triggers]
