"""One crash at each named point of a delivery, a rescue and a sweep: each costs exactly what the table says."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from clinic.store.outbox import Message, MessageAttempt, MessageItem
from clinic.store.resources import Patient
from tests.prove.mail_dying import ALONE, BOOKS, CONVERSATION
from tests.prove.mail_ledger import desk_of_today, unsettled
from tests.prove.mail_pack import Pack, pack, wait_until
from tests.prove.mail_worker import PACE, PATIENCE, Place
from tests.services.desk import Desk
from tests.sink import Sink

POINTS = (*BOOKS, *CONVERSATION, *ALONE)


@dataclass(frozen=True)
class Cost:
    """What a crash at a point leaves (the message's state, its steps, how often the mail server has it), and how it
    ends: the state, and the copies in all."""

    state: str
    steps: tuple[str, ...]
    taken: int
    end: str = "sent"
    copies: int = 1


NOTHING_OUT = Cost("sending", ("claimed",), 0)
MAYBE_OUT = Cost("sending", ("claimed", "begun"), 1, copies=2)
TABLE = {
    "after-claim": NOTHING_OUT, "before-connect": NOTHING_OUT, "after-connect": NOTHING_OUT,
    "after-mail": NOTHING_OUT, "after-rcpt": NOTHING_OUT, "after-data": NOTHING_OUT, "mid-body": NOTHING_OUT,
    "before-begun": NOTHING_OUT, "in-begun": NOTHING_OUT,
    "after-begun": Cost("sending", ("claimed", "begun"), 0),
    "after-dot": MAYBE_OUT, "after-250": MAYBE_OUT, "before-mark": MAYBE_OUT, "in-mark": MAYBE_OUT,
    "after-mark": Cost("sent", ("claimed", "begun", "dot"), 1),
    "in-rescue": NOTHING_OUT,
    "in-sweep": Cost("not there", (), 0),
}


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with desk_of_today(database_url) as found:
        yield found


@pytest.mark.prove
def test_a_crash_at_each_named_point_costs_exactly_what_the_table_says(
    desk: Desk, database_url: str, tmp_path: Path
) -> None:
    left: dict[str, tuple[str, tuple[str, ...], int]] = {}

    with Sink(tmp_path / "sink.log") as sink, pack(Place(database_url, sink.port)) as workers:
        for point in POINTS:
            course_id = book_for(desk, point)
            assert crash(desk, workers, point, course_id) == -9, point
            wait_until(lambda: sink.counts["connections"] == sink.counts["ended"])
            left[point] = (*how_it_is(desk, point), taken(sink, point))
        workers.start()
        wait_until(lambda: not unsettled(desk))
        statuses = workers.stop()
        ended = {point: (*how_it_is(desk, point), taken(sink, point)) for point in POINTS}
        bytes_sent = {(each.recipient, each.sha256) for each in sink.accepted()}

    assert left == {point: (cost.state, cost.steps, cost.taken) for point, cost in TABLE.items()}
    assert {point: (state, copies) for point, (state, _, copies) in ended.items()} == {
        point: (cost.end, cost.copies) for point, cost in TABLE.items()}
    assert len(bytes_sent) == len(POINTS)
    assert statuses == [0]


@pytest.mark.prove
def test_who_slept_through_its_lease_sends_nothing_new_and_overwrites_nothing(
    desk: Desk, database_url: str, tmp_path: Path
) -> None:
    copies = {"before-connect": 1, "mid-body": 1, "before-begun": 1, "after-begun": 2, "after-250": 2}
    # So long a lease that only its token keeps a sleeper from going on.
    pace = replace(PACE, lease_for=timedelta(hours=1), patience=replace(PATIENCE, dead_after=timedelta(seconds=2)))

    with Sink(tmp_path / "sink.log") as sink, pack(Place(database_url, sink.port, pace)) as workers:
        for point in copies:
            book_for(desk, point)
        with workers.asleep_at(tuple(copies)):
            workers.start()
            wait_until(lambda: not unsettled(desk))
            settled = {point: how_it_is(desk, point)[0] for point in copies}
        workers.stop()
        found = {point: (taken(sink, point), how_it_is(desk, point)[0]) for point in copies}
        bytes_sent = {(each.recipient, each.sha256) for each in sink.accepted()}

    assert settled == dict.fromkeys(copies, "sent")
    assert found == {point: (number, "sent") for point, number in copies.items()}
    assert len(bytes_sent) == len(copies)
    assert late_notes(desk) == len(copies)


def book_for(desk: Desk, point: str) -> int:
    """A course in two months, of a patient whose address says what will happen to the confirmation."""
    return desk.book_course(
        (desk.now.date() + timedelta(days=60),), patient_id=desk.new_patient(f"{point}@example.org"))


def crash(desk: Desk, workers: Pack, point: str, course_id: int) -> int | None:
    """Have it happen to the confirmation of that course, the only message that is due."""
    if point == "in-rescue":
        assert workers.die_at("after-claim") == -9
    if point == "in-sweep":
        with desk.work() as work:
            ids = work.db.scalars(sa.select(MessageItem.message_id).where(MessageItem.owner_id == course_id)).all()
            work.db.execute(sa.delete(Message).where(Message.id.in_(ids)))
            work.commit()
    return workers.die_at(point)


def how_it_is(desk: Desk, point: str) -> tuple[str, tuple[str, ...]]:
    """The state of that confirmation, and its steps so far."""
    with desk.work() as work:
        found = work.db.execute(
            sa.select(Message.id, Message.state).join(MessageItem).join(Patient, Patient.id == Message.patient_id)
            .where(Patient.email == f"{point}@example.org", MessageItem.kind == "confirmation")).one_or_none()
    if found is None:
        return "not there", ()
    return found.state, tuple(phase for _, phase in desk.attempts(found.id))


def taken(sink: Sink, point: str) -> int:
    """How often the mail server has it."""
    return sum(each.recipient == f"{point}@example.org" for each in sink.accepted())


def late_notes(desk: Desk) -> int:
    """How often somebody came back to a message that was not theirs any more."""
    with desk.work() as work:
        return work.db.scalar(
            sa.select(sa.func.count()).select_from(MessageAttempt).where(MessageAttempt.text.startswith("late: "))) or 0
