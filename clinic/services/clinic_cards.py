"""The clinic as its messages name it, in the language in which a patient reads."""
from __future__ import annotations

from clinic.messages.letters import ClinicCard
from clinic.messages.rendering import languages
from clinic.queries.letters import ClinicFacts, LetterFacts
from clinic.services.own_words import additions_of


def language_of(facts: LetterFacts) -> str:
    """The patient's language, or English where there are no texts in it."""
    return facts.language if facts.language in languages() else "en"


def card_for(facts: LetterFacts) -> ClinicCard:
    """The clinic that writes about that owner."""
    return card_of(facts.clinic, names_zone=len({each.zone for each in facts.clinics.values()}) > 1,
                   language=language_of(facts))


def card_of(clinic: ClinicFacts, *, names_zone: bool, language: str) -> ClinicCard:
    """The clinic as its messages name it, with what it adds in that language."""
    return ClinicCard(
        name=clinic.name, address=address_lines(clinic.address), phone=clinic.phone, zone=clinic.zone,
        sender_email=clinic.sender_email, sender_name=clinic.sender_name, names_zone=names_zone,
        own=additions_of(clinic, language), out_of_hours_phone=clinic.out_of_hours_phone,
        emergency_phone=clinic.emergency_phone)


def address_lines(text: str) -> tuple[str, ...]:
    """An address line by line, without empty ones."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())
