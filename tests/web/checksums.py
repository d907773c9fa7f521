"""A fingerprint of everything in a database, to show that nothing changed."""
from __future__ import annotations

import hashlib

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.store import Row


def checksum(engine: Engine) -> str:
    """Equal for equal content of all tables."""
    digest = hashlib.sha256()
    with engine.connect() as connection:
        for table in Row.metadata.sorted_tables:
            rows = connection.execute(sa.select(table).order_by(*table.primary_key.columns)).all()
            digest.update(f"{table.name}:{rows!r}".encode())
    return digest.hexdigest()


def statements(engine: Engine) -> list[str]:
    """The statements that the engine runs from now on, as they come."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        seen.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    return seen
