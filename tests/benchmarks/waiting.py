"""What a worker's ticks cost that find nothing to do, while very many messages wait for their time."""
from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import median
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.clock import system_clock
from clinic.services.workers import enlist, work_of
from clinic.store import Row, migrate
from clinic.store.engine import for_writing, open_engine
from clinic.worker import Worker
from tests.prove.mail_ledger import desk_of_today
from tests.prove.mail_worker import Place, kit_of

TICKS = ("deliver", "rescue", "publish", "beat", "free_holds", "agree", "owe")
"""Every tick of a worker but the hourly one."""
FIRST = 10_000
_SPREAD = timedelta(days=60)
_MESSAGE, _ITEM = Row.metadata.tables["message"], Row.metadata.tables["message_item"]
_READS_ALL = re.compile(
    r"SCAN message(_item|_attempt)?\b(?! USING (COVERING )?INDEX ix_message_(due|leased|useless))|Seq Scan on message")
"""In a plan of either database; an index of the messages in one state may well be read as a whole."""


@dataclass(frozen=True)
class Tick:
    """Milliseconds, the median and the least; how many statements it says; what of the plans reads a whole table."""

    median: float
    least: float
    statements: int
    scans: tuple[str, ...]


def ticks_among(url: str, sizes: Sequence[int], *, times: int = 25) -> Iterator[tuple[int, dict[str, Tick]]]:
    """Every tick in an empty database, among each of these numbers of waiting messages: `FIRST`, and powers of ten
    more.

    No commit waits for the disk, which takes as long as the disk pleases, however many messages wait.
    """
    engine = open_engine(url, durable=False)
    migrate.upgrade(engine)
    _let_commits_not_wait(engine)
    with desk_of_today(url):
        kit = replace(kit_of(Place(url, 9)), engine=open_engine(url, durable=False))
        worker = Worker(kit)
        with work_of(kit)() as work:
            enlist(work, worker.id, "here")
        for size in sizes:
            grow(engine, size)
            yield size, {name: _measured(kit.engine, getattr(worker, name), times) for name in TICKS}
        kit.engine.dispose()
    engine.dispose()


def grow(engine: Engine, size: int) -> None:
    """Lets so many messages wait, each of which says one thing: the first few are made, the others copied from them."""
    with for_writing(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            # To ask of each copy whether its patient is there would take most of the time.
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        count = connection.scalar(sa.select(sa.func.count()).select_from(_MESSAGE)) or 0
        if count == 0:
            _make_first(connection)
            count = FIRST
        while count < size:
            for further in range(count, 10 * count, count):
                connection.execute(_copies(_MESSAGE, count, further, ("id",)))
                connection.execute(_copies(_ITEM, count, further, ("id", "message_id", "owner_id", "subject_id")))
            count *= 10
    if engine.dialect.name == "postgresql":
        # The server for tests does by hand what a real one does by itself.
        _say_alone(engine, "VACUUM ANALYZE", "CHECKPOINT")


def _let_commits_not_wait(engine: Engine) -> None:
    if engine.dialect.name == "postgresql":
        _say_alone(engine, f'ALTER DATABASE "{engine.url.database}" SET synchronous_commit = off')
        engine.dispose()


def _say_alone(engine: Engine, *statements: str) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def _make_first(connection: sa.Connection) -> None:
    now = system_clock() + timedelta(hours=1)
    patient_id = connection.scalar(sa.text("SELECT min(id) FROM patient"))
    connection.execute(sa.insert(_MESSAGE), [
        {"id": at, "patient_id": patient_id, "clinic_id": 1, "state": "pending", "priority": at % 3, "attempts": 0,
         "due_at": now + _SPREAD * at / FIRST, "useless_after": now + 2 * _SPREAD, "created_at": now}
        for at in range(1, FIRST + 1)])
    connection.execute(sa.insert(_ITEM), [
        {"id": at, "message_id": at, "kind": "reminder-2d", "owner_kind": "course", "owner_id": at,
         "subject_kind": "appointment", "subject_id": at, "revision": 0, "generation": 0, "facts": {}}
        for at in range(1, FIRST + 1)])


def _copies(table: sa.Table, count: int, further: int, numbered: Sequence[str]) -> sa.Insert:
    """The first so many rows again, with numbers that are so much higher."""
    columns = [each + further if each.name in numbered else each for each in table.c]
    return sa.insert(table).from_select([each.name for each in table.c], sa.select(*columns).where(table.c.id <= count))


def _measured(engine: Engine, tick: Callable[[], object], times: int) -> Tick:
    tick()
    with _said(engine) as said:
        tick()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        tick()
        taken.append((time.perf_counter() - begun) * 1000)
    return Tick(median(taken), min(taken), len(said), tuple(_scans(engine, said)))


@contextmanager
def _said(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    said: list[tuple[str, Any]] = []

    def hear(_connection: object, _cursor: object, statement: str, facts: Any, *_more: object) -> None:
        said.append((statement, facts))

    sa.event.listen(engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        sa.event.remove(engine, "before_cursor_execute", hear)


def _scans(engine: Engine, said: Sequence[tuple[str, Any]]) -> Iterator[str]:
    how = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    with engine.connect() as connection:
        for statement, facts in said:
            lines = [" ".join(map(str, row)) for row in connection.exec_driver_sql(how + statement, facts)]
            yield from (f"{line.strip()} of {' '.join(statement.split())}" for line in lines if _READS_ALL.search(line))
