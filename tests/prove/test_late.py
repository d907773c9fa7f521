"""Nobody sends anything for an hour, a day and ten days: what is still of use goes out late and in no burst, what is
not is set aside and listed."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.states import MessageState
from clinic.messages.smtp import Timeouts
from clinic.queries.messages import messages_page
from clinic.store.clinics import Clinic
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageAttempt, MessageItem, WorkerRow
from tests.databases import is_full
from tests.prove.mail_ledger import desk_of_today
from tests.prove.mail_pack import pack, wait_until
from tests.prove.mail_worker import PACE, PATIENCE, Place, ShiftedClock
from tests.services.desk import Desk
from tests.sink import Sink

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DOWN = (HOUR, DAY, 10 * DAY)
VISITS_A_DAY, A_MINUTE = (10, 30) if is_full() else (1, 6)
CALM = replace(PACE, deliver=0.05, owe=0.3, budget=700, lease_for=HOUR, patience=replace(PATIENCE, dead_after=30 * DAY))
TICK = 30
"""Seconds that pass on the workers' clock in a moment of ours."""


@dataclass(frozen=True)
class Line:
    """A message as it ended, and when it left."""

    id: int
    state: str
    reason: str | None
    due_at: datetime
    useless_after: datetime
    left_at: datetime | None
    first_visit_at: datetime


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """Visits on each of the coming fifteen days, each in a course of its own."""
    with desk_of_today(database_url) as found:
        with found.work() as work:
            work.db.get_one(Clinic, 1).most_messages_a_day = 20
            work.commit()
        for number in range(15 * VISITS_A_DAY):
            found.book_course((found.now.date() + (1 + number % 15) * DAY,),
                              patient_id=found.new_patient(f"patient-{number}@example.org"))
        yield found


@pytest.mark.prove
def test_after_an_outage_what_is_of_use_goes_late_in_no_burst_and_what_is_not_is_listed(
    desk: Desk, database_url: str, tmp_path: Path
) -> None:
    clock = ShiftedClock(tmp_path / "clock")
    clock.set(0)
    begun: list[datetime] = []
    faults: list[str] = []

    with Sink(tmp_path / "sink.log") as sink:
        place = Place(database_url, sink.port, CALM, Timeouts(), clock=clock, per_minute=A_MINUTE)
        for down in DOWN:
            clock.set(clock.shift + int(down.total_seconds()))
            begun.append(clock())
            waiting = {line.id for line in lines(desk) if line.state == "pending" and line.due_at <= clock()}
            with pack(place) as workers:
                workers.start(2)
                wait_until(lambda: workers_of(desk) == 2)
                wait_until(lambda: ticked(desk, clock), every=0.2)
                statuses = workers.stop()
            faults += faults_of([line for line in lines(desk) if line.id in waiting], begun[-1])
            assert statuses == [0, 0]
        accepted = sink.accepted()

    found = lines(desk)
    claims = claimed_at(desk)
    expired = [line for line in found if line.state == "expired"]
    assert faults == []
    assert len(accepted) == sum(line.state == "sent" for line in found) > 15 * VISITS_A_DAY
    assert len({each.sha256 for each in accepted}) == len(accepted)
    assert [late for early, late in zip(claims, claims[A_MINUTE:], strict=False)
            if late - early < timedelta(minutes=1)] == []
    with Session(desk.engine) as db:
        assert messages_page(db, 1, state=MessageState.EXPIRED).total == len(expired) > 5 * VISITS_A_DAY


def ticked(desk: Desk, clock: ShiftedClock) -> bool:
    """Lets time pass; whether nothing that is due waits any more."""
    with Session(desk.engine) as db:
        due = db.scalar(sa.select(sa.func.count()).select_from(Message).where(
            Message.state.in_(("pending", "sending")), Message.due_at <= clock()))
    if due:
        clock.set(clock.shift + TICK)
        return False
    return True


def workers_of(desk: Desk) -> int:
    """How many have signed on."""
    with Session(desk.engine) as db:
        return db.scalar(sa.select(sa.func.count()).select_from(WorkerRow)) or 0


def faults_of(found: list[Line], begun_at: datetime) -> list[str]:
    """What should not have become of what was due when the workers came back."""
    faults = []
    for line in found:
        if line.useless_after < begun_at and (line.state, line.reason) != (
            "expired", "its time passed before it could be sent"
        ):
            faults.append(f"{line} was of no use any more")
        if line.left_at is not None and line.left_at > min(line.useless_after, line.first_visit_at):
            faults.append(f"{line} came too late")
        if line.useless_after > begun_at + HOUR and line.state != "sent":
            faults.append(f"{line} was of use")
    return faults


def lines(desk: Desk) -> list[Line]:
    """Every message of a course or visit; the first visit is that of its course."""
    left_at = (
        sa.select(sa.func.max(MessageAttempt.at))
        .where(MessageAttempt.message_id == Message.id, MessageAttempt.code == 250).scalar_subquery())
    with Session(desk.engine) as db:
        visits = {row.patient_id: row.starts_at for row in db.execute(
            sa.select(Appointment.patient_id, Appointment.starts_at))}
        rows = db.execute(
            sa.select(Message.id, Message.state, Message.reason, Message.due_at, Message.useless_after, left_at,
                      Message.patient_id)
            .where(sa.exists().where(MessageItem.message_id == Message.id)).order_by(Message.id))
        return [Line(*row[:5], _utc(row[5]), visits[row.patient_id]) for row in rows]


def claimed_at(desk: Desk) -> list[datetime]:
    """When a message was taken to be sent."""
    with Session(desk.engine) as db:
        return sorted(db.scalars(sa.select(MessageAttempt.at).where(MessageAttempt.phase == "claimed")))


def _utc(at: object) -> datetime | None:
    """SQLite forgets that the latest of some instants is one."""
    return datetime.fromtimestamp(at, UTC) if isinstance(at, int) else at  # type: ignore[return-value]
