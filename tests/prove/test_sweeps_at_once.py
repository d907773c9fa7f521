"""Eight processes ask at once what everybody owes, and are killed as they do: each message is written down once."""
from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.services.reconcile import sweep
from clinic.store.outbox import Message, MessageItem
from tests.databases import is_full
from tests.prove.mail_ledger import desk_of_today
from tests.prove.mail_pack import begun, wait_until
from tests.prove.mail_worker import Place, run_sweeps
from tests.prove.plain_rows import Tables, changes
from tests.services.desk import Desk

SWEEPERS = 8
COURSES, ROUNDS, KILLS = (300, 3, 60) if is_full() else (12, 2, 6)
FAR = 1_000_000

Line = tuple[object, ...]


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """Courses whose messages were written down as they were booked."""
    with desk_of_today(database_url) as found:
        for number in range(COURSES):
            first_on = found.now.date() + timedelta(days=60 + number % 5)
            found.book_course((first_on, first_on + timedelta(days=30)), undated=1,
                              patient_id=found.new_patient(f"patient-{number}@example.org"))
        yield found


@pytest.mark.prove
def test_sweepers_that_are_killed_write_down_exactly_what_is_owed_and_nothing_twice(
    desk: Desk, database_url: str
) -> None:
    expected = written(desk)
    with desk.work() as work:
        work.db.execute(sa.delete(Message))
        work.commit()
    chance, place = random.Random(SWEEPERS), Place(database_url, 25)
    sweepers = [begun(run_sweeps, place, ROUNDS) for _ in range(SWEEPERS)]
    killed = 0

    while killed < KILLS:
        time.sleep(chance.random() / 8)
        victim = sweepers.pop(chance.randrange(SWEEPERS))
        killed += victim.exitcode is None
        victim.kill()
        victim.join()
        sweepers.append(begun(run_sweeps, place, ROUNDS))
    wait_until(lambda: all(sweeper.exitcode is not None for sweeper in sweepers))
    found, before = written(desk), Tables(desk.engine).read()
    with desk.work() as work:
        sweep(work, limit=FAR)

    assert [sweeper.exitcode for sweeper in sweepers] == [0] * SWEEPERS
    assert found == expected
    assert len(found) >= 5 * COURSES
    assert changes(before, Tables(desk.engine).read()) == []


def written(desk: Desk) -> list[Line]:
    """Every message item with its message; the one that is in no generation but the first comes once."""
    with desk.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(
            sa.select(MessageItem.kind, MessageItem.owner_kind, MessageItem.owner_id, MessageItem.subject_kind,
                      MessageItem.subject_id, MessageItem.revision, MessageItem.generation, Message.patient_id,
                      Message.state, Message.priority, Message.due_at, Message.useless_after)
            .join(Message, Message.id == MessageItem.message_id)
            .order_by(MessageItem.owner_id, MessageItem.kind, MessageItem.subject_id, MessageItem.revision,
                      MessageItem.generation))]
