"""Messages that no one can deliver stand at the head of the queue: each is set aside and shown with its reason, and all
others leave as if it were not there."""
from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.clock import system_clock
from clinic.messages.smtp import Timeouts
from clinic.messages.transport import BeforeDot, Outcome, Transport
from clinic.queries.people_to_tell import people_to_tell
from clinic.store.outbox import Message, MessageItem
from clinic.store.resources import Patient
from tests.databases import is_full
from tests.prove.mail_ledger import book, desk_of_today, entries, faults_of, unsettled
from tests.prove.mail_pack import pack, wait_until
from tests.prove.mail_worker import PACE, PATIENCE, Place
from tests.services.desk import Desk
from tests.sink import Sink

OTHERS, WORKERS, ATTEMPTS, LEASE = (500, 4, 8, 20) if is_full() else (12, 2, 2, 8)
"""The lease, in seconds, is as long as a hang lasts at least; half of it is for the answer to the dot."""
PATIENT = replace(PATIENCE, most_attempts=ATTEMPTS)
PLACE = Place("", 0, replace(PACE, patience=PATIENT, budget=LEASE / 2, lease_for=timedelta(seconds=LEASE)),
              Timeouts(connect=LEASE / 4, command=LEASE / 4, data=LEASE / 4, dot=LEASE / 2))
NOBODY = "refused@example.org"


class Poisoned:
    """A mail transport in which two messages meet a fault of our own: one ends the process, one never comes back."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    def connection(self) -> AbstractContextManager[None]:
        return self._inner.connection()

    def deliver(self, sender: str, recipient: str, mime: bytes, *, before_dot: BeforeDot) -> Outcome:
        if recipient.startswith("ends@"):
            os._exit(1)
        if recipient.startswith("hangs@"):
            threading.Event().wait()
        return self._inner.deliver(sender, recipient, mime, before_dot=before_dot)


SET_ASIDE = {
    "raises@example.org": ("failed", "our own fault: ValueError"),
    "ends@example.org": ("failed", f"no worker survived it in {ATTEMPTS} attempts"),
    "hangs@example.org": ("failed", f"no worker survived it in {ATTEMPTS} attempts"),
    "no address at all": ("withheld", "An e-mail address has the form name@example.org."),
    NOBODY: ("failed", "the mail server said: 550 5.1.1 nobody of that name"),
}
"""Whose message ends how, and with which words for staff."""
HUGE = "huge@example.org"


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """A clinic without quiet hours."""
    with desk_of_today(database_url) as found:
        yield found


@pytest.mark.prove
def test_what_no_one_can_deliver_is_set_aside_and_shown_and_holds_up_no_other(
    desk: Desk, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = replace(PLACE, url=database_url, office=Poisoned)
    undisturbed = 0.0
    with Sink(tmp_path / "sink.log", nobody={NOBODY}) as sink:
        place = replace(place, port=sink.port)
        if is_full():
            book(desk, OTHERS)
            undisturbed = seconds_of(desk, place)
        book_poison(desk)
        first = len(entries(desk))
        book(desk, OTHERS)
        others = {row.id for row in entries(desk)[first:]}
        begun = time.monotonic()
        with pack(place) as workers:
            workers.start(WORKERS)
            wait_until(lambda: workers.revive() >= 0 and not others & set(unsettled(desk)))
            took = time.monotonic() - begun
            waiting = len(unsettled(desk))
            wait_until(lambda: workers.revive() >= 0 and not unsettled(desk))
            statuses = workers.stop()
        accepted = sink.accepted()

    with capsys.disabled():
        sys.stdout.write(
            f"\n{desk.engine.dialect.name}: {OTHERS} messages behind {len(SET_ASIDE) + 1} of poison in {took:.1f} s"
            + (f", alone in {undisturbed:.1f} s" if undisturbed else "") + f"; {waiting} of the poison still waited\n")
    ended = ends(desk)
    assert {email: ended[email] for email in SET_ASIDE} == SET_ASIDE
    assert ended[HUGE] == ("sent", None)
    assert faults_of([row for row in entries(desk) if row.state != "withheld"], accepted) == []
    assert {row.state for row in entries(desk) if row.id in others} == {"sent"}
    assert told(desk) == set(SET_ASIDE)
    assert set(statuses) == {0}
    if is_full():  # so few are soon through, and on a busy machine the time is that of workers which start anew
        assert took < 2 * undisturbed
        assert waiting >= 1


def book_poison(desk: Desk) -> None:
    """A course of one visit for each of them; one cannot be written at all, one is written to by a name of 1 MB."""
    names = {"raises@example.org": "Jo\nhn", HUGE: "x" * 1_000_000}
    for email in (*SET_ASIDE, HUGE):
        patient_id = desk.new_patient(email)
        with desk.work() as work:
            work.db.get_one(Patient, patient_id).given_name = names.get(email, "Maria")
            work.commit()
        desk.book_course((desk.now.date() + timedelta(days=60),), patient_id=patient_id)


def seconds_of(desk: Desk, place: Place) -> float:
    """How long the same workers take for as many messages with no poison among them."""
    begun = time.monotonic()
    with pack(place) as workers:
        workers.start(WORKERS)
        wait_until(lambda: not unsettled(desk))
        took = time.monotonic() - begun
        workers.stop()
    return took


def ends(desk: Desk) -> dict[str | None, tuple[str, str | None]]:
    """How each patient's confirmation stands."""
    with Session(desk.engine) as db:
        return {row.email: (row.state, row.reason) for row in db.execute(
            sa.select(Patient.__table__.c.email, Message.state, Message.reason)
            .join(MessageItem, MessageItem.message_id == Message.id)
            .join(Patient.__table__, Patient.__table__.c.id == Message.patient_id)
            .where(MessageItem.kind == "confirmation"))}


def told(desk: Desk) -> set[str | None]:
    """Who stands on the list of people whom a person has to tell."""
    with Session(desk.engine) as db:
        return {person.email for person in people_to_tell(db, 1, now=system_clock()).rows}
