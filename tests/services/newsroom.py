"""A clinic with a newsletter: readers, editions, and a mail server of the test's own."""
from __future__ import annotations

import email.policy
import re
from email.message import EmailMessage
from email.parser import BytesParser

import sqlalchemy as sa

from clinic.care.newsletter import Block, Content
from clinic.services.delivery import Courier
from clinic.services.editions import Draft, approve_edition, begin_edition
from clinic.services.work import Actor, Done, UnitOfWork
from clinic.store.accounts import Account, AccountRole
from clinic.store.newsletter import Subscriber
from clinic.store.outbox import Message, MessageItem
from tests.services.desk import NOW, Desk
from tests.services.test_delivery import Scripted

BASE = "https://clinic.example"
SECRET = re.compile(r"/newsletter/(?:opt-in|stop)/([A-Za-z0-9_-]{20,})")
ENGLISH = Content("en", "Spring at Alvor", (Block("New hours", "We open on Saturdays.\n\nFrom nine to one."),
                                            Block("Sun", "Wear a hat.", "More", "https://alvor.example/sun")))
GERMAN = Content("de", "Frühling in Alvor", (Block("Neue Zeiten", "Wir öffnen am Samstag."),))


class Newsroom(Desk):
    """The desk, with a manager's account."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(engine)
        with self.work() as work:
            account = Account(email="manager@alvor.example", name="Rui", password_hash="-", created_at=NOW)
            work.db.add(account)
            work.db.flush()
            work.db.add(AccountRole(account_id=account.id, clinic_id=1, role="manager"))
            work.commit()
            self.account_id = account.id

    def at_work(self) -> UnitOfWork:
        """A unit of work of the manager."""
        return UnitOfWork(self.engine, lambda: self.now, Actor("account", self.account_id))

    def readers(
        self, number: int, *, language: str = "en", interests: tuple[str, ...] = (), first: int = 0
    ) -> list[int]:
        """So many who have confirmed."""
        with self.work() as work:
            rows = [Subscriber(email=f"reader{first + each}@home.example", language=language, interests=list(interests),
                               state="subscribed", asked_at=NOW, consented_at=NOW, consent_source="page",
                               consent_wording="1: Send it.") for each in range(number)]
            work.db.add_all(rows)
            work.commit()
            return [row.id for row in rows]

    def edition(self, *contents: Content, interests: tuple[str, ...] = ()) -> int:
        """A draft."""
        with self.at_work() as work:
            outcome = begin_edition(work, 1, Draft("Spring", interests, contents or (ENGLISH, GERMAN)))
        assert isinstance(outcome, Done)
        return outcome.value

    def approved(self, count: int, **more: tuple[str, ...]) -> int:
        """An edition that may go out now."""
        edition_id = self.edition(**more)
        with self.at_work() as work:
            outcome = approve_edition(work, edition_id, send_at=self.now, count=count, lock_version=1)
        assert outcome == Done(count)
        return edition_id

    def deliver(self, transport: Scripted, most: int = 500) -> int:
        """A round of deliveries; how many messages were dealt with."""
        return Courier(self.work, transport, "worker-1", base_url=BASE).deliver_due(most).done

    def states(self, kind: str) -> dict[str, int]:
        """The messages of a kind by their state."""
        with self.work() as work:
            return dict(work.db.execute(
                sa.select(Message.state, sa.func.count()).join(MessageItem, MessageItem.message_id == Message.id)
                .where(MessageItem.kind == kind).group_by(Message.state)).all())

    def reader(self, email: str) -> Subscriber:
        """The row of an address."""
        with self.work() as work:
            return work.db.scalars(sa.select(Subscriber).where(Subscriber.email == email)).one()


def secret_in(mime: bytes) -> str:
    """The secret of the first link of ours in a message."""
    mail = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(mime)
    body = mail.get_body(("plain",))
    found = SECRET.search(body.get_content() if body is not None else "")
    assert found is not None
    return found[1]
