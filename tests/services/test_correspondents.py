"""Messages to others than patients in care go through the same outbox, answered for by their own correspondent."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.priority import priority_of
from clinic.care.repeats import goes_once_more
from clinic.care.states import MessageState
from clinic.services.correspondence import Answer, Goes, Stays, Waits
from clinic.services.delivery import Courier
from clinic.services.letters import Written
from clinic.services.work import UnitOfWork
from clinic.store.newsletter import Subscriber
from clinic.store.outbox import Message, MessageItem
from tests.services.desk import NOW, Desk
from tests.services.test_delivery import LOST, Scripted

LETTER = b"From: ola@alvor.example\r\nTo: ana@home.example\r\nSubject: News\r\n\r\nNews.\r\n"


@dataclass
class Newsagent:
    """Answers what a test wants, and remembers what it was asked for."""

    says: Answer = Goes("ana@home.example")
    written: list[str] = field(default_factory=list)

    def lock(self, db: Session, owner_id: int) -> bool:
        return db.scalar(sa.select(Subscriber.id).where(Subscriber.id == owner_id).with_for_update()) is not None

    def answer(self, work: UnitOfWork, message: Message, items: Sequence[MessageItem]) -> Answer:
        return self.says

    def write(
        self, work: UnitOfWork, message: Message, items: Sequence[MessageItem], *, identity: str, base_url: str | None
    ) -> Written:
        self.written.append(identity)
        items[0].facts = {"told": "news"}
        return Written("<1@alvor.example>", "ola@alvor.example", "ana@home.example", "News", LETTER)


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def subscribed(desk: Desk, *, kind: str = "newsletter", due_at: datetime = NOW) -> int:
    """A message to a subscriber that is due."""
    with desk.work() as work:
        row = Subscriber(email="ana@home.example", state="subscribed", asked_at=NOW, consented_at=NOW,
                         consent_source="page", consent_wording="Send me news.")
        work.db.add(row)
        work.db.flush()
        message = Message(subscriber_id=row.id, clinic_id=1, state="pending", due_at=due_at, created_at=NOW,
                          useless_after=NOW + timedelta(days=1))
        work.db.add(message)
        work.db.flush()
        work.db.add(MessageItem(message_id=message.id, kind=kind, owner_kind="subscriber", owner_id=row.id,
                                subject_kind="subscriber", subject_id=row.id))
        work.commit()
        return message.id


def sent(desk: Desk, newsagent: Newsagent, transport: Scripted) -> Message:
    """The one message after a round of deliveries."""
    courier = replace(Courier(desk.work, transport, "worker-1"), correspondents={"subscriber": newsagent})
    courier.deliver_due()
    with desk.work() as work:
        return work.db.scalars(sa.select(Message)).one()


def test_a_message_to_a_subscriber_goes_to_the_address_its_correspondent_names(desk: Desk) -> None:
    subscribed(desk)
    newsagent, transport = Newsagent(), Scripted()

    message = sent(desk, newsagent, transport)

    assert (message.state, message.recipient, message.attempts) == ("sent", "ana@home.example", 1)
    assert transport.taken == [LETTER]
    assert len(newsagent.written) == 1 and newsagent.written[0].startswith("newsletter/subscriber/")


@pytest.mark.parametrize("state", [MessageState.SUPERSEDED, MessageState.WITHHELD])
def test_what_its_correspondent_keeps_back_is_settled_with_the_reason(desk: Desk, state: MessageState) -> None:
    subscribed(desk)

    message = sent(desk, Newsagent(Stays(state, "they stopped the newsletter")), Scripted())

    assert (message.state, message.reason) == (state.value, "they stopped the newsletter")


def test_what_its_correspondent_puts_off_waits_without_using_an_attempt(desk: Desk) -> None:
    subscribed(desk)

    message = sent(desk, Newsagent(Waits(NOW + timedelta(hours=3))), Scripted())

    assert (message.state, message.attempts) == ("pending", 0)
    assert message.due_at == NOW + timedelta(hours=3)


def test_an_owner_that_is_gone_is_not_written_to(desk: Desk) -> None:
    message_id = subscribed(desk)
    with desk.work() as work:
        work.db.execute(sa.update(MessageItem).where(MessageItem.message_id == message_id).values(owner_id=999))
        work.commit()

    message = sent(desk, Newsagent(), Scripted())

    assert (message.state, message.reason) == ("superseded", "no longer true")


def test_an_address_that_cannot_be_right_is_withheld(desk: Desk) -> None:
    subscribed(desk)

    message = sent(desk, Newsagent(Goes("ana at home")), Scripted())

    assert message.state == "withheld"


@pytest.mark.parametrize(("kind", "state"), [("newsletter", "uncertain"), ("digest", "pending")])
def test_an_invitation_is_never_repeated_after_a_lost_answer(desk: Desk, kind: str, state: str) -> None:
    subscribed(desk, kind=kind)

    message = sent(desk, Newsagent(), Scripted(LOST))

    assert message.state == state


def test_what_is_said_in_somebodys_care_is_repeated_and_what_nobody_decided_about_is_not() -> None:
    assert goes_once_more(["reminder-2d", "change"])
    assert not goes_once_more(["reminder-2d", "unheard-of"])
    assert not goes_once_more(["review-request"])


def test_what_keeps_safe_comes_before_service_and_service_before_news() -> None:
    asked = (["edition"], ["reminder-2d"], ["reminder-2d", "change"], ["digest"], [])
    assert [priority_of(kinds).name for kinds in asked] == ["NEWS", "SERVICE", "SAFETY", "SERVICE", "SERVICE"]
