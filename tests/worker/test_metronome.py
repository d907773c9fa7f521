from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.messages.mailbox import MailboxTransport
from clinic.messages.transport import BeforeDot, Outcome, OutcomeKind, Phase, Transport
from clinic.services.delivery import Courier
from clinic.services.work import UnitOfWork
from clinic.services.workers import enlist
from clinic.settings import Settings
from clinic.store.clinics import Business
from clinic.store.outbox import Message, MessageItem, WorkerRow
from clinic.worker import Pace, Worker
from clinic.worker.deliveries import Deliveries
from tests.services.desk import Desk, Line

QUICK = Pace(deliver=0.1, rescue=0.1, beat=0.1, hold=0.1, owe=0.1, clean=0.1, first_rest=60)
SOON = 60.0


@dataclass(frozen=True)
class Kit:
    """What a worker is given, with the desk's clock."""

    engine: Engine
    clock: Callable[[], datetime]
    post_office: Callable[[], Transport] | None
    settings: Settings = Settings(Path(), "", "", "")


class ShutOffice:
    """A mail server that cannot be reached, until it is open."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_open = False

    def connection(self) -> AbstractContextManager[None]:
        return nullcontext()

    def deliver(self, sender: str, recipient: str, mime: bytes, *, before_dot: BeforeDot) -> Outcome:
        self.asked += 1
        if self.is_open:
            before_dot()
            return Outcome(OutcomeKind.SENT, Phase.DOT, 250, "ok")
        return Outcome(OutcomeKind.RETRY, Phase.CONNECT, None, "Connection refused")


class StuckOffice:
    """The first delivery to one patient does not come back until it is let go; all else is taken."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.asked: list[str] = []
        self.taken: list[str] = []
        self.came_back: list[bool | None] = []

    def connection(self) -> AbstractContextManager[None]:
        return nullcontext()

    def deliver(self, sender: str, recipient: str, mime: bytes, *, before_dot: BeforeDot) -> Outcome:
        self.asked.append(recipient)
        if recipient == "stuck@example.org" and self.asked.count(recipient) == 1:
            self.let_go.wait(SOON)
            self.came_back.append(before_dot())
            return Outcome(OutcomeKind.ABORTED, Phase.DATA, None, "stopped")
        if before_dot() is False:
            return Outcome(OutcomeKind.ABORTED, Phase.DATA, None, "stopped")
        self.taken.append(recipient)
        return Outcome(OutcomeKind.SENT, Phase.DOT, 250, "ok")


@pytest.fixture
def desk(engine: Engine) -> Desk:
    """A clinic with one confirmation that is due."""
    found = Desk(engine)
    found.book_course((date(2027, 5, 20),))
    found.wait(minutes=3)
    return found


