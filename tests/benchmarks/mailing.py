"""One run of sending what is due: real worker processes, or bare `smtplib`, and the mail server of the tests.

The mail server times it, from the first message that it took to the last.
"""
from __future__ import annotations

import json
import smtplib
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.care.states import MessageState
from clinic.clock import system_clock
from clinic.messages.mailbox import MailboxTransport
from clinic.messages.smtp import Timeouts
from clinic.services.delivery import Courier
from clinic.store import migrate
from clinic.store.clinics import Business
from clinic.store.engine import for_writing, open_engine
from clinic.store.outbox import Message, MessageItem, WorkerRow
from clinic.worker import Pace
from tests.architecture.sources import ROOT
from tests.benchmarks.databases import Database
from tests.benchmarks.processes import seconds_of
from tests.prove.mail_ledger import desk_of_today
from tests.prove.mail_pack import pack, wait_until
from tests.prove.mail_worker import Place
from tests.services.desk import Desk

KINDS = ("confirmation", "reminder-2d", "aftercare")
"""What is sent, as many of each: the dates of a course of six with their calendar file, a reminder, advice."""
ONE_WAY = 0.005
"""Seconds on the way to a mail server that is 10 ms away, and back again."""
_LONGEST = 600.0
"""Seconds after which a run is given up."""
_DAY = timedelta(days=1)
# The usual pace, but for what would only make a short run uneven: the wait for the first round, and a second sweep.
_PACE = Pace(deliver=0.05, owe=3600)


@dataclass(frozen=True)
class Mail:
    """Bytes that are ready to leave."""

    sender: str
    recipient: str
    mime: bytes


@dataclass(frozen=True)
class Run:
    """How many messages a second, and the milliseconds of processor time that each cost the sender, the processes of
    the database and the mail server."""

    per_second: float
    sender: float
    database: float
    server: float


