"""Findings as values."""
from __future__ import annotations

from clinic.planning.findings import Finding, Weight, blocks


def test_only_what_blocks_blocks() -> None:
    warning = Finding("too-late", Weight.WARNS, "It is late.")
    refusal = Finding("busy", Weight.BLOCKS, "It is taken.")

    assert [blocks([]), blocks([warning]), blocks([warning, refusal])] == [False, False, True]
