"""Reports of mail systems act once, on the address that they are about, and only if they prove it."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.care.states import ContactOutcome
from clinic.messages.return_path import ReturnPath
from clinic.messages.transport import BeforeDot, Outcome, OutcomeKind, Phase
from clinic.queries.people_to_tell import people_to_tell
from clinic.services.bounces import MOST_OF_A_MESSAGE, Taken, take_report, write_again
from clinic.services.decisions import note_contact
from clinic.services.delivery import Courier
from clinic.services.patients import PatientDetails, edit_patient
from clinic.services.publishing import publish
from clinic.services.reconcile import sweep
from clinic.services.work import Actor, Done, UnitOfWork
from clinic.store.accounts import Account, Task
from clinic.store.outbox import Bounce, Message
from clinic.store.resources import Patient
from tests.interchange.bounce_samples import report
from tests.services.desk import Desk
from tests.services.newsroom import Newsroom
from tests.services.test_delivery import Scripted

PATHS = ReturnPath("returned@alvor.example", "a secret of this installation, long enough")
MARIA = "maria@example.org"
SOON = (date(2027, 5, 20),)
DEAD = "e-mails to this address came back"


class Noting(Scripted):
    """Takes everything, and notes from whom it came."""

    def __init__(self) -> None:
        super().__init__()
        self.senders: list[str] = []

    def deliver(self, sender: str, recipient: str, mime: bytes, *, before_dot: BeforeDot) -> Outcome:
        self.senders.append(sender)
        return super().deliver(sender, recipient, mime, before_dot=before_dot)


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def deliver(desk: Desk, return_path: ReturnPath | None = PATHS) -> list[str]:
    """Everything that is due leaves; the senders on the envelopes."""
    transport = Noting()
    Courier(desk.work, transport, "worker-1", return_path=return_path).deliver_due()
    return transport.senders


def confirmed(desk: Desk, return_path: ReturnPath | None = PATHS, **facts: int) -> Message:
    """The confirmation of a new course, which has just left."""
    desk.book_course(SOON, **facts)
    desk.wait(minutes=4)
    deliver(desk, return_path)
    return desk.message("confirmation")


def taken(desk: Desk, data: bytes) -> Taken:
    with desk.work() as work:
        return take_report(work, data)


def about(message: Message, name: str = "postfix unknown", *, own_id: str = "1", to: str | None = None) -> bytes:
    """A report about a message as its own mail server would write it."""
    return report(name, to or message.recipient or "", message_id=message.message_id or "",
                  return_path=message.sender or "", own_id=own_id)


def bounces(desk: Desk) -> list[tuple[str, bool, bool, str, bool]]:
    with desk.work() as work:
        return [(row.email, row.is_final, row.is_hard, row.status, row.lifted_at is not None)
                for row in work.db.scalars(sa.select(Bounce).order_by(Bounce.id))]


def tasks(desk: Desk) -> list[tuple[int, str, bool]]:
    with desk.work() as work:
        return [(row.patient_id, row.text, row.done_at is not None) for row in work.db.scalars(
            sa.select(Task).where(Task.kind == "bounce").order_by(Task.id))]


def to_tell(desk: Desk) -> list[tuple[str, str | None]]:
    with desk.work() as work:
        page = people_to_tell(work.db, 1, now=desk.now)
        return [(kind, each.reason) for person in page.rows for each in person.messages for kind in each.kinds]


@pytest.mark.parametrize(("said", "is_dead"), [
    ("5.1.1 <maria@example.org>: no such user here", True), ("mailbox unavailable", True),
    ("5.7.1 our mail is not wanted there", False), ("not today", False)])
def test_an_address_that_a_mail_server_refuses_to_our_face_is_as_dead(desk: Desk, said: str, is_dead: bool) -> None:
    desk.book_course(SOON)
    desk.wait(minutes=4)

    refused = Outcome(OutcomeKind.FAILED, Phase.RCPT, 550, said)
    Courier(desk.work, Scripted(refused), "worker-1").deliver_due()

    assert (desk.message("confirmation").state, desk.message("confirmation").reason) == (
        "failed", f"the mail server said: 550 {said}")
    assert [hard for _, _, hard, _, _ in bounces(desk)] == [True] * is_dead
    assert len(tasks(desk)) == is_dead
    others = {line.state for line in desk.lines() if line.kind != "confirmation"}
    assert others == ({"withheld"} if is_dead else {"pending"})


def test_a_dead_address_is_dead_for_everybody_who_has_it_and_acts_once(desk: Desk) -> None:
    other = desk.new_patient(MARIA.upper())
    desk.book_course(SOON, patient_id=other)
    message = confirmed(desk)
    data = about(message)

    answers = [taken(desk, data), taken(desk, data), taken(desk, b"Received: again\n" + data.replace(b"\n", b"\r\n"))]

    assert answers == [Taken.KEPT, Taken.KNOWN, Taken.KNOWN]
    assert bounces(desk) == [(MARIA, True, True, "5.1.1", False)]
    assert tasks(desk) == [(desk.patient_id, f"E-mails to {MARIA} come back: there is no such mailbox. Ask for the "
                            "right address.", False)]
    assert {(line.state, line.reason) for line in desk.lines() if line.state not in ("sent", "failed")} == {
        ("withheld", DEAD)}
    assert [line.reason for line in desk.lines("confirmation") if line.state == "failed"] == [
        "it came back (there is no such mailbox)"]
    assert ("confirmation", "it came back (there is no such mailbox)") in to_tell(desk)


def test_a_message_has_a_return_path_of_its_own_and_without_one_its_message_id_must_fit(desk: Desk) -> None:
    own = confirmed(desk)
    plain = confirmed(desk, None, patient_id=desk.new_patient("eva@example.org"))
    senders = deliver(desk)
    forwarded = about(own, to="somewhere@else.example").replace((own.message_id or "").encode(), b"<lost@x>")

    assert (own.sender, plain.sender, senders) == (PATHS.of(own.id, own.message_id or ""), "ola@alvor.example", [])
    assert (taken(desk, forwarded), taken(desk, about(plain))) == (Taken.KEPT, Taken.KEPT)
    assert [email for email, *_ in bounces(desk)] == [MARIA, "eva@example.org"]


def test_what_is_forged_changes_nothing(desk: Desk) -> None:
    own = confirmed(desk)
    plain = confirmed(desk, None, patient_id=desk.new_patient("eva@example.org"))
    sender = own.sender or ""
    waiting = desk.message("precare", patient_id=desk.patient_id)
    told = report(to=MARIA, message_id=own.message_id or "", return_path=sender)
    before = desk.lines()
    forged = [
        told.replace(sender.encode(), sender.replace(sender[-20], "a" if sender[-20] != "a" else "b").encode()),
        told.replace(sender.encode(), PATHS.of(plain.id, own.message_id or "").encode()),
        told.replace(sender.encode(), ReturnPath(PATHS.address, "another secret").of(
            own.id, own.message_id or "").encode()),
        told.replace(sender.encode(), b"desk@alvor.example"),
        told.replace(sender.encode(), f"returned+{waiting.id}-abcdefghijklmnop@alvor.example".encode()),
        told.replace(sender.encode(), b"returned+999999999999999-abcdefghijklmnop@alvor.example"),
        about(plain, to=MARIA), report(to="eva@example.org", message_id="<made-up@alvor.example>"),
        report("for another", "eva@example.org", message_id=plain.message_id or ""),
        report("arrived", "eva@example.org", message_id=plain.message_id or ""), b"", b"\0" * 1000,
    ]

    answers = {taken(desk, data) for data in forged}

    assert answers == {Taken.NOT_OURS, Taken.NO_REPORT}
    assert (bounces(desk), tasks(desk), desk.lines()) == ([], [], before)


def test_what_is_late_or_refused_for_now_is_kept_and_stops_nothing(desk: Desk) -> None:
    message = confirmed(desk)

    late = taken(desk, about(message, "postfix late"))
    after_late = desk.message("confirmation").state
    full = taken(desk, about(message, "sendmail full", own_id="2"))

    assert (late, after_late, full) == (Taken.KEPT, "sent", Taken.KEPT)
    assert bounces(desk) == [(MARIA, False, False, "4.4.1", False), (MARIA, True, False, "5.2.2", False)]
    assert desk.message("confirmation").reason == "it came back (the mailbox is full)"
    assert (tasks(desk), {line.state for line in desk.lines("precare", "reminder-2d")}) == ([], {"pending"})


def test_an_address_that_somebody_frees_is_written_to_again_and_old_news_do_not_block_it(desk: Desk) -> None:
    first = confirmed(desk)
    second = confirmed(desk)
    taken(desk, about(first))
    desk.wait(minutes=5)

    with desk.work() as work:
        freed = [write_again(work, desk.patient_id), write_again(work, desk.patient_id)]
    desk.wait(minutes=5)
    taken(desk, about(second, own_id="2"))
    after_old_news = {line.state for line in desk.lines("reminder-2d")}
    third = confirmed(desk)
    taken(desk, about(third, own_id="3"))

    assert freed == [Done(1), Done(0)]
    assert [(hard, lifted) for _, _, hard, _, lifted in bounces(desk)] == [(True, True), (True, True), (True, False)]
    assert (after_old_news, {line.state for line in desk.lines("reminder-2d")}) == ({"pending"}, {"withheld"})


def test_another_address_frees_the_patient_and_what_came_back_goes_there(desk: Desk) -> None:
    taken(desk, about(confirmed(desk)))
    with desk.work() as work:
        account = Account(email="rui@alvor.example", name="Rui", password_hash="-", created_at=desk.now)
        work.db.add(account)
        work.commit()
        version = work.db.get_one(Patient, desk.patient_id).lock_version
    with UnitOfWork(desk.engine, lambda: desk.now, Actor("account", account.id)) as work:
        edit_patient(work, desk.patient_id, PatientDetails("Maria", "Silva", email="maria@right.example"),
                     lock_version=version)

    again = desk.message("confirmation")
    shown = to_tell(desk)
    deliver(desk)

    assert [(line.state, line.reason) for line in desk.lines("confirmation")] == [
        ("failed", "it came back (there is no such mailbox)"), ("sent", None)]
    assert (again.state, desk.message("confirmation").recipient) == ("pending", "maria@right.example")
    assert (shown, [done for *_, done in tasks(desk)]) == ([], [True])
    assert {line.state for line in desk.lines("reminder-2d")} == {"pending"}


def test_what_a_person_told_stays_told_and_what_is_sent_once_more_just_now_comes_too_late(desk: Desk) -> None:
    told, sending = confirmed(desk), confirmed(desk, patient_id=desk.new_patient("eva@example.org"))
    desk.set_messages(Message.id == told.id, state="uncertain")
    with desk.work() as work:
        note_contact(work, (told.id,), ContactOutcome.TOLD)
    desk.set_messages(Message.id == sending.id, state="pending", attempts=1)

    def comes_back(place: str) -> None:
        if place == "after dot":
            taken(desk, about(sending))

    taken(desk, about(told))
    Courier(desk.work, Scripted(around_dot=comes_back), "worker-1", return_path=PATHS).deliver_due()

    with desk.work() as work:
        rows = {row.id: (row.state, row.decision) for row in work.db.scalars(sa.select(Message))}
    assert (rows[told.id], rows[sending.id]) == (("uncertain", "told"), ("failed", None))


def test_the_same_report_taken_by_several_at_once_is_kept_once(desk: Desk) -> None:
    data = about(confirmed(desk))

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(lambda _: taken(desk, data), range(4)))

    assert answers == [Taken.KEPT, *[Taken.KNOWN] * 3]
    assert len(bounces(desk)) == 1


def test_a_return_path_that_leaked_fills_no_table(desk: Desk) -> None:
    message = confirmed(desk)

    for number in range(MOST_OF_A_MESSAGE + 5):
        taken(desk, about(message, "no reason", own_id=f"{number}").replace(b"5.0.0", b"5.0.0 \0\xff\xc3(\xe2\x80\xae"))

    assert len(bounces(desk)) == MOST_OF_A_MESSAGE


def test_the_sweep_comes_to_those_of_an_address_that_more_have_than_follow_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clinic.services.bounces.MOST_AT_ONCE", 1)
    other = desk.new_patient(MARIA)
    desk.book_course((date(2027, 6, 20),), patient_id=other)
    message = confirmed(desk)
    taken(desk, about(message))
    at_once = {line.state for line in desk.lines("reminder-2d")}

    with desk.work() as work:
        sweep(work)

    assert (at_once, {line.state for line in desk.lines("reminder-2d")}) == ({"withheld", "pending"}, {"withheld"})


def test_the_newsletter_stops_at_a_dead_address_and_is_asked_about_when_it_lives(engine: Engine) -> None:
    room = Newsroom(engine)
    [reader_id] = room.readers(1)
    with room.work() as work:
        patient = work.db.get_one(Patient, room.patient_id)
        patient.email, patient.marketing_consent_at = "reader0@home.example", room.now
        work.db.get_one(Account, room.account_id).wants_digest = True
        work.commit()
    room.approved(1)
    transport = Scripted()
    with room.work() as work:
        publish(work)
    Courier(room.work, transport, "w", base_url="https://clinic.example", return_path=PATHS).deliver_due()

    answer = taken(room, about(room.message("edition")))
    stopped = room.reader("reader0@home.example").state
    with room.at_work() as work:
        write_again(work, room.patient_id)

    assert (answer, reader_id, stopped) == (Taken.KEPT, reader_id, "stopped")
    assert room.states("edition") == {"failed": 1}
    assert (room.reader("reader0@home.example").state, room.states("opt-in")) == ("asked", {"pending": 1})
    assert [(patient_id, done) for patient_id, _, done in tasks(room)] == [(room.patient_id, True)]


def test_nothing_of_the_patient_is_in_the_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    message = confirmed(desk)

    with caplog.at_level("DEBUG", logger="clinic"):
        taken(desk, about(message))

    [line] = [record for record in caplog.records if record.getMessage() == "bounce-taken"]
    assert line.__dict__["facts"] == {
        "outcome": "kept", "message_id": message.id, "status": "5.1.1", "is_final": True, "is_hard": True}
