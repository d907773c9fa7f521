"""The morning digest of an account in words: numbers and links, no names and nothing medical."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from clinic.care.directions import isolated
from clinic.messages.news import framed
from clinic.messages.rendering import Rendered
from clinic.messages.section_texts import environment
from clinic.messages.words import day_in_words, labels, short_day_in_words

LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class DigestLine:
    """One thing that waits: what, where it is settled, and whether it comes before others."""

    words: str
    link: str
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Digest:
    """What waits at a clinic on a morning, for one account; `own` is the page on which it stops the digest."""

    clinic: str
    day: date
    lines: Sequence[DigestLine]
    own: str


def render_digest(digest: Digest) -> Rendered:
    """The digest in words."""
    words, clinic = labels(LANGUAGE), isolated(digest.clinic)
    facts: dict[str, object] = {
        "clinic": clinic, "day": day_in_words(digest.day, words), "lines": digest.lines, "own": digest.own,
        "short_day": short_day_in_words(digest.day, words),
    }
    subject = " ".join(environment().get_template("messages/digest/en/subject.txt").render(facts).split())
    return framed(subject, digest.lines[0].words, brand=clinic, language=LANGUAGE, facts=facts,
                  body="messages/digest/en/body", closing="messages/digest/en/closing")
