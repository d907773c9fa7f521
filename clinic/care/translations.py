"""The clinical texts that patients read, in another language than the English in which protocols are written.

A translation is found by the English text that it stands for, word for word: once that changes there is none, until
somebody translates the new text. Where there is none, the English text stands.
"""
from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from clinic.care.catalogue import library_translation
from clinic.care.guidance import Aftercare
from clinic.care.protocols import Protocol

ENGLISH = "en"
LANGUAGES: Mapping[str, str] = {ENGLISH: "English", "de": "German"}
"""The languages in which patients are written to, by their names."""


class Place(StrEnum):
    """Where a text stands for the patient: before a session, in one of the three lists after it, or as a warning."""

    PRECARE = "precare"
    EXPECT = "expect"
    DO = "do"
    AVOID = "avoid"
    RED_FLAG = "red_flags"


@dataclass(frozen=True, slots=True)
class ClinicalText:
    """A text for patients as a protocol says it, in English."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Translated:
    """A protocol whose texts for patients are in another language, but for those that are `missing`."""

    protocol: Protocol
    missing: tuple[ClinicalText, ...]


def translated(protocol: Protocol, language: str) -> Translated:
    """The protocol with its texts for patients in that language; all else stays as it is."""
    if language == ENGLISH:
        return Translated(protocol, ())
    known = translations(language)

    def said(place: Place, text: str) -> str:
        return known.get(ClinicalText(place, text), text)

    def phase(each: Aftercare) -> Aftercare:
        return replace(
            each, expect=tuple(said(Place.EXPECT, line) for line in each.expect),
            do=tuple(said(Place.DO, line) for line in each.do),
            avoid=tuple(said(Place.AVOID, line) for line in each.avoid))

    return Translated(
        replace(
            protocol, precare=tuple(replace(each, text=said(Place.PRECARE, each.text)) for each in protocol.precare),
            aftercare=tuple(map(phase, protocol.aftercare)),
            red_flags=tuple(replace(each, text=said(Place.RED_FLAG, each.text)) for each in protocol.red_flags)),
        tuple(each for each in clinical_texts(protocol) if each not in known))


def clinical_texts(protocol: Protocol) -> tuple[ClinicalText, ...]:
    """Everything that the protocol says to patients, in the order in which they hear it; each text once."""
    return tuple(dict.fromkeys(_texts(protocol)))


@lru_cache(maxsize=8)
def translations(language: str) -> Mapping[ClinicalText, str]:
    """What each text of the library is in that language; nothing where the library does not speak it."""
    return {ClinicalText(Place(place), text): said
            for place, texts in library_translation(language).items() for text, said in texts.items()}


def fingerprint(text: ClinicalText, said: str) -> str:
    """What an approval of this pair of texts is kept under: another for any change of either."""
    return hashlib.sha256(json.dumps([text.place, text.text, said]).encode()).hexdigest()


def _texts(protocol: Protocol) -> Iterator[ClinicalText]:
    yield from (ClinicalText(Place.PRECARE, each.text) for each in protocol.precare)
    for phase in protocol.aftercare:
        yield from (ClinicalText(Place.EXPECT, line) for line in phase.expect)
        yield from (ClinicalText(Place.DO, line) for line in phase.do)
        yield from (ClinicalText(Place.AVOID, line) for line in phase.avoid)
    yield from (ClinicalText(Place.RED_FLAG, each.text) for each in protocol.red_flags)
