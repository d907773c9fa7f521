"""Worker processes of an experiment: started, killed, put to sleep and asked to stop."""
from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.context import ForkServerProcess
from typing import Any

from tests.databases import is_full
from tests.prove.mail_dying import deliver_until
from tests.prove.mail_worker import Place, run_worker

LONGEST = 1800.0 if is_full() else 180.0
"""Seconds after which an experiment is given up."""

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.prove.mail_dying"])


class Pack:
    """Workers at one place, forked from a server that has everything loaded; `work` is what each of them does."""

    def __init__(self, place: Place, work: Callable[[Place], None] = run_worker) -> None:
        self.place = place
        self._work = work
        self.running: list[ForkServerProcess] = []
        self._asleep: list[tuple[float, ForkServerProcess]] = []
        self._leaving: list[ForkServerProcess] = []

    def start(self, count: int = 1) -> None:
        """So many more."""
        self.running += [begun(self._work, self.place) for _ in range(count)]

    def kill(self, chance: random.Random) -> None:
        """End one of them without warning; another takes its place."""
        victim = self.running.pop(chance.randrange(len(self.running)))
        victim.kill()
        victim.join()
        self.start()

    def put_to_sleep(self, chance: random.Random, seconds: float) -> None:
        """Stop one of them for so long; another takes its place meanwhile, and leaves when it wakes."""
        victim = self.running.pop(chance.randrange(len(self.running)))
        os.kill(victim.pid or 0, signal.SIGSTOP)
        self._asleep.append((time.monotonic() + seconds, victim))
        self.start()

    def wake(self, *, all_of_them: bool = False) -> None:
        """Wake who has slept long enough; they work on, and for each of them another is asked to leave."""
        for until, worker in list(self._asleep):
            if all_of_them or time.monotonic() >= until:
                os.kill(worker.pid or 0, signal.SIGCONT)
                self._asleep.remove((until, worker))
                self.running.append(worker)
                self._retire()

    def all_awake(self) -> bool:
        """Wake who has slept long enough; whether nobody sleeps any more. One that fell asleep in the middle of writing
        keeps SQLite from everybody until then."""
        self.wake()
        return not self._asleep

    def revive(self) -> int:
        """Start another for each that has ended by itself, as a supervisor does; how many had."""
        ended = [worker for worker in self.running if worker.exitcode is not None]
        self.running = [worker for worker in self.running if worker not in ended]
        self.start(len(ended))
        return len(ended)

    def die_at(self, point: str) -> int | None:
        """Run one delivery that dies at that point; its exit status."""
        dying = begun(deliver_until, self.place, point)
        dying.join(LONGEST)
        return dying.exitcode

    @contextmanager
    def asleep_at(self, points: Sequence[str]) -> Iterator[None]:
        """A delivery for each point, asleep there; at the end of the block they wake, and go on to their end."""
        sleepers = []
        try:
            for point in points:
                sleepers.append(begun(deliver_until, self.place, point, signal.SIGSTOP))
                wait_until(partial(is_stopped, sleepers[-1].pid or 0), every=0.02)
            yield
        finally:
            for sleeper in sleepers:
                os.kill(sleeper.pid or 0, signal.SIGCONT)
                sleeper.join(LONGEST)

    def stop(self) -> list[int | None]:
        """Ask all to stop, once they can hear it; their exit statuses."""
        self.wake(all_of_them=True)
        wait_until(lambda: all(worker.exitcode is not None or heeds(worker.pid or 0) for worker in self.running))
        for worker in self.running:
            worker.terminate()
        for worker in (*self.running, *self._leaving):
            worker.join(LONGEST)
        return [worker.exitcode for worker in (*self.running, *self._leaving)]

    def abandon(self) -> None:
        """Leave nothing behind, whatever happened."""
        for worker in (*self.running, *self._leaving, *(each for _, each in self._asleep)):
            worker.kill()
            worker.join()

    def _retire(self) -> None:
        """Ask the first that can hear it to leave."""
        for worker in self.running[:-1]:
            if worker.exitcode is None and heeds(worker.pid or 0):
                self.running.remove(worker)
                self._leaving.append(worker)
                worker.terminate()
                return


@contextmanager
def pack(place: Place, work: Callable[[Place], None] = run_worker) -> Iterator[Pack]:
    """Workers that are gone at the end of the block."""
    workers = Pack(place, work)
    try:
        yield workers
    finally:
        workers.abandon()


def begun(act: Callable[..., None], *facts: Any) -> ForkServerProcess:
    """A process that has begun to do that."""
    process = _CONTEXT.Process(target=act, args=facts)
    process.start()
    return process


def is_stopped(pid: int) -> bool:
    """Whether the process sleeps since a SIGSTOP."""
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "T"


def heeds(pid: int) -> bool:
    """Whether the process has said what it does when it is asked to stop."""
    with open(f"/proc/{pid}/status") as status:
        caught = next(line for line in status if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def wait_until(holds: Callable[[], bool], every: float = 0.1, longest: float = LONGEST) -> None:
    """Waits until it holds; fails the test where that never comes."""
    until = time.monotonic() + longest
    while not holds():
        assert time.monotonic() < until, "the workers did not come to an end"
        time.sleep(every)
