"""Reports as mail systems of the world write them, in every dress, and what arrives at such a mailbox besides.

What they say was written anew after the forms of the systems that are named; the addresses are made up.

`HARD`: the address is dead; `SOFT`: it did not arrive, and the address may live; `LATE`: it is still tried; `NONE`: it
tells nothing of our message.
"""
from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "bounces"
"""What reports say, each after a line with its name and what it has to be read as."""
HARD, SOFT, LATE, NONE = "hard", "soft", "late", "none"
PATIENT = "ana.silva@home.example"
MESSAGE_ID = "<5f0c9a@clinic.example>"
RETURN_PATH = "returned+7-abcdefghijklmnop@clinic.example"


@dataclass(frozen=True)
class Sample:
    """A message that arrives, and what it has to be read as."""

    name: str
    data: bytes
    expected: str


@dataclass(frozen=True)
class Dress:
    """How a report is wrapped: its line ends, how much of the message comes back, how its fields are encoded."""

    name: str
    ends: bytes = b"\n"
    returned: str = "whole"
    encoding: str = ""
    is_closed: bool = True
    shouts: bool = False
    hops: int = 1


DRESSES = (
    Dress("plain"), Dress("crlf", ends=b"\r\n"), Dress("cr", ends=b"\r"), Dress("headers only", returned="headers"),
    Dress("quoted", encoding="quoted-printable"), Dress("base64", encoding="base64"),
    Dress("not closed", is_closed=False), Dress("shouting", shouts=True), Dress("far", hops=60),
    Dress("global", returned="global"),
)


def samples() -> Iterator[Sample]:
    """All of them: every report in every dress, and what is broken or none."""
    for name, expected, fields in shapes("formal"):
        for dress in DRESSES:
            yield Sample(f"{name}, {dress.name}", formal(fields, dress), expected)
    for name, expected, text in shapes("said"):
        for ends in (b"\n", b"\r\n", b"\r"):
            yield Sample(f"{name} in words, {ends!r}", said(text, ends), expected)
    for name, expected, text in shapes("others"):
        for ends in (b"\n", b"\r\n"):
            head, _, words = text.partition("\n\n")
            filled = f"{head}\nTo: {RETURN_PATH}\n\n{words}\n".replace("{to}", PATIENT).replace("{id}", MESSAGE_ID)
            yield Sample(f"{name}, {ends!r}", filled.encode().replace(b"\n", ends), expected)
    yield from _broken()


def shapes(name: str) -> Iterator[tuple[str, str, str]]:
    """What the file of that name holds: names, what each is to be read as, and texts."""
    for each in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").removeprefix("# ").split("\n# "):
        first, _, text = each.partition("\n")
        called, _, expected = first.rpartition(": ")
        yield called, expected, text.removesuffix("\n")


def report(
    name: str = "postfix unknown", to: str = PATIENT, *, message_id: str = MESSAGE_ID,
    return_path: str = RETURN_PATH, own_id: str = "1",
) -> bytes:
    """One of the formal reports, undressed, about a message to that address."""
    fields = next(fields for called, _, fields in shapes("formal") if called == name)
    return formal(fields, Dress("plain"), to=to, message_id=message_id, return_path=return_path, own_id=own_id)


def formal(
    fields: str, dress: Dress, *, to: str = PATIENT, message_id: str = MESSAGE_ID, return_path: str = RETURN_PATH,
    own_id: str = "1",
) -> bytes:
    """A report of the form of RFC 3464 or RFC 6533 with these fields about its recipients."""
    kind = "message/global-delivery-status" if dress.returned == "global" else "message/delivery-status"
    status = (f"Reporting-MTA: dns; mx.clinic.example\nArrival-Date: Mon, 1 Mar 2027 09:00:00 +0000\n\n"
              f"{fields.replace('{to}', to)}\n")
    if dress.shouts:
        status = re.sub(r"^[\w-]+:", lambda name: name[0].upper(), status, flags=re.MULTILINE)
    copies = {"whole": ("message/rfc822", f"{_original(to, message_id)}\nSee you on Monday.\n"),
              "headers": ("text/rfc822-headers", _original(to, message_id)),
              "global": ("message/global", f"{_original(to, message_id)}\nBis Montag in Köln.\n")}
    returned_kind, returned = copies[dress.returned]
    hops = "".join(f"Received: from mx{hop}.example by mx{hop + 1}.example; Mon, 1 Mar 2027 09:00:00 +0000\n"
                   for hop in range(dress.hops))
    text = (
        f"{hops}From: MAILER-DAEMON@mx.clinic.example (Mail Delivery System)\nSubject: Undelivered Mail\n"
        f"To: {return_path}\nAuto-Submitted: auto-replied\nMessage-ID: <{own_id}@mx.clinic.example>\n"
        f'Content-Type: multipart/report; report-type=delivery-status;\n\tboundary="9B095B5AD.10/mx.clinic.example"\n\n'
        "This is a MIME-encapsulated message.\n\n"
        "--9B095B5AD.10/mx.clinic.example\nContent-Type: text/plain; charset=us-ascii\n\n"
        "I'm sorry to have to tell you.\n\n"
        f"--9B095B5AD.10/mx.clinic.example\nContent-Type: {kind}\n{_encoded(status, dress.encoding)}\n"
        f"--9B095B5AD.10/mx.clinic.example\nContent-Type: {returned_kind}\n\n{returned}\n"
        + ("--9B095B5AD.10/mx.clinic.example--\n" if dress.is_closed else ""))
    return text.encode().replace(b"\n", dress.ends)


