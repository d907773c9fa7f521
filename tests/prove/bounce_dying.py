"""Processes that take reports from a folder: one that dies at a point of it, and a worker that goes on."""
from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from clinic.clock import system_clock
from clinic.services import bounce_folder
from clinic.services.work import Actor, UnitOfWork
from clinic.store.engine import open_engine
from clinic.worker import Pace, run
from tests.prove.mail_worker import Place, kit_of

POINTS = {"before the commit": 0, "between the commit and the move": 1}
"""Where one dies, and how many more reports are kept by then."""


def take_and_die(url: str, folder: Path, point: str) -> None:
    """Take what lies there, and die as the power goes at that point of the first report."""
    engine = open_engine(url)
    if point == "before the commit":
        sa.event.listen(engine, "commit", die)
    else:
        bounce_folder._move_on = die  # only in this process, which is about to end
    bounce_folder.take_from(lambda: UnitOfWork(engine, system_clock, Actor("worker")), folder)


def work_on(url: str, folder: Path) -> None:
    """A worker that looks into the folder often, until it is told to stop."""
    kit = kit_of(Place(url, 1))
    run(replace(kit, settings=replace(kit.settings, bounce_folder=folder)), Pace(take=0.1, deliver=3600))


def die(*_: object) -> None:
    """As the power goes."""
    os.kill(os.getpid(), signal.SIGKILL)
