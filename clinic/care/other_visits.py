"""Visits besides the sessions of a course: what the product offers until the clinic says otherwise."""
from __future__ import annotations

from dataclasses import dataclass

from clinic.care.evidence import OUR_DEFAULT
from clinic.care.parts import Hold, Part, ResourceKind

SESSION = "session"
OTHER_KINDS = ("consultation", "patch-test", "review", "other")
"""The kinds of treatment that belong to no protocol: their parts are the clinic's own."""


@dataclass(frozen=True, slots=True)
class OtherVisit:
    """A visit that belongs to no protocol; its code is that of its kind."""

    kind: str
    name: str
    parts: tuple[Part, ...]


def _visit(kind: str, name: str, minutes: int) -> OtherVisit:
    holds = (Hold(ResourceKind.PRACTITIONER), Hold(ResourceKind.ROOM))
    return OtherVisit(kind, name, (Part(kind if kind != "other" else "visit", 0, minutes, holds, OUR_DEFAULT),))


OTHER_VISITS = (
    _visit("consultation", "Consultation", 30),
    _visit("patch-test", "Patch test", 15),
    _visit("review", "Review", 20),
    _visit("other", "Other visit", 20),
)
"""One of each kind, held by any practitioner in any room: our defaults."""
