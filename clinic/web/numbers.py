"""Numbers in addresses and forms that name rows: only such as a row can have."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, request
from werkzeug.routing import IntegerConverter, Map

LARGEST = 2**31 - 1
"""No row has a larger id: the databases refuse to be asked for one."""


def install(app: Flask) -> None:
    """Lets an address with a number that no row can have lead nowhere."""
    app.url_map.converters["int"] = _Id


def number_of(values: Mapping[str, Any], name: str) -> int | None:
    """An id that an address or a form names, as far as it makes sense."""
    given = str(values.get(name, ""))
    is_number = given.isascii() and given.isdigit() and len(given) <= len(str(LARGEST))
    return int(given) if is_number and 0 < int(given) <= LARGEST else None


def page_number() -> int:
    """Which page of a list the address asks for; the first where it asks for none of sense."""
    return number_of(request.args, "page") or 1


class _Id(IntegerConverter):
    def __init__(self, of: Map) -> None:
        super().__init__(of, max=LARGEST)
