"""A translation that the clinic has approved goes to patients by itself; until then a person reads each message."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.care import translations as care
from clinic.care.message_kinds import MessageKind
from clinic.care.own_text import Part, code_of
from clinic.care.protocols import Protocol as ProtocolContent
from clinic.care.translations import ClinicalText, translations
from clinic.messages.mailbox import MailboxTransport
from clinic.queries import translations as queries
from clinic.queries.translations import ProtocolTexts, protocol_texts
from clinic.services import texts
from clinic.services import translations as service
from clinic.services.delivery import Courier
from clinic.services.mail import note_read, release_held
from clinic.services.work import Actor, Done, Refused, UnitOfWork
from clinic.store.accounts import Account, AuditEntry
from clinic.store.clinics import ClinicText, TranslationApproval
from clinic.store.outbox import Message, WorkerRow
from clinic.store.protocols import ProtocolVersion
from tests.services.desk import DATES, Desk

WAITS = "the German translation is not approved yet: read it before it goes"
CODE = "mn_rejuvenation"


@pytest.fixture
def desk(engine: Engine) -> Desk:
    """A clinic whose patient reads German, and one account."""
    found = Desk(engine)
    found.set_patient(language="de")
    with found.work() as work:
        work.db.add(Account(id=1, email="ana@alvor.example", name="Ana Costa", password_hash="", created_at=found.now))
        work.db.add(WorkerRow(id="w", host="test", started_at=found.now, heartbeat_at=found.now))
        work.commit()
    return found


def by_ana(desk: Desk) -> UnitOfWork:
    return UnitOfWork(desk.engine, lambda: desk.now, Actor("account", 1))


def deliver(desk: Desk) -> list[str]:
    """Lets the worker run; the state of each message that was due, with the reason of one that waits."""
    with desk.work() as work:
        due = work.db.scalars(sa.select(Message.id).where(
            Message.state == "pending", Message.due_at <= desk.now).order_by(Message.id)).all()
    Courier(desk.work, MailboxTransport(), "w").deliver_due()
    with desk.work() as work:
        rows = [work.db.get_one(Message, each) for each in due]
        return [row.state if row.reason is None else f"{row.state}: {row.reason}" for row in rows]


def approve_messages(desk: Desk) -> Done[int] | Refused:
    with by_ana(desk) as work:
        shown = service.shown_messages(service.message_texts(work.db, "de"))
        return service.approve_messages(work, "de", shown=shown)


def approve_protocol(desk: Desk) -> Done[int] | Refused:
    with by_ana(desk) as work:
        return service.approve_protocol(work, CODE, "de", shown=service.shown_protocol(texts_of(work)))


def texts_of(work: UnitOfWork) -> ProtocolTexts:
    [texts] = protocol_texts(work.db, "de", CODE)
    return texts


def confirm(desk: Desk) -> Message:
    """A confirmation that is due now, and nothing else."""
    desk.book_course(DATES[1:2])
    desk.wait(minutes=3)
    return desk.message("confirmation")


def test_a_message_in_german_is_held_until_a_person_has_read_it(desk: Desk) -> None:
    message_id = confirm(desk).id

    assert deliver(desk) == [f"held: {WAITS}"]
    held = desk.message("confirmation")
    assert (held.attempts, held.mime, held.lease_token, held.dot_at) == (0, None, None, None)
    with by_ana(desk) as work:
        released = release_held(work, [message_id])

    assert released == 1
    assert deliver(desk) == ["sent"]
    sent = desk.message("confirmation")
    assert (sent.looked_at, sent.looked_by, sent.subject) == (
        desk.now, 1, "Ihr Termin am Dienstag, 20. April um 10:00 Uhr")


def test_english_needs_nobody(desk: Desk) -> None:
    desk.set_patient(language="en")
    confirm(desk)

    assert deliver(desk) == ["sent"]


def test_a_language_without_messages_is_english(desk: Desk) -> None:
    desk.set_patient(language="xx")
    confirm(desk)

    assert deliver(desk) == ["sent"]


def test_what_waited_for_an_approval_goes_with_it_and_all_later_ones_by_themselves(desk: Desk) -> None:
    confirm(desk)
    deliver(desk)

    approved = approve_messages(desk)

    assert approved == Done(len(service.wordings("de")))
    assert deliver(desk) == ["sent"]
    assert desk.message("confirmation").looked_at is None
    confirm(desk)
    assert deliver(desk) == ["sent"]


def test_a_message_with_clinical_texts_needs_them_approved_too(desk: Desk) -> None:
    desk.book_course(DATES[:1])
    precare_at = desk.message("precare").due_at
    approve_messages(desk)
    desk.now = precare_at

    assert deliver(desk)[-1] == f"held: {WAITS}"
    assert isinstance(approve_protocol(desk), Done)
    assert deliver(desk) == ["sent"]


def test_what_still_lacks_another_approval_is_held_again(desk: Desk) -> None:
    desk.book_course(DATES[:1])
    desk.now = desk.message("precare").due_at
    deliver(desk)

    approve_protocol(desk)

    assert f"held: {WAITS}" in deliver(desk)


def test_an_approval_lapses_when_the_translation_changes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.book_course(DATES[:1])
    precare_at = desk.message("precare").due_at
    approve_messages(desk)
    approve_protocol(desk)
    with desk.work() as work:
        before = texts_of(work)
    changed = before.approved[0].text
    _say(monkeypatch, {**translations("de"), changed: "Etwas anderes."})

    with desk.work() as work:
        after = texts_of(work)
    desk.now = precare_at

    assert (before.unapproved, [line.text for line in after.unapproved]) == ((), [changed])
    assert deliver(desk)[-1] == f"held: {WAITS}"


def _say(monkeypatch: pytest.MonkeyPatch, said: Mapping[ClinicalText, str]) -> None:
    for module in (care, queries, service):
        monkeypatch.setattr(module, "translations", lambda language: said)


def test_a_text_of_the_clinics_own_is_read_each_time(desk: Desk) -> None:
    with desk.work() as work:
        version = work.db.get_one(ProtocolVersion, 1)
        content = ProtocolContent.from_document(version.document)
        own = replace(content.precare[-1], text="Bring your own towel.")
        work.db.add(ProtocolVersion(
            id=2, protocol_id=1, number=2, created_at=desk.now,
            document=replace(content, precare=(*content.precare[:-1], own)).to_document()))
        work.commit()
    course_id = desk.book_course(DATES[:1])
    desk.set_course(course_id, protocol_version_id=2)
    precare_at = desk.message("precare").due_at
    approve_messages(desk)
    approve_protocol(desk)
    desk.now = precare_at

    with desk.work() as work:
        texts = texts_of(work)
    assert [line.text.text for line in texts.missing] == ["Bring your own towel."]
    assert texts.unapproved == ()
    assert deliver(desk)[-1] == f"held: {WAITS}"


def test_a_message_may_be_read_before_it_is_due(desk: Desk) -> None:
    desk.book_course(DATES[1:2])
    message_id = desk.message("confirmation").id
    with desk.work() as work:
        assert service.waits_for_reading(work.db, message_id, now=desk.now) == WAITS

    with by_ana(desk) as work:
        assert note_read(work, message_id)
    desk.wait(minutes=3)

    assert deliver(desk) == ["sent"]
    with by_ana(desk) as work:
        assert service.waits_for_reading(work.db, message_id, now=desk.now) is None
        assert note_read(work, message_id) is False


def test_letting_everything_go_at_once_has_read_nothing(desk: Desk) -> None:
    confirm(desk)
    deliver(desk)

    with by_ana(desk) as work:
        assert release_held(work) == 0

    assert desk.message("confirmation").state == "held"


def test_what_waited_past_its_use_expires_when_it_is_approved(desk: Desk) -> None:
    message = confirm(desk)
    deliver(desk)
    desk.now = message.useless_after + timedelta(seconds=1)

    approve_messages(desk)

    assert desk.message("confirmation").state == "expired"


def test_an_approval_is_kept_once_with_who_gave_it_and_noted(desk: Desk) -> None:
    assert approve_messages(desk) == Done(len(service.wordings("de")))
    assert approve_messages(desk) == Done(0)

    with desk.work() as work:
        rows = work.db.scalars(sa.select(TranslationApproval)).all()
        noted = work.db.scalars(sa.select(AuditEntry).where(AuditEntry.action == "translation-approved")).all()
    assert {(row.language, row.approved_by, row.approved_at) for row in rows} == {("de", 1, desk.now)}
    assert {row.subject for row in rows} == {f"messages/{part}" for part in service.wordings("de")}
    assert [(each.account_id, each.facts["texts"]) for each in noted] == [(1, len(rows)), (1, 0)]


def test_an_approval_agrees_to_exactly_what_was_shown_and_needs_a_person(desk: Desk) -> None:
    with by_ana(desk) as work:
        stale = service.approve_protocol(work, CODE, "de", shown="what it was yesterday")
    with desk.work() as work:
        shown = service.shown_messages(service.message_texts(work.db, "de"))
        nobody = service.approve_messages(work, "de", shown=shown)

    assert isinstance(stale, Refused)
    assert isinstance(nobody, Refused)
    assert [finding.code for refused in (stale, nobody) for finding in refused.findings] == ["changed", "nobody"]
    with desk.work() as work:
        assert work.db.scalar(sa.select(sa.func.count()).select_from(TranslationApproval)) == 0


def say(desk: Desk, work: UnitOfWork, text: str, kind: MessageKind | None = MessageKind.CONFIRMATION) -> None:
    """The clinic says something of its own in German."""
    code = "closing" if kind is None else code_of(kind, Part.OPENING)
    known = texts.newest_of(texts.newest_texts(work.db, 1), "de", [code])
    assert isinstance(texts.save_texts(
        work, 1, kind, "de", {code: text}, seen=texts.newest_id(known.values())), Done)


def test_own_words_in_german_go_by_themselves_where_a_person_answers_for_them(desk: Desk) -> None:
    approve_messages(desk)
    with by_ana(desk) as work:
        say(desk, work, "Wir freuen uns auf Sie, {first_name}.")
    confirm(desk)

    assert deliver(desk) == ["sent"]
    sent = desk.message("confirmation").mime
    assert sent is not None and b"Wir freuen uns auf Sie, Maria." in sent
    with desk.work() as work:
        kept = work.db.scalars(sa.select(TranslationApproval).where(TranslationApproval.subject.like("texts/%"))).one()
    assert (kept.language, kept.approved_by, kept.subject) == ("de", 1, "texts/1/confirmation/opening")


def test_own_words_that_no_person_answers_for_wait_until_one_does(desk: Desk) -> None:
    approve_messages(desk)
    for kind, text in ((MessageKind.CONFIRMATION, "Kommen Sie gut an."), (None, "Bis bald!")):
        with desk.work() as work:
            say(desk, work, text, kind)
    confirm(desk)
    assert deliver(desk) == [f"held: {WAITS}"]

    with by_ana(desk) as work:
        shown = texts.shown_texts(texts.newest_of(texts.newest_texts(work.db, 1), "de", ["closing"]).values())
        stale = texts.approve_texts(work, 1, None, "de", shown="what it was yesterday")
        assert texts.approve_texts(work, 1, None, "de", shown=shown) == Done(1)
    assert deliver(desk) == [f"held: {WAITS}"]
    with by_ana(desk) as work:
        say(desk, work, "Kommen Sie gut an, {first_name}.")

    assert isinstance(stale, Refused)
    assert deliver(desk) == ["sent"]


def test_a_change_of_own_words_is_as_good_as_who_makes_it(desk: Desk) -> None:
    approve_messages(desk)
    with by_ana(desk) as work:
        say(desk, work, "Wir freuen uns.")
    with desk.work() as work:
        say(desk, work, "Etwas anderes.")
    confirm(desk)
    assert deliver(desk) == [f"held: {WAITS}"]

    with by_ana(desk) as work:
        first = min(work.db.scalars(sa.select(ClinicText.id)))
        newest = max(work.db.scalars(sa.select(ClinicText.id)))
        assert isinstance(texts.take_back(work, 1, first, seen=newest), Done)

    assert deliver(desk) == ["sent"]


def test_own_english_words_say_nothing_of_the_german_and_need_nobody(desk: Desk) -> None:
    approve_messages(desk)
    with desk.work() as work:
        work.db.add(ClinicText(clinic_id=1, code="confirmation/opening", language="en", text="Welcome."))
        work.commit()
    confirm(desk)

    assert deliver(desk) == ["sent"]
