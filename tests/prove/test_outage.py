"""A mail server that is away, shows a strange certificate, strips encryption, knows no password, asks for later, sends
workers away and refuses some patients: no message pays for it, nothing is said in the open, and each goes once when
all is well again."""
from __future__ import annotations

import ssl
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.mail_health import Tone, mail_health
from clinic.messages.smtp import Security, SmtpSettings, Timeouts
from clinic.queries.mail_facts import mail_facts
from clinic.services.delivery import Patience
from clinic.store.outbox import Message, MessageAttempt, MessageItem
from tests.databases import is_full
from tests.ports import kept_port
from tests.prove.mail_ledger import book, desk_of_today, entries, faults_of, unsettled
from tests.prove.mail_pack import pack, wait_until
from tests.prove.mail_worker import PACE, Place, ShiftedClock
from tests.services.desk import Desk
from tests.sink import Faults, Sink

CERTIFICATES = Path(__file__).parents[1] / "messages"
OURS, STRANGE = CERTIFICATES / "self_signed.pem", CERTIFICATES / "strange.pem"
MESSAGES, WORKERS, TRIES = (300, 4, 8) if is_full() else (10, 1, 2)
REFUSED = frozenset(f"patient-{number}@example.org" for number in range(1, MESSAGES, 5))
"""Whom the mail server does not know."""
FIRST_REST = 0.4
WAIT = timedelta(minutes=1)
PACE_OF_USUAL = replace(
    PACE, deliver=0.05, first_rest=FIRST_REST, longest_rest=4 * FIRST_REST, budget=700, lease_for=timedelta(days=10),
    patience=Patience(first_wait=WAIT, dead_after=timedelta(days=10)))
TICK = 10 if is_full() else 30
"""Seconds that pass on the workers' clock in a moment of ours."""
ON_ITS_WAY = Faults(rcpt_421=0.1, mail_421=0.1, mail_4xx=0.1, quit_421=1.0)


@dataclass(frozen=True)
class Trouble:
    """How the mail server is just now, in which step a worker notices, and what health then says of it."""

    phase: str
    says: str
    server: Mapping[str, Any] | None = field(default_factory=dict)


