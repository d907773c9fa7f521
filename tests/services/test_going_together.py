"""One person's messages within an hour go in one e-mail; a day has a limit that nothing which keeps safe waits for."""
from __future__ import annotations

import email.policy
import re
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.messages.mailbox import MailboxTransport
from clinic.messages.transport import BeforeDot, Outcome, OutcomeKind, Phase
from clinic.services.accounts import hash_of
from clinic.services.delivery import Courier
from clinic.services.reconcile import Owner, reconcile, reconcile_patient
from clinic.store.clinics import Clinic
from clinic.store.links import Link
from clinic.store.outbox import Bounce, Message, MessageItem, WorkerRow
from tests.services.desk import NOW, Desk, Line

SOON, LATER = (date(2027, 5, 20),), (date(2027, 6, 20),)


class Busy(MailboxTransport):
    """A mail server that puts every recipient off."""

    def deliver(self, sender: str, recipient: str, mime: bytes, *, before_dot: BeforeDot) -> Outcome:
        return Outcome(OutcomeKind.RETRY, Phase.RCPT, 451, "later")


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def deliver(desk: Desk, transport: MailboxTransport | None = None, *, base_url: str | None = None) -> None:
    with desk.work() as work:
        work.db.merge(WorkerRow(id="w", host="test", started_at=desk.now, heartbeat_at=desk.now))
        work.commit()
    Courier(desk.work, transport or MailboxTransport(), "w", jitter=lambda: 0.5, base_url=base_url).deliver_due()


def sent(desk: Desk) -> list[tuple[str, list[str], str]]:
    """What was sent: subject, the kinds in it, its text."""
    with desk.work() as work:
        rows = work.db.scalars(sa.select(Message).where(Message.state == "sent").order_by(Message.settled_at,
                                                                                          Message.id)).all()
        return [(row.subject or "", list(work.db.scalars(
            sa.select(MessageItem.kind).where(MessageItem.message_id == row.id, MessageItem.dropped.is_(None))
            .order_by(MessageItem.id))), text_of(row.mime or b"")) for row in rows]


def text_of(mime: bytes) -> str:
    mail = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(mime)
    body = mail.get_body(("plain",))
    return body.get_content() if body else ""


def test_two_courses_of_one_patient_are_confirmed_in_one_e_mail_and_told_each_with_a_link_of_its_own(
    desk: Desk
) -> None:
    first, second = desk.book_course(SOON), desk.book_course(LATER)
    desk.wait(minutes=3)

    deliver(desk, base_url="https://clinic.example")

    [(subject, kinds, text)] = sent(desk)
    assert (subject, kinds) == ("Your appointment on Thursday 20 May at 10:00", ["confirmation", "confirmation"])
    assert ("Thursday 20 May 2027" in text, "Sunday 20 June 2027" in text) == (True, True)
    with desk.work() as work:
        links = {row.secret_hash: row.owner_id for row in work.db.scalars(sa.select(Link))}
    secrets = re.findall(r"https://clinic\.example/l/([\w-]{43})", text)
    assert [links[hash_of(secret)] for secret in secrets] == [first, second]
    for course_id in (first, second):
        with desk.work() as work:
            reconcile(work, Owner("course", course_id))
            work.commit()
    assert [line.state for line in desk.lines("confirmation")] == ["sent", "sent"]


def test_patients_who_share_an_address_get_a_letter_each_by_their_first_name_only(desk: Desk) -> None:
    other = desk.new_patient("maria@example.org")
    desk.set_patient(given_name="Ana")
    desk.book_course(SOON)
    desk.book_course(LATER, patient_id=other)
    desk.wait(minutes=3)

    deliver(desk)

    texts = [text for _, _, text in sent(desk)]
    assert [text.splitlines()[0] for text in texts] == ["Hello Ana,", "Hello Maria,"]
    assert [("20 May" in text, "20 June" in text, "Silva" in text) for text in texts] == [
        (True, False, False), (False, True, False)]


def test_what_may_still_be_taken_back_is_not_taken_along(desk: Desk) -> None:
    desk.book_course(SOON)
    desk.wait(minutes=2)
    desk.book_course(LATER)
    desk.wait(minutes=1)

    deliver(desk)

    assert [kinds for _, kinds, _ in sent(desk)] == [["confirmation"]]
    assert [line.due_at for line in desk.lines(live=True)][0] == NOW + timedelta(minutes=5)


