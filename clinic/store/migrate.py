"""Moves a database from one revision of its tables to another: wholly, or not at all."""
from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from clinic import paths
from clinic.store.engine import for_writing

_ONE_AT_A_TIME = 4_171_027_301
"""Number of the advisory lock that whoever migrates holds on PostgreSQL."""

_DERIVED = frozenset({"occupancy", "occupancy_change"})
"""Tables that only say again what others say: nothing is lost with them."""

Holding = dict[tuple[str, str | None], int]
"""How many rows each table (column None) holds, and how many values each of its columns."""


class CannotMigrate(Exception):
    """The database stays as it was; the text says why and what to do."""


class DataLoss(CannotMigrate):
    """The downgrade would drop a table or a column that holds data."""


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database up to that revision; a failure or a kill leaves it as it was."""
    with _migrating(engine) as connection:
        _run(command.upgrade, connection, revision)


def downgrade(engine: Engine, revision: str, *, accept_data_loss: bool = False) -> None:
    """Take the database back to that revision; raises DataLoss if that drops data and nobody accepted it."""
    with _migrating(engine) as connection:
        before = _holding(connection)
        _run(command.downgrade, connection, revision)
        if not accept_data_loss and (lost := _lost(before, connection)):
            raise DataLoss(
                f"Going back to {revision} would lose {lost}. Nothing was changed."
                " Back up the database, then repeat it with --accept-data-loss."
            )


def revision_of(engine: Engine) -> str | None:
    """The revision that the database is at; None for one that was never migrated."""
    with engine.connect() as connection:
        return revision_in(connection)


def revision_in(connection: Connection) -> str | None:
    """The same as this connection's transaction sees it."""
    return MigrationContext.configure(connection).get_current_revision()


def is_current(engine: Engine) -> bool:
    """Whether the database is at the revision that this code was written for."""
    return revision_of(engine) == ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    folder = str(paths.migrations())
    # Revisions import `migration_tools`, which lies beside them: their folder is `migrations` in a checkout
    # and `clinic.migrations` in a wheel, so no package name would do for both.
    if folder not in sys.path:
        sys.path.append(folder)
    config = Config()
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _run(step: Callable[[Config, str], None], connection: Connection, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    try:
        step(config, revision)
    except CommandError as error:
        raise CannotMigrate(
            f"This version of the clinic does not know how to get to {revision}: {error}."
            " Was the database written by a newer version?"
        ) from error


@contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    """A connection whose one transaction holds the whole migration."""
    with for_writing(engine).connect() as connection:
        if engine.dialect.name == "sqlite":
            with _without_foreign_keys(connection), connection.begin():
                yield connection
                _check_foreign_keys(connection)
        else:
            with connection.begin():
                _stand_alone(connection)
                _need_btree_gist(connection)
                yield connection


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    # While they are enforced, dropping the old copy of an altered table deletes the rows that point to it.
    # SQLite ignores the switch inside a transaction, so it is set before the transaction begins.
    _pragma(connection, "foreign_keys=OFF")
    try:
        yield
    finally:
        _pragma(connection, "foreign_keys=ON")


def _pragma(connection: Connection, pragma: str) -> None:
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        tables = ", ".join(sorted({f"{row[0]} (to {row[2]})" for row in broken}))
        raise CannotMigrate(f"The migration would leave rows that point nowhere, in {tables}. Nothing was changed.")


def _stand_alone(connection: Connection) -> None:
    connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
    try:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
    except OperationalError as error:
        raise CannotMigrate("Another machine is migrating this database. Wait until it is done.") from error
    # A migration that waits for a table makes everybody wait who comes after it: it gives up soon instead.
    connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")


def _need_btree_gist(connection: Connection) -> None:
    offered = connection.scalar(sa.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'btree_gist'"))
    if not offered:
        raise CannotMigrate(
            "This PostgreSQL server lacks the extension btree_gist, which refuses double bookings."
            " Install PostgreSQL's contrib package on the server, then repeat."
        )
    try:
        connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS btree_gist")
    except DBAPIError as error:
        raise CannotMigrate(
            "This account may not create the extension btree_gist, which refuses double bookings."
            " Ask the database's administrator to run CREATE EXTENSION btree_gist in it, then repeat."
        ) from error


def _holding(connection: Connection) -> Holding:
    held: Holding = {}
    for table, columns in _columns(connection).items():
        rows = sa.table(table, *(sa.column(name) for name in columns))
        counts = connection.execute(sa.select(sa.func.count(), *(sa.func.count(c) for c in rows.c)).select_from(rows))
        held.update(zip([(table, None), *((table, name) for name in columns)], counts.one(), strict=True))
    return held


def _lost(before: Holding, connection: Connection) -> str:
    after = _columns(connection)
    tables = [f"table {table} ({rows} rows)" for (table, column), rows in before.items()
              if column is None and rows and table not in after]
    columns = [f"column {table}.{column} ({values} values)" for (table, column), values in before.items()
               if column is not None and values and table in after and column not in after[table]]
    return ", ".join(tables + columns)


def _columns(connection: Connection) -> dict[str, list[str]]:
    inspector = sa.inspect(connection)
    return {
        table: [column["name"] for column in inspector.get_columns(table)]
        for table in sorted(inspector.get_table_names()) if table != "alembic_version" and table not in _DERIVED
    }
