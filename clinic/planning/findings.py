"""What a rule says about a proposal: a value, never an exception."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Weight(StrEnum):
    """How much a finding weighs: one that blocks stops, one that warns may be overridden with a reason."""

    BLOCKS = "blocks"
    WARNS = "warns"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that speaks against a proposal, in a sentence for staff.

    `field` names the form field that it is about, `until` the first date on which it no longer holds.
    """

    code: str
    weight: Weight
    text: str
    field: str | None = None
    until: date | None = None


def blocks(findings: Iterable[Finding]) -> bool:
    """Whether any of the findings stops the proposal."""
    return any(finding.weight is Weight.BLOCKS for finding in findings)
