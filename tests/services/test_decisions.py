"""What people decide about messages stands: nothing sends it, nothing changes it, and what they told counts as told."""
from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clinic.care.states import ContactOutcome
from clinic.services import decisions, sending
from clinic.services.delivery import Courier
from clinic.services.letters import body_of
from clinic.services.mail import release_held
from clinic.services.reconcile import reconcile_patient, settle_expired, sweep
from clinic.services.work import Done, NotFound, Refused
from clinic.store.accounts import AuditEntry
from clinic.store.outbox import ContactAttempt, Message, MessageItem
from tests.services.desk import NOW, Desk, Line
from tests.services.test_delivery import Scripted

MORE_THAN_GRACE = {"minutes": 4}


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def by_phone(engine: Engine) -> Desk:
    """A desk whose patient has no e-mail address."""
    desk = Desk(engine)
    desk.set_patient(email=None)
    return desk


def deliver(desk: Desk, *outcomes: object) -> list[bytes]:
    """Everything that is due goes; the bytes of what went."""
    transport = Scripted(*outcomes)  # type: ignore[arg-type]
    Courier(desk.work, transport, "w").deliver_due()
    return transport.taken


def sweep_all(desk: Desk) -> None:
    """The sweep goes round once, and what is past its use expires."""
    with desk.work() as work:
        sweep(work)
    with desk.work() as work:
        settle_expired(work)


def reasons(outcome: object) -> list[str]:
    """The codes of a refusal."""
    assert isinstance(outcome, Refused), outcome
    return [finding.code for finding in outcome.findings]


def test_a_skipped_message_is_never_sent_nor_changed_until_it_is_taken_back(desk: Desk) -> None:
    desk.book_course()
    ident = desk.message("confirmation").id
    with desk.work() as work:
        assert decisions.skip(work, ident) == Done(ident)
    desk.wait(**MORE_THAN_GRACE)

    sweep_all(desk)
    deliver(desk)

    skipped = desk.message("confirmation")
    assert (skipped.state, skipped.decision, skipped.reason) == ("withheld", "skipped", "skipped by test")
    assert desk.lines("precare")[0].state == "sent"
    with desk.work() as work:
        decisions.take_back(work, ident)
    assert len(deliver(desk)) == 1
    assert (desk.message("confirmation").state, desk.message("confirmation").decision) == ("sent", None)


def test_skipping_twice_is_done_once(desk: Desk) -> None:
    desk.book_course()
    ident = desk.message("confirmation").id

    for _ in range(2):
        with desk.work() as work:
            assert decisions.skip(work, ident) == Done(ident)

    with desk.work() as work:
        assert work.db.scalars(sa.select(AuditEntry.action)).all() == ["message-skipped"]


def test_what_does_not_wait_cannot_be_skipped_nor_taken_back(desk: Desk) -> None:
    desk.book_course()
    desk.wait(**MORE_THAN_GRACE)
    deliver(desk)
    ident = desk.message("confirmation").id

    with desk.work() as work:
        assert reasons(decisions.skip(work, ident)) == ["on-its-way"]
        assert reasons(decisions.take_back(work, ident)) == ["decided"]
    with desk.work() as work, pytest.raises(NotFound):
        decisions.skip(work, 999)


def test_a_skipped_message_that_is_not_true_any_more_stays_skipped(desk: Desk) -> None:
    course = desk.book_course()
    ident = desk.message("confirmation").id
    with desk.work() as work:
        decisions.skip(work, ident)
    desk.move(desk.appointment_ids(course)[0], date(2027, 3, 22))

    with desk.work() as work:
        assert reasons(decisions.take_back(work, ident)) == ["untrue"]

    confirmations = desk.lines("confirmation")
    assert [line.state for line in confirmations] == ["withheld", "pending"]


def test_what_a_person_told_counts_as_told_so_that_a_change_says_old_and_new(engine: Engine) -> None:
    desk = by_phone(engine)
    course = desk.book_course()
    ident = desk.message("confirmation").id
    assert desk.message("confirmation").reason == "no e-mail address"

    with desk.work() as work:
        assert decisions.note_contact(work, (ident,), ContactOutcome.TOLD, note="by phone") == Done((ident,))
    sweep_all(desk)
    desk.move(desk.appointment_ids(course)[1], date(2027, 4, 22), hour=11)

    told = desk.message("confirmation")
    assert (told.state, told.decision, told.reason) == ("withheld", "told", "told by test")
    assert [line.state for line in desk.lines("confirmation")] == ["withheld"]
    change = desk.message("change")
    assert (change.state, change.reason) == ("withheld", "no e-mail address")
    with Session(engine) as db:
        body = body_of(db, change.id, now=desk.now)
        attempt = db.scalars(sa.select(ContactAttempt)).one()
    assert body is not None
    assert "Thursday 22 April 2027, 11:00 to 12:00" in body.text
    assert "Was: Tuesday 20 April 2027, 10:00" in body.text
    assert (attempt.message_id, attempt.outcome, attempt.note) == (ident, "told", "by phone")


