"""The texts of the messages as they are written, so that a translation can be read beside the English, and approved."""
from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache

from clinic import paths
from clinic.care.translations import ENGLISH
from clinic.messages.letters import Kind
from clinic.messages.words import Labels, labels

SMALL_WORDS = "small-words"
"""The part of the texts that every message has: greeting, dates, headings, and what goes into a calendar."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One part of the texts in two languages, as they are written: with their placeholders.

    The fingerprint is another one for any change of either, so that an approval of them lapses by itself.
    """

    part: str
    english: str
    said: str
    fingerprint: str


@lru_cache(maxsize=8)
def wordings(language: str) -> Mapping[str, Wording]:
    """Every part of the texts in that language, beside the English."""
    found = {SMALL_WORDS: _wording(SMALL_WORDS, *("\n".join(_small(labels(each))) for each in (ENGLISH, language)))}
    return found | {kind.value: _wording(kind.value, *(_written(kind, each) for each in (ENGLISH, language)))
                    for kind in Kind}


def small_words(language: str) -> tuple[tuple[str, str], ...]:
    """The small words of the language, each beside the English."""
    return tuple(zip(_small(labels(ENGLISH)), _small(labels(language)), strict=True))


def _wording(part: str, english: str, said: str) -> Wording:
    return Wording(part, english, said, hashlib.sha256(json.dumps([part, english, said]).encode()).hexdigest())


def _written(kind: Kind, language: str) -> str:
    """The subject and both twins, in one text."""
    folder = paths.templates() / "messages" / kind / language
    return "\n".join((folder / name).read_text("utf-8") for name in ("subject.txt", "body.txt", "body.html"))


def _small(words: Labels) -> list[str]:
    said = []
    for field in fields(Labels):
        value = getattr(words, field.name)
        if isinstance(value, tuple):
            said.append(", ".join(value))
        elif isinstance(value, str):
            said.append(value)
        else:
            said.append(", ".join(value.values()))
    return said
