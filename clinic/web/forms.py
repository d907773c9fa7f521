"""What was typed into a form: read once, judged field by field, kept for the page that shows it again."""
from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from flask import abort, request
from werkzeug.datastructures import MultiDict

from clinic.planning.findings import Finding
from clinic.planning.words import date_words

T = TypeVar("T")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_LINE_BREAK = re.compile(r"[\t\n]")
_CLOCK = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,9}", re.ASCII)


class Form:
    """The fields of one form, with a fault in words for each that cannot be taken as it is.

    A reader answers with an empty value of its kind where it finds a fault, so that all fields are judged at once;
    ask `faults` before using what was read.
    """

    def __init__(self, typed: Mapping[str, str] | None = None, initial: Mapping[str, Any] | None = None) -> None:
        self.faults: dict[str, str] = {}
        self.findings: list[Finding] = []
        self._typed: MultiDict[str, str] = MultiDict(typed if typed is not None else {})
        self._initial = initial or {}

    @property
    def status(self) -> int:
        """Of the page that shows the form: 422 for what was typed wrong, 409 for a refusal, else 200."""
        if self.faults:
            return 422
        return 409 if self.findings else 200

    def value(self, name: str) -> Any:
        """What the field shows: what was typed, else the initial value, else nothing."""
        if self._typed:
            return self._typed.get(name, "")
        found = self._initial.get(name, "")
        return "" if found is None else found

    def values(self, name: str) -> list[Any]:
        """What a field of several answers shows."""
        return list(self._typed.getlist(name)) if self._typed else list(self._initial.get(name, ()))

    def typed(self) -> list[tuple[str, str]]:
        """Every answer with the name of its field, as it was sent."""
        return list(self._typed.items(multi=True))

    def error(self, name: str) -> str | None:
        """The fault of a field, in words."""
        return self.faults.get(name)

    def fault(self, name: str, words: str) -> None:
        """Finds fault with a field; the first fault stays."""
        self.faults.setdefault(name, words)

    def add(self, findings: Iterable[Finding]) -> None:
        """Puts what a rule found at its field where the form has it, and at the top of the form otherwise."""
        for finding in findings:
            if finding.field and finding.field in self._typed:
                self.fault(finding.field, finding.text)
            else:
                self.findings.append(finding)

    def text(
        self, name: str, label: str, *, most: int = 200, least: int = 0, required: bool = True, lines: bool = False
    ) -> str:
        """Text of bounded length in one line, or in several."""
        given = unicodedata.normalize("NFC", self._typed.get(name, ""))
        given = given.replace("\r\n", "\n").replace("\r", "\n").strip()
        if _CONTROL.search(given) or (not lines and _LINE_BREAK.search(given)):
            return self._wrong(name, f"{label} contains characters that cannot be kept. Type it again.", "")
        if not given and required:
            return self._wrong(name, f"Enter {_lower(label)}.", "")
        if len(given) > most:
            return self._wrong(name, f"{label} may have at most {most} characters; this has {len(given)}.", "")
        if given and len(given) < least:
            return self._wrong(name, f"{label} needs at least {least} characters.", "")
        return given

    def date(
        self, name: str, label: str, *, required: bool = True, earliest: date | None = None, latest: date | None = None
    ) -> date | None:
        """A date, typed as 2027-03-01."""
        given = self._line(name)
        if not given:
            return self._wrong(name, f"Enter {_lower(label)}.", None) if required else None
        try:
            read = date.fromisoformat(given) if len(given) == 10 else None
        except ValueError:
            read = None
        if read is None:
            return self._wrong(name, f"{label} must be a date, such as 2027-03-01.", None)
        if earliest is not None and read < earliest:
            return self._wrong(name, f"{label} cannot be before {date_words(earliest)}.", None)
        if latest is not None and read > latest:
            return self._wrong(name, f"{label} cannot be after {date_words(latest)}.", None)
        return read

    def time(self, name: str, label: str, *, required: bool = True) -> int | None:
        """A time of day, typed as 09:30, in minutes after midnight."""
        given = self._line(name)
        if not given:
            return self._wrong(name, f"Enter {_lower(label)}.", None) if required else None
        found = _CLOCK.fullmatch(given)
        if found is None:
            return self._wrong(name, f"{label} must be a time, such as 09:30.", None)
        return int(found[1]) * 60 + int(found[2])

    def number(self, name: str, label: str, *, least: int, most: int, required: bool = True) -> int | None:
        """A whole number within its bounds."""
        given = self._line(name)
        if not given:
            return self._wrong(name, f"Enter {_lower(label)}.", None) if required else None
        if _NUMBER.fullmatch(given) is None or not least <= int(given) <= most:
            return self._wrong(name, f"{label} must be a whole number from {least} to {most}.", None)
        return int(given)

    def version(self) -> int:
        """The version that the page showed; the form itself is broken without it."""
        given = self._line("lock_version")
        if _NUMBER.fullmatch(given) is None:
            return self._wrong("", "This form is out of date. Reload the page and try again.", 0)
        return int(given)

    def one_of(self, name: str, label: str, choices: Iterable[str], *, required: bool = True) -> str:
        """One of these codes."""
        given = self._line(name)
        if not given and not required:
            return ""
        if given not in {str(choice) for choice in choices}:
            return self._wrong(name, f"Choose {_lower(label)}.", "")
        return given

    def some_of(self, name: str, label: str, choices: Iterable[str]) -> tuple[str, ...]:
        """Any of these codes, each once, in the order of the choices."""
        given = set(self._typed.getlist(name))
        known = [str(choice) for choice in choices]
        if not given <= set(known):
            return self._wrong(name, f"Choose {_lower(label)} from the list.", ())
        return tuple(choice for choice in known if choice in given)

    def ticked(self, name: str) -> bool:
        """Whether a box was ticked."""
        return self._line(name) != ""

    def choice(self, name: str, label: str, parse: Callable[[str], T], *, required: bool = True) -> T | None:
        """What `parse` makes of the field; its ValueError is a fault."""
        given = self._line(name)
        if not given:
            return self._wrong(name, f"Choose {_lower(label)}.", None) if required else None
        try:
            return parse(given)
        except ValueError:
            return self._wrong(name, f"Choose {_lower(label)} again: what was sent cannot be read.", None)

    def choices(self, name: str, label: str, parse: Callable[[str], T], *, most: int = 100) -> tuple[T, ...]:
        """What `parse` makes of each answer of a field that has several; its ValueError is a fault."""
        try:
            return tuple(parse(given) for given in self._typed.getlist(name)[:most])
        except ValueError:
            return self._wrong(name, f"Choose {_lower(label)} again: what was sent cannot be read.", ())

    def overrides(self, of: str = "override-") -> dict[str, str]:
        """The reasons given for going past warnings, by the code of the finding; `of` begins the names of their fields.
        """
        found = {}
        for name in self._typed:
            if name.startswith(of):
                reason = self.text(name, "The reason", most=500, required=False)
                if reason:
                    found[name.removeprefix(of)] = reason
        return found

    def _line(self, name: str) -> str:
        return self._typed.get(name, "").strip()

    def _wrong(self, name: str, words: str, instead: T) -> T:
        self.fault(name, words)
        return instead


def sent_instant(text: str) -> datetime:
    """An instant that a page of ours put into a hidden field; 400 for anything else."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        abort(400)
    if at.tzinfo is None or not 2000 < at.year < 2200:
        abort(400)  # what no zone could show, or no visit can have
    return at


def form_key() -> str:
    """A fresh key for the hidden field by which a form sent twice is known."""
    return secrets.token_urlsafe(18)


def request_sha256() -> str:
    """What this form asks for, apart from its token: equal for the same form sent twice."""
    fields = sorted((name, value) for name, value in request.form.items(multi=True) if name != "csrf_token")
    told = [request.path, *(f"{len(name)}:{name}={len(value)}:{value}" for name, value in fields)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _lower(label: str) -> str:
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]
