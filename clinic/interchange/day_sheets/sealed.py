"""A page that holds day sheets encrypted, and opens them in any browser by a passphrase: no network, nothing of ours.

AES-256-GCM under a key that PBKDF2 makes of the passphrase: what browsers have built in (`crypto.subtle`), also for a
file that is opened from a stick. Salt and nonce are new for every page, so that no key is ever used twice.
"""
from __future__ import annotations

import unicodedata
from base64 import b64encode
from dataclasses import dataclass
from hashlib import pbkdf2_hmac, sha256
from html import escape
from importlib import resources
from string import Template

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clinic.interchange.day_sheets.sheets import DaySheets

ROUNDS = 1_000_000
"""Of PBKDF2-HMAC-SHA256. OWASP's password storage cheat sheet asks for 600,000 at least; whoever has the file can guess
for as long as they like, so these are more: about a second on a desk's laptop."""
SALT_BYTES, NONCE_BYTES = 16, 12
SHORTEST = 15
"""NIST SP 800-63B-4 asks for so many characters where nothing but the password protects."""
FEWEST_KINDS = 6
LONGEST = 1024
BLOCK = 16 * 1024
"""What is sealed fills whole blocks: how long a file is does not tell how many come."""


@dataclass(frozen=True, slots=True)
class Salt:
    """What makes each page another one: never the same twice."""

    salt: bytes
    nonce: bytes

    def __post_init__(self) -> None:
        if (len(self.salt), len(self.nonce)) != (SALT_BYTES, NONCE_BYTES):
            raise ValueError(f"a salt has {SALT_BYTES} bytes and a nonce {NONCE_BYTES}")


def as_typed(passphrase: str) -> str:
    """The passphrase as the page reads it, however a keyboard writes its accents and spaces."""
    return " ".join(unicodedata.normalize("NFKC", passphrase).split())


def what_is_wrong_with(passphrase: str) -> str:
    """Why a passphrase will not do, in a sentence; empty: it will."""
    typed = as_typed(passphrase)
    if not typed.isprintable():
        return "The passphrase holds characters that nobody can see: write it in letters, digits and spaces."
    if len(typed) < SHORTEST:
        return f"The passphrase needs at least {SHORTEST} characters. Five words that do not belong together do well."
    if len(set(typed)) < FEWEST_KINDS:
        return "The passphrase repeats too few characters. Five words that do not belong together do well."
    if len(typed) > LONGEST:
        return f"The passphrase may have at most {LONGEST} characters."
    return ""


def sealed_page(sheets: DaySheets, passphrase: str, fresh: Salt) -> str:
    """The page. Without the passphrase it tells the clinic's name, the days, and since when they stand."""
    key = pbkdf2_hmac("sha256", as_typed(passphrase).encode(), fresh.salt, ROUNDS, dklen=32)
    sealed = AESGCM(key).encrypt(fresh.nonce, _padded(sheets.document()), None)
    style, script = _part("page.css"), _part("page.js")
    first, last = sheets.days[0], sheets.days[-1]
    return Template(_part("page.html")).substitute(
        clinic=escape(sheets.clinic), days=escape(f"{first.words} to {last.words}"), as_of=escape(sheets.as_of),
        from_on=sheets.as_of_on, until_on=last.on, style=style, style_hash=_source(style), script=script,
        script_hash=_source(script), rounds=ROUNDS, salt=_text(fresh.salt), nonce=_text(fresh.nonce),
        digest=_text(sha256(sealed).digest()), sealed=_text(sealed))


def _padded(document: bytes) -> bytes:
    """With spaces at the end, which a reader of JSON passes over."""
    return document.ljust(-(-len(document) // BLOCK) * BLOCK)


def _part(name: str) -> str:
    return resources.files("clinic.interchange.day_sheets").joinpath(name).read_text(encoding="utf-8")


def _source(inline: str) -> str:
    """How a content policy names what stands in the page itself."""
    return f"sha256-{_text(sha256(inline.encode()).digest())}"


def _text(data: bytes) -> str:
    return b64encode(data).decode()
