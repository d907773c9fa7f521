"""Where to go next: only ever an address of our own; and addresses of pages that name hundreds."""
from __future__ import annotations

import re
from typing import Any

from flask import g, request, url_for

_PLACE = 987_654_321
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


def numbered(endpoint: str, name: str, number: int) -> str:
    """The address of that endpoint with that number as `name`: for pages that name hundreds, for the routes are asked
    once a request."""
    known = g.setdefault("numbered", {})
    if endpoint not in known:
        asked: dict[str, Any] = {name: _PLACE}
        known[endpoint] = url_for(endpoint, **asked).split(str(_PLACE))
    before, after = known[endpoint]
    return f"{before}{number}{after}"
