"""Passwords: which ones will do, how they are kept, and whether one fits."""
from __future__ import annotations

import secrets
from functools import lru_cache
from importlib import resources

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from clinic.planning.findings import Finding, Weight

SHORTEST = 8
LONGEST = 1024
NO_PASSWORD = "!"
"""What is kept for an account that was moved in without a password: nothing ever fits it."""
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
"""No letter that is taken for another one when it is read out or written down."""

# OWASP's floor for argon2id: 19 MiB, two passes, one lane. Stronger would let a flood of sign-ins occupy the machine.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def judge_password(password: str, *, email: str) -> Finding | None:
    """What speaks against a new password; none: it will do."""
    if len(password) < SHORTEST:
        return _finding(f"The password needs at least {SHORTEST} characters. Three or four words in a row do well.")
    if len(password) > LONGEST:
        return _finding(f"The password may have at most {LONGEST} characters.")
    own = (email.casefold(), email.partition("@")[0].casefold())
    if password.casefold() in _common() or password.casefold() in own:
        return _finding("This password is among the first that others would try. Choose another one.")
    return None


def generated() -> str:
    """A password for somebody else to begin with: easy to read out, and as hard to guess as it has to be."""
    letters = [secrets.choice(_READABLE) for _ in range(15)]
    return "-".join("".join(letters[start:start + 5]) for start in range(0, 15, 5))


def hash_password(password: str) -> str:
    """How the password is kept."""
    return _HASHER.hash(password)


def fits(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one that was kept; an unknown account, or one without a password, takes as long and
    is never right."""
    kept = None if password_hash == NO_PASSWORD else password_hash
    try:
        return _HASHER.verify(kept or _dummy(), password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether it was kept with other figures than we use now."""
    return _HASHER.check_needs_rehash(password_hash)


@lru_cache(maxsize=1)
def _dummy() -> str:
    return _HASHER.hash("no account has this password")


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    listed = resources.files("clinic.services").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(listed.split())


def _finding(text: str) -> Finding:
    return Finding("weak-password", Weight.BLOCKS, text, field="password")
