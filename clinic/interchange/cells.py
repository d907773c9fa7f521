"""Cells of CSV files that a spreadsheet takes for nothing but text.

A cell that begins with one of a few characters is run as a formula by the program that opens the file; what a patient
typed into a name must never be. An apostrophe in front makes it text, and is taken off again when the file is read.
"""
from __future__ import annotations

from typing import Final

TAKEN_FOR_FORMULAS: Final = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""Plain and full-width signs, and white space behind which one may hide."""

_MARK = "'"
_BEHIND_A_MARK = frozenset(TAKEN_FOR_FORMULAS + _MARK)


def harmless(text: str) -> str:
    """The text as a cell that no spreadsheet runs; `plain` gives the text back. A name such as 's Graven stays."""
    if text[:1] in _BEHIND_A_MARK and (text[0] != _MARK or text == _MARK or text[1] in _BEHIND_A_MARK):
        return _MARK + text
    return text


def plain(cell: str) -> str:
    """What a cell says: without the apostrophe that only keeps it text. One apostrophe alone is an empty text."""
    if cell == _MARK:
        return ""
    if cell[:1] == _MARK and cell[1] in _BEHIND_A_MARK:
        return cell[1:]
    return cell
