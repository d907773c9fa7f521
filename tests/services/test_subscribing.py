"""Who gets the newsletter: asked, confirmed by the owner of the address, and stopped, also by whoever asks twice."""
from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.care.newsletter import CONSENT
from clinic.services.patients import PatientDetails, add_patient, edit_patient
from clinic.services.publishing import publish
from clinic.services.subscribing import MOST_A_DAY, Wish, consent, sign_up, stop, stop_reader
from clinic.services.work import Done
from clinic.store.accounts import AuditEntry
from clinic.store.links import Link
from clinic.store.outbox import Bounce, Message, MessageItem
from clinic.store.resources import Patient
from tests.services.newsroom import Newsroom, secret_in
from tests.services.test_delivery import LOST, Scripted

ANA = Wish("Ana@Home.example", "de", ("tips", "events"))


@pytest.fixture
def room(engine: Engine) -> Newsroom:
    return Newsroom(engine)


def asked(room: Newsroom, wish: Wish = ANA) -> str:
    """The secret that the address got."""
    transport = Scripted()
    with room.work() as work:
        sign_up(work, wish)
    room.deliver(transport)
    return secret_in(transport.taken[-1])


def consented(room: Newsroom, wish: Wish = ANA) -> None:
    secret = asked(room, wish)
    with room.work() as work:
        assert consent(work, secret)


def stop_secret(room: Newsroom) -> str:
    """The secret with which the only reader may stop an edition that they got."""
    room.approved(1)
    transport = Scripted()
    publish_all(room)
    room.deliver(transport)
    return secret_in(transport.taken[-1])


def publish_all(room: Newsroom) -> None:
    """The next piece of every edition that goes out."""

    with room.work() as work:
        publish(work)


def test_an_address_counts_once_its_owner_has_said_so_and_the_consent_is_kept_with_its_words(room: Newsroom) -> None:
    secret = asked(room)
    before = room.reader("ana@home.example")

    room.wait(hours=2)
    with room.work() as work:
        answer = consent(work, secret)

    after = room.reader("ana@home.example")
    assert (before.state, before.consented_at, answer) == ("asked", None, True)
    assert (after.state, after.language, after.interests) == ("subscribed", "de", ["tips", "events"])
    assert (after.consented_at, after.consent_source) == (room.now, "page")
    assert after.consent_wording == CONSENT["de"].kept("Clínica Alvor")
    assert "Clínica Alvor" in after.consent_wording


def test_a_link_that_was_pressed_twice_says_the_same_and_a_week_later_nothing(room: Newsroom) -> None:
    secret, late = asked(room), asked(room, Wish("late@home.example", "en"))

    with room.work() as work:
        assert consent(work, secret)
    with room.work() as work:
        assert consent(work, secret)
    room.wait(days=7)
    with room.work() as work:
        assert not consent(work, late)

    assert room.reader("late@home.example").state == "asked"


def test_a_forged_a_foreign_and_an_altered_link_do_nothing(room: Newsroom) -> None:
    secret = asked(room)
    forged = ["", "x" * 43, secret[:-1], secret + "A", secret.swapcase(), "' OR 1=1 --", "\udcff".encode(
        "utf-8", "replace").decode()]

    for each in forged:
        with room.work() as work:
            assert not consent(work, each)
        with room.work() as work:
            assert not stop(work, each)
    with room.work() as work:
        assert not stop(work, secret)  # it asks for consent, and can do nothing else

    assert room.reader("ana@home.example").state == "asked"


def test_no_secret_is_kept(room: Newsroom) -> None:
    secret = asked(room)

    with room.work() as work:
        [link] = work.db.scalars(sa.select(Link)).all()
    assert secret not in (link.secret_hash, str(link.__dict__))
    assert len(link.secret_hash) == 64


def test_a_stop_is_at_once_for_good_and_as_often_as_one_likes(room: Newsroom) -> None:
    consented(room, Wish("ana@home.example", "en"))
    question = asked(room, Wish("ana@home.example", "en"))
    secret = stop_secret(room)

    for _ in range(3):
        with room.work() as work:
            assert stop(work, secret)

    reader = room.reader("ana@home.example")
    assert (reader.state, reader.stopped_at) == ("stopped", room.now)
    with room.work() as work:
        assert not consent(work, question)  # what was asked before the stop opens nothing after it
        kept = work.db.scalars(sa.select(AuditEntry.action).where(AuditEntry.action == "newsletter-stopped")).all()
    assert len(kept) == 1
    assert room.reader("ana@home.example").state == "stopped"


def test_who_stopped_may_ask_anew(room: Newsroom) -> None:
    consented(room, Wish("ana@home.example", "en"))
    with room.work() as work:
        stop_reader(work, room.reader("ana@home.example").id)

    consented(room, Wish("ana@home.example", "en"))

    assert room.reader("ana@home.example").state == "subscribed"