def context(certificate: Path) -> ssl.SSLContext:
    """A server's side of an encrypted connection."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate)
    return made


WELL = {"starttls": context(OURS), "password": "right"}
TROUBLES = (
    Trouble("connect", "Connection refused", None),
    Trouble("tls", "CERTIFICATE_VERIFY_FAILED", WELL | {"starttls": context(STRANGE)}),
    Trouble("tls", "STARTTLS extension not supported", {"password": "right"}),
    Trouble("auth", "535 not with this password", WELL | {"password": "another"}),
)


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """A clinic without quiet hours, whose confirmations are due."""
    with desk_of_today(database_url) as found:
        book(found, MESSAGES)
        yield found


@pytest.fixture
def port() -> Iterator[int]:
    """Where the mail server is, when it is there."""
    with kept_port() as kept:
        yield kept


@pytest.mark.prove
def test_an_outage_of_any_kind_costs_no_message_and_when_it_is_over_each_goes_once(
    desk: Desk, database_url: str, port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock, log, waits = ShiftedClock(tmp_path / "clock"), tmp_path / "sink.log", dict[int, timedelta]()
    log.touch()
    clock.set(0)
    server = partial(Sink, log, port=port)
    smtp = SmtpSettings("localhost", port, Security.STARTTLS, "clinic", "right", ca_file=OURS,
                        timeouts=Timeouts(connect=10, command=10, data=10, dot=10))
    met: Counter[str] = Counter()

    with pack(Place(database_url, port, PACE_OF_USUAL, clock=clock, smtp=smtp)) as workers:
        workers.start(WORKERS)
        for trouble in TROUBLES:
            with nullcontext() if trouble.server is None else server(**trouble.server) as sink:
                met[trouble.phase] += meet(desk, trouble, clock)
                said_in_the_open = [] if sink is None else sink.commands
            if trouble.phase == "tls":
                assert {command.split()[0].upper() for command in said_in_the_open} <= {"EHLO", "STARTTLS", "QUIT"}
            assert most_attempts(desk) == 0
        with server(ON_ITS_WAY, seed=8, greylists=True, nobody=REFUSED, **WELL) as sink:
            wait_until(partial(all_settled, desk, clock, waits), every=0.05)
            wait_until(lambda: not ill(desk, clock))
            statuses = workers.stop()
            met.update({name: sink.counts[name] for name in (
                "greylisted", "mail_421", "rcpt_421", "mail_4xx", "quit_421")})
        accepted = sink.accepted()

    found = entries(desk)
    with capsys.disabled():
        sys.stdout.write(f"\n{desk.engine.dialect.name}: {MESSAGES} messages, {WORKERS} workers; met "
                         + ", ".join(f"{count} {name}" for name, count in met.items())
                         + f"; {dict(Counter(row.state for row in found))}, {len(accepted)} accepted\n")
    assert faults_of(found, accepted) == []
    assert Counter(each.message_id for each in accepted) == {
        row.message_id: 1 for row in found if row.state == "sent"}
    assert {row.state: row.reason for row in found} == {
        "sent": None, "failed": "the mail server said: 550 5.1.1 nobody of that name"}
    assert {each.recipient for each in accepted} & REFUSED == set()
    assert paid_for(desk) == []
    assert len(set(waits.values())) > min(len(waits) / 2, 10)  # of whole seconds half a minute has thirty
    assert [wait for wait in waits.values() if not 0.74 * WAIT <= wait <= 1.26 * WAIT] == []
    assert set(statuses) == {0}


def meet(desk: Desk, trouble: Trouble, clock: ShiftedClock) -> int:
    """Every worker meets it several times, but none in a hurry; after more than ten minutes health asks for a person
    and says what it is. How often it was met."""
    before, begun = tries(desk, trouble.phase), time.monotonic()
    wait_until(lambda: sum(count >= TRIES for count in (tries(desk, trouble.phase) - before).values()) >= WORKERS)
    clock.set(max(clock.shift, 660))
    wait_until(lambda: trouble.says in ill(desk, clock).get("trouble", ""))
    found = tries(desk, trouble.phase) - before
    took = time.monotonic() - begun
    assert [count for count in found.values() if (count - 1) * 0.75 * FIRST_REST > took] == []
    return found.total()


def tries(desk: Desk, phase: str) -> Counter[str]:
    """How often each worker has noted the end of a delivery in that phase."""
    with Session(desk.engine) as db:
        return Counter(dict(db.execute(
            sa.select(MessageAttempt.worker_id, sa.func.count()).where(MessageAttempt.phase == phase)
            .group_by(MessageAttempt.worker_id)).all()))  # type: ignore[arg-type]  # rows of two


def ill(desk: Desk, clock: ShiftedClock) -> dict[str, str]:
    """What the page of health calls bad, of what has to do with the mail server."""
    with Session(desk.engine) as db:
        return {check.code: check.text for check in mail_health(mail_facts(db, now=clock()), now=clock())
                if check.tone is Tone.BAD and check.code in ("trouble", "due", "workers")}


def most_attempts(desk: Desk) -> int:
    """How many attempts a message that waits has used up at most."""
    with Session(desk.engine) as db:
        return db.scalar(sa.select(sa.func.max(Message.attempts)).where(Message.state == "pending")) or 0


def all_settled(desk: Desk, clock: ShiftedClock, waits: dict[int, timedelta]) -> bool:
    """Lets time pass, and keeps how long whatever was asked for later waits; whether nothing is under way any more."""
    latest = sa.select(sa.func.max(MessageAttempt.id)).where(
        MessageAttempt.message_id == Message.id).correlate(Message).scalar_subquery()
    with Session(desk.engine) as db:
        for ident, due_at, at in db.execute(
            sa.select(Message.id, Message.due_at, MessageAttempt.at)
            .join(MessageAttempt, MessageAttempt.id == latest)
            .where(Message.state == "pending", MessageAttempt.phase == "rcpt", Message.attempts == 1)
        ):
            waits[ident] = due_at - at
    if not unsettled(desk):
        return True
    clock.set(clock.shift + TICK)
    return False


def paid_for(desk: Desk) -> list[int]:
    """The messages that paid with an attempt for what had nothing to do with them: before their patient was named."""
    named = sa.select(sa.func.count()).where(
        MessageAttempt.message_id == Message.id, MessageAttempt.phase.in_(("rcpt", "data", "dot")),
    ).correlate(Message).scalar_subquery()
    of_confirmations = sa.select(Message.id).join(MessageItem).where(MessageItem.kind == "confirmation")
    with Session(desk.engine) as db:
        return list(db.scalars(of_confirmations.where(Message.attempts > named)))
