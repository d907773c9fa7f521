"""Letting go of what waits since the move-in, on its page."""
from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.store.clinics import Business
from clinic.store.outbox import Message
from tests.web import seed
from tests.web.conftest import SignedIn, World, post

Rows = Callable[[], Session]


@pytest.fixture
def held(world: World, rows: Rows) -> World:
    """Two messages that are due, one that will be, one past its use, and one at the other clinic."""
    with rows() as db:
        db.execute(sa.delete(Business))
        db.add(Business(id=1, name="Harbour", mail_on_since=seed.NOW, held_since=seed.NOW - timedelta(hours=2)))
        for name, due, useless in (("Due", -1, 5), ("Also", -2, 5), ("Later", 3, 5), ("Gone", -9, -1)):
            seed.add_message(db, seed.add_patient(db, name), world.harbour,
                             due_at=seed.NOW + timedelta(days=due), useless_after=seed.NOW + timedelta(days=useless))
        seed.add_message(db, seed.add_patient(db, "Elsewhere"), world.hill, due_at=seed.NOW - timedelta(days=1),
                         useless_after=seed.NOW + timedelta(days=9))
        db.commit()
    return world


@pytest.mark.usefixtures("held")
def test_the_day_and_the_messages_say_that_messages_wait(signed_in: SignedIn) -> None:
    desk, auditor = signed_in(), signed_in(Role.AUDITOR)

    for address in ("/", "/messages"):
        page = desk.get(address).get_data(as_text=True)
        assert "4 messages wait; 3 of them are due now." in page
        assert 'href="/messages/waiting"' in page
    assert "4 messages wait" not in auditor.get("/").get_data(as_text=True)
    assert 'href="/messages/waiting"' not in auditor.get("/messages").get_data(as_text=True)


@pytest.mark.usefixtures("held")
def test_the_page_shows_what_would_leave_from_here_and_changes_nothing(signed_in: SignedIn, rows: Rows) -> None:
    page = signed_in().get("/messages/waiting").get_data(as_text=True)

    names = [name for name in ("Also", "Due", "Later", "Gone", "Elsewhere") if name in page]
    assert names == ["Also", "Due", "Later"]
    assert page.index("Also") < page.index("Due ") < page.index("Later")
    assert "Release 4 messages" in page
    with rows() as db:
        assert db.scalars(sa.select(Business.held_since)).one() is not None


@pytest.mark.usefixtures("held")
def test_one_button_lets_everything_go_and_a_second_press_is_told_so(signed_in: SignedIn, rows: Rows) -> None:
    browser = signed_in()

    first = post(browser, "/messages/waiting/release")
    told = browser.get("/messages").get_data(as_text=True)
    again = post(browser, "/messages/waiting/release", follow_redirects=True)

    assert (first.status_code, first.location) == (303, "/messages")
    assert "Released 4 messages: what is due leaves within minutes. 1 message past use will not be sent." in told
    assert "somebody has released it already" in again.get_data(as_text=True)
    assert "Messages wait since the move-in" not in told
    assert browser.get("/messages/waiting").location == "/messages"
    with rows() as db:
        states = db.scalars(sa.select(Message.state)).all()
        assert sorted(states) == ["expired", "pending", "pending", "pending", "pending"]


@pytest.mark.usefixtures("held")
def test_only_who_may_release_messages_sees_and_does_it(signed_in: SignedIn, rows: Rows) -> None:
    auditor = signed_in(Role.AUDITOR)

    answers = [auditor.get("/messages/waiting").status_code, post(auditor, "/messages/waiting/release").status_code]

    assert answers == [403, 403]
    with rows() as db:
        assert db.scalars(sa.select(Business.held_since)).one() is not None


def test_the_page_asks_no_more_for_more_messages(signed_in: SignedIn, held: World, rows: Rows, kit: Kit) -> None:
    browser = signed_in()

    def asked() -> int:
        statements: list[str] = []
        def note(*args: object) -> None:
            statements.append(str(args[2]))
        event.listen(kit.engine, "before_cursor_execute", note)
        browser.get("/messages/waiting")
        event.remove(kit.engine, "before_cursor_execute", note)
        return len(statements)

    few = asked()
    with rows() as db:
        for number in range(60):
            seed.add_message(db, seed.add_patient(db, f"P{number}"), held.harbour,
                             useless_after=seed.NOW + timedelta(days=9))
        db.commit()

    assert asked() == few
    assert "more here, later" in browser.get("/messages/waiting").get_data(as_text=True)
