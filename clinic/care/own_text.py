"""What a clinic may write into its messages: which texts there are, how long they may be, and of which characters."""
from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from clinic.care.message_kinds import MessageKind

_UNFIT = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNS_THE_LINE = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Signs that nobody sees and that let the rest of a line run the other way."""


class Part(StrEnum):
    """What of a message a clinic may say in words of its own; all else of it are facts, and stays."""

    SUBJECT = "subject"
    SEVERAL = "subject-several"
    PREHEADER = "preheader"
    OPENING = "opening"


class Addition(StrEnum):
    """What a clinic may add to every message that it belongs to."""

    DIRECTIONS = "directions"
    CANCELLATION = "cancellation"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a text may be."""

    longest: int
    most_lines: int = 1


BOUNDS: Mapping[Part | Addition, Bounds] = {
    Part.SUBJECT: Bounds(100), Part.SEVERAL: Bounds(100), Part.PREHEADER: Bounds(150), Part.OPENING: Bounds(800, 12),
    Addition.DIRECTIONS: Bounds(600, 12), Addition.CANCELLATION: Bounds(600, 12), Addition.CLOSING: Bounds(300, 12),
}
IN_THE_INBOX = (Part.SUBJECT, Part.SEVERAL, Part.PREHEADER)
"""What can be read without opening the message, by whoever looks over a shoulder."""
_SEVERAL_DATES = frozenset({
    MessageKind.CONFIRMATION, MessageKind.CHANGE, MessageKind.CLINIC_CHANGE, MessageKind.CANCELLATION,
    MessageKind.DATES_HELD, MessageKind.DATES_RELEASED,
})


def parts_of(kind: MessageKind) -> tuple[Part, ...]:
    """The parts of that kind: one that may tell several dates has a subject for them too."""
    return tuple(part for part in Part if part is not Part.SEVERAL or kind in _SEVERAL_DATES)


def code_of(kind: MessageKind, part: Part) -> str:
    """What that text of a clinic is kept under."""
    return f"{kind}/{part}"


def fingerprint(clinic_id: int, code: str, language: str, text: str) -> str:
    """What an approval of a clinic's own text is kept under: another for any change of it."""
    return hashlib.sha256(json.dumps(["own", clinic_id, code, language, text]).encode()).hexdigest()


def fault_of(text: str, *, longest: int, most_lines: int) -> str | None:
    """What is wrong with a text, in words for whoever typed it; none: nothing."""
    stripped = text.strip()
    if len(stripped) > longest:
        return f"At most {longest} characters; this has {len(stripped)}."
    if len(stripped.splitlines()) > most_lines:
        lines = "one line" if most_lines == 1 else f"{most_lines} lines"
        return f"At most {lines}; this has {len(stripped.splitlines())}."
    if any(unicodedata.category(sign) in _UNFIT and sign not in "\n\r" for sign in text):
        return "This contains characters that cannot be kept. Type it again."
    if any(sign in _TURNS_THE_LINE for sign in text):
        return "This contains signs that nobody sees and that turn the direction of the line. Type it again."
    return None