@pytest.mark.parametrize("state", ["pending", "held", "withheld", "failed", "uncertain"])
def test_telling_settles_a_message_whatever_became_of_it(state: str, desk: Desk) -> None:
    desk.book_course()
    ident = desk.message("confirmation").id
    desk.set_messages(Message.id == ident, state=state, reason="because")

    with desk.work() as work:
        outcome = decisions.note_contact(work, (ident,), ContactOutcome.PRINTED)

    assert outcome == Done((ident,))
    told = desk.message("confirmation")
    rests = {"failed": "failed", "uncertain": "uncertain"}.get(state, "withheld")
    assert (told.state, told.decision) == (rests, "printed")
    with desk.work() as work:
        facts = work.db.scalars(sa.select(MessageItem.facts).where(MessageItem.message_id == ident)).one()
    assert [visit["local_start"] for visit in facts["visits"]] == [
        "2027-03-20T10:00:00", "2027-04-20T10:00:00", "2027-05-20T10:00:00"]
    sweep_all(desk)
    desk.wait(**MORE_THAN_GRACE)
    deliver(desk)
    assert (desk.message("confirmation").state, desk.message("confirmation").decision) == (rests, "printed")
    assert len(desk.lines("confirmation")) == 1


def test_what_was_sent_or_is_on_its_way_or_untrue_is_not_told(desk: Desk) -> None:
    course = desk.book_course()
    ident = desk.message("confirmation").id
    refusals = []
    for state, lease in (("sent", None), ("sending", "t"), ("superseded", None)):
        desk.set_messages(Message.id == ident, state=state, lease_token=lease)
        with desk.work() as work:
            refusals += reasons(decisions.note_contact(work, (ident,), ContactOutcome.TOLD))
    desk.set_messages(Message.id == ident, state="failed", lease_token=None)
    desk.move(desk.appointment_ids(course)[0], date(2027, 3, 22))
    with desk.work() as work:
        refusals += reasons(decisions.note_contact(work, (ident,), ContactOutcome.TOLD))

    assert refusals == ["sent", "on-its-way", "untrue", "untrue"]
    with desk.work() as work:
        assert work.db.scalar(sa.select(sa.func.count()).select_from(ContactAttempt)) == 0
        assert work.db.scalars(sa.select(MessageItem.dropped).where(MessageItem.message_id == ident)).one() == (
            "the dates have changed since")


def test_calls_without_an_answer_are_kept_and_settle_nothing(engine: Engine) -> None:
    desk = by_phone(engine)
    desk.book_course()
    ids = (desk.message("confirmation").id, desk.message("precare").id)

    for outcome in (ContactOutcome.NO_ANSWER, ContactOutcome.CALLED):
        with desk.work() as work:
            assert decisions.note_contact(work, ids, outcome) == Done(ids)

    with desk.work() as work:
        kept = work.db.execute(sa.select(ContactAttempt.message_id, ContactAttempt.outcome)
                               .order_by(ContactAttempt.id)).all()
    assert [tuple(row) for row in kept] == [(ident, outcome) for outcome in ("no-answer", "called") for ident in ids]
    assert desk.message("confirmation").decision is None
    with pytest.raises(IntegrityError), desk.work() as work:
        work.db.execute(sa.delete(ContactAttempt))


def test_telling_twice_is_told_once(engine: Engine) -> None:
    desk = by_phone(engine)
    desk.book_course()
    ids = (desk.message("confirmation").id,)

    for expected in (ids, ()):
        with desk.work() as work:
            assert decisions.note_contact(work, ids, ContactOutcome.TOLD) == Done(expected)

    with desk.work() as work:
        assert work.db.scalar(sa.select(sa.func.count()).select_from(ContactAttempt)) == 1


def test_what_somebody_took_over_waits_for_them_and_is_still_overtaken(desk: Desk) -> None:
    course = desk.book_course()
    ident = desk.message("confirmation").id
    with desk.work() as work:
        decisions.take_over(work, ident)
    desk.wait(**MORE_THAN_GRACE)
    sweep_all(desk)
    deliver(desk)
    assert (desk.message("confirmation").state, desk.message("confirmation").reason) == ("withheld", "test tells it")

    desk.move(desk.appointment_ids(course)[0], date(2027, 3, 22))

    assert [line.state for line in desk.lines("confirmation")] == ["superseded", "pending"]


def test_what_was_taken_over_goes_again_once_it_is_taken_back(desk: Desk) -> None:
    desk.book_course()
    ident = desk.message("confirmation").id
    with desk.work() as work:
        decisions.take_over(work, ident)

    with desk.work() as work:
        assert decisions.take_back(work, ident) == Done(ident)

    assert desk.lines("confirmation") == [Line("confirmation", "pending", NOW + timedelta(minutes=3))]


def test_a_decided_message_can_not_be_pending(desk: Desk) -> None:
    desk.book_course()

    with pytest.raises(IntegrityError):
        desk.set_messages(Message.state == "pending", decision="told", decided_at=NOW)


