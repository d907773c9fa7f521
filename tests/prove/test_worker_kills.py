"""Workers that are killed while they send, against a mail server that misbehaves: nothing is lost.

A message is repeated only where the answer to it was lost, and then byte for byte.
"""
from __future__ import annotations

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
import sqlalchemy as sa

from clinic.clock import system_clock
from clinic.store.clinics import Clinic
from clinic.store.engine import open_engine
from clinic.store.outbox import Message, MessageAttempt, MessageItem
from tests.databases import is_full
from tests.prove.mail_worker import PLACES, deliver_and_die, run_worker
from tests.services.desk import Desk
from tests.sink import Accepted, Faults, Sink

SEED = 20270301
FAULTS = Faults(
    mail_4xx=0.03, rcpt_4xx=0.04, data_4xx=0.03, drop_before_data=0.03, drop_in_body=0.03, drop_after_accept=0.04,
    quit_421=0.1, slow_reply=0.4, slow_for=0.15,
)
PATIENCE = 900.0 if is_full() else 120.0


@dataclass(frozen=True)
class Row:
    """What the database says of a message in the end."""

    id: int
    state: str
    message_id: str | None
    mime_sha256: str | None
    attempts: list[tuple[int, str]]

    @property
    def lost_answers(self) -> int:
        """How many transmissions began of which no end was written down before the message was taken over."""
        followed_by = {number: phase for number, phase in reversed(self.attempts) if phase in ("dot", "rescued")}
        return sum(phase == "begun" and followed_by.get(number) != "dot" for number, phase in self.attempts)


class Pack:
    """Worker processes on one database, forked from a server that has everything loaded."""

    def __init__(self, url: str, port: int) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.prove.mail_worker"])
        self._where = (url, port)
        self.running: list[ForkServerProcess] = []

    def start(self) -> None:
        """One more."""
        worker = self._context.Process(target=run_worker, args=self._where)
        worker.start()
        self.running.append(worker)

    def kill(self, chance: random.Random) -> None:
        """End one of them without warning; another takes its place."""
        victim = self.running.pop(chance.randrange(len(self.running)))
        victim.kill()
        victim.join()
        self.start()

    def die_at(self, place: str) -> int | None:
        """Run one that dies at that place; its exit status."""
        dying = self._context.Process(target=deliver_and_die, args=(*self._where, place))
        dying.start()
        dying.join(PATIENCE)
        return dying.exitcode

    def stop(self) -> list[int | None]:
        """Ask all to stop; their exit statuses."""
        for worker in self.running:
            worker.terminate()
        for worker in self.running:
            worker.join(PATIENCE)
        return [worker.exitcode for worker in self.running]

    def abandon(self) -> None:
        """Leave nothing behind, whatever happened."""
        for worker in self.running:
            worker.kill()
            worker.join()


@contextmanager
def pack(url: str, port: int) -> Iterator[Pack]:
    workers = Pack(url, port)
    try:
        yield workers
    finally:
        workers.abandon()


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """A clinic without quiet hours: the processes of the experiment live in the real time of day."""
    engine = open_engine(database_url)
    found = Desk(engine)
    with found.work() as work:
        clinic = work.db.get_one(Clinic, 1)
        clinic.quiet_from = clinic.quiet_to = 0
        work.commit()
    found.now = system_clock() - timedelta(minutes=10)
    yield found
    engine.dispose()


def book(desk: Desk, count: int) -> None:
    """So many patients with a course of one visit, whose confirmations are due and whose other messages are not."""
    for number in range(count):
        desk.book_course((desk.now.date() + timedelta(days=60 + number % 5),), patient_id=desk.new_patient())


def rows(desk: Desk) -> list[Row]:
    with desk.work() as work:
        attempts: dict[int, list[tuple[int, str]]] = {}
        for message_id, number, phase in work.db.execute(
            sa.select(MessageAttempt.message_id, MessageAttempt.number, MessageAttempt.phase)
            .order_by(MessageAttempt.id)
        ):
            attempts.setdefault(message_id, []).append((number, phase))
        found = work.db.execute(
            sa.select(Message.id, Message.state, Message.message_id, Message.mime_sha256)
            .join(MessageItem, MessageItem.message_id == Message.id)
            .where(MessageItem.kind == "confirmation").order_by(Message.id))
        return [Row(*each, attempts.get(each.id, [])) for each in found]


