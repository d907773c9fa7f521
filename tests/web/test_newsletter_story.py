"""A reader's story over real SMTP: asked, confirmed, read, stopped by one click; the mail server saw exactly that."""
from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.messages.smtp import Security, SmtpSettings, SmtpTransport
from clinic.services.delivery import Courier
from clinic.services.mail import switch_mail_on
from clinic.services.publishing import publish
from clinic.services.work import Actor
from clinic.store.newsletter import Subscriber
from clinic.store.outbox import Message
from tests.services.newsroom import secret_in
from tests.sink import Sink
from tests.web.conftest import SignedIn, post
from tests.web.test_newsletter import EDITION, SIGN_UP

ANA = "ana@home.example"


def test_from_the_sign_up_to_the_stop_the_mail_server_takes_what_was_agreed_to_and_no_more(
    client: FlaskClient, signed_in: SignedIn, kit: Kit, rows: Callable[[], Session], tmp_path: Path
) -> None:
    manager = signed_in(Role.MANAGER)
    with kit.work(Actor("test")) as work:
        switch_mail_on(work)
    with Sink(tmp_path / "sink.log") as sink:
        courier = Courier(lambda: kit.work(Actor("worker")),
                          SmtpTransport(SmtpSettings("127.0.0.1", sink.port, Security.NONE)), "w",
                          base_url="http://localhost")

        def sent() -> list[str]:
            with kit.work(Actor("worker")) as work:
                publish(work)
            courier.deliver_due()
            return [each.recipient for each in sink.accepted()]

        def newest() -> bytes:
            with rows() as db:
                mime = db.scalars(sa.select(Message.mime).order_by(Message.id.desc()).limit(1)).one()
            assert mime is not None
            assert hashlib.sha256(mime).hexdigest() == sink.accepted()[-1].sha256
            return mime

        def edition(number: int) -> None:
            post(manager, "/setup/newsletter", {**EDITION, "de-subject": "Frühling", "de-0-text": "Samstags offen."})
            count = "1" if number == 1 else "0"
            post(manager, f"/setup/newsletter/{number}/approve", {"count": count, "lock_version": "1", "when": "now"})

        post(client, "/newsletter", SIGN_UP)
        assert sent() == [ANA]
        question = secret_in(newest())
        client.get(f"/newsletter/opt-in/{question}")  # whoever looks for viruses in links looks, and nothing happens
        assert state_of(rows) == "asked"
        post(client, f"/newsletter/opt-in/{question}")
        assert state_of(rows) == "subscribed"
        edition(1)
        assert sent() == [ANA, ANA]
        machine = client.application.test_client(use_cookies=False)
        machine.post(f"/newsletter/stop/{secret_in(newest())}", data={"List-Unsubscribe": "One-Click"})
        assert state_of(rows) == "stopped"
        edition(2)
        assert sent() == [ANA, ANA]


def state_of(rows: Callable[[], Session]) -> str:
    """How the only reader stands."""
    with rows() as db:
        return db.scalars(sa.select(Subscriber.state)).one()
