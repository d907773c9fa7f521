"""A clinic's own words as a letter says them: what it adds to every message, and what it says in one kind of it."""
from __future__ import annotations

from clinic.care.message_kinds import MessageKind
from clinic.care.own_text import Addition, Part, code_of
from clinic.care.placeholders import fill
from clinic.messages.letters import KindWords, OwnWords
from clinic.planning.local import day_of, zone
from clinic.queries.letters import ClinicFacts
from clinic.queries.own_texts import OwnTexts, addition


def additions_of(clinic: ClinicFacts, language: str) -> OwnWords:
    """What the clinic adds to a message in that language; the rule for who cannot come says of which day it is."""
    directions, cancellation, closing = (_lines_of(clinic, each, language) for each in Addition)
    rule = addition(clinic.texts, Addition.CANCELLATION, language)
    made_on = day_of(rule.made_at, zone(clinic.zone)) if rule and rule.made_at else None
    return OwnWords(directions, cancellation, closing, made_on)


def kind_words(texts: OwnTexts, kind: MessageKind, language: str) -> KindWords:
    """What the clinic says of its own in that kind of message in exactly that language."""
    said = {part: texts[key].text if (key := (language, code_of(kind, part))) in texts else "" for part in Part}
    return KindWords(said[Part.SUBJECT], said[Part.SEVERAL], said[Part.PREHEADER], own_lines(said[Part.OPENING]))


def own_lines(text: str) -> tuple[str, ...]:
    """A text of several lines as a message prints it; an empty line within it stays one."""
    return tuple(line.strip() for line in text.strip().splitlines())


def _lines_of(clinic: ClinicFacts, code: Addition, language: str) -> tuple[str, ...]:
    own = addition(clinic.texts, code, language)
    if own is None:
        return ()
    return own_lines(fill(own.text, {"clinic": clinic.name, "phone": clinic.phone}) or own.text)