def unsettled(desk: Desk) -> list[int]:
    with desk.work() as work:
        return list(work.db.scalars(
            sa.select(Message.id).join(MessageItem, MessageItem.message_id == Message.id)
            .where(MessageItem.kind == "confirmation", Message.state.in_(("pending", "sending")))))


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, "the workers did not come to an end"
        time.sleep(0.2)


def faults_of(found: list[Row], accepted: list[Accepted]) -> list[str]:
    """Everything that breaks the promise."""
    taken = Counter(each.message_id for each in accepted)
    swallowed = {each.message_id for each in accepted if not each.answered}
    bytes_of = {message_id: {each.sha256 for each in accepted if each.message_id == message_id} for message_id in taken}
    faults = [f"{message_id} is not ours" for message_id in taken.keys() - {row.message_id for row in found}]
    for row in found:
        copies = taken[row.message_id or ""]
        if row.state not in ("sent", "failed", "uncertain"):
            faults.append(f"{row.id} ended {row.state}")
        if row.state == "sent" and copies == 0:
            faults.append(f"{row.id} is lost")
        if row.state == "failed" and copies > 0:
            faults.append(f"{row.id} was sent and counts as failed")
        if copies > 1 and not (row.lost_answers or row.message_id in swallowed):
            faults.append(f"{row.id} was repeated without need: {row.attempts}")
        if copies > 2:
            faults.append(f"{row.id} went {copies} times")
        if copies and bytes_of[row.message_id or ""] != {row.mime_sha256}:
            faults.append(f"{row.id} changed between its copies")
    return faults


@pytest.mark.prove
def test_killed_workers_lose_nothing_and_repeat_only_where_an_answer_was_lost(
    desk: Desk, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    messages, kills = (500, 50) if is_full() else (80, 8)
    chance = random.Random(SEED)
    book(desk, messages)
    begun = time.monotonic()

    with Sink(tmp_path / "sink.log", FAULTS, seed=SEED) as sink, pack(database_url, sink.port) as workers:
        for _ in range(1 if desk.engine.dialect.name == "sqlite" else 3):
            workers.start()
        killed = 0
        while killed < kills and unsettled(desk):
            time.sleep(chance.uniform(0.2, 0.6))
            workers.kill(chance)
            killed += 1
        wait_until(lambda: not unsettled(desk))
        statuses = workers.stop()
        accepted = sink.accepted()

    found = rows(desk)
    with capsys.disabled():
        print("\n" + figures(desk, found, accepted, killed, time.monotonic() - begun))  # noqa: T201 the figures count
    assert faults_of(found, accepted) == []
    assert len(found) == messages
    assert killed == kills
    assert set(statuses) == {0}


@pytest.mark.prove
def test_a_worker_that_dies_at_a_named_point_costs_what_the_table_says(
    desk: Desk, database_url: str, tmp_path: Path
) -> None:
    book(desk, len(PLACES))
    died_with: dict[int, str] = {}

    with Sink(tmp_path / "sink.log") as sink, pack(database_url, sink.port) as workers:
        for place in PLACES:
            status = workers.die_at(place)
            [message_id] = set(sending(desk)) - set(died_with)
            died_with[message_id] = place
            assert status == -9
        taken_before = len(sink.accepted())
        workers.start()
        wait_until(lambda: not unsettled(desk))
        statuses = workers.stop()
        copies = Counter(each.message_id for each in sink.accepted())

    found = rows(desk)
    assert taken_before == 1
    assert {died_with[row.id]: (row.state, copies[row.message_id or ""]) for row in found} == {
        "after-claim": ("sent", 1), "after-freezing": ("sent", 1), "before-dot": ("sent", 1),
        "after-begun": ("sent", 1), "after-answer": ("sent", 2)}
    assert faults_of(found, sink.accepted()) == []
    assert statuses == [0]


def sending(desk: Desk) -> list[int]:
    with desk.work() as work:
        return list(work.db.scalars(sa.select(Message.id).where(Message.state == "sending")))


def figures(desk: Desk, found: list[Row], accepted: list[Accepted], killed: int, took: float) -> str:
    states = Counter(row.state for row in found)
    copies = Counter(Counter(each.message_id for each in accepted).values())
    return (
        f"{desk.engine.dialect.name}: {len(found)} messages due, {killed} kills in {took:.0f} s; "
        + ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        + f"; {len(accepted)} accepted, {copies[2]} of them twice, {len(faults_of(found, accepted))} faults")