def test_a_sent_message_goes_again_as_a_new_one_once_somebody_is_sure(desk: Desk) -> None:
    desk.book_course()
    desk.wait(**MORE_THAN_GRACE)
    deliver(desk)
    first, sent_as = desk.message("confirmation").id, desk.message("confirmation").message_id
    with desk.work() as work:
        assert reasons(sending.send_again(work, first, sure=False)) == ["known"]

    again = []
    for _ in range(2):
        with desk.work() as work:
            again.append(sending.send_again(work, first, sure=True))
    sweep_all(desk)
    with desk.work() as work:
        reconcile_patient(work, desk.patient_id)
        work.commit()
    [mime] = deliver(desk)

    second = desk.message("confirmation")
    assert again == [Done(second.id)] * 2
    assert (second.state, second.id > first, second.looked_at) == ("sent", True, desk.now)
    assert second.mime == mime
    assert second.message_id != sent_as
    assert len(desk.lines("confirmation")) == 2
    assert desk.lines("change", "cancellation") == []


def test_what_goes_again_is_overtaken_like_any_other(desk: Desk) -> None:
    course = desk.book_course()
    desk.wait(**MORE_THAN_GRACE)
    deliver(desk)
    with desk.work() as work:
        sending.send_again(work, desk.message("confirmation").id, sure=True)

    desk.move(desk.appointment_ids(course)[0], date(2027, 3, 22))

    assert [line.state for line in desk.lines("confirmation")] == ["sent", "superseded"]
    assert [line.state for line in desk.lines("change")] == ["pending"]


def test_what_failed_goes_again_without_a_second_question_but_not_to_nobody(desk: Desk) -> None:
    desk.book_course()
    ident = desk.message("confirmation").id
    desk.set_messages(Message.id == ident, state="failed", reason="no such mailbox")
    desk.set_patient(email=None)
    with desk.work() as work:
        assert reasons(sending.send_again(work, ident, sure=False)) == ["unreachable"]
    desk.set_patient(email="right@example.org")

    with desk.work() as work:
        outcome = sending.send_again(work, ident, sure=False)

    assert isinstance(outcome, Done)
    deliver(desk)
    assert (desk.message("confirmation").id, desk.message("confirmation").recipient) == (
        outcome.value, "right@example.org")


def test_what_was_not_sent_or_is_of_no_use_does_not_go_again(desk: Desk) -> None:
    desk.book_course()
    ident = desk.message("reminder-2d").id
    with desk.work() as work:
        assert reasons(sending.send_again(work, ident, sure=True)) == ["not-over"]
    desk.set_messages(Message.id == ident, state="failed")
    desk.wait(days=90)

    with desk.work() as work:
        assert reasons(sending.send_again(work, ident, sure=True)) == ["untrue"]


def test_a_pending_message_goes_now_and_in_quiet_hours_when_they_end(desk: Desk) -> None:
    desk.book_course((date(2027, 3, 20),))
    ident = desk.message("reminder-7d").id
    desk.wait(hours=13)
    with desk.work() as work:
        outcome = sending.send_now(work, ident)
    assert outcome == Done(NOW + timedelta(hours=23))
    sweep_all(desk)
    desk.wait(minutes=30)
    deliver(desk)
    assert desk.message("reminder-7d").state == "pending"

    desk.wait(hours=10)
    sweep_all(desk)
    deliver(desk)

    assert desk.message("reminder-7d").state == "sent"
    with desk.work() as work:
        assert reasons(sending.send_now(work, ident)) == ["not-pending"]


def test_a_personal_note_stands_in_both_twins_and_can_be_changed_until_the_words_are_fixed(desk: Desk) -> None:
    desk.book_course()
    ident = desk.message("confirmation").id
    for note in ("Mind the new door.", "Mind the <b>new</b> door {{ 7*7 }}.\nRuth"):
        with desk.work() as work:
            assert sending.set_note(work, ident, note) == Done(ident)

    with Session(desk.engine) as db:
        body = body_of(db, ident, now=desk.now)

    assert body is not None
    assert "\nMind the <b>new</b> door {{ 7*7 }}.\nRuth\n" in body.text
    assert "Mind the &lt;b&gt;new&lt;/b&gt; door {{ 7*7 }}." in body.html
    desk.wait(**MORE_THAN_GRACE)
    assert b"Mind the" in deliver(desk)[0]
    with desk.work() as work:
        assert reasons(sending.set_note(work, ident, "late")) == ["fixed"]


@pytest.mark.parametrize("note", ["x" * 401, "a\nb\nc\nd\ne", "bell \a"])
def test_a_note_that_cannot_be_kept_is_refused(note: str, desk: Desk) -> None:
    desk.book_course()

    with desk.work() as work:
        assert reasons(sending.set_note(work, desk.message("confirmation").id, note)) == ["note"]


def test_what_is_released_was_looked_at(desk: Desk) -> None:
    desk.book_course()
    ident = desk.message("confirmation").id
    desk.set_messages(Message.id == ident, state="held", reason="by hand")

    with desk.work() as work:
        release_held(work, (ident,))

    assert (desk.message("confirmation").state, desk.message("confirmation").looked_at) == ("pending", desk.now)
