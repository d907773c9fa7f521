"""Reading a JSON document against a form, naming every fault by its place and never stopping at the first."""
from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

Value = TypeVar("Value")

DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
NAME_LONGEST = 200
SHOWN_LONGEST = 60
UNKNOWN_SHOWN = 100
# Our defaults: what a document may hold at most, so that none takes more than a second or 200 MB to refuse. Five years
# of twenty practitioners' bookings fit. The weights are bytes of memory, above those of the text, for each sign.
MOST_BYTES = 16 * 1024 * 1024
MOST_WEIGHT = 130_000_000
WEIGHTS = (("[", 64), ("{", 64), (",", 40), ('":', 120))


class Malformed(ValueError):
    """A document that breaks the form; `faults` names each by its place."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class Repeated(dict[str, Any]):
    """An object in which a key stood more than once."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        seen: set[str] = set()
        self.again = tuple(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]


@dataclass(frozen=True, slots=True)
class NotANumber:
    """NaN or an infinity, which JSON does not have."""

    written: str


def load(text: str | bytes) -> Any:
    """The value of a JSON text; Malformed where it is none, or larger than `MOST_BYTES` or `MOST_WEIGHT`."""
    if len(text) > MOST_BYTES:
        raise Malformed([f"document: must have at most {MOST_BYTES // 1024 ** 2} MB of text"])
    if len(text) + _weight(text) > MOST_WEIGHT:
        raise Malformed(["document: holds too many values; about 250,000 busy spans are the most that is read"])
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=NotANumber)
    except RecursionError:
        raise Malformed(["document: nested too deeply"]) from None
    except json.JSONDecodeError as error:
        raise Malformed([f"document: not JSON: {error.msg} (line {error.lineno}, column {error.colno})"]) from None
    except UnicodeDecodeError:
        raise Malformed(["document: not UTF-8 text"]) from None
    except ValueError:
        raise Malformed(["document: a number is too long"]) from None


def _weight(text: str | bytes) -> int:
    """About how much memory the values of a JSON text will take, in bytes."""
    if isinstance(text, bytes):
        return sum(text.count(sign.encode()) * weight for sign, weight in WEIGHTS)
    return sum(text.count(sign) * weight for sign, weight in WEIGHTS)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Repeated(pairs)


@dataclass(slots=True)
class Form:
    """Collects the faults of one document; a reader that finds one returns None and goes on."""

    faults: list[str] = field(default_factory=list)

    def fault(self, place: str, what: str) -> None:
        """Note one fault."""
        self.faults.append(f"{place or 'document'}: {what}")

    def members(
        self, value: Any, place: str, required: Sequence[str], optional: Sequence[str] = ()
    ) -> Mapping[str, Any] | None:
        """An object with these keys and no others."""
        if not isinstance(value, dict):
            self.fault(place, "must be an object")
            return None
        unknown = [key for key in value if key not in required and key not in optional]
        for key in unknown[:UNKNOWN_SHOWN]:
            self.fault(inside(place, key), "is not part of the form")
        if len(unknown) > UNKNOWN_SHOWN:
            self.fault(place, f"has {len(unknown) - UNKNOWN_SHOWN} more keys that are not part of the form")
        for key in value.again if isinstance(value, Repeated) else ():
            self.fault(inside(place, key), "is given more than once")
        for key in required:
            if key not in value:
                self.fault(inside(place, key), "is required")
        return value

    def items(
        self, value: Any, place: str, read: Callable[[Any, str], Value | None], least: int = 0, most: int | None = None
    ) -> list[Value | None]:
        """A list, each item read by itself; what could not be read is None, so that places keep their numbers."""
        if not isinstance(value, list):
            self.fault(place, "must be a list")
            return []
        if len(value) < least:
            self.fault(place, f"must have at least {least} item")
        if most is not None and len(value) > most:
            self.fault(place, f"must have at most {most} items")
            return []
        return [read(each, f"{place}[{at}]") for at, each in enumerate(value)]

    def whole(self, value: Any, place: str, low: int, high: int | None = None) -> int | None:
        """A whole number within bounds; 30.0 is one, true is none."""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self.fault(place, "must be a whole number")
            return None
        if value < low or (high is not None and value > high):
            self.fault(place, f"must be at least {low}" if high is None else f"must be from {low} to {high}")
            return None
        return value

    def name(self, value: Any, place: str) -> str | None:
        """A text of 1 to 200 characters."""
        if not isinstance(value, str):
            self.fault(place, "must be a text")
            return None
        if not 1 <= len(value) <= NAME_LONGEST:
            self.fault(place, f"must have 1 to {NAME_LONGEST} characters")
            return None
        return value

    def one_of(self, value: Any, place: str, choices: Sequence[str]) -> str | None:
        """One of some texts."""
        if not isinstance(value, str) or value not in choices:
            self.fault(place, f"must be one of {', '.join(choices)}")
            return None
        return value

    def date(self, value: Any, place: str) -> date | None:
        """A date that exists, as 2027-03-01."""
        match = DATE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.fault(place, "must be a date such as 2027-03-01")
            return None
        try:
            return date(*map(int, match.groups()))
        except ValueError:
            self.fault(place, "is no date that exists")
            return None

    def skills(self, found: Mapping[str, Any], place: str, *, unique: bool) -> frozenset[str]:
        """The skills of a resource, each once, or of a need."""
        if "skills" not in found:
            return frozenset()
        place = f"{place}.skills"
        names = self.items(found["skills"], place, self.name, most=100)
        if unique:
            seen: set[str | None] = set()
            for at, name in enumerate(names):
                if name is not None and name in seen:
                    self.fault(f"{place}[{at}]", "is listed twice")
                seen.add(name)
        return frozenset(readable(names))


def inside(place: str, key: str) -> str:
    """The place of a key in an object."""
    if key.isidentifier() and key.isascii():
        return f"{place}.{key[:SHOWN_LONGEST]}" if place else key[:SHOWN_LONGEST]
    return f"{place}[{json.dumps(key[:SHOWN_LONGEST])}]"


def readable(found: Sequence[Value | None]) -> list[Value]:
    """What could be read."""
    return [each for each in found if each is not None]
