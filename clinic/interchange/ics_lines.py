"""Calendar files as they lie: bytes into lines, lines into nested components, with a bound on everything.

Only the properties that say when somebody is busy are kept. What people write into a calendar is nobody's business
here: titles, places and names are not even taken apart.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MOST_BYTES = 5_000_000
MOST_LINES = 200_000
MOST_COMPONENTS = 20_000
MOST_KEPT = 80_000
MOST_SIGNS = 100_000
"""Of one line that is kept, such as a long list of exceptions."""
DEEPEST = 8

KEPT = frozenset({
    "DTSTART", "DTEND", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "UID", "SEQUENCE", "STATUS",
    "TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS", "METHOD", "TZID", "TZOFFSETFROM", "TZOFFSETTO", "X-LIC-LOCATION",
    "FREEBUSY", "CALSCALE",
})

_BREAK = re.compile(r"\r\n|\n|\r")
_PROPERTY = re.compile(r"([A-Za-z0-9-]+)((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)", re.DOTALL)
_NAME = re.compile(r"(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)[;:]")
_PARAMETER = re.compile(r";([A-Za-z0-9-]+)=(\"[^\"]*\"|[^;]*)")


class CannotRead(ValueError):
    """Why a file cannot be taken, in words, with the line where it shows."""

    def __init__(self, text: str, line: int | None = None) -> None:
        super().__init__(text)
        self.text, self.line = text, line


@dataclass(frozen=True, slots=True)
class Property:
    """One property: its name and the names of its parameters in capitals."""

    name: str
    parameters: Mapping[str, str]
    value: str
    line: int


@dataclass(slots=True)
class Component:
    """A component such as VEVENT, with what is kept of it."""

    name: str
    line: int
    properties: list[Property] = field(default_factory=list)
    parts: list[Component] = field(default_factory=list)

    def one(self, name: str) -> Property | None:
        """The first property of that name."""
        return next((each for each in self.properties if each.name == name), None)

    def all(self, name: str) -> list[Property]:
        """Every property of that name."""
        return [each for each in self.properties if each.name == name]

    def text(self, name: str) -> str:
        """What the first property of that name says, in capitals; nothing where there is none."""
        found = self.one(name)
        return found.value.strip().upper() if found else ""


def calendars(data: bytes) -> list[Component]:
    """The calendars of a file; raises CannotRead for what is none, is broken off, or is too big."""
    if len(data) > MOST_BYTES:
        raise CannotRead(f"The file is larger than {MOST_BYTES // 1_000_000} MB. Export a shorter time from the "
                         "calendar, or leave attachments out.")
    text = _text(data)
    if not text.strip():
        raise CannotRead("The file is empty. Export the calendar again.")
    found: list[Component] = []
    reading = _Reading(found)
    for number, line in _unfolded(text):
        reading.take(number, line)
    reading.finish()
    return found


class _Reading:
    """Where the reader stands: the components that are open, and what the last line was about."""

    def __init__(self, found: list[Component]) -> None:
        self._found = found
        self._open: list[Component] = []
        self._count = self._kept = 0
        self._last_kept = False

    def take(self, number: int, line: str) -> None:
        name = _NAME.match(line)
        if name is None:
            self._take_stray(number, line)
            return
        code = name[1].upper()
        if code == "BEGIN":
            self._begin(number, line.partition(":")[2].strip().upper())
        elif not self._open:
            raise _no_calendar(line, number)
        elif code == "END":
            self._end(number, line.partition(":")[2].strip().upper())
        else:
            self._last_kept = code in KEPT
            if self._last_kept:
                self._kept += 1
                if self._kept > MOST_KEPT:
                    raise _too_many(number)
                self._open[-1].properties.append(_property(code, line, number))

    def finish(self) -> None:
        if self._open:
            last = self._open[-1]
            raise CannotRead(
                f"The file breaks off: what begins with BEGIN:{last.name[:40]} has no end. Export it again.", last.line)

    def _begin(self, number: int, name: str) -> None:
        if not self._open and name != "VCALENDAR":
            raise _no_calendar(f"BEGIN:{name}", number)
        self._count += 1
        if self._count > MOST_COMPONENTS:
            raise _too_many(number)
        if len(self._open) == DEEPEST:
            raise CannotRead("The entries of the file are nested too deep. Export the calendar again.", number)
        made = Component(name, number)
        (self._open[-1].parts if self._open else self._found).append(made)
        self._open.append(made)
        self._last_kept = False

    def _end(self, number: int, name: str) -> None:
        if name != self._open[-1].name:
            wanted = self._open[-1].name
            raise CannotRead(
                f"END:{name[:40]} stands where END:{wanted[:40]} should. Export the calendar again.", number)
        self._open.pop()
        self._last_kept = False

    def _take_stray(self, number: int, line: str) -> None:
        # A description with line breaks that its program forgot to fold says nothing about time; a rule does.
        if not self._open:
            raise _no_calendar(line, number)
        if self._last_kept:
            raise CannotRead("This line does not belong to the one before it: the file was folded wrongly.", number)


def _text(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            # Names and times are ASCII whatever the charset, and nothing else is kept.
            text = data.decode("latin-1").removeprefix("\xef\xbb\xbf")
    if "\0" in text:
        raise CannotRead("This is no calendar file. Choose a file that ends in .ics.")
    return text


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """The lines with their numbers, those that go on joined to what they continue; empty ones left out."""
    begun, parts = 0, [""]
    for number, line in enumerate(_BREAK.split(text, MOST_LINES), 1):
        if number > MOST_LINES:
            raise _too_many(number)
        if line[:1] in (" ", "\t") and begun:
            parts.append(line[1:])
        elif line.strip():
            if begun:
                yield begun, "".join(parts)
            begun, parts = number, [line]
    if begun:
        yield begun, "".join(parts)


def _property(code: str, line: str, number: int) -> Property:
    if len(line) > MOST_SIGNS:
        raise CannotRead(f"The line is longer than {MOST_SIGNS:,} characters.", number)
    found = _PROPERTY.match(line.split(".", 1)[1] if "." in line.partition(":")[0].partition(";")[0] else line)
    if found is None:
        raise CannotRead(f"What {code} says cannot be read.", number)
    parameters = {name.upper(): value.strip('"') for name, value in _PARAMETER.findall(found[2])}
    return Property(code, parameters, found[3].strip(), number)


def _too_many(number: int) -> CannotRead:
    return CannotRead("The file holds more than can be read at once. Export a shorter time from the calendar.", number)


def _no_calendar(line: str, number: int) -> CannotRead:
    if line.lstrip()[:1] == "<":
        return CannotRead("This is a web page, not a calendar file: the address may have asked to sign in. "
                          "Download the .ics file and choose that one.", number)
    return CannotRead("This is no calendar file: it does not begin with BEGIN:VCALENDAR.", number)
