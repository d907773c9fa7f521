"""Answers for the messages of the newsletter just before they leave: the question to an address, and an edition.

Whoever stopped meanwhile gets neither. Each e-mail has a stop link of its own, which only it holds.
"""
from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.mail_address import check_address
from clinic.care.newsletter import blocks_of
from clinic.care.quiet import QuietHours, next_allowed
from clinic.care.states import MessageState
from clinic.care.translations import ENGLISH
from clinic.messages.envelope import EnvelopeHeader, build_mime, message_id
from clinic.messages.letters import ClinicCard
from clinic.messages.news import NewsLetter, Question, render_edition, render_question
from clinic.messages.rendering import Rendered
from clinic.planning.local import day_of, zone
from clinic.queries.shell import business_name
from clinic.queries.texts import clinic_words
from clinic.services.accounts import hash_of
from clinic.services.clinic_cards import card_of
from clinic.services.correspondence import Answer, Goes, Stays, Waits
from clinic.services.letters import Written
from clinic.services.subscriber_links import STOP_HASH, WORKS_FOR, new_link
from clinic.services.subscribing import AT_THE_DESK, STOPPED
from clinic.services.work import UnitOfWork
from clinic.store.clinics import Clinic
from clinic.store.newsletter import Edition, EditionText, Subscriber
from clinic.store.outbox import Bounce, Message, MessageItem

EDITION = "edition"


class Readers:
    """The correspondent of `subscriber`."""

    def lock(self, db: Session, owner_id: int) -> bool:
        """Locks the reader's row; False where it is not there any more."""
        return db.scalar(sa.select(Subscriber.id).where(Subscriber.id == owner_id).with_for_update()) is not None

    def answer(self, work: UnitOfWork, message: Message, items: Sequence[MessageItem]) -> Answer:
        """Whether the reader still wants it, and the edition still goes out."""
        reader = work.db.get_one(Subscriber, message.subscriber_id, populate_existing=True)
        if reader.state == "stopped":
            return Stays(MessageState.SUPERSEDED, STOPPED)
        if is_bounced(work.db, reader.email):
            return Stays(MessageState.WITHHELD, "an earlier message to this address came back")
        if items[0].kind != EDITION:
            return Goes(reader.email)
        if reader.state != "subscribed":
            return Stays(MessageState.SUPERSEDED, "the reader has not confirmed")
        edition = work.db.get_one(Edition, items[0].subject_id)
        if edition.state != "approved":
            return Stays(MessageState.SUPERSEDED, "the edition was stopped")
        if _content(work.db, edition.id, reader.language) is None:
            return Stays(MessageState.SUPERSEDED, "the edition has no words in the reader's language")
        until = next_allowed(work.now, quiet_hours(work.db, edition.clinic_id))
        return Goes(reader.email) if until == work.now else Waits(until)

    def write(
        self, work: UnitOfWork, message: Message, items: Sequence[MessageItem], *, identity: str, base_url: str | None
    ) -> Written:
        """The bytes, with links made for this very message; none is written without them."""
        where = known(base_url)
        reader = work.db.get_one(Subscriber, message.subscriber_id)
        if items[0].kind == EDITION:
            secret = new_link(work, "stop", reader.id, message.id)
            stop = f"{where}/newsletter/stop/{secret}"
            items[0].facts = {STOP_HASH: hash_of(secret)}
            rendered = edition_letter(work.db, items[0].subject_id, reader.language, stop=stop, base_url=where)
            return posted(work, message, rendered, to=reader.email, identity=identity, language=reader.language,
                          stop_link=stop)
        language = str(items[0].facts["language"])
        rendered = render_question(self._question(work, message, items[0], where))
        return posted(work, message, rendered, to=reader.email, identity=identity, language=language)

    def _question(self, work: UnitOfWork, message: Message, item: MessageItem, where: str) -> Question:
        secret = new_link(work, "opt-in", message.subscriber_id or 0, message.id)
        clinic = card(work.db, message.clinic_id)
        return Question(
            language=str(item.facts["language"]), business=business_name(work.db), clinic=clinic,
            wording=str(item.facts["wording"]).partition(": ")[2], link=f"{where}/newsletter/opt-in/{secret}",
            until=day_of(work.now + WORKS_FOR["opt-in"], zone(clinic.zone)),
            at_the_desk=item.facts["source"] == AT_THE_DESK)


def known(base_url: str | None) -> str:
    """Where our pages are; ValueError where that is not known, for these messages are nothing without their links."""
    if base_url is None:
        raise ValueError("the address of our pages is not known, so its links cannot be written")
    return base_url


def edition_letter(db: Session, edition_id: int, language: str, *, stop: str, base_url: str) -> Rendered:
    """An edition in words, for one reader; raises NoResultFound where it has none in that language."""
    edition, content = db.get_one(Edition, edition_id), _content(db, edition_id, language)
    if content is None:
        raise sa.exc.NoResultFound(f"edition {edition_id} in {language}")
    archive = f"{base_url}/newsletter/archive/{edition_id}?language={language}" if edition.in_archive else None
    return render_edition(NewsLetter(
        language, business_name(db), card(db, edition.clinic_id), content.subject, blocks_of(content.blocks), stop,
        archive))


def posted(
    work: UnitOfWork, message: Message, rendered: Rendered, *, to: str, identity: str, language: str,
    stop_link: str | None = None,
) -> Written:
    """What was put into words as the bytes that travel, from the message's clinic."""
    clinic = work.db.get_one(Clinic, message.clinic_id)
    sender = check_address(clinic.sender_email)
    header = EnvelopeHeader(
        sender_name=clinic.sender_name, sender_email=sender, to=check_address(to),
        message_id=message_id(identity, sender.rpartition("@")[2]), sent_at=work.now, language=language,
        stop_link=stop_link)
    return Written(header.message_id, sender, header.to, rendered.subject, build_mime(rendered, header))


def card(db: Session, clinic_id: int) -> ClinicCard:
    """The clinic as its messages name it."""
    words = clinic_words(db, clinic_id)
    return card_of(words.facts, names_zone=words.names_zone, language=ENGLISH)


def quiet_hours(db: Session, clinic_id: int) -> QuietHours:
    """When the clinic's messages wait for the morning."""
    clinic = db.get_one(Clinic, clinic_id)
    return QuietHours(clinic.quiet_from, clinic.quiet_to, zone(clinic.zone))


def is_bounced(db: Session, email: str) -> bool:
    """Whether mail to the address came back for good, and nobody has lifted that since."""
    return db.scalar(sa.select(Bounce.id).where(
        sa.func.lower(Bounce.email) == email, Bounce.is_hard, Bounce.lifted_at.is_(None)).limit(1)) is not None


def _content(db: Session, edition_id: int, language: str) -> EditionText | None:
    return db.get(EditionText, (edition_id, language))
