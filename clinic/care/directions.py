"""Names that are read from right to left, among words that are read from left to right.

Said with the isolates of Unicode (UAX 9, 2.7) and not with `<bdi>`: Gmail, Outlook, Yahoo, GMX and WEB.DE drop that
element (caniemail.com, html-bdi), and a text has no elements. An isolate is invisible and travels as text in both.
"""
from __future__ import annotations

import unicodedata

FIRST_STRONG, END = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_CONTROLS = frozenset({0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)})
_DROPPED = dict.fromkeys(_CONTROLS)


def undirected(text: str) -> str:
    """The text without the invisible characters that turn the direction of what follows: for headers and calendars."""
    return text if text.isascii() else text.translate(_DROPPED)


def isolated(text: str) -> str:
    """The text in a direction of its own, so that it moves nothing beside it; as it is where all runs left to right.

    Directions that somebody typed into it are dropped: they would reach beyond it.
    """
    if text.isascii():
        return text
    plain = undirected(text)
    runs_left = any(unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT for sign in plain)
    return f"{FIRST_STRONG}{plain}{END}" if runs_left else plain
