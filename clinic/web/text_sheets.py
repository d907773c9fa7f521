"""The sheets on which a clinic writes its own texts: one for each kind of message, one for what all of them say."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import abort, request

from clinic.access import Right
from clinic.care.message_kinds import MessageKind
from clinic.care.own_text import BOUNDS, Addition, Bounds, Part, parts_of
from clinic.care.translations import LANGUAGES
from clinic.planning.findings import Finding
from clinic.queries.texts import (
    ClinicWords,
    Newest,
    WaitingLetter,
    Writer,
    clinic_words,
    newest_texts,
    waiting_letters,
    writer_of,
)
from clinic.services.previews import Preview, sample, typed_texts, waiting_message, what_we_say
from clinic.services.text_faults import Place, places_of
from clinic.services.texts import judge_texts, newest_id, newest_of
from clinic.web.entry import here, today
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.words import MESSAGE_KINDS

EVERY = "every-message"
"""The sheet of what stands in every message."""
LABELS: Mapping[Part | Addition, str] = {
    Part.SUBJECT: "Subject", Part.SEVERAL: "Subject, for several dates", Part.PREHEADER: "Line below the subject",
    Part.OPENING: "Opening words", Addition.DIRECTIONS: "How to find us",
    Addition.CANCELLATION: "If you cannot come", Addition.CLOSING: "Closing words",
}
_HINTS: Mapping[Part | Addition, str] = {
    Addition.DIRECTIONS: "In confirmations, changes and reminders, such as the entrance, parking, the bus stop.",
    Addition.CANCELLATION: "In confirmations, changes and reminders: how late, and what then.",
    Addition.CLOSING: "At the end of every message, in place of our “Warm regards”.",
}
_FIRST = MessageKind.CONFIRMATION
_KINDS = frozenset(kind.value for kind in MessageKind)


@dataclass(frozen=True, slots=True)
class Field:
    """One text as it is typed: what it is called, what we say where it is empty, and what it may name."""

    place: Place
    label: str
    hint: str
    ours: str
    bounds: Bounds

    @property
    def name(self) -> str:
        """What the form calls it."""
        return self.place.part.value


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is written at one time, in one language; `kind` is none for what stands in every message."""

    name: str
    kind: MessageKind | None
    language: str

    @property
    def title(self) -> str:
        """What it is called on screen."""
        return MESSAGE_KINDS[self.kind] if self.kind else "In every message"

    @property
    def fields(self) -> tuple[Field, ...]:
        """Its texts, in the order of reading."""
        return tuple(_field(place, self) for place in places_of(self.kind))


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that the page of a sheet shows besides what is typed into it.

    `letters` are real messages in which it can be read, `chosen` the one that is, `is_gone` where it is no longer true.
    `inbox` is the message before it is opened: a made-up one for one date and for several, where that differs.
    """

    writer: Writer
    kept: Mapping[str, Newest]
    letters: tuple[WaitingLetter, ...]
    chosen: int | None
    kind: MessageKind
    preview: Preview | None
    inbox: tuple[tuple[str, Preview], ...]
    is_gone: bool

    @property
    def words(self) -> dict[str, str]:
        """What is kept, by its code."""
        return {code: each.text for code, each in self.kept.items()}

    @property
    def seen(self) -> int:
        """The newest version that the page shows."""
        return newest_id(self.kept.values())

    @property
    def unapproved(self) -> tuple[Newest, ...]:
        """What nobody answers for."""
        return tuple(each for each in self.kept.values() if not each.is_approved)


def sheet_named(name: str, language: str) -> Sheet:
    """The sheet of that name; 404 where there is none."""
    if language not in LANGUAGES or name not in (EVERY, *_KINDS):
        abort(404)
    return Sheet(name, None if name == EVERY else MessageKind(name), language)


def read_words(form: Form, sheet: Sheet) -> dict[str, str]:
    """What was typed, by code; a fault of its characters stands at its field."""
    return {each.place.code: form.text(each.name, each.label, most=5000, required=False,
                                       lines=each.bounds.most_lines > 1) for each in sheet.fields}


def shown(sheet: Sheet, words: Mapping[str, str] | None = None) -> Shown:
    """What the page shows, with the words that were typed, or those that are kept."""
    kind = sheet.kind or _kind_asked()
    with kit().read() as db:
        clinic, writer = clinic_words(db, here().clinic_id), writer_of(db, here().clinic_id)
        kept = newest_of(newest_texts(db, here().clinic_id), sheet.language, [each.place.code for each in sheet.fields])
        letters = waiting_letters(db, here().clinic_id, kind, sheet.language) if may_read_letters() else ()
        chosen = _chosen(letters)
        texts = typed_texts(clinic.facts.texts, here().clinic_id, sheet.language, words or {}, writer)
        real = waiting_message(db, chosen, kind, texts, now=now()) if chosen and writer.phone.strip() else None
    made_up = () if real or not writer.phone.strip() else _made_up(clinic.with_texts(texts), kind, sheet.language)
    preview = real or next((each for _, each in made_up), None)
    return Shown(writer, kept, letters, chosen, kind, preview, made_up or ((("", real),) if real else ()),
                 is_gone=chosen is not None and real is None)


def may_read_letters() -> bool:
    """Whether real messages may be shown: to those who see patients and their messages."""
    return here().may(Right.SEE_PATIENTS) and here().may(Right.SEE_MESSAGES)


def findings_at(sheet: Sheet, words: Mapping[str, str], writer: Writer) -> dict[str, list[Finding]]:
    """What speaks against these words, by field, what blocks first."""
    found: dict[str, list[Finding]] = {}
    for each in sorted(judge_texts(sheet.kind, words, writer), key=lambda finding: finding.weight):
        found.setdefault(each.field or "", []).append(each)
    return found


def _made_up(clinic: ClinicWords, kind: MessageKind, language: str) -> tuple[tuple[str, Preview], ...]:
    """A made-up message with what is to be said over it; first the one that is shown opened."""
    if Part.SEVERAL not in parts_of(kind):
        return (("", sample(clinic, kind, language=language, today=today())),)
    return tuple((words, sample(clinic, kind, language=language, today=today(), visits_told=number))
                 for words, number in (("For several dates", 3), ("For one date", 1)))


def _chosen(letters: tuple[WaitingLetter, ...]) -> int | None:
    asked = request.values.get("with", "")
    return next((each.message_id for each in letters if str(each.message_id) == asked), None)


def _kind_asked() -> MessageKind:
    asked = request.values.get("kind", _FIRST.value)
    if asked not in _KINDS:
        abort(404)
    return MessageKind(asked)


def _field(place: Place, sheet: Sheet) -> Field:
    label = LABELS[place.part]
    if sheet.kind is None or isinstance(place.part, Addition):
        return Field(place, label, _HINTS.get(place.part, ""), "", BOUNDS[place.part])
    if place.part is Part.SUBJECT and any(each.part is Part.SEVERAL for each in places_of(sheet.kind)):
        label = "Subject, for one date"
    return Field(place, label, "", what_we_say(sheet.kind, sheet.language)[place.part], BOUNDS[place.part])
