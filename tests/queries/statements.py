"""Counting what a page asks of the database."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that are executed within the block, in order."""
    told: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        told.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield told
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
