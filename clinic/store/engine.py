"""Connections: SQLite and PostgreSQL opened so that a promise kept on one is kept on the other."""
from __future__ import annotations

import sqlite3
from functools import partial
from random import uniform
from time import monotonic, sleep
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import OperationalError

WRITES = "clinic_writes"
"""Execution option of a connection that will write: SQLite then takes its write lock when it begins."""

WAIT_SECONDS = 60
"""How long a transaction that will write waits for those before it."""

PATIENCE = "clinic_patience"
"""Execution option of a connection that will wait another number of seconds for SQLite's write lock."""

# Compiling a statement, as PostgreSQL begins to with a clinic's third year, takes longer than what any page asks.
_SETTINGS = "-c timezone=UTC -c lock_timeout=15000 -c jit=off"
# The commonest pages have 134 statements: of the 100 that psycopg keeps by itself, each would push out the next.
_STATEMENTS_PREPARED = 300
_LOCK_NOT_AVAILABLE = "55P03"
_PATIENCE = "busy_timeout=20000"
_PRAGMAS = (
    _PATIENCE, "journal_mode=WAL", "foreign_keys=ON",
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
        return _postgresql(parsed.set(drivername="postgresql+psycopg"), pool_size)
    raise ValueError(f"the database must be SQLite or PostgreSQL, not {kind}")


def for_writing(engine: Engine) -> Engine:
    """The same pool of connections, for transactions that will write: each statement sees what others committed."""
    if engine.get_execution_options().get(WRITES, False):
        return engine
    if engine.dialect.name == "postgresql":
        return engine.execution_options(**{WRITES: True}, isolation_level="READ COMMITTED")
    return engine.execution_options(**{WRITES: True})


def _postgresql(url: URL, pool_size: int) -> Engine:
    # Whoever reads sees one instant from the first statement to the last, as on SQLite: or a page would meet an
    # appointment whose rows have gone since.
    engine = sa.create_engine(
        url, pool_size=pool_size, max_overflow=10, pool_pre_ping=True, isolation_level="REPEATABLE READ",
        connect_args={"options": _SETTINGS})
    sa.event.listen(engine, "connect", _prepare_postgresql)
    sa.event.listen(engine, "rollback", _roll_back_postgresql)
    return engine


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    connection.prepared_max = _STATEMENTS_PREPARED


def _roll_back_postgresql(connection: Connection) -> None:
    # Every page ends by rolling back, and with each rollback of its own psycopg throws away what the connection has
    # prepared: every statement would be parsed and planned anew for every page, which takes most of them longer than
    # their answer. Here it is rolled back before psycopg does, who then finds nothing to do. What has failed is left
    # to psycopg, for what was prepared may be why.
    raw: Any = None if connection.invalidated else connection.connection.dbapi_connection
    if raw is not None and raw.info.transaction_status.name == "INTRANS":
        raw.pgconn.exec_(b"ROLLBACK")


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
    if not connection.get_execution_options().get(WRITES, False):
        connection.exec_driver_sql("BEGIN")
        return
    # SQLite asks ever more seldom the longer it has waited, so that newcomers go first and somebody waits for ever.
    # Here everybody who waits asks equally often.
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        _begin_in_turn(cursor, monotonic() + connection.get_execution_options().get(PATIENCE, WAIT_SECONDS))
    finally:
        cursor.execute(f"PRAGMA {_PATIENCE}")
        cursor.close()


def is_busy(error: BaseException) -> bool:
    """Whether somebody else held what was wanted for longer than we wait, such as a whole clinic that moves in."""
    if not isinstance(error, OperationalError):
        return False
    if isinstance(error.orig, sqlite3.OperationalError):
        return error.orig.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    return getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE


def _begin_in_turn(cursor: Any, until: float) -> None:
    while True:
        try:
            cursor.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > until:
                # Raised past the statements that SQLAlchemy sees, so it is wrapped here as theirs are.
                raise OperationalError("BEGIN IMMEDIATE", None, error) from error
            sleep(uniform(0.002, 0.01))
        else:
            return
