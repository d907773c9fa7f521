"""A worker on a machine whose clock is set while it works: its programs ask that clock, not the database's."""
from __future__ import annotations

import datetime as calendar
from datetime import datetime
from pathlib import Path
from typing import Any

import apscheduler.executors.base
import apscheduler.schedulers.base
import apscheduler.triggers.interval

import clinic.clock
from tests.prove.mail_worker import Place, ShiftedClock, run_worker

_WHO_ASKS: tuple[Any, ...] = (
    clinic.clock, apscheduler.executors.base, apscheduler.schedulers.base, apscheduler.triggers.interval)
"""Every module in a worker that asks the machine's clock for the time of day."""


def machine_clock() -> datetime:
    """The machine's clock, which also decides about rows where a place is given it: the database is off as much."""
    return clinic.clock.system_clock()


def run_on_wrong_machine(place: Place, clock: Path) -> None:
    """Work until told to stop, on a machine whose clock is off as the file says at that moment."""
    shifted = ShiftedClock(clock)

    class Datetime(calendar.datetime):
        @classmethod
        def now(cls, tz: calendar.tzinfo | None = None) -> Any:
            return calendar.datetime.now(tz) + calendar.timedelta(seconds=shifted.shift)

    for module in _WHO_ASKS:
        module.datetime = Datetime
    run_worker(place)
