"""A move-in that is killed at any point leaves nothing behind, and the next one brings everything."""
from __future__ import annotations

import multiprocessing
import os
import random
import signal
from pathlib import Path

import pytest

from clinic.services.move_in import move_in
from clinic.services.work import Actor, UnitOfWork
from clinic.store.engine import open_engine
from tests.benchmarks.moving_in import write_folder
from tests.databases import is_full
from tests.prove.plain_rows import Tables, changes
from tests.small_clinic import MONDAY, small_clinic

pytestmark = pytest.mark.prove
SEED = 20270301
PATIENTS = 120


def move_and_die(url: str, folder: str, at: int) -> None:
    """Moves in, and ends without warning when progress is told for that time; where it is -1, at the commit."""
    steps = 0

    def step(done: int, total: int, what: str) -> None:
        nonlocal steps
        steps += 1
        if steps == at:
            os.kill(os.getpid(), signal.SIGKILL)

    with UnitOfWork(open_engine(url), lambda: MONDAY, Actor("prove")) as work:
        if at == -1:
            work.commit = lambda: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]
        move_in(work, Path(folder), progress=step)


def test_a_move_that_is_killed_anywhere_leaves_nothing_and_the_next_one_brings_all(
    database_url: str, tmp_path: Path
) -> None:
    engine = open_engine(database_url)
    small_clinic(engine)
    folder = tmp_path / "folder"
    rows = write_folder(folder, PATIENTS)
    tables = Tables(engine)
    before = tables.read()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.prove.test_move_in_kills"])
    last = count_steps(database_url, folder)
    chance = random.Random(SEED)
    points = [1, -1, *chance.sample(range(2, last), 60 if is_full() else 6), last]

    died = []
    for at in points:
        process = context.Process(target=move_and_die, args=(database_url, str(folder), at))
        process.start()
        process.join(300)
        died.append(process.exitcode)
        if at != last:
            assert changes(before, tables.read()) == [], f"killed at step {at}"
    with UnitOfWork(engine, lambda: MONDAY, Actor("prove")) as work:
        report = move_in(work, folder)

    assert died == [-signal.SIGKILL] * len(points)
    # The last step is told after the commit: that one had come in, and nothing comes twice.
    assert sum(count.unchanged for count in report.counts) == rows
    assert report.was_kept
    engine.dispose()


def count_steps(url: str, folder: Path) -> int:
    """How often progress is told of the whole."""
    steps = []
    engine = open_engine(url)
    with UnitOfWork(engine, lambda: MONDAY, Actor("prove")) as work:
        report = move_in(work, folder, dry_run=True, progress=lambda done, total, what: steps.append(what))
    engine.dispose()
    assert report.is_good, "\n".join(report.lines)
    return len(steps)
