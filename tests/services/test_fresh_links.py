"""A fresh link: to the known address alone, a few in an hour, never repeated after a lost answer."""
from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.care.owner_facts import Owner
from clinic.care.repeats import goes_once_more
from clinic.messages.mailbox import MailboxTransport
from clinic.services.accounts import hash_of
from clinic.services.delivery import Courier
from clinic.services.fresh_links import KIND, MOST_AN_HOUR, ask_for_fresh_link
from clinic.services.letters import body_of
from clinic.store.links import Link
from clinic.store.outbox import Message, MessageItem
from clinic.store.resources import Patient
from tests.my_links import BASE, new_secret
from tests.services.desk import Desk


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def ended_link(desk: Desk) -> str:
    """The secret of a link that has ended."""
    owner = Owner("course", desk.book_course())
    with desk.work() as work:
        secret = new_secret(work, owner)
    with desk.work() as work:
        work.db.execute(sa.update(Link).values(expires_at=work.now))
        work.commit()
    return secret


def ask(desk: Desk, secret: str) -> None:
    with desk.work() as work:
        ask_for_fresh_link(work, secret)


def asked(desk: Desk) -> list[Message]:
    with desk.work() as work:
        return list(work.db.scalars(
            sa.select(Message).join(MessageItem, MessageItem.message_id == Message.id)
            .where(MessageItem.kind == KIND).order_by(Message.id)))


def test_a_fresh_link_goes_to_the_address_that_is_known_when_it_leaves(desk: Desk) -> None:
    secret = ended_link(desk)
    ask(desk, secret)
    desk.set_patient(email="new@example.org")
    [waiting] = asked(desk)
    with desk.work() as work:
        assert body_of(work.db, waiting.id, now=desk.now) is None

    desk.now += timedelta(seconds=2)
    Courier(desk.work, MailboxTransport(), "w", base_url=BASE).deliver_due()

    [message] = asked(desk)
    with desk.work() as work:
        link = work.db.scalars(sa.select(Link).where(Link.message_id == message.id)).one()
        body = body_of(work.db, message.id, now=desk.now)
    assert (message.state, message.recipient, message.subject) == (
        "sent", "new@example.org", "Your new link")
    assert (link.owner_kind, link.patient_id, link.secret_hash == hash_of(secret)) == ("course", desk.patient_id, False)
    assert body is not None and "You asked for a new link" in body.text and BASE not in body.text + body.html


def test_a_german_patient_reads_german(desk: Desk) -> None:
    secret = ended_link(desk)
    desk.set_patient(language="de")
    ask(desk, secret)

    Courier(desk.work, MailboxTransport(), "w", base_url=BASE).deliver_due()

    assert asked(desk)[0].subject == "Ihr neuer Link"


def test_three_in_an_hour_are_the_most_whichever_link_asks(desk: Desk) -> None:
    secrets = [ended_link(desk), ended_link(desk)]
    for number in range(8):
        ask(desk, secrets[number % 2])

    assert len(asked(desk)) == MOST_AN_HOUR
    desk.now += timedelta(hours=1)
    ask(desk, secrets[0])
    assert len(asked(desk)) == MOST_AN_HOUR + 1


def test_nothing_is_owed_for_a_link_that_never_was_or_without_an_address(desk: Desk) -> None:
    secret = ended_link(desk)
    ask(desk, "x" * 43)
    with desk.work() as work:
        work.db.get_one(Patient, desk.patient_id).email = None
        work.commit()
    ask(desk, secret)

    assert asked(desk) == []


def test_it_is_never_repeated_after_a_lost_answer() -> None:
    assert not goes_once_more([KIND])
