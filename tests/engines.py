"""Engines for tests: kept for the addresses that one test leaves to the next, so that a statement is compiled once."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from sqlalchemy.engine import Engine

from clinic.store.engine import open_engine


@contextmanager
def lent_engine(url: str) -> Iterator[Engine]:
    """An engine whose listeners and options are this test's own; its connections are closed at the end."""
    engine = kept_engine(url)
    yield engine
    engine.dispose()


def kept_engine(url: str) -> Engine:
    """The same, for whoever closes its connections without us."""
    return _engine(url).execution_options()


@cache
def _engine(url: str) -> Engine:
    return open_engine(url, durable=False)
