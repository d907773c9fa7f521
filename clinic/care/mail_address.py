"""What an e-mail address is, as far as mail can be sent to it."""
from __future__ import annotations

import re

_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")
_DOMAIN = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")


def check_address(text: str) -> str:
    """The address in its normal form (no spaces around, domain in ASCII), or ValueError in plain words."""
    local, at, domain = text.strip().rpartition("@")
    if not at or not local or not domain:
        raise ValueError("An e-mail address has the form name@example.org.")
    if not _LOCAL_PART.match(local) or len(local) > 64:
        raise ValueError("The part before the @ has a character that mail cannot be sent to.")
    return f"{local}@{check_domain(domain)}"


def check_domain(domain: str) -> str:
    """The part after the @ in ASCII and small letters, or ValueError in plain words."""
    try:
        plain = domain.strip().lower() if domain.isascii() else domain.strip().encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise ValueError("The part after the @ is not a mail domain.") from error
    if not _DOMAIN.match(plain):
        raise ValueError("The part after the @ is not a mail domain.")
    return plain