@dataclass(frozen=True)
class Post:
    """The mail server of one run: its port, the one to speak to, and what it wrote down."""

    port: int
    pid: int
    log: Path

    def took(self, count: int) -> float:
        """How many messages a second it took, of which there must be so many, each once."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        assert len(lines) == len({each["message_id"] for each in lines}) == count, len(lines)
        return (count - 1) / (lines[-1]["at"] - lines[0]["at"])


def fill(url: str, each: int) -> None:
    """Makes a clinic in an empty database where so many messages of each kind are due, each another patient's; it holds
    them back."""
    engine = open_engine(url, durable=False)
    migrate.upgrade(engine)
    engine.dispose()
    with desk_of_today(url) as desk:
        today, on = desk.now, desk.now.date()
        desk.now = today - 20 * _DAY
        for number in range(each):
            desk.book_course((on + _DAY,), patient_id=desk.new_patient(f"reminded-{number}@example.org"))
        treated = [desk.book_course(_six(on), patient_id=desk.new_patient(f"treated-{number}@example.org"))
                   for number in range(each)]
        _deliver(desk)
        desk.now = today - 3 * _DAY
        _deliver(desk)
        desk.now = today
        for course_id in treated:
            desk.complete(desk.appointment_ids(course_id)[0])
        for number in range(each):
            desk.book_course(_six(on + 60 * _DAY), patient_id=desk.new_patient(f"confirmed-{number}@example.org"))
        with desk.work() as work:
            work.db.get_one(Business, 1).held_since = today
            work.commit()
        assert Counter(row.kind for row in _rows(desk.engine, _due())) == Counter(dict.fromkeys(KINDS, each))
        if desk.engine.dialect.name == "postgresql":
            # The server for tests does by hand what a real one does by itself.
            with desk.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").execute(sa.text("VACUUM ANALYZE"))


def by_workers(database: Database, url: str, count: int, *, one_way: float = 0.0) -> tuple[Run, list[Mail]]:
    """So many worker processes send all that is due in a copy of that database; and what they sent.

    They begin together, once each has made its first round of all courses, as if they had run for a while.
    """
    copy = database.copy(url)
    engine = open_engine(copy)
    try:
        with post(one_way) as office, pack(Place(copy, office.port, _PACE, Timeouts())) as workers:
            waiting = _rows(engine, _due())
            workers.start(count)
            wait_until(lambda: len(_rows(engine, _swept())) == count, longest=_LONGEST)
            spent = [_spending([each.pid or 0 for each in workers.running]), _spending(database.processes()),
                     _spending([office.pid])]
            with for_writing(engine).begin() as connection:
                connection.execute(sa.update(Business).values(held_since=None))
            wait_until(lambda: not _rows(engine, _due()), every=0.05, longest=_LONGEST)
            cost = [each() / len(waiting) for each in spent]
            assert set(workers.stop()) == {0}
            sent = _rows(engine, sa.select(Message.sender, Message.recipient, Message.mime).where(
                Message.id.in_([row.id for row in waiting]), Message.state == MessageState.SENT))
            return Run(office.took(len(waiting)), *cost), [Mail(*row) for row in sent]
    finally:
        engine.dispose()
        database.drop(copy)


def by_smtplib(mails: Sequence[Mail], *, one_way: float = 0.0) -> Run:
    """One connection and the same bytes, with nothing to ask and nothing to write down."""
    with post(one_way) as office:
        begun, spent = time.process_time(), _spending([office.pid])
        with smtplib.SMTP("127.0.0.1", office.port) as server:
            for mail in mails:
                server.sendmail(mail.sender, mail.recipient, mail.mime)
        cost = time.process_time() - begun
        return Run(office.took(len(mails)), cost / len(mails) * 1000, 0.0, spent() / len(mails))


def round_trip(one_way: float) -> float:
    """The milliseconds between a command and its answer."""
    with post(one_way) as office, smtplib.SMTP("127.0.0.1", office.port) as server:
        taken = []
        for _ in range(25):
            begun = time.perf_counter()
            server.noop()
            taken.append((time.perf_counter() - begun) * 1000)
    return median(taken)


@contextmanager
def post(one_way: float = 0.0) -> Iterator[Post]:
    """A mail server that writes down what it takes, so many seconds away; gone afterwards."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        log = Path(folder) / "taken"
        server, port = _begun(running, "tests/sink.py", "--pipelining", "--log", str(log))
        if one_way:
            _, port = _begun(running, "tests/benchmarks/far.py", str(port), str(one_way))
        yield Post(port, server, log)


def _begun(running: ExitStack, *words: str) -> tuple[int, int]:
    """A program of ours that says on which port it listens: its process, and that port."""
    process = subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    running.callback(process.communicate)
    running.callback(process.terminate)
    assert process.stdout is not None  # as asked for
    return process.pid, int(process.stdout.readline().split()[1])


def _spending(pids: Sequence[int]) -> Callable[[], float]:
    """Says how many milliseconds of processor time they have spent since now."""
    begun = seconds_of(pids)
    return lambda: (seconds_of(pids) - begun) * 1000


def _due() -> sa.Select[Any]:
    return (
        sa.select(Message.id, MessageItem.kind).join(MessageItem, MessageItem.message_id == Message.id)
        .where(Message.state.in_((MessageState.PENDING, MessageState.SENDING)), Message.due_at <= system_clock()))


def _swept() -> sa.Select[str]:
    return sa.select(WorkerRow.id).where(WorkerRow.swept_at.is_not(None))


def _rows(engine: Engine, what: sa.Select[Any]) -> Sequence[Any]:
    with engine.connect() as connection:
        return connection.execute(what).all()


def _deliver(desk: Desk) -> None:
    courier = Courier(desk.work, MailboxTransport(), "before")
    while courier.deliver_due().done:
        pass


def _six(first: date) -> tuple[date, ...]:
    return tuple(first + number * 35 * _DAY for number in range(6))
