from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.services.mail import mail_is_on, release_held, switch_mail_off, switch_mail_on
from clinic.store.accounts import AuditEntry
from tests.services.desk import NOW, Desk, Line

GRACE_OVER = NOW + timedelta(minutes=3)


@pytest.fixture
def desk(engine: Engine) -> Desk:
    """A clinic whose mail is off, with one confirmation that is due."""
    found = Desk(engine, mail_on=False)
    found.book_course((date(2027, 5, 20),))
    found.now = GRACE_OVER
    return found


def is_on(desk: Desk) -> bool:
    with desk.work() as work:
        return mail_is_on(work.db)


def test_switching_mail_on_holds_what_is_due_already_and_nothing_else(desk: Desk) -> None:
    with desk.work() as work:
        held = switch_mail_on(work)

    assert (held, is_on(desk)) == (1, True)
    assert desk.lines("confirmation") == [
        Line("confirmation", "held", GRACE_OVER, "came due while e-mail was switched off")]
    assert {line.state for line in desk.lines("reminder-7d", "reminder-2d", "precare")} == {"pending"}


def test_switching_mail_on_twice_changes_nothing_more(desk: Desk) -> None:
    with desk.work() as work:
        switch_mail_on(work)
    with desk.work() as work:
        release_held(work)

    with desk.work() as work:
        assert switch_mail_on(work) == 0

    assert [line.state for line in desk.lines("confirmation")] == ["pending"]


def test_mail_that_is_switched_off_is_off(desk: Desk) -> None:
    with desk.work() as work:
        switch_mail_on(work)

    with desk.work() as work:
        switch_mail_off(work)

    assert is_on(desk) is False


def test_held_messages_are_released_by_name_or_all_at_once(desk: Desk) -> None:
    desk.book_course((date(2027, 6, 20),))
    desk.wait(minutes=3)
    with desk.work() as work:
        switch_mail_on(work)
    first = desk.message("confirmation").id

    with desk.work() as work:
        one = release_held(work, [first])
    with desk.work() as work:
        rest = release_held(work)

    assert (one, rest) == (1, 1)
    assert {line.state for line in desk.lines("confirmation")} == {"pending"}
    with desk.work() as work:
        actions = work.db.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["mail-switched-on", "message-released", "message-released"]


def test_what_is_past_its_use_when_it_is_released_expires(desk: Desk) -> None:
    with desk.work() as work:
        switch_mail_on(work)
    desk.now = datetime(2027, 6, 1, tzinfo=UTC)

    with desk.work() as work:
        released = release_held(work)

    assert released == 0
    assert desk.lines("confirmation") == [
        Line("confirmation", "expired", GRACE_OVER, "its time passed before it could be sent")]


def test_a_database_without_its_business_has_no_mail(engine: Engine) -> None:
    desk = Desk(engine)
    with desk.work() as work:
        work.db.execute(sa.text("DELETE FROM business"))
        work.commit()

    with desk.work() as work:
        assert switch_mail_on(work) == 0

    assert is_on(desk) is False
