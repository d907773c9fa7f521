"""What the database and the mail server say in the end, held against each other."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.clock import system_clock
from clinic.store.clinics import Clinic
from clinic.store.engine import open_engine
from clinic.store.outbox import Message, MessageAttempt, MessageItem
from tests.services.desk import Desk
from tests.sink import Accepted

MOST_COPIES = 2
"""However often workers die: the same bytes once more, and then staff decide."""


@dataclass(frozen=True)
class Entry:
    """What the database says of a message."""

    id: int
    state: str
    reason: str | None
    message_id: str | None
    mime_sha256: str | None
    attempts: list[tuple[int, str]]

    @property
    def lost_answers(self) -> int:
        """How many transmissions began of which no end was written down before the message was taken over."""
        followed_by = {number: phase for number, phase in reversed(self.attempts) if phase in ("dot", "rescued")}
        return sum(phase == "begun" and followed_by.get(number) != "dot" for number, phase in self.attempts)


@contextmanager
def desk_of_today(url: str) -> Iterator[Desk]:
    """A clinic without quiet hours, ten minutes ago: processes of an experiment live in the real time of day."""
    engine = open_engine(url)
    found = Desk(engine)
    with found.work() as work:
        clinic = work.db.get_one(Clinic, 1)
        clinic.quiet_from = clinic.quiet_to = 0
        work.commit()
    found.now = system_clock() - timedelta(minutes=10)
    yield found
    engine.dispose()


def book(desk: Desk, count: int) -> None:
    """So many courses of one visit, each another patient's, whose confirmations are due and other messages are not."""
    for number in range(count):
        desk.book_course((desk.now.date() + timedelta(days=60 + number % 5),),
                         patient_id=desk.new_patient(f"patient-{number}@example.org"))


def entries(desk: Desk, kind: str = "confirmation") -> list[Entry]:
    """Every message of a kind."""
    with Session(desk.engine) as db:
        attempts: dict[int, list[tuple[int, str]]] = {}
        for message_id, number, phase in db.execute(
            sa.select(MessageAttempt.message_id, MessageAttempt.number, MessageAttempt.phase)
            .order_by(MessageAttempt.id)
        ):
            attempts.setdefault(message_id, []).append((number, phase))
        found = db.execute(
            sa.select(Message.id, Message.state, Message.reason, Message.message_id, Message.mime_sha256)
            .join(MessageItem, MessageItem.message_id == Message.id)
            .where(MessageItem.kind == kind).order_by(Message.id))
        return [Entry(*each, attempts.get(each.id, [])) for each in found]


def unsettled(desk: Desk, kind: str = "confirmation") -> list[int]:
    """The messages of a kind that are still under way; it only reads, and so waits for nobody who writes."""
    with Session(desk.engine) as db:
        return list(db.scalars(
            sa.select(Message.id).join(MessageItem, MessageItem.message_id == Message.id)
            .where(MessageItem.kind == kind, Message.state.in_(("pending", "sending")))))


def faults_of(found: Sequence[Entry], accepted: Sequence[Accepted]) -> list[str]:
    """Everything that breaks the promise."""
    taken = Counter(each.message_id for each in accepted)
    swallowed = {each.message_id for each in accepted if not each.answered}
    bytes_of: dict[str, set[str]] = {}
    for each in accepted:
        bytes_of.setdefault(each.message_id, set()).add(each.sha256)
    faults = [f"{message_id} is not ours" for message_id in taken.keys() - {row.message_id for row in found}]
    for row in found:
        copies = taken[row.message_id or ""]
        if row.state not in ("sent", "failed", "uncertain"):
            faults.append(f"{row.id} ended {row.state}, {row.reason}: {row.attempts}")
        if row.state == "sent" and copies == 0:
            faults.append(f"{row.id} is lost")
        if row.state == "failed" and copies > 0:
            faults.append(f"{row.id} was sent and counts as failed")
        if copies > 1 and not (row.lost_answers or row.message_id in swallowed):
            faults.append(f"{row.id} was repeated without need: {row.attempts}")
        if copies > MOST_COPIES:
            faults.append(f"{row.id} went {copies} times")
        if copies and bytes_of[row.message_id or ""] != {row.mime_sha256}:
            faults.append(f"{row.id} changed between its copies")
    return faults


def figures(desk: Desk, found: Sequence[Entry], accepted: Sequence[Accepted], what: str, took: float) -> str:
    """The run in one line."""
    states = Counter(f"{row.state} ({row.reason})" if row.state == "failed" else row.state for row in found)
    copies = Counter(Counter(each.message_id for each in accepted).values())
    return (
        f"{desk.engine.dialect.name}: {len(found)} messages due, {what} in {took:.0f} s; "
        + ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        + f"; {len(accepted)} accepted, {copies[2]} of them twice, {len(faults_of(found, accepted))} faults")
