"""Turns a rendered message into the bytes that travel. Same input, same bytes: a repeat is a true copy.

The parts are written by hand instead of by the email package: its folding of unusual names differs from
one Python to the next, and a message frozen today must be explainable for years.
"""
from __future__ import annotations

import base64
import binascii
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from clinic.care.directions import undirected
from clinic.care.mail_address import check_address, check_domain
from clinic.messages.rendering import Rendered

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z")
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9._-]+@[A-Za-z0-9.-]+>\Z")
_METHOD = re.compile(rb"^METHOD:([A-Z]+)\r?$", re.MULTILINE)
_PLAIN_WORDS = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]*\Z")
_WEB_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+/[A-Za-z0-9/._~-]{1,400}\Z")
_LINE = 76


@dataclass(frozen=True, slots=True)
class EnvelopeHeader:
    """Who writes to whom, when, and under which Message-ID.

    `stop_link` is for what goes to many: a mail program may offer it as a button, and its server presses it by a POST
    without looking at a page (RFC 8058).
    """

    sender_name: str
    sender_email: str
    to: str
    message_id: str
    sent_at: datetime
    language: str
    reply_to: str | None = None
    stop_link: str | None = None

    def __post_init__(self) -> None:
        for address in (self.sender_email, self.to, self.reply_to):
            if address is not None and check_address(address) != address:
                raise ValueError(f"not in its normal form: {address!r}")
        if not _MESSAGE_ID.match(self.message_id):
            raise ValueError(f"not a Message-ID: {self.message_id!r}")
        if not _LANGUAGE.match(self.language):
            raise ValueError(f"not a language: {self.language!r}")
        if self.sent_at.utcoffset() is None:
            raise ValueError(f"a time without its zone: {self.sent_at}")
        _refuse_control_characters(self.sender_name)
        if self.stop_link is not None and not _WEB_ADDRESS.match(self.stop_link):
            raise ValueError(f"not a web address: {self.stop_link!r}")


def message_id(key: str, domain: str) -> str:
    """The Message-ID of a message's key: always the same for one key, and nothing of the key can be read in it."""
    digest = hashlib.sha256(f"clinic message {key}".encode()).hexdigest()[:40]
    return f"<{digest}@{check_domain(domain)}>"


def build_mime(rendered: Rendered, header: EnvelopeHeader) -> bytes:
    """The whole message: 7-bit, CRLF, short lines; a calendar file about one appointment is also shown inline."""
    methods = tuple(_method(calendar) for calendar in rendered.calendars)
    inline = len(methods) == 1 and methods[0] != "PUBLISH"
    boundaries = _Boundaries(header.message_id)
    alternatives = [_text_part("plain", rendered.text), _text_part("html", rendered.html)]
    if inline:
        alternatives.append(_calendar_part(rendered.calendars[0], f"text/calendar; charset=utf-8; method={methods[0]}"))
    body = _multipart("alternative", alternatives, boundaries.next())
    if methods:
        files = [
            _attachment(calendar, method, number, is_copy=inline)
            for number, (calendar, method) in enumerate(zip(rendered.calendars, methods, strict=True), start=1)
        ]
        body = _multipart("mixed", [body, *files], boundaries.next())
    return (_headers(rendered.subject, header) + body).encode("ascii")


def _headers(subject: str, header: EnvelopeHeader) -> str:
    name = _display_name(undirected(" ".join(header.sender_name.split())), len("From: "))
    sender = f"{name}\r\n <{header.sender_email}>" if name else header.sender_email
    lines = [
        f"From: {sender}",
        f"To: {header.to}",
        *([f"Reply-To: {header.reply_to}"] if header.reply_to else []),
        f"Subject: {_unstructured(undirected(subject), len('Subject: '))}",
        f"Date: {format_datetime(header.sent_at.astimezone(UTC))}",
        f"Message-ID: {header.message_id}",
        f"Content-Language: {header.language}",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: OOF, AutoReply",
        *([f"List-Unsubscribe: <{header.stop_link}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
           f"List-Id: <newsletter.{header.sender_email.rpartition('@')[2]}>"] if header.stop_link else []),
        "MIME-Version: 1.0",
    ]
    return "".join(f"{line}\r\n" for line in lines)


def _display_name(name: str, used: int) -> str:
    _refuse_control_characters(name)
    if len(name) <= _LINE - used - 2 and _PLAIN_WORDS.match(name):
        return f'"{name}"' if name and not name.replace(" ", "").isalnum() else name
    return _encoded_words(name, used)


def _unstructured(text: str, used: int) -> str:
    _refuse_control_characters(text)
    is_plain = text.isascii() and "=?" not in text and text == " ".join(text.split())
    return text if is_plain and len(text) <= _LINE - used else _encoded_words(text, used)


def _encoded_words(text: str, used: int) -> str:
    """RFC 2047: base64 words of at most 75 characters, never cut inside a character, one to a line."""
    room = (_LINE - used - len("=?utf-8?b?" + "?=")) // 4 * 3
    words, word = [], b""
    for sign in text:
        encoded = sign.encode()
        if len(word) + len(encoded) > room:
            words.append(word)
            word, room = b"", (75 - len("=?utf-8?b?" + "?=")) // 4 * 3
        word += encoded
    words.append(word)
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(each).decode()}?=" for each in words)


def _text_part(subtype: str, text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    whole = lines if lines.endswith("\r\n") else f"{lines}\r\n"
    encoded = binascii.b2a_qp(whole.encode(), istext=True).decode("ascii")
    return (
        f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{encoded}"
    )


def _calendar_part(calendar: bytes, content_type: str, disposition: str = "") -> str:
    encoded = base64.b64encode(calendar).decode("ascii")
    lines = "".join(f"{encoded[at:at + _LINE]}\r\n" for at in range(0, len(encoded), _LINE))
    return f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: base64\r\n{disposition}\r\n{lines}"


def _attachment(calendar: bytes, method: str, number: int, *, is_copy: bool) -> str:
    name = "invite.ics" if number == 1 else f"invite-{number}.ics"
    # The copy of an inline part goes by another type, so that no program takes the same request twice.
    kind = "application/ics" if is_copy else f"text/calendar; charset=utf-8; method={method}"
    return _calendar_part(
        calendar, f'{kind};\r\n name="{name}"', f'Content-Disposition: attachment; filename="{name}"\r\n'
    )


def _multipart(subtype: str, parts: list[str], boundary: str) -> str:
    inner = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"\r\n\r\n{inner}--{boundary}--\r\n'


class _Boundaries:
    """Boundaries that no part can contain: quoted-printable and base64 never write `=_`."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._count = 0

    def next(self) -> str:
        self._count += 1
        return f"=_{self._count}_{hashlib.sha256(self._seed.encode()).hexdigest()[:24]}"


def _method(calendar: bytes) -> str:
    found = _METHOD.search(calendar)
    if found is None:
        raise ValueError("a calendar file without a METHOD")
    return found[1].decode("ascii")


def _refuse_control_characters(text: str) -> None:
    if any(unicodedata.category(sign) in {"Cc", "Zl", "Zp", "Cs"} for sign in text):
        raise ValueError(f"line breaks and control characters cannot travel in a header: {text!r}")
