from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.clock import Clock, system_clock
from clinic.messages.mailbox import MailboxTransport
from clinic.messages.transport import Transport
from clinic.services.mail import mail_is_on
from clinic.services.workers import agree_on_mail, beat, clean_up, enlist, free_holds, leave, work_of
from clinic.store.accounts import Account, BrowserSession, IdempotencyKey, SignInAttempt
from clinic.store.diary import Appointment
from clinic.store.outbox import WorkerRow
from tests.services.desk import DATES, NOW, Desk


@dataclass(frozen=True)
class Kit:
    engine: Engine
    clock: Clock = system_clock
    post_office: Callable[[], Transport] | None = MailboxTransport


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine, mail_on=False)


def heartbeats(desk: Desk) -> list[tuple[str, datetime]]:
    with desk.work() as work:
        return [(row.id, row.heartbeat_at) for row in work.db.scalars(sa.select(WorkerRow).order_by(WorkerRow.id))]


def test_a_worker_signs_on_shows_that_it_lives_and_signs_off(desk: Desk) -> None:
    with desk.work() as work:
        enlist(work, "w", "host")
    begun = heartbeats(desk)
    desk.wait(seconds=10)
    with desk.work() as work:
        beat(work, "w", "host")
    beating = heartbeats(desk)
    with desk.work() as work:
        leave(work, "w")

    assert (begun, beating, heartbeats(desk)) == ([("w", NOW)], [("w", NOW + timedelta(seconds=10))], [])


def test_a_worker_that_was_forgotten_while_it_slept_is_on_record_again_with_its_next_beat(desk: Desk) -> None:
    with desk.work() as work:
        enlist(work, "w", "host")
    desk.wait(days=3)
    with desk.work() as work:
        clean_up(work)
    forgotten = heartbeats(desk)
    with desk.work() as work:
        beat(work, "w", "host")

    assert (forgotten, heartbeats(desk)) == ([], [("w", NOW + timedelta(days=3))])


def test_mail_follows_whether_there_is_a_way_out_for_it(desk: Desk) -> None:
    found = []
    for has_post_office in (True, True, False, False):
        with desk.work() as work:
            agree_on_mail(work, has_post_office=has_post_office)
        with desk.work() as work:
            found.append(mail_is_on(work.db))

    assert found == [True, True, False, False]


def test_holds_that_ran_out_are_freed(desk: Desk) -> None:
    course_id = desk.book_course(DATES[:1])
    [appointment_id] = desk.appointment_ids(course_id)
    with desk.work() as work:
        row = work.db.get_one(Appointment, appointment_id)
        row.state, row.hold_expires_at = "proposed", NOW
        work.commit()

    with desk.work() as work:
        freed = free_holds(work)

    with desk.work() as work:
        assert (freed, work.db.get_one(Appointment, appointment_id).state) == (1, "cancelled")


def test_what_has_run_out_is_forgotten_and_nothing_else(desk: Desk) -> None:
    past, kept = NOW - timedelta(days=3), NOW
    with desk.work() as work:
        work.db.add(Account(id=1, email="a@b.example", name="Ana", password_hash="-", created_at=past))
        work.db.flush()
        for name, at in (("old", past), ("new", kept)):
            work.db.add(BrowserSession(id_hash=name, account_id=1, created_at=past, seen_at=past,
                                       expires_at=at + timedelta(hours=1)))
            work.db.add(IdempotencyKey(account_id=1, key=name, request_sha256="", answer={}, created_at=at))
            work.db.add(SignInAttempt(key=name, at=at))
            work.db.add(WorkerRow(id=name, host="h", started_at=at, heartbeat_at=at))
        work.commit()

    with desk.work() as work:
        clean_up(work)

    with desk.work() as work:
        found = [work.db.scalars(sa.select(column)).all() for column in (
            BrowserSession.id_hash, IdempotencyKey.key, SignInAttempt.key, WorkerRow.id)]
    assert found == [["new"]] * 4


def test_on_postgresql_the_database_tells_the_workers_time(engine: Engine) -> None:
    asked: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *seen: asked.append(seen[2]))

    with work_of(Kit(engine))() as work:
        now = work.now

    assert asked.count("SELECT now()") == (engine.dialect.name == "postgresql")
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=30)
    assert now.microsecond == 0


def test_a_clock_that_was_given_is_kept(engine: Engine) -> None:
    with work_of(Kit(engine, lambda: NOW))() as work:
        assert work.now == NOW
