"""A process that writes down who gets an edition, and dies at a statement of its work."""
from __future__ import annotations

import os
import signal

import sqlalchemy as sa

from clinic.clock import system_clock
from clinic.services.publishing import publish
from clinic.services.work import Actor, UnitOfWork
from clinic.store.engine import open_engine

BATCH = 5


def publish_and_die(url: str, statement: int) -> None:
    """Write a piece, and die as the power goes before that statement of it; 0 is the first."""
    engine = open_engine(url)
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        if seen == statement:
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1

    sa.event.listen(engine, "before_cursor_execute", count)
    sa.event.listen(engine, "commit", count)
    with UnitOfWork(engine, system_clock, Actor("worker")) as work:
        publish(work, batch=BATCH)


def publish_all(url: str) -> None:
    """Write pieces until there is nothing more to write; several of these may run at once."""
    engine = open_engine(url)
    while True:
        with UnitOfWork(engine, system_clock, Actor("worker")) as work:
            if publish(work, batch=1_000_000) == 0:
                return
