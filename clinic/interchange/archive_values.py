"""How values are written into the cells of an archive, each in one way only, and read again."""
from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal

from clinic.interchange.cells import harmless, plain

Kind = Literal["text", "integer", "boolean", "date", "instant", "local", "json", "bytes"]
Decoder = Callable[[str], Any]
"""Reads a cell; ValueError where it says nothing of its kind."""

_WHOLE_NUMBER = re.compile(r"-?\d{1,10}", re.ASCII)
_INTEGERS = range(-2**31, 2**31)


def _json_text(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def _integer(cell: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(cell) or int(cell) not in _INTEGERS:
        raise ValueError(cell)
    return int(cell)


def _boolean(cell: str) -> bool:
    if cell not in ("true", "false"):
        raise ValueError(cell)
    return cell == "true"


def _instant(cell: str) -> datetime:
    if not cell.endswith("Z"):
        raise ValueError(cell)
    return _local(cell[:-1]).replace(tzinfo=UTC)


def _local(cell: str) -> datetime:
    found = datetime.fromisoformat(cell)
    if found.tzinfo is not None:
        raise ValueError(cell)
    return found


def _container(cell: str) -> Any:
    found = json.loads(cell)
    if not isinstance(found, dict | list):
        raise ValueError(cell)
    return found


ENCODERS: Mapping[Kind, Callable[[Any], str]] = {
    "text": harmless,
    "integer": str,
    "boolean": lambda value: "true" if value else "false",
    "date": date.isoformat,
    "instant": lambda value: value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z",
    "local": datetime.isoformat,
    "json": _json_text,
    "bytes": lambda value: harmless(base64.b64encode(value).decode()),
}
DECODERS: Mapping[Kind, Decoder] = {
    "text": plain,
    "integer": _integer,
    "boolean": _boolean,
    "date": date.fromisoformat,
    "instant": _instant,
    "local": _local,
    "json": _container,
    "bytes": lambda cell: base64.b64decode(plain(cell), validate=True),
}
CALLED: Mapping[Kind, str] = {
    "text": "text", "integer": "whole number", "boolean": "true or false", "date": "date, such as 2027-03-01",
    "instant": "instant, such as 2027-03-01T09:00:00Z", "local": "local time, such as 2027-03-01T09:00:00",
    "json": "JSON object or list", "bytes": "base64",
}
