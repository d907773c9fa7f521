"""Who may trust a translation: approved texts go to patients by themselves, others only once a person has read them."""
from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care import own_text
from clinic.care.owed import OwedItem
from clinic.care.states import MessageState
from clinic.care.translations import ENGLISH, LANGUAGES, fingerprint, translations
from clinic.messages.wording import SMALL_WORDS, Wording, small_words, wordings
from clinic.planning.findings import Finding, Weight
from clinic.queries.letters import LetterFacts
from clinic.queries.own_texts import OwnText, in_language
from clinic.queries.translations import (
    Approval,
    ProtocolTexts,
    all_approved,
    approvals,
    protocol_texts,
    were_approved,
)
from clinic.services.clinic_cards import language_of
from clinic.services.letters import clinical_texts_of, owed_now
from clinic.services.mail import let_one_go
from clinic.services.settling import TO_READ
from clinic.services.work import Done, NotFound, Refused, UnitOfWork, record
from clinic.store.clinics import Business, TranslationApproval
from clinic.store.outbox import Message

MESSAGES = "messages"
OTHERS = tuple(code for code in LANGUAGES if code != ENGLISH)
"""The languages whose texts somebody of the clinic approves: all but English."""


@dataclass(frozen=True, slots=True)
class MessageText:
    """One part of the texts of the messages, and its approval: none where nobody gave it for exactly these words.

    `has_changed` says that it was approved before, in other words.
    """

    wording: Wording
    approval: Approval | None
    has_changed: bool


@dataclass(frozen=True, slots=True)
class MessageTexts:
    """All texts of the messages in a language."""

    parts: tuple[MessageText, ...]
    small_words: tuple[tuple[str, str], ...]

    @property
    def unapproved(self) -> tuple[MessageText, ...]:
        """Those that nobody has approved as they are."""
        return tuple(each for each in self.parts if each.approval is None)

    @property
    def last(self) -> Approval | None:
        """The latest approval of any of them."""
        return max((each.approval for each in self.parts if each.approval), key=lambda each: each.at, default=None)


def unread(language: str) -> str:
    """Why a message in that language waits, in a few words."""
    return f"the {LANGUAGES.get(language, language)} translation is not approved yet: {TO_READ}"


def is_approved(db: Session, facts: LetterFacts, items: Sequence[OwedItem], *, now: datetime) -> bool:
    """Whether everything that the letter of these items says in another language than English is approved."""
    language = language_of(facts)
    if language == ENGLISH:
        return True
    known, parts = translations(language), wordings(language)
    texts = clinical_texts_of(facts, items, now=now)
    if not texts <= known.keys():
        return False
    wanted = {parts[part].fingerprint for part in (SMALL_WORDS, *(item.kind.value for item in items))}
    wanted |= {fingerprint(text, known[text]) for text in texts}
    return all_approved(db, language, wanted | {own.fingerprint for own in _own_words(facts, items, language)})


def waits_for_reading(db: Session, message_id: int, *, now: datetime) -> str | None:
    """Why a message that has not left yet needs a person to read it first; none where it does not."""
    message = db.get(Message, message_id)
    if message is None or message.looked_at is not None or message.mime is not None:
        return None
    found = owed_now(db, message_id, now)
    return None if found is None or is_approved(db, *found, now=now) else unread(found[0].language)


def message_texts(db: Session, language: str) -> MessageTexts:
    """The texts of the messages in that language beside the English, with their approvals."""
    known, before = approvals(db, language), were_approved(db, language)
    return MessageTexts(
        tuple(MessageText(each, known.get(each.fingerprint), _subject(each) in before)
              for each in wordings(language).values()),
        small_words(language))


def shown_messages(texts: MessageTexts) -> str:
    """What an approval agrees to: exactly the texts that were shown."""
    return _digest(each.wording.fingerprint for each in texts.parts)


def shown_protocol(texts: ProtocolTexts) -> str:
    """What an approval agrees to: exactly the clinical texts that were shown."""
    return _digest(line.fingerprint for line in texts.lines)


def approve_messages(work: UnitOfWork, language: str, *, shown: str) -> Done[int] | Refused:
    """Lets the texts of the messages that were shown go to patients in that language; how many are new among them."""
    business = work.db.scalars(sa.select(Business).with_for_update()).one()
    texts = message_texts(work.db, language)
    if findings := _against(work, shown, shown_messages(texts)):
        return Refused(findings)
    _keep(work, language, {each.wording.fingerprint: _subject(each.wording) for each in texts.unapproved})
    record(work, "translation-approved", "business", business.id, language=language, part=MESSAGES,
           texts=len(texts.unapproved))
    let_go(work, language)
    work.commit()
    return Done(len(texts.unapproved))


def approve_protocol(work: UnitOfWork, code: str, language: str, *, shown: str) -> Done[int] | Refused:
    """Lets what a protocol says to patients in that language go to them, as it was shown; how many texts are new.

    A text without a translation stays unapproved: it stands in English, and a person reads each message that has it.
    """
    work.db.scalars(sa.select(Business).with_for_update()).one()
    found = protocol_texts(work.db, language, code)
    if not found:
        raise NotFound(f"protocol {code}")
    [texts] = found
    if findings := _against(work, shown, shown_protocol(texts)):
        return Refused(findings)
    _keep(work, language, {line.fingerprint: f"library/{line.text.place}" for line in texts.unapproved})
    record(work, "translation-approved", "protocol", texts.id, language=language, part=code,
           texts=len(texts.unapproved))
    let_go(work, language)
    work.commit()
    return Done(len(texts.unapproved))


def _own_words(facts: LetterFacts, items: Sequence[OwedItem], language: str) -> tuple[OwnText, ...]:
    """What the clinic says of its own in the letter of these items, or might: nobody but itself has read that."""
    said = [own_text.code_of(item.kind, part) for item in items for part in own_text.Part]
    return in_language(facts.clinic.texts, language, (*own_text.Addition, *said))


def _against(work: UnitOfWork, shown: str, found: str) -> tuple[Finding, ...]:
    if work.actor.account_id is None:
        return (Finding("nobody", Weight.BLOCKS, "Only a person who is signed in can approve a translation."),)
    if shown != found:
        return (Finding("changed", Weight.BLOCKS, "These texts have changed since you opened them. Read them again."),)
    return ()


def _keep(work: UnitOfWork, language: str, texts: Mapping[str, str]) -> None:
    work.db.add_all(
        TranslationApproval(language=language, subject=subject, sha256=sha256, approved_at=work.now,
                            approved_by=work.actor.account_id)
        for sha256, subject in texts.items())


def trust(work: UnitOfWork, language: str, clinic_id: int, words: Mapping[str, str]) -> None:
    """Keeps that a person answers for a clinic's own words in that language, by the code of each."""
    found = {own_text.fingerprint(clinic_id, code, language, text): f"texts/{clinic_id}/{code}"
             for code, text in words.items()}
    known = approvals(work.db, language)
    _keep(work, language, {sha256: subject for sha256, subject in found.items() if sha256 not in known})


def let_go(work: UnitOfWork, language: str) -> None:
    """What waited for this approval goes its way; what needs another one besides is held again by the worker."""
    waiting = sa.select(Message).where(Message.state == MessageState.HELD, Message.reason == unread(language))
    for message in work.db.scalars(waiting.order_by(Message.id).with_for_update()):
        let_one_go(work, message)


def _subject(wording: Wording) -> str:
    return f"{MESSAGES}/{wording.part}"


def _digest(fingerprints: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(fingerprints)).encode()).hexdigest()
