"""Processes that are killed while they write down who gets an edition: in the end each reader once, and none twice."""
from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.clock import system_clock
from clinic.store.clinics import Clinic
from clinic.store.engine import open_engine
from clinic.store.newsletter import Edition, Subscriber
from clinic.store.outbox import Message, MessageItem
from tests.databases import is_full
from tests.prove.publishing_worker import BATCH, publish_all, publish_and_die
from tests.services.newsroom import Newsroom

READERS = 400
PLACES = range(32) if is_full() else range(0, 32, 6)


@pytest.fixture
def room(database_url: str) -> Iterator[Newsroom]:
    """An edition that may go out, at a clinic without quiet hours: processes live in the real time of day."""
    engine = open_engine(database_url)
    made = Newsroom(engine)
    with made.work() as work:
        clinic = work.db.get_one(Clinic, 1)
        clinic.quiet_from = clinic.quiet_to = 0
        work.commit()
    made.now = system_clock() - timedelta(minutes=5)
    made.readers(READERS)
    with made.work() as work:
        work.db.execute(sa.update(Subscriber).values(consented_at=made.now))
        work.commit()
    yield made
    engine.dispose()


def written(room: Newsroom) -> Counter[int]:
    """How often each reader was written down."""
    with room.work() as work:
        return Counter(work.db.scalars(
            sa.select(Message.subscriber_id).join(MessageItem, MessageItem.message_id == Message.id)
            .where(MessageItem.kind == "edition")))


@pytest.mark.prove
def test_whoever_dies_while_writing_has_written_a_whole_piece_or_nothing(room: Newsroom, database_url: str) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.prove.publishing_worker"])
    room.approved(READERS)

    died = 0
    for place in PLACES:
        before = sum(written(room).values())
        dying = context.Process(target=publish_and_die, args=(database_url, place))
        dying.start()
        dying.join(60)
        after = written(room)
        with room.work() as work:
            reached = work.db.scalars(sa.select(Edition.queued_to)).one()
            work.db.execute(sa.update(Message).values(state="sent", settled_at=room.now))  # so that there is room again
            work.commit()
        died += dying.exitcode == -9
        assert dying.exitcode in (0, -9), place
        assert sum(after.values()) - before in (0, BATCH)
        assert max(after.values(), default=1) == 1
        assert max(after, default=0) == reached  # the mark and the messages always agree
    together = [context.Process(target=publish_all, args=(database_url,)) for _ in range(3)]
    for each in together:
        each.start()
    for each in together:
        each.join(60)

    found = written(room)
    assert 2 <= died < len(PLACES)  # and some came to their end
    assert [each.exitcode for each in together] == [0, 0, 0]
    assert (len(found), set(found.values())) == (READERS, {1})
