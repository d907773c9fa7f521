"""What became of a message for one recipient, and what codes, addresses and words of a report are."""
from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

MOST_ADDRESSES = 50
ADDRESS = re.compile(
    r"[\w.!#$%&'*+/=?^`{|}~-]{1,200}@[a-z0-9](?:[a-z0-9.-]{0,200}[a-z0-9])?", re.IGNORECASE | re.ASCII)
_MOST_SAID = 500
_MOST_READ = 5000
_ESCAPED = re.compile(r"\+([0-9A-F]{2})")
_CODE = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?!\d|\.\d)", re.ASCII)
_REPLY = re.compile(r"(?<![\d.:/-])([45])\d\d(?=[\s-]|\Z)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of it for one recipient: over, or only delayed. `addresses` in small letters, none where the report
    names none; `status` such as 5.1.1, empty where there is none."""

    addresses: tuple[str, ...]
    is_over: bool
    status: str
    said: str


def code_in(said: str, *, vague: bool = True) -> str:
    """The most telling status code in a mail system's words; of a bare reply code only its class is known."""
    codes: list[str] = _CODE.findall(said)
    telling = next((code for code in codes if not code.endswith(".0")), "")
    if telling or not vague:
        return telling
    reply = _REPLY.search(said)
    return next(iter(codes), f"{reply[1]}.0.0" if reply else "")


def addresses_in(values: Iterable[str]) -> tuple[str, ...]:
    """The addresses in these fields in small letters, those written with escapes (RFC 3461) also without."""
    found: dict[str, None] = {}
    for value in values:
        for address in ADDRESS.findall(value[:_MOST_READ]):
            found[address.lower()] = None
            found[_ESCAPED.sub(lambda sign: chr(int(sign[1], 16)), address).lower()] = None
    return tuple(found)[:MOST_ADDRESSES]


def one_line(text: str) -> str:
    """Words on one line that a database and a page can keep."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text[:_MOST_READ]).split())[:_MOST_SAID]
