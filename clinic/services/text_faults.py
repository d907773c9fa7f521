"""What speaks against a clinic's own text: each finding at the field of its text, none of it medical advice."""
from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from clinic.care.message_kinds import MessageKind
from clinic.care.own_text import BOUNDS, IN_THE_INBOX, Addition, Part, code_of, fault_of, parts_of
from clinic.care.placeholders import (
    Unknown,
    fill,
    named_in,
    placeholders_of,
    placeholders_of_addition,
    unknown_in,
)
from clinic.messages.discretion import telling_words
from clinic.planning.findings import Finding, Weight
from clinic.queries.texts import Writer

_ASKS_TO_CALL = re.compile(
    r"\b(?:call|phone|ring|telephone)\s+(?:us|me|the|our)\b|\bgive us a (?:call|ring)\b|\bby (?:tele)?phone\b"
    r"|\bruf(?:en|t)?\b(?:\s+\w+){0,4}\s+an\b|\banruf(?:en)?\b|\btelefonisch\b", re.I)
_NUMBER = re.compile(r"\+?\d[\d\s()/.-]{6,}\d")
_DIGITS = 9
"""A date has eight."""
_WORD = re.compile(r"[^\W\d]\w{3,}")
_NEUTRAL = frozenset((
    *("appointment", "clinic", "consultation", "date", "first", "follow", "full", "half", "hour", "last", "long"),
    *("minutes", "new", "next", "number", "repeat", "review", "second", "session", "short", "single", "standard"),
    *("start", "third", "time", "visit", "with", "your"),
    *("besuch", "dritte", "erste", "erster", "folgetermin", "ganz", "halb", "kurz", "lang", "letzte", "minuten"),
    *("nächster", "neue", "sitzung", "stunde", "termin", "zeit", "zweite"),
))
"""Words in the names of treatments that tell nothing by themselves."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: its code, the field that it is typed into, and what it may name."""

    code: str
    part: Part | Addition
    known: Mapping[str, str]

    @property
    def is_in_the_inbox(self) -> bool:
        """Whether it can be read without opening the message."""
        return self.part in IN_THE_INBOX


def places_of(kind: MessageKind | None) -> tuple[Place, ...]:
    """The texts of that kind of message; of none: those that stand in every message."""
    if kind is None:
        return tuple(Place(each.value, each, placeholders_of_addition(each)) for each in Addition)
    return tuple(Place(code_of(kind, part), part, placeholders_of(kind, part)) for part in parts_of(kind))


def judge_text(place: Place, text: str, writer: Writer) -> tuple[Finding, ...]:
    """What speaks against saying this in that place: what blocks comes first; nothing against an empty text."""
    bounds = BOUNDS[place.part]
    if fault := fault_of(text, longest=bounds.longest, most_lines=bounds.most_lines):
        return (_finding("unfit", Weight.BLOCKS, fault, place),)
    return (*_against_placeholders(place, text), *_against_telling(place, text, writer),
            *_against_calling(place, text, writer))


def _against_placeholders(place: Place, text: str) -> Iterator[Finding]:
    for each in unknown_in(text, place.known):
        yield _finding("placeholder", Weight.BLOCKS, _unknown(each, place.known, is_long="\n" in text), place)


def _unknown(each: Unknown, known: Mapping[str, str], *, is_long: bool) -> str:
    where = f"line {each.line}, “{each.around}”" if is_long else f"“{each.around}”"
    if each.nearest is None:
        return f"There is no {each.typed} here ({where}). Known are {_listed(known)}. For a brace itself, write \\{{."
    return f"There is no {each.typed} here ({where}). Did you mean {{{each.nearest}}}?"


def _listed(known: Iterable[str]) -> str:
    *most, last = (f"{{{name}}}" for name in known)
    return f"{', '.join(most)} and {last}"


def _against_telling(place: Place, text: str, writer: Writer) -> Iterator[Finding]:
    if not place.is_in_the_inbox:
        return
    told = _plain(text)
    words = (*telling_words(told), *_of_treatments(told, writer.treatments))
    if words:
        yield _finding("telling", Weight.BLOCKS, f"“{words[0]}” tells what the patient is treated for to whoever sees "
                                                 "the inbox. Leave it out.", place)
    elif "clinic" in named_in(text) and (words := telling_words(_plain(writer.name))):
        yield _finding("telling", Weight.BLOCKS, f"The name of the clinic says “{words[0]}”: whoever sees the inbox "
                                                 "would read it. Leave {clinic} out here.", place)


def _of_treatments(told: str, treatments: Iterable[str]) -> Iterator[str]:
    """What of the names of treatments stands in a text: a whole name, or a word that tells by itself."""
    said = {word.casefold() for word in _WORD.findall(told)}
    for name in treatments:
        plain = _plain(name)
        whole = re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", told, re.I)
        if whole and plain.casefold() not in _NEUTRAL:
            yield whole[0]
        yield from (word for word in _WORD.findall(plain) if word.casefold() in said - _NEUTRAL)


def _against_calling(place: Place, text: str, writer: Writer) -> Iterator[Finding]:
    plain, asks = _plain(text), "phone" in named_in(text)
    if not writer.phone.strip():
        if asks or _ASKS_TO_CALL.search(plain):
            yield _finding("phone", Weight.BLOCKS, "This asks to call, and the clinic has no phone number. Enter it "
                                                   "first, on the page of the clinic.", place)
    elif number := next((each[0] for each in _NUMBER.finditer(plain) if _is_phone(each[0])), None):
        yield _finding("phone", Weight.WARNS, f"{number} stands here as typed. Write {{phone}} for the number of the "
                                              "clinic: it stays right when the number changes.", place)
    elif not asks and not place.is_in_the_inbox and _ASKS_TO_CALL.search(plain):
        yield _finding("phone", Weight.WARNS, "This asks to call and names no number. Write {phone} where it should "
                                              "stand.", place)


def _is_phone(number: str) -> bool:
    return sum(sign.isdigit() for sign in number) >= _DIGITS


def _plain(text: str) -> str:
    """The text as a reader sees it, without its placeholders, nor signs that nobody sees and that could part a word."""
    shown = "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
    return fill(shown, dict.fromkeys(named_in(shown), " ")) or shown


def _finding(code: str, weight: Weight, text: str, place: Place) -> Finding:
    return Finding(f"text-{code}", weight, text, place.part.value)
