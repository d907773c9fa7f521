"""What becomes of a delivery when the database goes away, the clock is set back, or a sweep looks just then."""
from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import sleep
from unittest.mock import Mock

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from clinic.services import delivery
from clinic.services.delivery import Round, rescue
from clinic.services.reconcile import sweep
from clinic.services.settling import put_back
from clinic.services.work import UnitOfWork
from clinic.store.claims import claim_next, held_by
from clinic.store.outbox import WorkerRow
from tests.services.desk import Desk
from tests.services.test_delivery import Crash, Scripted, all_confirmed, confirmed, courier, crash_at, rescued


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def away(desk: Desk, *, at: int, times: int) -> Callable[[], UnitOfWork]:
    """Units of work, of which some cannot be opened, as the database is away."""
    opened = iter(range(1, 99))

    def open_work() -> UnitOfWork:
        if at <= next(opened) < at + times:
            raise OperationalError("BEGIN", None, Exception("the server closed the connection unexpectedly"))
        return desk.work()

    return open_work


class Deaf(UnitOfWork):
    """Commits, and never hears that it has."""

    def commit(self) -> None:
        super().commit()
        raise OperationalError("COMMIT", None, Exception("the server closed the connection unexpectedly"))


def deaf(desk: Desk, *, at: int) -> Callable[[], UnitOfWork]:
    """Units of work, of which one is deaf."""
    opened = iter(range(1, 99))

    def open_work() -> UnitOfWork:
        work = desk.work()
        if next(opened) == at:
            work.__class__ = Deaf
        return work

    return open_work


def test_what_the_mail_server_said_is_kept_until_the_database_is_back(desk: Desk) -> None:
    confirmed(desk)
    rests: list[float] = []
    transport = Scripted()

    courier(desk, transport, work=away(desk, at=4, times=3), pause=rests.append).deliver_due(1)

    message = desk.message("confirmation")
    assert (message.state, len(transport.taken), rests) == ("sent", 1, [1.0, 1.0, 1.0])


def test_a_database_that_stays_away_longer_than_the_lease_is_not_waited_for(desk: Desk) -> None:
    confirmed(desk)
    seconds = iter((0.0, 1.0, 1080.0, 1081.0))

    with pytest.raises(OperationalError):
        courier(desk, work=away(desk, at=4, times=90), pause=lambda seconds: None,
                monotonic=lambda: next(seconds)).deliver_due(1)

    assert desk.message("confirmation").state == "sending"


def test_a_mark_whose_own_answer_was_lost_is_not_written_twice(desk: Desk) -> None:
    confirmed(desk)
    courier(desk, work=deaf(desk, at=4), pause=lambda seconds: None).deliver_due(1)

    message = desk.message("confirmation")
    assert message.state == "sent"
    assert desk.attempts(message.id) == [(1, "claimed"), (1, "begun"), (1, "dot")]


def test_a_round_marks_one_message_and_claims_the_next_in_one_commit(desk: Desk) -> None:
    all_confirmed(desk, 3)
    opened: list[UnitOfWork] = []

    def open_work() -> UnitOfWork:
        opened.append(desk.work())
        return opened[-1]

    assert courier(desk, work=open_work).deliver_due() == Round(3, is_answered=True)
    assert len(opened) == 1 + 3 * 3


@pytest.mark.parametrize("error", [
    OperationalError("UPDATE", None, Exception("the server closed the connection unexpectedly")),
    IntegrityError("UPDATE", None, Exception("no such row")),
])
def test_a_claim_that_fails_does_not_take_the_mark_with_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: DBAPIError
) -> None:
    all_confirmed(desk, 2)
    claims = iter((claim_next, Mock(side_effect=error)))
    monkeypatch.setattr(delivery, "claim_next", lambda *args, **facts: next(claims)(*args, **facts))

    with pytest.raises(type(error)):
        courier(desk, pause=lambda seconds: None).deliver_due()

    assert sorted(line.state for line in desk.lines("confirmation")) == ["pending", "sent"]


def test_a_claim_of_which_nothing_is_known_is_taken_back(desk: Desk) -> None:
    all_confirmed(desk, 2)
    with pytest.raises(OperationalError):
        courier(desk, work=deaf(desk, at=4), pause=lambda seconds: None).deliver_due()

    assert sorted(line.state for line in desk.lines("confirmation")) == ["sending", "sent"]
    with desk.work() as work:
        assert rescue(work, worker_id="worker-1", is_sending=False) == 1
    assert courier(desk).deliver_due() == Round(1, is_answered=True)


def test_who_lost_track_of_what_it_held_takes_it_back_at_once(desk: Desk) -> None:
    confirmed(desk)
    with pytest.raises(Crash):
        courier(desk, Scripted(around_dot=crash_at("before dot"))).deliver_due(1)

    with desk.work() as work:
        count = rescue(work, worker_id="worker-1", is_sending=False)

    assert (count, desk.message("confirmation").state) == (1, "pending")


def test_a_clock_that_was_set_back_does_not_keep_a_dead_worker_alive(desk: Desk) -> None:
    confirmed(desk)
    with pytest.raises(Crash):
        courier(desk, Scripted(around_dot=crash_at("before dot"))).deliver_due(1)
    with desk.work() as work:
        work.db.execute(sa.update(WorkerRow).values(heartbeat_at=desk.now + timedelta(hours=2)))
        work.commit()

    assert rescued(desk) == 1


def test_a_sweep_that_meets_a_delivery_being_put_back_leaves_it_be(desk: Desk) -> None:
    confirmed(desk)
    with pytest.raises(Crash):
        courier(desk, Scripted(around_dot=crash_at("before dot"))).deliver_due(1)

    def look() -> None:
        with desk.work() as work:
            sweep(work)

    with ThreadPoolExecutor(1) as pool:
        with desk.work() as work:
            message = held_by(work.db, desk.message("confirmation").id, desk.message("confirmation").lease_token or "")
            assert message is not None
            put_back(message, desk.now, None)
            work.db.flush()
            looking = pool.submit(look)
            sleep(0.3)
            work.commit()
        looking.result(60)

    assert [line.state for line in desk.lines("confirmation")] == ["pending"]
