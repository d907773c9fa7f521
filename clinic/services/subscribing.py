"""Who gets the newsletter: asked for, confirmed by the owner of the address, and stopped.

An address counts only once its owner has pressed the link that was sent to it, whoever typed it: a stranger, a reader
or somebody at the desk. A tick at the desk tells what the patient wishes; whose address it is, and that it is typed
right, only a letter to it can show.
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from clinic.care.mail_address import check_address
from clinic.care.newsletter import CONSENT, LANGUAGES, known_interests
from clinic.care.states import MessageState
from clinic.services.accounts import hash_of, normal_email
from clinic.services.attempts import admit, near
from clinic.services.subscriber_links import held_link, revoke_questions
from clinic.services.work import UnitOfWork, record
from clinic.store.clinics import Business, Clinic
from clinic.store.links import Link
from clinic.store.newsletter import Subscriber
from clinic.store.outbox import Message, MessageItem
from clinic.store.resources import Patient

QUESTION: Final = "opt-in"
ON_THE_PAGE, AT_THE_DESK = "page", "desk"
TRIES_OF_A_NETWORK = 20
MOST_A_DAY = 3
MOST_A_MONTH = 10
"""How many questions an address gets at most, whoever asks: a stranger must not fill somebody's mailbox."""
USEFUL_FOR = timedelta(days=2)
STOPPED = "the reader stopped the newsletter"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for: the newsletter to this address, in a language, about some interests (none: all)."""

    email: str
    language: str
    interests: tuple[str, ...] = ()


def admit_sign_up(work: UnitOfWork, network: str) -> bool:
    """Counts a sign-up on the page; False where there were too many of late from that network."""
    return admit(work, {f"news:{near(network)}": TRIES_OF_A_NETWORK})


def sign_up(work: UnitOfWork, wish: Wish) -> None:
    """Asks the owner of the address by e-mail; whatever is known of it, the answer is the same. ValueError where the
    address cannot be one."""
    _ask(work, wish, source=ON_THE_PAGE)
    work.commit()


def consent(work: UnitOfWork, secret: str) -> bool:
    """The owner of the address wants it: what that very e-mail asked holds from now on. False for a dead link."""
    found = held_link(work, "opt-in", secret)
    if found is None or found[1].state == "stopped":
        return False
    link, reader = found
    if link.used_at is None:
        asked = work.db.scalars(sa.select(MessageItem.facts).where(MessageItem.message_id == link.message_id)).one()
        reader.language, reader.interests = asked["language"], asked["interests"]
        if reader.state == "asked":
            reader.state, reader.consented_at = "subscribed", work.now
            reader.consent_source, reader.consent_wording = asked["source"], asked["wording"]
        link.used_at = work.now
        record(work, "newsletter-consented", "subscriber", reader.id, source=reader.consent_source,
               wording=reader.consent_wording.partition(":")[0])
    work.commit()
    return reader.state == "subscribed"


def stop(work: UnitOfWork, secret: str) -> bool:
    """Ends the newsletter for the holder of that link, at once and as often as asked. False for what is no such."""
    patient_id = work.db.scalar(
        sa.select(Subscriber.patient_id).join(Link, Link.subscriber_id == Subscriber.id)
        .where(Link.secret_hash == hash_of(secret)))
    _lock_patient(work, patient_id)
    found = held_link(work, "stop", secret)
    if found is None:
        return False
    link, reader = found
    link.used_at = link.used_at or work.now
    _stop(work, reader)
    work.commit()
    return True


def stop_reader(work: UnitOfWork, subscriber_id: int) -> None:
    """Ends the newsletter for a reader who said so by phone or at the desk; NoResultFound for one that is not there."""
    _lock_patient(work, work.db.scalar(sa.select(Subscriber.patient_id).where(Subscriber.id == subscriber_id)))
    _stop(work, work.db.get_one(Subscriber, subscriber_id, with_for_update=True))
    work.commit()


def stop_address(work: UnitOfWork, email: str) -> None:
    """Ends the newsletter at an address that is dead: part of a unit of work that goes on. What its patient wishes
    stays, for another address."""
    for reader in work.db.scalars(
        sa.select(Subscriber).where(Subscriber.email == normal_email(email)).with_for_update()).all():
        _stop(work, reader, tell_patient=False)


def ask_again(work: UnitOfWork, patient_id: int) -> None:
    """Asks a patient who wished for the newsletter once more at their address: part of a unit of work that goes on."""
    patient = work.db.get_one(Patient, patient_id)
    if patient.marketing_consent_at is not None:
        follow_patient(work, patient, wanted_before=False)


def follow_patient(work: UnitOfWork, patient: Patient, *, wanted_before: bool) -> None:
    """Lets the newsletter follow what a patient wishes and where they read: part of a unit of work that goes on.

    A new wish, or a new address, is asked about at that address; without the wish, or at the old address, it stops.
    """
    wants = patient.marketing_consent_at is not None
    email = normal_email(patient.email or "")
    theirs = [Subscriber.patient_id == patient.id]
    if wanted_before:
        theirs.append(sa.and_(Subscriber.email == email, Subscriber.patient_id.is_(None)))
    for reader in work.db.scalars(
        sa.select(Subscriber).where(sa.or_(*theirs)).order_by(Subscriber.id).with_for_update()).all():
        if not wants or reader.email != email:
            _stop(work, reader, tell_patient=False)
            reader.patient_id = None
    if wants and email:
        reader_now = work.db.scalar(sa.select(Subscriber).where(Subscriber.email == email).with_for_update())
        if reader_now is None or (not wanted_before and reader_now.state != "subscribed"):
            language = patient.language if patient.language in LANGUAGES else LANGUAGES[0]
            reader_now = _ask(work, Wish(email, language), source=AT_THE_DESK)
        reader_now.patient_id = reader_now.patient_id or patient.id


def _ask(work: UnitOfWork, wish: Wish, *, source: str) -> Subscriber:
    email = normal_email(check_address(wish.email))
    language = wish.language if wish.language in LANGUAGES else LANGUAGES[0]
    business = work.db.scalar(sa.select(Business.name)) or ""
    asked: dict[str, object] = {"language": language, "interests": known_interests(wish.interests), "source": source,
             "wording": CONSENT[language].kept(business)}
    reader = _reader(work, email, asked)
    if reader.state == "stopped":
        reader.state, reader.stopped_at, reader.consented_at = "asked", None, None
    if reader.state == "asked":
        reader.language, reader.interests = language, known_interests(wish.interests)
        reader.consent_source, reader.consent_wording = source, str(asked["wording"])
    if _questions_since(work, reader.id, 1) < MOST_A_DAY and _questions_since(work, reader.id, 30) < MOST_A_MONTH:
        reader.asked_at, reader.asked_times = work.now, reader.asked_times + 1
        _put_question(work, reader, asked)
    return reader


def _reader(work: UnitOfWork, email: str, asked: dict[str, object]) -> Subscriber:
    """The row of the address, locked; two who ask at once for a new one meet in the same row."""
    found = sa.select(Subscriber).where(Subscriber.email == email).with_for_update()
    reader = work.db.scalar(found)
    if reader is not None:
        return reader
    try:
        with work.db.begin_nested():
            reader = Subscriber(email=email, language=asked["language"], interests=asked["interests"], state="asked",
                                asked_at=work.now, asked_times=0, consent_source=asked["source"],
                                consent_wording=asked["wording"])
            work.db.add(reader)
    except sa.exc.IntegrityError:
        return work.db.scalars(found).one()
    return reader


def _put_question(work: UnitOfWork, reader: Subscriber, asked: dict[str, object]) -> None:
    clinic_id = work.db.scalar(sa.select(sa.func.min(Clinic.id)))
    message = Message(subscriber_id=reader.id, clinic_id=clinic_id, state=MessageState.PENDING, due_at=work.now,
                      useless_after=work.now + USEFUL_FOR, created_at=work.now)
    work.db.add(message)
    work.db.flush()
    work.db.add(MessageItem(
        message_id=message.id, kind=QUESTION, owner_kind="subscriber", owner_id=reader.id, subject_kind="subscriber",
        subject_id=reader.id, revision=reader.asked_times, facts=asked))
    record(work, "newsletter-asked", "subscriber", reader.id, source=asked["source"])


def _questions_since(work: UnitOfWork, subscriber_id: int, days: int) -> int:
    return work.db.scalar(
        sa.select(sa.func.count()).select_from(Message)
        .join(MessageItem, MessageItem.message_id == Message.id)
        .where(Message.subscriber_id == subscriber_id, MessageItem.kind == QUESTION,
               Message.created_at > work.now - timedelta(days=days))) or 0


def _stop(work: UnitOfWork, reader: Subscriber, *, tell_patient: bool = True) -> None:
    if reader.state == "stopped":
        return
    reader.state, reader.stopped_at = "stopped", work.now
    revoke_questions(work, reader.id)
    work.db.execute(
        sa.update(Message).where(
            Message.subscriber_id == reader.id, Message.state.in_((MessageState.PENDING, MessageState.HELD)),
            Message.dot_at.is_(None))
        .values(state=MessageState.SUPERSEDED.value, reason=STOPPED, settled_at=work.now)
        .execution_options(synchronize_session=False))
    if tell_patient and reader.patient_id is not None:
        patient = work.db.get_one(Patient, reader.patient_id)
        if patient.marketing_consent_at is not None:
            patient.marketing_consent_at = None
            patient.lock_version += 1
            record(work, "patient-changed", "patient", patient.id, fields=["marketing_consent_at"])
    record(work, "newsletter-stopped", "subscriber", reader.id)


def _lock_patient(work: UnitOfWork, patient_id: int | None) -> None:
    """The patient's row before the reader's: the order in which the desk takes them."""
    if patient_id is not None:
        work.db.get(Patient, patient_id, with_for_update={"key_share": True})
