"""Reports act once: through a mail server's pipe and from its folder, in processes that die at the worst moments."""
from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from clinic.messages.return_path import ReturnPath
from clinic.services.delivery import Courier
from clinic.store.outbox import Bounce, Message, MessageItem
from tests.interchange.bounce_samples import report
from tests.prove.bounce_dying import POINTS, take_and_die, work_on
from tests.prove.mail_ledger import book, desk_of_today
from tests.prove.mail_pack import wait_until
from tests.services.desk import Desk
from tests.services.test_delivery import Scripted

pytestmark = pytest.mark.prove


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """Three patients whose confirmations have left."""
    with desk_of_today(database_url) as found:
        book(found, 3)
        found.now += timedelta(minutes=5)
        paths = ReturnPath("returned@alvor.example", "k" * 64)
        Courier(found.work, Scripted(), "worker-1", return_path=paths).deliver_due()
        yield found


def reports(desk: Desk) -> list[bytes]:
    """One for each confirmation: nobody is there."""
    with desk.work() as work:
        sent = work.db.scalars(
            sa.select(Message).join(MessageItem).where(MessageItem.kind == "confirmation").order_by(Message.id)).all()
        return [report(to=each.recipient or "", message_id=each.message_id or "", return_path=each.sender or "")
                for each in sent]


def kept(desk: Desk) -> int:
    """How many reports are kept."""
    with desk.work() as work:
        return work.db.scalar(sa.select(sa.func.count()).select_from(Bounce)) or 0


def pipe(url: str, folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """The command as a mail server starts it."""
    environ = {"PATH": os.environ["PATH"], "CLINIC_DATABASE_URL": url, "CLINIC_DATA_DIR": str(folder)}
    return subprocess.Popen([sys.executable, "-m", "clinic.cli", "bounces", *words], env=environ,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_the_pipe_keeps_a_report_once_and_asks_the_mail_server_to_come_again_while_it_cannot(
    desk: Desk, database_url: str, tmp_path: Path
) -> None:
    first, second, _ = reports(desk)
    arrived_at = second.split(b"To: ")[1].split(b"\n")[0]
    large_and_hidden = second.replace(arrived_at, b"undisclosed") + b"x" * 12_000_000

    together = [pipe(database_url, tmp_path) for _ in range(2)]
    named = pipe(database_url, tmp_path, "--to", arrived_at.decode())
    away = pipe("postgresql://nobody@127.0.0.1:1/clinic", tmp_path)
    said = [each.communicate(data, timeout=60) for each, data in zip(
        (*together, named, away), (first, first, large_and_hidden, first), strict=True)]

    assert [each.returncode for each in (*together, named, away)] == [0, 0, 0, os.EX_TEMPFAIL]
    assert ({out for out, _ in said}, kept(desk)) == ({b""}, 2)
    assert said[3][1] == b"The database cannot be reached or written\n"
    assert not any(word in log for _, log in said for word in (b"patient-", b"Traceback"))


def test_reports_in_the_folder_act_once_whenever_who_takes_them_dies(
    desk: Desk, database_url: str, tmp_path: Path
) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.prove.bounce_dying"])
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    for number, data in enumerate([*reports(desk), b"Subject: away\n\nBack on Monday.", report()]):
        (tmp_path / "new" / f"{number}.host").write_bytes(data)

    for point, more in POINTS.items():
        before = kept(desk)
        dying = context.Process(target=take_and_die, args=(database_url, tmp_path, point))
        dying.start()
        dying.join(60)
        waiting = len(list((tmp_path / "new").iterdir()))
        assert (dying.exitcode, kept(desk) - before, waiting) == (-9, more, 5), point
    workers = [context.Process(target=work_on, args=(database_url, tmp_path)) for _ in range(2)]
    for each in workers:
        each.start()
    wait_until(lambda: not list((tmp_path / "new").iterdir()))
    for each in workers:
        each.terminate()
        each.join(60)

    with desk.work() as work:
        states = work.db.scalars(
            sa.select(Message.state).join(MessageItem).where(MessageItem.kind == "confirmation")).all()
    assert ([each.exitcode for each in workers], kept(desk), states) == ([0, 0], 3, ["failed"] * 3)
    assert sorted(each.name for each in (tmp_path / "cur").iterdir()) == [f"{each}.host:2,S" for each in range(5)]
