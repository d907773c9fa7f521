"""Where the time of one delivery goes, stage by stage: each is charged with what it does itself, not with what it has
others do."""
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.messages.smtp import SmtpTransport
from clinic.services import calendar_parts, delivery, letters, recheck, shares
from clinic.services.delivery import Courier
from clinic.services.work import UnitOfWork

STAGES: tuple[tuple[str, tuple[tuple[Any, str], ...]], ...] = (
    ("begin a transaction", ((UnitOfWork, "__enter__"), (UnitOfWork, "__exit__"))),
    ("claim", ((delivery, "_claim"),)),
    ("ask again: read", ((delivery, "freeze"), (shares, "owner_head"), (shares, "owner_facts"))),
    ("ask again: judge", ((shares, "messages_owed"),)),
    ("what goes along", ((recheck, "with_what_goes_along"),)),
    ("read what is said", ((shares, "letter_facts"),)),
    ("render", ((letters, "render"),)),
    ("calendar file", ((calendar_parts, "request_file"), (calendar_parts, "series_file"))),
    ("link", ((recheck, "link_for"),)),
    ("bytes, frozen", ((recheck, "_write"),)),
    ("speak SMTP", ((SmtpTransport, "deliver"),)),
    ("note the dot", ((Courier, "_begin"),)),
    ("mark", ((Courier, "_record"),)),
    ("commit", ((UnitOfWork, "commit"),)),
)
REST = "all else"


@dataclass(slots=True)
class Spent:
    """Seconds by the clock and of processor time."""

    clock: float = 0.0
    processor: float = 0.0


@dataclass
class Stages:
    """What was spent in each stage, how many statements were said and how many transactions begun."""

    spent: dict[str, Spent] = field(default_factory=lambda: {name: Spent() for name, _ in (*STAGES, (REST, ()))})
    statements: int = 0
    transactions: int = 0
    _within: list[str] = field(default_factory=lambda: [REST])
    _since: tuple[float, float] = (0.0, 0.0)

    def enter(self, stage: str) -> None:
        """From now on it is this stage's."""
        self._charge()
        self._within.append(stage)

    def leave(self) -> None:
        """From now on it is that of who asked for it."""
        self._charge()
        self._within.pop()

    def _charge(self) -> None:
        now = time.perf_counter(), time.thread_time()
        spent = self.spent[self._within[-1]]
        spent.clock += now[0] - self._since[0]
        spent.processor += now[1] - self._since[1]
        self._since = time.perf_counter(), time.thread_time()


@contextmanager
def watched(engine: Engine) -> Iterator[Stages]:
    """Counts what this thread spends in the block."""
    stages = Stages()
    before = [(owner, name, getattr(owner, name)) for _, places in STAGES for owner, name in places]

    def said(*_facts: object) -> None:
        stages.statements += 1

    def begun(_connection: object) -> None:
        stages.transactions += 1

    for stage, places in STAGES:
        for owner, name in places:
            setattr(owner, name, _charged(stages, stage, getattr(owner, name)))
    sa.event.listen(engine, "before_cursor_execute", said)
    sa.event.listen(engine, "begin", begun)
    stages._since = time.perf_counter(), time.thread_time()
    try:
        yield stages
        stages.enter(REST)
    finally:
        sa.event.remove(engine, "before_cursor_execute", said)
        sa.event.remove(engine, "begin", begun)
        for owner, name, was in before:
            setattr(owner, name, was)


def _charged(stages: Stages, stage: str, act: Callable[..., Any]) -> Callable[..., Any]:
    def charged(*args: Any, **facts: Any) -> Any:
        stages.enter(stage)
        try:
            return act(*args, **facts)
        finally:
            stages.leave()

    return charged
