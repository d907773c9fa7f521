"""Connections: SQLite and PostgreSQL opened so that a promise kept on one is kept on the other."""
from __future__ import annotations

from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url

WRITES = "clinic_writes"
"""Execution option of a connection that will write: SQLite then takes its write lock when it begins."""

_PRAGMAS = (
    "busy_timeout=20000", "journal_mode=WAL", "foreign_keys=ON",
    "recursive_triggers=ON",  # or INSERT OR REPLACE deletes a row past the triggers that forbid it
)


def open_engine(url: str | URL, *, pool_size: int = 10, durable: bool = True) -> Engine:
    """An engine for that database; raises ValueError for any other kind than SQLite and PostgreSQL.

    A SQLite file that is not `durable` may lose its last commits when the power fails: for throw-away ones only.
    """
    parsed = make_url(url)
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        return _sqlite(parsed, pool_size, durable)
    if kind == "postgresql":
        return sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_size=pool_size, max_overflow=10, pool_pre_ping=True,
            connect_args={"options": "-c timezone=UTC -c lock_timeout=15000"},
        )
    raise ValueError(f"the database must be SQLite or PostgreSQL, not {kind}")


def for_writing(engine: Engine) -> Engine:
    """The same pool of connections, for transactions that will write."""
    return engine.execution_options(**{WRITES: True})


def _sqlite(url: URL, pool_size: int, durable: bool) -> Engine:
    engine = sa.create_engine(url, pool_size=pool_size, max_overflow=10, connect_args={"timeout": 20})
    sa.event.listen(engine, "connect", partial(_prepare_sqlite, "FULL" if durable else "OFF"))
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(synchronous: str, connection: Any, _record: Any) -> None:
    # The driver's own transaction handling begins too late and lets two writers read the same past:
    # it is switched off, and `_begin_sqlite` says BEGIN.
    connection.isolation_level = None
    for pragma in (*_PRAGMAS, f"synchronous={synchronous}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
