"""Where to go next: only ever an address of our own."""
from __future__ import annotations

import re

from flask import request, url_for

_OWN = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", re.ASCII)


def safe_next(default: str) -> str:
    """The relative address that the form or link asks to go to next, or the default where it is not our own."""
    asked = request.form.get("next") or request.args.get("next") or ""
    return asked if is_own(asked) else default


def is_own(address: str) -> bool:
    """Whether this is a plain path of ours: one slash first, no second host, nothing that a browser would re-read."""
    return len(address) <= 2000 and _OWN.fullmatch(address) is not None


def sign_in_address() -> str:
    """The sign-in page, which leads back to what was asked for."""
    asked = request.full_path.removesuffix("?")
    return url_for("signin.form", next=asked if asked != "/" and is_own(asked) else None)