def said(text: str, ends: bytes) -> bytes:
    """A report in words alone, with a copy of the message below."""
    head, _, words = text.partition("\n\n")
    whole = (f"{head}\nTo: {RETURN_PATH}\nMessage-ID: <2@mx.clinic.example>\n\n{words}\n\n"
             f"{_original(PATIENT, MESSAGE_ID)}\nSee you on Monday.\n")
    return whole.replace("{to}", PATIENT).encode().replace(b"\n", ends)


def _original(to: str, message_id: str) -> str:
    return (f"Received: from clinic.example by mx.clinic.example\nFrom: Harbour Skin <desk@clinic.example>\nTo: {to}\n"
            f"Subject: Your appointment\nMessage-ID: {message_id}\nAuto-Submitted: auto-generated\n")


def _encoded(status: str, encoding: str) -> str:
    if not encoding:
        return f"\n{status}"
    worn: Callable[[bytes], bytes] = base64.encodebytes if encoding == "base64" else binascii.b2a_qp
    return f"Content-Transfer-Encoding: {encoding}\n\n{worn(status.encode()).decode()}"


def _broken() -> Iterator[Sample]:
    """Reports that lost something on their way. What can still be read counts; nothing else is made up."""
    whole = report()
    mark = b"--9B095B5AD.10/mx.clinic.example"
    named, typed = b'boundary="9B095B5AD.10/mx.clinic.example"', b"Content-Type: message/delivery-status\n"
    nameless = whole.replace(b"Final-Recipient", b"X-Lost").replace(b"Original-Recipient", b"X-Lost")
    deep = [b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (each, each) for each in range(5000)]
    yield from (Sample(name, data, expected) for name, expected, data in (
        ("wrong boundary", HARD, whole.replace(named, b"boundary=another")),
        ("no boundary", HARD, whole.replace(named, b"charset=x")),
        ("no content type", HARD, whole.replace(b"Content-Type: multipart", b"X-Lost: multipart")),
        ("no empty line", HARD, whole.replace(typed + b"\n", typed)),
        ("untyped status", HARD, whole.replace(typed, b"X-Lost: x\n")),
        ("no recipient", NONE, nameless),
        ("named in the header", HARD, nameless.replace(
            b"Subject:", b"X-Failed-Recipients: " + PATIENT.encode() + b"\nSubject:", 1)),
        ("nul bytes", HARD, whole.replace(b"unknown", b"unk\0nown").replace(b"mx.home", b"mx\0home")),
        ("other bytes", HARD, whole.replace(b"I'm sorry", bytes(range(128, 256)))),
        ("wrong base64", NONE, whole.replace(typed, typed + b"Content-Transfer-Encoding: base64\n")),
        ("nested", NONE, b"".join(deep) + whole),
        ("nested a little", HARD, b"".join(deep[:4]) + whole),
        ("many parts", HARD, whole.replace(
            mark + b"\nContent-Type: text/plain", (mark + b"\n\nx\n") * 40 + mark + b"\n", 1)),
        ("5 MB returned", HARD, whole.replace(b"See you on Monday.", b"See you. " * 650_000)),
        ("9 MB before", NONE, whole.replace(b"I'm sorry to have to tell you.", b"I'm sorry. " * 850_000)),
        ("long lines", HARD, whole.replace(b"I'm sorry", b"x" * 1_000_000)),
    ))
    for tenth in range(1, 10):
        cut = len(whole) * tenth // 10
        has_id = cut > whole.index(MESSAGE_ID.encode()) + len(MESSAGE_ID)
        yield Sample(f"cut after {tenth} tenths", whole[:cut], HARD if has_id else NONE)