@contextmanager
def running(
    desk: Desk, post_office: Callable[[], Transport] | None, pace: Pace = QUICK
) -> Iterator[Worker]:
    worker = Worker(Kit(desk.engine, lambda: desk.now, post_office), pace)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold within a generous while."""
    until = time.monotonic() + SOON
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.05)
    return False


def states(desk: Desk, *kinds: str) -> list[str]:
    return [line.state for line in desk.lines(*kinds)]


def troubles(desk: Desk) -> list[str | None]:
    """What keeps each worker from the mail server."""
    with desk.work() as work:
        return list(work.db.scalars(sa.select(WorkerRow.trouble)))


def troubled_since(desk: Desk) -> list[datetime | None]:
    """Since when it keeps them."""
    with desk.work() as work:
        return list(work.db.scalars(sa.select(WorkerRow.trouble_since)))


def folder_troubles(desk: Desk) -> list[str | None]:
    """What keeps each worker from the folder of what came back."""
    with desk.work() as work:
        return list(work.db.scalars(sa.select(WorkerRow.folder_trouble)))


def attempts(desk: Desk) -> list[int]:
    """How many attempts each confirmation has used."""
    with desk.work() as work:
        return list(work.db.scalars(
            sa.select(Message.attempts).join(MessageItem, MessageItem.message_id == Message.id)
            .where(MessageItem.kind == "confirmation")))


def hold_back(desk: Desk, since: datetime | None) -> None:
    """No worker finds a message to send, whatever is due; None: they find them again."""
    with desk.work() as work:
        work.db.execute(sa.update(Business).values(held_since=since))
        work.commit()


def workers(desk: Desk) -> int:
    with desk.work() as work:
        return work.db.scalar(sa.select(sa.func.count()).select_from(WorkerRow)) or 0


def test_a_worker_sends_what_is_due_and_signs_off_when_it_stops(desk: Desk, tmp_path: Path) -> None:
    with running(desk, lambda: MailboxTransport(tmp_path)):
        sent = eventually(lambda: states(desk, "confirmation") == ["sent"])
        during = workers(desk)

    assert (sent, during, workers(desk)) == (True, 1, 0)
    assert len(list(tmp_path.glob("*.eml"))) == 1
    assert set(states(desk, "precare", "reminder-7d", "reminder-2d")) == {"pending"}


def test_the_first_worker_with_a_mail_server_holds_what_came_due_before_it(engine: Engine, tmp_path: Path) -> None:
    desk = Desk(engine, mail_on=False)
    desk.book_course((date(2027, 5, 20),))
    desk.wait(minutes=3)

    with running(desk, lambda: MailboxTransport(tmp_path)):
        desk.book_course((date(2027, 6, 20),))
        desk.wait(minutes=3)
        sent = eventually(lambda: sorted(states(desk, "confirmation")) == ["held", "sent"])

    assert sent is True


def test_without_a_mail_server_messages_stay_pending(desk: Desk) -> None:
    with running(desk, None) as worker:
        worker.owe()
        time.sleep(0.3)

    assert states(desk, "confirmation") == ["pending"]


def test_a_worker_restores_messages_that_are_missing(desk: Desk) -> None:
    whole = desk.lines()
    with desk.work() as work:
        work.db.execute(sa.delete(MessageItem))
        work.db.execute(sa.delete(Message))
        work.commit()

    with running(desk, None):
        restored = eventually(lambda: desk.lines() == whole)

    assert restored is True


def test_a_worker_settles_what_has_passed_its_use(desk: Desk) -> None:
    desk.now = datetime.fromisoformat("2027-05-21T12:00+00:00")

    with running(desk, None):
        settled = eventually(lambda: set(states(desk)) == {"expired"})

    assert settled is True


def test_a_worker_takes_over_what_a_dead_one_held(desk: Desk, tmp_path: Path) -> None:
    message = desk.message("confirmation")
    desk.set_messages(Message.id == message.id, state="sending", attempts=1, lease_token="gone", worker_id="gone",
                      lease_until=desk.now + timedelta(hours=1))

    with running(desk, lambda: MailboxTransport(tmp_path)):
        sent = eventually(lambda: states(desk, "confirmation") == ["sent"])

    assert sent is True


def test_a_mail_server_in_trouble_is_left_alone_for_a_while(desk: Desk) -> None:
    office = ShutOffice()

    due_at = desk.message("confirmation").due_at

    with running(desk, lambda: office):
        put_back = eventually(lambda: desk.lines("confirmation") == [
            Line("confirmation", "pending", due_at, "Connection refused")])
        time.sleep(0.5)

    assert (put_back, office.asked) == (True, 1)


def test_a_folder_that_cannot_be_read_is_shown_until_it_can(desk: Desk, tmp_path: Path) -> None:
    settings = Settings(Path(), "", "", "", bounce_folder=tmp_path / "Maildir")
    worker = Worker(Kit(desk.engine, lambda: desk.now, None, settings))
    with desk.work() as work:
        enlist(work, worker.id, "here")

    worker.take_bounces()
    shown = folder_troubles(desk)
    for name in ("new", "cur"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    worker.take_bounces()

    assert shown == ["it is no Maildir: it has no folder “cur”"]
    assert folder_troubles(desk) == [None]


def test_after_a_rest_one_message_asks_for_all_and_what_was_wrong_is_shown_until_it_is_over(desk: Desk) -> None:
    for _ in range(3):
        desk.book_course((date(2027, 5, 20),), patient_id=desk.new_patient())
    desk.wait(minutes=3)
    office = ShutOffice()

    with running(desk, lambda: office, replace(QUICK, first_rest=0.3, longest_rest=0.3)):
        tried = eventually(lambda: office.asked >= 3)
        waiting = eventually(lambda: states(desk, "confirmation") == ["pending"] * 4)
        shown, since = troubles(desk), troubled_since(desk)
        office.is_open = True
        sent = eventually(lambda: states(desk, "confirmation") == ["sent"] * 4)
        over = eventually(lambda: troubles(desk) == [None])

    assert (tried, waiting, sent, over) == (True, True, True, True)
    assert (shown, since) == (["connect: Connection refused"], [desk.now])
    assert attempts(desk) == [1, 1, 1, 1]


def test_a_round_that_finds_nothing_to_send_does_not_say_that_the_mail_server_is_back(desk: Desk) -> None:
    office = ShutOffice()

    with running(desk, lambda: office, replace(QUICK, first_rest=0.1, longest_rest=0.1)):
        shown = eventually(lambda: troubles(desk) == ["connect: Connection refused"])
        hold_back(desk, since=desk.now)
        put_back = eventually(lambda: states(desk, "confirmation") == ["pending"])
        asked = office.asked
        time.sleep(1)
        still, idle = troubles(desk), office.asked == asked
        office.is_open = True
        hold_back(desk, since=None)
        over = eventually(lambda: troubles(desk) == [None])

    assert (shown, put_back, idle, over) == (True, True, True, True)
    assert still == ["connect: Connection refused"]


def test_that_the_mail_server_is_back_is_said_though_the_database_was_away_when_it_answered(desk: Desk) -> None:
    office, is_away = ShutOffice(), False

    def work() -> UnitOfWork:
        if is_away:
            raise sa.exc.OperationalError("", None, Exception("away"))
        return desk.work()

    with desk.work() as unit:
        enlist(unit, "here", "this machine")
    deliveries = Deliveries(lambda: Courier(desk.work, office, "here"), work, "here", replace(QUICK, first_rest=0),
                            threading.Event())
    deliveries.tick()
    shown, office.is_open, is_away = troubles(desk), True, True
    with pytest.raises(sa.exc.OperationalError):
        deliveries.tick()
    is_away = False
    deliveries.tick()

    assert (shown, troubles(desk)) == (["connect: Connection refused"], [None])
    assert states(desk, "confirmation") == ["sent"]


def test_a_delivery_that_does_not_come_back_is_left_behind_and_what_it_does_later_counts_for_nothing(
    desk: Desk
) -> None:
    for name in ("stuck", "after"):
        desk.book_course((date(2027, 5, 20),), patient_id=desk.new_patient(f"{name}@example.org"))
    desk.wait(minutes=3)
    office = StuckOffice()

    with running(desk, lambda: office, replace(QUICK, watch=0.05, budget=0.1, lease_for=timedelta(seconds=3))):
        # The stuck one was claimed in the commit that marked the one before it.
        others = eventually(lambda: states(desk, "confirmation") == ["sent", "sending", "sent"])
        desk.wait(seconds=4)
        taken_over = eventually(lambda: states(desk, "confirmation") == ["sent"] * 3)
        office.let_go.set()
        came_back = eventually(lambda: office.came_back == [False])

    assert (others, taken_over, came_back) == (True, True, True)
    assert sorted(office.taken) == ["after@example.org", "maria@example.org", "stuck@example.org"]
    assert states(desk, "confirmation") == ["sent"] * 3


@pytest.mark.parametrize(("seconds_ago", "looks"), [(10, False), (31, True), (-10, True)])
def test_a_worker_leaves_the_courses_that_another_has_just_looked_at(
    desk: Desk, seconds_ago: int, looks: bool
) -> None:
    worker = Worker(Kit(desk.engine, lambda: desk.now, None))
    with desk.work() as work:
        enlist(work, worker.id, "here")
        swept_at = desk.now - timedelta(seconds=seconds_ago)
        work.db.add(WorkerRow(id="other", host="there", started_at=desk.now, heartbeat_at=desk.now, swept_at=swept_at))
        work.commit()

    worker.owe()

    with desk.work() as work:
        assert (work.db.get_one(WorkerRow, worker.id).swept_at is not None) is looks
