"""The newsletter: what readers may choose, what they agree to, and what an edition is made of.

Readers are known by language and by what they like to read, and by nothing else: no edition can be meant for people
with a condition or a treatment, because there is nothing here by which they could be chosen.
"""
from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from clinic.planning.findings import Finding, Weight

LANGUAGES = ("en", "de")
INTERESTS = ("news", "tips", "events", "offers")
"""What the clinic does, everyday advice, open days, offers. A list of ours, so that nobody adds a condition to it."""

MOST_BLOCKS = 8
LONGEST_SUBJECT = 100
LONGEST_HEADING = 120
LONGEST_TEXT = 4000
LONGEST_LABEL = 60
LONGEST_ADDRESS = 500
GOES_OUT_FOR = timedelta(days=7)
"""How long an edition goes out: news of last week is none."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What a reader agrees to, in one language; the version changes with the words."""

    version: str
    text: str

    def said_of(self, business: str) -> str:
        """The words with the name of the business."""
        return self.text.format(business=business)

    def kept(self, business: str) -> str:
        """What is kept as the proof of a consent."""
        return f"{self.version}: {self.said_of(business)}"


CONSENT: Mapping[str, Wording] = MappingProxyType({
    "en": Wording("2027-1 en", "Yes, send me the newsletter of {business} by e-mail: news and tips, at most twice a "
                  "month. Nobody else gets my address, nothing tells whether I read it, and I can stop it at any time "
                  "with one click."),
    "de": Wording("2027-1 de", "Ja, senden Sie mir den Newsletter von {business} per E-Mail: Neuigkeiten und Tipps, "
                  "höchstens zweimal im Monat. Niemand sonst bekommt meine Adresse, nichts verrät, ob ich ihn lese, "
                  "und ich kann ihn jederzeit mit einem Klick abbestellen."),
})


@dataclass(frozen=True, slots=True)
class Block:
    """A part of an edition: a heading, paragraphs, and a link with its words; what is empty is left out."""

    heading: str = ""
    text: str = ""
    label: str = ""
    address: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it."""
        return not (self.heading or self.text or self.label or self.address)

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The text, cut at its empty lines."""
        parts = (" ".join(part.split()) for part in self.text.split("\n\n"))
        return tuple(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Content:
    """An edition in one language."""

    language: str
    subject: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom an edition is: who reads one of its languages, and has one of its interests (none: everybody)."""

    languages: frozenset[str]
    interests: frozenset[str]

    def holds(self, language: str, interests: Collection[str]) -> bool:
        """Whether a reader of that language with those interests (none chosen: all of them) gets it."""
        return language in self.languages and (
            not self.interests or not interests or not self.interests.isdisjoint(interests))


def judge_content(content: Content) -> tuple[Finding, ...]:
    """What speaks against keeping this, each at its field of the form."""
    return tuple(
        finding for number, block in enumerate(content.blocks)
        for finding in _judge_block(f"{content.language}-{number}", block))


def is_complete(content: Content) -> bool:
    """Whether it could be sent: a subject, and something to read."""
    return bool(content.subject) and any(block.heading or block.text for block in content.blocks)


def known_interests(chosen: Collection[str]) -> list[str]:
    """Those of the chosen interests that there are, in our order."""
    return [each for each in INTERESTS if each in chosen]


def blocks_of(document: Sequence[Mapping[str, Any]]) -> tuple[Block, ...]:
    """The blocks as they are kept."""
    return tuple(Block(*(str(each.get(name, "")) for name in Block.__slots__)) for each in document)


def to_document(blocks: Sequence[Block]) -> list[dict[str, str]]:
    """What is kept of the blocks: those that are not empty."""
    return [{name: getattr(block, name) for name in Block.__slots__ if getattr(block, name)}
            for block in blocks if not block.is_empty]


def _judge_block(place: str, block: Block) -> list[Finding]:
    found = []
    if block.address and not _is_web_address(block.address):
        found.append(_blocks(f"{place}-address", "A link is a whole web address, such as https://clinic.example/news."))
    if block.address and not block.label:
        found.append(_blocks(f"{place}-label", "Say in a few words where the link leads."))
    if block.label and not block.address:
        found.append(_blocks(f"{place}-address", "Enter the address to which these words lead."))
    return found


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme == "https" and bool(parts.hostname) and parts.username is None and not set(text) & set(
            ' "<>\\^`{|}')
    except ValueError:
        return False


def _blocks(field: str, text: str) -> Finding:
    return Finding(f"edition-{field}", Weight.BLOCKS, text, field)
