"""Workers that are killed and put to sleep while they send, against a mail server that misbehaves and a database that
crashes: nothing is lost.

A message is repeated only where the answer to it was lost, and then byte for byte.
"""
from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from clinic.messages.smtp import Timeouts
from tests.databases import DatabasesOf, PostgreSQLDatabases, is_full
from tests.prove.mail_ledger import book, desk_of_today, entries, faults_of, figures, unsettled
from tests.prove.mail_pack import Pack, pack, wait_until
from tests.prove.mail_worker import PACE, PATIENCE, Place
from tests.services.desk import Desk
from tests.sink import Faults, Sink

SEED = 20270301
FAULTS = Faults(
    mail_4xx=0.03, rcpt_4xx=0.04, data_4xx=0.03, drop_before_data=0.05, drop_in_body=0.03, drop_after_accept=0.05,
    quit_421=0.1, slow_reply=0.4, slow_for=0.15,
)
FULL_FAULTS = replace(FAULTS, slow_reply=0.01, slow_for=30.0)
MESSAGES, KILLS, SLEEPS, CRASHES = (2000, 200, 20, 5) if is_full() else (80, 8, 2, 1)
WORKERS = 4
LEASE = timedelta(seconds=75)
PLACE = Place("", 0, replace(PACE, budget=70, lease_for=LEASE), Timeouts(connect=5, command=5, data=5, dot=40))
SLEEP = LEASE.total_seconds() + 5 if is_full() else 6.0
"""Longer than the lease; or at least longer than a worker may be silent."""


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """A clinic without quiet hours."""
    with desk_of_today(database_url) as found:
        yield found


@pytest.mark.prove
def test_killed_and_sleeping_workers_lose_nothing_and_repeat_only_where_an_answer_was_lost(
    desk: Desk, database_url: str, databases_of: DatabasesOf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book(desk, MESSAGES)
    databases = databases_of(desk.engine.dialect.name)
    begun = time.monotonic()

    faults = FULL_FAULTS if is_full() else FAULTS
    with Sink(tmp_path / "sink.log", faults, seed=SEED, pipelining=True) as sink:
        with pack(replace(PLACE, url=database_url, port=sink.port)) as workers:
            if isinstance(databases, PostgreSQLDatabases):
                databases.server.durable(databases.name_of(database_url))
            workers.start(WORKERS)
            disturb(workers, databases if isinstance(databases, PostgreSQLDatabases) else None, desk)
            wait_until(lambda: workers.all_awake() and workers.revive() == 0 and not unsettled(desk))
            statuses = workers.stop()
        accepted = sink.accepted()

    found = entries(desk)
    what = f"{KILLS} kills, {SLEEPS} sleeps, {CRASHES if isinstance(databases, PostgreSQLDatabases) else 0} crashes"
    with capsys.disabled():
        sys.stdout.write("\n" + figures(desk, found, accepted, what, time.monotonic() - begun) + "\n")
    assert faults_of(found, accepted) == []
    assert len(found) == MESSAGES
    assert set(statuses) == {0}


@pytest.mark.prove
def test_without_a_fault_each_message_goes_exactly_once(
    desk: Desk, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    messages = 2000 if is_full() else 60
    book(desk, messages)
    # A machine that is busy with other tests is no fault: nobody counts as dead, no wait is cut short.
    calm = replace(PACE, patience=replace(PATIENCE, dead_after=timedelta(hours=1)), budget=700,
                   lease_for=timedelta(hours=1))
    begun = time.monotonic()

    with Sink(tmp_path / "sink.log") as sink:
        with pack(Place(database_url, sink.port, calm, Timeouts())) as workers:
            workers.start(WORKERS)
            wait_until(lambda: not unsettled(desk))
            statuses = workers.stop()
        accepted = sink.accepted()

    found = entries(desk)
    with capsys.disabled():
        sys.stdout.write("\n" + figures(desk, found, accepted, "no fault", time.monotonic() - begun) + "\n")
    assert [row.state for row in found] == ["sent"] * messages
    assert sorted(each.message_id for each in accepted) == sorted(str(row.message_id) for row in found)
    assert set(statuses) == {0}


def disturb(workers: Pack, databases: PostgreSQLDatabases | None, desk: Desk) -> None:
    """Kills, sleeps and crashes in a random order while there is something to send; the rest of them afterwards."""
    chance = random.Random(SEED)
    troubles = ["kill"] * KILLS + ["sleep"] * SLEEPS + (["crash"] * CRASHES if databases else [])
    chance.shuffle(troubles)
    for trouble in troubles:
        time.sleep(chance.uniform(0.2, 0.6))
        workers.wake()
        if trouble == "kill":
            workers.kill(chance)
        elif trouble == "sleep":
            workers.put_to_sleep(chance, SLEEP)
        elif databases is not None:
            desk.engine.dispose()
            databases.server.crash()
        # Who starts while the database is away ends at once: whoever supervises it starts it again.
        workers.revive()
