"""Where a mail system sends what it could not deliver: an address of its own for each message, that nobody can guess.

It is the clinic's bounce address with the message's number and a short keyed code after a plus sign, such as
`returned+1207-k3u5mqxw2aabcdef@clinic.example`. The code is made from the message's Message-ID, so that a number
which is given anew, in another database, has another code. Whoever reports something without it is not believed.
"""
from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

LONGEST_LOCAL_PART = 30
"""Of the clinic's own address: 64 characters hold it, the number and the code (RFC 5321, 4.5.3.1.1)."""
_CODE_BYTES = 10
_LARGEST = 2**31 - 1
"""The last number that a table can give."""
_OURS = re.compile(r"[^@]+\+(\d{1,10})-[a-z2-7]{16}@[^@]+\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """Makes the return paths of an installation from its address and its secret."""

    address: str
    secret: str

    def __post_init__(self) -> None:
        local, at, domain = self.address.partition("@")
        if not at or not domain or not 0 < len(local) <= LONGEST_LOCAL_PART or "+" in local:
            raise ValueError(f"not an address that a return path can be made of: {self.address!r}")

    def of(self, number: int, message_id: str) -> str:
        """The return path of a message: the same each time, in small letters, as some mail systems write all of it."""
        said = f"return path\0{number}\0{message_id}".encode()
        code = hmac.digest(self.secret.encode(), said, hashlib.sha256)[:_CODE_BYTES]
        local, _, domain = self.address.partition("@")
        return f"{local}+{number}-{base64.b32encode(code).decode()}@{domain}".lower()


def number_in(address: str) -> int | None:
    """Which message an address of that form names; none where it has another form. It proves nothing yet."""
    found = _OURS.match(address.lower())
    return int(found[1]) if found and int(found[1]) <= _LARGEST else None