def test_preparation_for_a_visit_booked_late_is_folded_into_its_confirmation(desk: Desk) -> None:
    desk.book_course((date(2027, 3, 4),))
    desk.wait(minutes=3)

    deliver(desk)

    assert [kinds for _, kinds, _ in sent(desk)] == [["confirmation", "precare"]]
    assert [line.kind for line in desk.lines(live=True)] == []


def test_a_part_that_is_not_true_any_more_is_left_out_of_what_was_not_sent_yet(desk: Desk) -> None:
    first = desk.book_course(SOON)
    desk.book_course(LATER)
    desk.wait(minutes=3)
    deliver(desk, Busy())
    before = desk.message("confirmation")
    desk.cancel(desk.appointment_ids(first)[0])
    desk.wait(hours=1)

    deliver(desk)

    [(_, kinds, text)] = sent(desk)
    assert (kinds, "20 May" in text, "20 June" in text) == (["confirmation"], False, True)
    assert desk.message("confirmation").message_id != before.message_id
    assert desk.lines("confirmation", live=True) == []


def test_a_part_that_is_owed_again_after_it_was_left_out_is_said_by_a_message_of_its_own(desk: Desk) -> None:
    first = desk.book_course(SOON)
    desk.book_course(LATER)
    desk.wait(minutes=3)
    deliver(desk, Busy())
    desk.set_course(first, state="on-hold")
    desk.set_course(first, state="active")
    desk.wait(hours=1)

    deliver(desk)

    said = "\n".join(text for _, _, text in sent(desk))
    assert (said.count("20 May 2027"), said.count("20 June 2027")) == (1, 1)


def test_a_day_that_has_had_enough_leaves_the_rest_for_the_morning_but_not_what_keeps_safe(desk: Desk) -> None:
    with desk.work() as work:
        work.db.get_one(Clinic, 1).most_messages_a_day = 1
        work.commit()
    course_id = desk.book_course((date(2027, 3, 20), date(2027, 6, 20)))
    desk.now = datetime(2027, 3, 13, 9, tzinfo=UTC)
    deliver(desk)
    desk.now = datetime(2027, 3, 20, 11, tzinfo=UTC)
    desk.complete(desk.appointment_ids(course_id)[0])
    deliver(desk)
    other = desk.book_course(LATER)
    desk.wait(minutes=3)

    deliver(desk)

    assert [sorted(kinds) for _, kinds, _ in sent(desk)] == [["confirmation", "precare", "reminder-7d"], ["aftercare"]]
    with desk.work() as work:
        reconcile(work, Owner("course", other))
        work.commit()
    assert desk.lines("confirmation", live=True) == [
        Line("confirmation", "pending", datetime(2027, 3, 21, 9, tzinfo=UTC))]


def test_an_address_that_gives_messages_back_gets_none_until_somebody_lifts_that(desk: Desk) -> None:
    desk.book_course(SOON)
    with desk.work() as work:
        work.db.add(Bounce(message_id=desk.message("confirmation").id, email="maria@example.org", at=desk.now,
                           is_hard=True, status="5.1.1", digest="a"))
        work.commit()
    desk.wait(minutes=3)
    deliver(desk)
    blocked = desk.lines("confirmation")

    with desk.work() as work:
        bounce = work.db.scalars(sa.select(Bounce)).one()
        bounce.lifted_at = desk.now
        work.db.flush()
        reconcile_patient(work, desk.patient_id)
        work.commit()
    deliver(desk)

    assert [(line.state, line.reason) for line in blocked] == [("withheld", "e-mails to this address came back")]
    assert [kinds for _, kinds, _ in sent(desk)] == [["confirmation"]]


def test_who_wants_no_reminders_still_hears_of_their_dates_and_how_to_prepare(desk: Desk) -> None:
    desk.set_patient(wants_reminders=False)

    desk.book_course((date(2027, 3, 20),))

    assert {(line.kind, line.state, line.reason) for line in desk.lines()} == {
        ("confirmation", "pending", None), ("precare", "pending", None),
        ("reminder-7d", "withheld", "does not want reminders"), ("reminder-2d", "withheld", "does not want reminders")}
