"""Takes a message of a stranger apart, whatever it is: bounded in size, depth and number of parts, and never raising.

The email package is not used here: it recurses for each level of nesting, and keeps each line as an object of its own.
"""
from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST_BYTES = 5 * 1024 * 1024
"""So much of a message is read; what a mail system says of it stands at its beginning."""
_MOST_DEPTH = 8
_MOST_PARTS = 64
_MOST_HEAD = 64 * 1024
_MOST_FIELDS = 400
_MOST_BODY = 256 * 1024
_FIELD = re.compile(r"([!-9;-~]{1,76})[ \t]*:[ \t]*(.*)\Z", re.DOTALL)
_KIND = re.compile(r"\s*([\w.+-]{1,60}/[\w.+-]{1,60})", re.ASCII)
_PARAMETER = r"(?:\A|[;\s]){name}\s*=\s*(?:\"([^\"]{{1,200}})\"|([^\s;\"]{{1,200}}))"
_BOUNDARY = re.compile(_PARAMETER.format(name="boundary"), re.IGNORECASE)
_REPORT_TYPE = re.compile(_PARAMETER.format(name="report-type"), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fields:
    """Header fields in their order: names in small letters, values on one line."""

    lines: tuple[tuple[str, str], ...] = ()

    def first(self, name: str) -> str:
        """The first field of that name; empty where there is none."""
        return next((value for field, value in self.lines if field == name), "")

    def every(self, *names: str) -> tuple[str, ...]:
        """All fields of these names."""
        return tuple(value for field, value in self.lines if field in names)

    @property
    def kind(self) -> str:
        """The media type, such as `multipart/report`."""
        found = _KIND.match(self.first("content-type"))
        return found[1].lower() if found else "text/plain"

    @property
    def report_type(self) -> str:
        """Which report a `multipart/report` says that it is."""
        found = _REPORT_TYPE.search(self.first("content-type"))
        return (found[1] or found[2]).lower() if found else ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part that has no parts of its own: a message that is enclosed stays whole."""

    fields: Fields
    body: bytes

    @property
    def text(self) -> str:
        """The beginning of the body, decoded as far as it can be."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Mail:
    """A message taken apart."""

    fields: Fields
    parts: tuple[Part, ...]


def take_apart(data: bytes) -> Mail:
    """The header and the parts of a message, as far as they can be told; of a long one only the beginning."""
    whole = data[:MOST_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n").lstrip(b"\n")
    fields, _ = _head(whole, 0, len(whole))
    return Mail(fields, tuple(_parts(whole)))


def fields_of(text: str) -> Fields:
    """The header fields at the beginning of a text, up to its first empty line; what is none is left out."""
    found: list[tuple[str, str]] = []
    for line in text.split("\n", _MOST_FIELDS + 1)[:_MOST_FIELDS]:
        if not line.strip():
            break
        if line[0] in " \t" and found:
            name, value = found[-1]
            if len(value) < _MOST_HEAD:
                found[-1] = (name, f"{value} {line.strip()}")
        elif (field := _FIELD.match(line)) is not None:
            found.append((field[1].lower(), field[2].strip()))
    return Fields(tuple(found))


def _parts(whole: bytes) -> Iterator[Part]:
    """The parts from the first to the last, those within others in their place."""
    waiting = [(0, len(whole), 0)]
    for _ in range(_MOST_PARTS):
        if not waiting:
            return
        begins, ends, depth = waiting.pop()
        fields, body_at = _head(whole, begins, ends)
        inner = _spans(whole, fields, body_at, ends) if depth < _MOST_DEPTH else []
        if inner:
            waiting += [(first, last, depth + 1) for first, last in reversed(inner)]
        else:
            yield Part(fields, _decoded(fields, whole[body_at:min(ends, body_at + _MOST_BODY)]))


def _head(whole: bytes, begins: int, ends: int) -> tuple[Fields, int]:
    """The header of what lies there, and where its body begins; what has no empty line is taken for both."""
    if whole.startswith(b"\n", begins):
        return Fields(), begins + 1
    blank = whole.find(b"\n\n", begins, min(ends, begins + _MOST_HEAD))
    head_ends = min(ends, begins + _MOST_HEAD) if blank < 0 else blank
    return fields_of(whole[begins:head_ends].decode("utf-8", "replace")), begins if blank < 0 else blank + 2


def _spans(whole: bytes, fields: Fields, body_at: int, ends: int) -> list[tuple[int, int]]:
    """Where the parts of a multipart lie; the last one may lack its end. Nothing where it is none."""
    if not fields.kind.startswith("multipart/"):
        return []
    named = _BOUNDARY.search(fields.first("content-type"))
    if named is None:
        return []
    mark = b"\n--" + (named[1] or named[2]).strip().encode("utf-8", "replace")
    found: list[tuple[int, int]] = []
    opened, at = None, whole.find(mark, body_at - 1, ends)
    while at >= 0 and len(found) < _MOST_PARTS:
        after = at + len(mark)
        is_last = whole.startswith(b"--", after)
        line_ends = whole.find(b"\n", after, ends)
        line_ends = ends if line_ends < 0 else line_ends
        if is_last or not whole[after:min(line_ends, after + 80)].strip():
            if opened is not None:
                found.append((opened, at))
            opened = None if is_last else min(line_ends + 1, ends)
            if is_last:
                break
        at = whole.find(mark, min(line_ends, ends), ends)
    return [*found, (opened, ends)] if opened is not None else found


def _decoded(fields: Fields, body: bytes) -> bytes:
    """The body without its transfer encoding; as it is where that is broken."""
    encoding = fields.first("content-transfer-encoding").lower()
    if encoding.startswith("quoted-printable"):
        return binascii.a2b_qp(body)
    if encoding.startswith("base64"):
        signs = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
        usable = len(signs) - (len(signs) % 4 == 1)
        return binascii.a2b_base64(signs[:usable] + b"=" * (-usable % 4))
    return body