def test_a_stop_supersedes_what_waits_and_what_is_about_to_leave(room: Newsroom) -> None:
    [reader_id, _] = room.readers(2)
    room.approved(2)
    publish_all(room)

    with room.work() as work:
        stop_reader(work, reader_id)
    transport = Scripted()
    room.deliver(transport)

    assert len(transport.taken) == 1
    assert room.states("edition") == {"superseded": 1, "sent": 1}


def test_an_address_gets_few_questions_however_often_it_is_typed(room: Newsroom) -> None:
    for _ in range(8):
        with room.work() as work:
            sign_up(work, ANA)

    assert room.states("opt-in") == {"pending": MOST_A_DAY}


def test_whoever_reads_already_keeps_reading_until_they_confirm_other_wishes(room: Newsroom) -> None:
    consented(room, Wish("ana@home.example", "en", ("tips",)))
    secret = asked(room, Wish("ana@home.example", "de", ("events",)))

    before = room.reader("ana@home.example")
    with room.work() as work:
        consent(work, secret)

    after = room.reader("ana@home.example")
    assert (before.state, before.language, before.interests) == ("subscribed", "en", ["tips"])
    assert (after.state, after.language, after.interests) == ("subscribed", "de", ["events"])


def test_an_unknown_interest_is_not_kept(room: Newsroom) -> None:
    consented(room, Wish("ana@home.example", "en", ("tips", "acne")))

    assert room.reader("ana@home.example").interests == ["tips"]


def test_a_question_whose_answer_was_lost_is_not_asked_again(room: Newsroom) -> None:
    with room.work() as work:
        sign_up(work, ANA)

    room.deliver(Scripted(LOST))

    assert room.states("opt-in") == {"uncertain": 1}


def test_an_address_whose_mail_came_back_is_not_asked(room: Newsroom) -> None:
    asked(room)
    with room.work() as work:
        sign_up(work, ANA)
        work.db.add(Bounce(message_id=work.db.scalars(sa.select(Message.id).limit(1)).one(), email="ana@home.example",
                           at=room.now, is_hard=True, status="5.1.1", digest="x"))
        work.commit()

    room.deliver(Scripted())

    assert room.states("opt-in") == {"sent": 1, "withheld": 1}


def details(*, wants: bool, email: str | None = "eva@home.example") -> PatientDetails:
    return PatientDetails("Eva", "Costa", email=email, channel="email" if email else "none", wants_marketing=wants)


def edited(room: Newsroom, patient_id: int, given: PatientDetails) -> None:
    with room.work() as work:
        version = work.db.get_one(Patient, patient_id).lock_version
    with room.work() as work:
        assert isinstance(edit_patient(work, patient_id, given, lock_version=version), Done)


def test_a_tick_at_the_desk_asks_the_address_and_counts_only_once_it_answers(room: Newsroom) -> None:
    with room.work() as work:
        made = add_patient(work, details(wants=True))
    assert isinstance(made, Done)
    transport = Scripted()
    room.deliver(transport)
    assert room.reader("eva@home.example").state == "asked"

    with room.work() as work:
        consent(work, secret_in(transport.taken[0]))

    reader = room.reader("eva@home.example")
    assert (reader.state, reader.consent_source, reader.patient_id) == ("subscribed", "desk", made.value)


def test_the_tick_taken_away_stops_it_and_a_stop_takes_the_tick_away(room: Newsroom) -> None:
    with room.work() as work:
        made = add_patient(work, details(wants=True))
    assert isinstance(made, Done)

    edited(room, made.value, details(wants=False))
    assert room.reader("eva@home.example").state == "stopped"
    edited(room, made.value, details(wants=True))
    assert room.reader("eva@home.example").state == "asked"
    with room.work() as work:
        stop_reader(work, room.reader("eva@home.example").id)

    with room.work() as work:
        assert work.db.get_one(Patient, made.value).marketing_consent_at is None


def test_another_address_is_asked_anew_and_the_old_one_is_left_in_peace(room: Newsroom) -> None:
    with room.work() as work:
        made = add_patient(work, details(wants=True))
    assert isinstance(made, Done)

    edited(room, made.value, details(wants=True, email="eva@work.example"))

    assert room.reader("eva@home.example").state == "stopped"
    assert room.reader("eva@work.example").state == "asked"


def test_a_patient_whose_form_is_saved_again_is_not_asked_again(room: Newsroom) -> None:
    with room.work() as work:
        made = add_patient(work, details(wants=True))
    assert isinstance(made, Done)

    edited(room, made.value, details(wants=True))
    room.now += timedelta(days=1)
    edited(room, made.value, details(wants=True))

    with room.work() as work:
        assert work.db.scalar(sa.select(sa.func.count()).select_from(MessageItem)
                              .where(MessageItem.kind == "opt-in")) == 1
