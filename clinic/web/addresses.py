"""Where to go next: only ever an address of our own; and addresses of pages that name hundreds."""
from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask import g, request, url_for

_PLACE = 987_654_321
_PLAIN = (str, date, bool, type(None))
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


def address_of(endpoint: str, **named: Any) -> str:
    """What `url_for` says. Pages name hundreds of one shape, with another number each: a shape is asked for once a
    request."""
    place = None
    for name, value in named.items():
        if place is None and type(value) is int and value >= 0:
            place = name
        elif not isinstance(value, _PLAIN):
            return url_for(endpoint, **named)
    if place is None:
        return url_for(endpoint, **named)
    number, named[place] = named[place], _PLACE
    shape = (endpoint, *named.items())
    known: dict[Any, list[str]] = g.setdefault("addresses", {})
    if shape not in known:
        known[shape] = url_for(endpoint, **named).split(str(_PLACE))
    parts = known[shape]
    # Somebody may look for the very number that holds the place.
    return str(number).join(parts) if len(parts) == 2 else url_for(endpoint, **{**named, place: number})
