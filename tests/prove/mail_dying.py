"""A worker that dies, or falls asleep, at a named point of one delivery."""
from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any

from clinic.messages import smtp
from clinic.messages.transport import BeforeDot, Outcome, Transport
from clinic.messages.wire import Deadline, Wire
from clinic.services.delivery import Courier, Patience, rescue
from clinic.services.reconcile import sweep
from clinic.services.work import UnitOfWork
from clinic.services.workers import enlist, work_of
from tests.prove.mail_worker import Place, kit_of

CONVERSATION = ("before-connect", "after-connect", "after-mail", "after-rcpt", "after-data", "mid-body",
                "before-begun", "after-begun", "after-dot", "after-250", "before-mark")
"""Points while the mail server is spoken to, in their order; before `before-connect` the bytes were frozen."""
BOOKS = {"after-claim": (2, "open"), "in-begun": (3, "commit"), "in-mark": (4, "commit"), "after-mark": (4, "done")}
"""Points around a transaction: which of the delivery's four it is (claim, freeze, begin, mark), and where in it."""
ALONE = ("in-rescue", "in-sweep")
"""Points of what is no delivery."""


@dataclass(frozen=True)
class Ending:
    """What happens at a named point."""

    point: str
    act: Callable[[], None]

    def at(self, point: str) -> None:
        """This is that point."""
        if point == self.point:
            self.act()


def end_by(number: int) -> Callable[[], None]:
    """Sends this process that signal: SIGKILL as the power goes, SIGSTOP as a machine that sleeps."""
    return lambda: os.kill(os.getpid(), number)


def deliver_until(place: Place, point: str, number: int = signal.SIGKILL) -> None:
    """Deliver what is due, one message, and end at that point of it; or rescue, or sweep, and end before its commit."""
    kit, ending = kit_of(place), Ending(point, end_by(number))
    open_work = work_of(kit)
    if point == "in-rescue":
        with _Watched(open_work(), ending, "commit", point) as work:
            rescue(work, worker_id="rescuer", patience=Patience(dead_after=timedelta(seconds=-2)))
    elif point == "in-sweep":
        with _Watched(open_work(), ending, "commit", point) as work:
            sweep(work, limit=1000)
    else:
        _deliver(place, ending, open_work, kit.post_office())


def _deliver(place: Place, ending: Ending, open_work: Callable[[], UnitOfWork], office: Transport) -> None:
    smtp.Wire = _wire_of(ending)  # type: ignore[misc]  # only in this process, which is about to end
    opened = 0
    turn, where = BOOKS.get(ending.point, (0, ""))

    def watched() -> Any:
        nonlocal opened
        opened += 1
        if opened == turn and where == "open":
            ending.at(ending.point)
        return _Watched(open_work(), ending, where, ending.point) if opened == turn else open_work()

    worker_id = f"dying-{secrets.token_hex(4)}"
    with open_work() as work:
        enlist(work, worker_id, "prove")
    Courier(watched, _Around(office, ending), worker_id, budget=place.pace.budget, lease_for=place.pace.lease_for,
            patience=place.pace.patience).deliver_due(1)


class _Watched:
    """A unit of work that may end before its commit or after it."""

    def __init__(self, work: UnitOfWork, ending: Ending, where: str, point: str) -> None:
        self._work, self._ending, self._where, self._point = work, ending, where, point

    def __enter__(self) -> Any:
        self._work.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._work.__exit__(kind, error, at)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._work, name)

    def commit(self) -> None:
        self._work.db.flush()
        if self._where == "commit":
            self._ending.at(self._point)
        self._work.commit()
        if self._where == "done":
            self._ending.at(self._point)


class _Around:
    """A transport that may end around the dot, outside of what it hands over with."""

    def __init__(self, inner: Transport, ending: Ending) -> None:
        self._inner, self._ending = inner, ending

    def connection(self) -> AbstractContextManager[None]:
        return self._inner.connection()

    def deliver(self, sender: str, recipient: str, mime: bytes, *, before_dot: BeforeDot) -> Outcome:
        def around() -> bool | None:
            self._ending.at("before-begun")
            begun = before_dot()
            self._ending.at("after-begun")
            return begun

        outcome = self._inner.deliver(sender, recipient, mime, before_dot=around)
        self._ending.at("before-mark")
        return outcome


def _wire_of(ending: Ending) -> type[Wire]:
    class Dying(Wire):
        def __init__(self, host: str, port: int, deadline: Deadline) -> None:
            self._dotted = False
            ending.at("before-connect")
            super().__init__(host, port, deadline)
            ending.at("after-connect")

        def docmd(self, cmd: str, args: str = "") -> tuple[int, bytes]:
            answer = super().docmd(cmd, args)
            ending.at(f"after-{cmd.split()[0].lower()}")
            return answer

        def send(self, s: object) -> None:
            if isinstance(s, bytes) and s != b".\r\n" and ending.point == "mid-body":
                super().send(s[:len(s) // 2])
                ending.at("mid-body")
                s = s[len(s) // 2:]
            super().send(s)
            if s == b".\r\n":
                self._dotted = True
                ending.at("after-dot")

        def getreply(self) -> tuple[int, bytes]:
            answer = super().getreply()
            if self._dotted:
                self._dotted = False  # what follows is the goodbye
                ending.at("after-250")
            return answer

    return Dying
