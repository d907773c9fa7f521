"""What a process of the experiments runs: a real worker, or one that dies at a named point of its first delivery."""
from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy.engine import Engine

from clinic.clock import Clock, system_clock
from clinic.messages.smtp import Security, SmtpSettings, SmtpTransport, Timeouts
from clinic.messages.transport import BeforeDot, Outcome, Transport
from clinic.services.delivery import Courier, Patience
from clinic.services.work import UnitOfWork
from clinic.services.workers import enlist, work_of
from clinic.store.engine import open_engine
from clinic.worker import Pace, run

DEAD_AFTER = 4.0
PACE = Pace(
    deliver=0.2, rescue=1, beat=0.5, owe=5, first_rest=0.5, longest_rest=1,
    patience=Patience(first_wait=timedelta(seconds=1), longest_wait=timedelta(seconds=4),
                      dead_after=timedelta(seconds=DEAD_AFTER)),
)
PLACES = ("after-claim", "after-freezing", "before-dot", "after-begun", "after-answer")
OPENED_BEFORE = {"after-claim": 1, "after-freezing": 2}
"""How many units of work a delivery has opened when it dies between two of them."""


@dataclass(frozen=True)
class Kit:
    """What a worker is given."""

    engine: Engine
    clock: Clock
    post_office: Callable[[], Transport]


class Dying:
    """A transport whose process dies around the dot."""

    def __init__(self, inner: Transport, place: str) -> None:
        self._inner = inner
        self._place = place

    def connection(self) -> AbstractContextManager[None]:
        return self._inner.connection()

    def deliver(self, sender: str, recipient: str, mime: bytes, *, before_dot: BeforeDot) -> Outcome:
        def around() -> bool | None:
            self._die_at("before-dot")
            begun = before_dot()
            self._die_at("after-begun")
            return begun

        outcome = self._inner.deliver(sender, recipient, mime, before_dot=around)
        self._die_at("after-answer")
        return outcome

    def _die_at(self, place: str) -> None:
        if place == self._place:
            die()


def die() -> None:
    """As the power goes."""
    os.kill(os.getpid(), signal.SIGKILL)


def run_worker(url: str, port: int) -> None:
    """Work until told to stop."""
    run(_kit(url, port), PACE)


def deliver_and_die(url: str, port: int, place: str) -> None:
    """Deliver what is due, and die at that place of the first delivery."""
    kit = _kit(url, port)
    open_work, opened = work_of(kit), 0

    def counted() -> UnitOfWork:
        nonlocal opened
        if opened == OPENED_BEFORE.get(place, -1):
            die()
        opened += 1
        return open_work()

    worker_id = f"dying-{secrets.token_hex(4)}"
    with open_work() as work:
        enlist(work, worker_id, "prove")
    Courier(counted, Dying(kit.post_office(), place), worker_id).deliver_due()


def _kit(url: str, port: int) -> Kit:
    smtp = SmtpSettings("127.0.0.1", port, Security.NONE, timeouts=Timeouts(connect=10, command=10, data=10, dot=10))
    return Kit(open_engine(url), system_clock, partial(SmtpTransport, smtp))
