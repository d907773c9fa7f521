"""How a message reads with words that a clinic has typed and not saved: a made-up one, or one that really waits."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from clinic.care.message_kinds import MessageKind
from clinic.care.own_text import Part
from clinic.messages.letters import Kind, Letter
from clinic.messages.our_words import our_words
from clinic.messages.own_words import values_in
from clinic.messages.rendering import render
from clinic.messages.sample_letters import sample_letter
from clinic.planning.findings import blocks
from clinic.queries.own_texts import NO_TEXTS, OwnText, OwnTexts
from clinic.queries.texts import ClinicWords, Writer
from clinic.services.clinic_cards import card_of
from clinic.services.letters import letter_of, owed_now
from clinic.services.links import STAND_IN
from clinic.services.own_words import kind_words
from clinic.services.text_faults import judge_text
from clinic.services.texts import place_of
from clinic.store.outbox import Message

MADE_UP = "Anna"
"""What the patient of a sample is called."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A message as a patient would find it: in the inbox, and opened. `values` are what its placeholders stand for."""

    sender: str
    subject: str
    preheader: str
    text: str
    html: str
    values: Mapping[str, str]


def what_we_say(kind: MessageKind, language: str) -> Mapping[Part, str]:
    """What stands where a clinic has no words of its own, with its placeholders."""
    return our_words(kind, language)


def typed_texts(
    kept: OwnTexts, clinic_id: int, language: str, words: Mapping[str, str], writer: Writer
) -> OwnTexts:
    """The clinic's texts with those that were typed in the place of those that are kept.

    What could not be kept is left out: ours stands there.
    """
    found = dict(kept)
    for code, text in words.items():
        found.pop((language, code), None)
        if text.strip() and not blocks(judge_text(place_of(code), text, writer)):
            found[language, code] = OwnText(clinic_id, language, code, 0, text.strip(), None)
    return found


def sample(
    clinic: ClinicWords, kind: MessageKind, *, language: str, today: date, visits_told: int | None = None
) -> Preview:
    """A message of that kind with made-up dates, as the clinic would send it, of one that tells dates about so many."""
    card = card_of(clinic.facts, names_zone=clinic.names_zone, language=language)
    letter = sample_letter(Kind(kind.value), card, language=language, first_name=MADE_UP, today=today,
                           visits_told=visits_told)
    own = kind_words(clinic.facts.texts, kind, language)
    return _shown(replace(letter, sections=tuple(replace(each, own=own) for each in letter.sections)), kind)


def our_sample(clinic: ClinicWords, kind: MessageKind, *, language: str, today: date) -> Preview:
    """The same in our words alone."""
    return sample(clinic.with_texts(NO_TEXTS), kind, language=language, today=today)


def waiting_message(
    db: Session, message_id: int, kind: MessageKind, texts: OwnTexts, *, now: datetime
) -> Preview | None:
    """A message that waits, as it would leave now with these texts of its clinic; none where it would not go."""
    message, found = db.get(Message, message_id), owed_now(db, message_id, now)
    if message is None or found is None:
        return None
    facts, items = found
    writer = replace(facts.clinic, texts=texts)
    facts = replace(facts, clinics={**facts.clinics, writer.id: writer})
    return _shown(letter_of(facts, items, now=now, link=STAND_IN, note=message.note), kind)


def _shown(letter: Letter, kind: MessageKind) -> Preview:
    rendered = render(letter)
    return Preview(letter.clinic.sender_name, rendered.subject, rendered.preheader, rendered.text, rendered.html,
                   values_in(letter, Kind(kind.value)))
