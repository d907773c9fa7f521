"""Placeholders in a clinic's own texts: {first_name} stands for the patient's first name, and nothing is ever run.

Only a known name within one pair of braces is filled in; every other brace is a brace, and \\{ is one before a name.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from clinic.care.message_kinds import MessageKind
from clinic.care.own_text import Addition, Part

_MARK = re.compile(r"\\(?P<brace>[{}])|\{(?P<name>[a-z_]+)\}")
_MEANT = re.compile(r"\\[{}]|\{+\s*(?:(?P<name>[^\W\d][\w\- ]{0,40}?)\s*\}+|(?P<open>[^\W\d]\w*))")
_AROUND = 16

_ALWAYS = {"first_name": "the patient's first name", "clinic": "the name of the clinic", "phone": "its phone number"}
_WHEN = {"date": "the day of the visit, or of the first of several", "time": "when it begins"}
_WAS = {"date": "the day of the visit that is over"}
_SPAN = {"from_date": "the first day that suits", "to_date": "the last day that suits"}
_UNTIL = {"held_until": "the last day on which the dates are held"}
_MANY = {"count": "how many dates there are"}
_OF_A_CLINIC = ("clinic", "phone")
_MORE: Mapping[MessageKind, Mapping[str, str]] = {
    **dict.fromkeys((MessageKind.CONFIRMATION, MessageKind.PRECARE, MessageKind.REMINDER_7D, MessageKind.REMINDER_2D,
                     MessageKind.CHANGE, MessageKind.CLINIC_CHANGE, MessageKind.CANCELLATION, MessageKind.MISSED,
                     MessageKind.DATES_RELEASED), _WHEN),
    **dict.fromkeys((MessageKind.AFTERCARE, MessageKind.CHECK_IN_24H, MessageKind.CHECK_IN_72H), _WAS),
    **dict.fromkeys((MessageKind.RECALL, MessageKind.NUDGE_14D, MessageKind.NUDGE_IDEAL, MessageKind.REVIEW_VISIT),
                    _SPAN),
    MessageKind.OUT_OF_WINDOW: {"to_date": "the last day that suited"},
    MessageKind.DATES_HELD: {**_WHEN, **_UNTIL},
}
_OTHER_WORDS: Mapping[str, str] = {
    "name": "first_name", "firstname": "first_name", "given_name": "first_name", "patient": "first_name",
    "vorname": "first_name", "day": "date", "tag": "date", "datum": "date", "termin": "date", "uhrzeit": "time",
    "zeit": "time", "telephone": "phone", "telefon": "phone", "number": "phone", "praxis": "clinic",
    "klinik": "clinic", "until": "held_until", "anzahl": "count",
}
"""What people call our placeholders, in both languages."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """What was meant as a placeholder and is none: as it was typed, the words around it, what may have been meant."""

    typed: str
    around: str
    line: int
    nearest: str | None


def placeholders_of(kind: MessageKind, part: Part) -> Mapping[str, str]:
    """The placeholders of that part of a message, each with what it stands for."""
    return {**_ALWAYS, **_MORE.get(kind, {}), **(_MANY if part is Part.SEVERAL else {})}


def placeholders_of_addition(_addition: Addition) -> Mapping[str, str]:
    """The placeholders of what stands in every message: only what is the clinic's."""
    return {name: _ALWAYS[name] for name in _OF_A_CLINIC}


def fill(text: str, values: Mapping[str, str]) -> str | None:
    """The text with its placeholders filled in; none where it names something that is not known here."""
    if any(not values.get(name) for name in named_in(text)):
        return None
    return _MARK.sub(lambda mark: mark["brace"] or values[mark["name"]], text)


def unknown_in(text: str, known: Mapping[str, str]) -> Iterator[Unknown]:
    """Whatever looks as if it were meant as a placeholder and would not be filled in as it is written."""
    for number, line in enumerate(text.splitlines(), start=1):
        for meant in _MEANT.finditer(line):
            name = meant["name"] or meant["open"]
            if name and not (name in known and meant[0] == f"{{{name}}}"):
                yield Unknown(meant[0], _around(line, meant.start(), meant.end()), number, _nearest(name, known))


def named_in(text: str) -> frozenset[str]:
    """The names of the placeholders in a text."""
    return frozenset(mark["name"] for mark in _MARK.finditer(text) if mark["name"])


def _nearest(name: str, known: Mapping[str, str]) -> str | None:
    plain = re.sub(r"[\s\-]+", "_", name.strip().casefold())
    meant = _OTHER_WORDS.get(plain, plain)
    if meant in known:
        return meant
    return next(iter(get_close_matches(plain, known, n=1, cutoff=0.6)), None)


def _around(line: str, begins: int, ends: int) -> str:
    """The words around a place of a line, whole ones where that is possible."""
    before, after = line[:begins], line[ends:]
    head = before if len(before) <= _AROUND else "…" + before[-_AROUND:].partition(" ")[2]
    tail = after if len(after) <= _AROUND else after[:_AROUND].rpartition(" ")[0] + "…"
    return f"{head}{line[begins:ends]}{tail}".strip()
