"""What a process of the experiments with mail runs: a real worker, with its patience cut to seconds."""
from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy.engine import Engine

from clinic.clock import Clock, system_clock
from clinic.messages.smtp import Security, SmtpSettings, SmtpTransport, Timeouts
from clinic.messages.transport import Transport
from clinic.services.delivery import Patience
from clinic.services.reconcile import sweep
from clinic.services.workers import work_of
from clinic.settings import Settings
from clinic.store.engine import open_engine
from clinic.worker import Pace, run
from tests.databases import is_full

DEAD_AFTER = 4.0
PATIENCE = Patience(
    first_wait=timedelta(seconds=1), longest_wait=timedelta(seconds=4), dead_after=timedelta(seconds=DEAD_AFTER))
OWE = 60 if is_full() else 5
"""A look at thousands of courses takes longer than five seconds."""
PACE = Pace(
    deliver=0.2, rescue=1, beat=0.5, owe=OWE, first_rest=0.5, longest_rest=1, patience=PATIENCE,
    budget=45, lease_for=timedelta(seconds=50))
TIMEOUTS = Timeouts(connect=5, command=5, data=5, dot=10)


class ShiftedClock:
    """The system's clock, so many seconds off as a file says at that moment: every process that reads it agrees."""

    def __init__(self, path: Path) -> None:
        """Reads the file again whenever it is asked; a file that is not there means no shift."""
        self._path = path

    def __call__(self) -> datetime:
        """The instant."""
        return system_clock() + timedelta(seconds=self.shift)

    @property
    def shift(self) -> int:
        """How many seconds it is off."""
        return int(self._path.read_text()) if self._path.exists() else 0

    def set(self, seconds: int) -> None:
        """From now on it is so many seconds off."""
        new = self._path.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self._path)


@dataclass(frozen=True)
class Place:
    """Where a worker lives: its database, the port of its mail server and what that takes in a minute, its clock, what
    it does to its messages; and how it speaks to its mail server, where that is not in the open."""

    url: str
    port: int
    pace: Pace = PACE
    timeouts: Timeouts = TIMEOUTS
    clock: Clock = system_clock
    per_minute: int | None = None
    office: Callable[[Transport], Transport] | None = None
    smtp: SmtpSettings | None = None


@dataclass(frozen=True)
class Kit:
    """What a worker is given."""

    settings: Settings
    engine: Engine
    clock: Clock
    post_office: Callable[[], Transport]


def kit_of(place: Place) -> Kit:
    """Everything that a worker at that place needs."""
    smtp = place.smtp or SmtpSettings("127.0.0.1", place.port, Security.NONE, timeouts=place.timeouts)
    made = partial(SmtpTransport, smtp)
    office = made if place.office is None else lambda: place.office(made())  # type: ignore[misc]
    settings = Settings(Path(), place.url, "k" * 64, "https://clinic.example", smtp_per_minute=place.per_minute)
    return Kit(settings, open_engine(place.url), place.clock, office)


def run_worker(place: Place) -> None:
    """Work until told to stop."""
    run(kit_of(place), place.pace)


def run_sweeps(place: Place, rounds: int) -> None:
    """Ask so many times what everybody owes, a few owners at a time in a random grain, as the worker's tick does."""
    open_work = work_of(kit_of(place))
    for _ in range(rounds):
        after = None
        while True:
            with open_work() as work:
                after = sweep(work, after=after, limit=1 + secrets.randbelow(5))
            if after is None:
                break


def die() -> None:
    """As the power goes."""
    os.kill(os.getpid(), signal.SIGKILL)
