"""The clock of the machine is set back two hours, on two hours and on two days while workers send and are killed:
nobody falls silent, nothing is lost, and copies are as few as ever.

On SQLite the machine's clock is the only one; on PostgreSQL leases stand on the database's, whatever machines believe.
"""
from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.store.outbox import WorkerRow
from tests.databases import is_full
from tests.prove.mail_ledger import book, desk_of_today, entries, faults_of, figures, unsettled
from tests.prove.mail_pack import pack, wait_until
from tests.prove.mail_worker import Place, ShiftedClock
from tests.prove.wrong_machine import machine_clock, run_on_wrong_machine
from tests.services.desk import Desk
from tests.sink import Faults, Sink

HOUR = 3600
JUMPS = (-2 * HOUR, 2 * HOUR, 48 * HOUR)
MESSAGES, SENT_BETWEEN, WORKERS = (400, 60, 4) if is_full() else (24, 5, 2)
FAULTS = Faults(
    rcpt_4xx=0.05, dot_4xx=0.05, drop_before_data=0.05, drop_after_accept=0.05, slow_reply=1.0, slow_for=0.1)
WHOSE = ("the machines", "everybody") if is_full() else ("the machines",)


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """A clinic whose messages are due although the clock is set back."""
    with desk_of_today(database_url) as found:
        found.now -= timedelta(hours=3)
        book(found, MESSAGES)
        yield found


@pytest.mark.prove
@pytest.mark.parametrize("whose", WHOSE)
def test_a_clock_that_jumps_silences_nobody_loses_nothing_and_makes_no_more_copies(
    desk: Desk, database_url: str, tmp_path: Path, whose: str, capsys: pytest.CaptureFixture[str]
) -> None:
    clock, chance = ShiftedClock(tmp_path / "clock"), random.Random(4)
    clock.set(0)
    begun_at = time.monotonic()

    with Sink(tmp_path / "sink.log", FAULTS, seed=4) as sink:
        place = Place(database_url, sink.port)
        if whose == "everybody":
            place = replace(place, clock=machine_clock)
        with pack(place, partial(run_on_wrong_machine, clock=tmp_path / "clock")) as workers:
            workers.start(WORKERS)
            for number, jump in enumerate(JUMPS, 1):
                wait_until(partial(has_sent, sink, number * SENT_BETWEEN))
                clock.set(jump)
                wait_until(partial(all_beat_on, desk, beats(desk)))
                workers.kill(chance)
            wait_until(lambda: workers.revive() == 0 and not unsettled(desk))
            statuses = workers.stop()
        accepted = sink.accepted()

    found = entries(desk)
    with capsys.disabled():
        sys.stdout.write("\n" + figures(
            desk, found, accepted, f"3 jumps of {whose}, 3 kills", time.monotonic() - begun_at) + "\n")
    assert faults_of(found, accepted) == []
    assert len(found) == MESSAGES
    assert set(statuses) == {0}


def beats(desk: Desk) -> dict[str, datetime]:
    """When each worker last showed that it lives, as its clock says, a little after the clock was set."""
    time.sleep(1)
    with Session(desk.engine) as db:
        return {row.id: row.heartbeat_at for row in db.scalars(sa.select(WorkerRow))}


def all_beat_on(desk: Desk, before: dict[str, datetime]) -> bool:
    """Whether each of them has shown it once more; who was killed is not waited for."""
    with Session(desk.engine) as db:
        return sum(row.heartbeat_at != before.get(row.id) for row in db.scalars(sa.select(WorkerRow))) >= WORKERS


def has_sent(sink: Sink, count: int) -> bool:
    """Whether the mail server has taken so many by now."""
    return sink.counts["accepted"] >= count
