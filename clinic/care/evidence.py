"""How far a figure can be trusted, and on what it rests."""
from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """A: consensus, trial, regulator or label. B: open trial or hospital. C: a clinic's page. D: no source found."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of the source register."""

    code: str
    what: str
    url: str
    grade: Grade


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a figure rests on: its grade, the codes of its sources, and what to know about them.

    `our_default` marks a figure that the facts do not give: it is ours until a clinician says otherwise.
    """

    grade: Grade
    sources: tuple[str, ...] = ()
    our_default: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        if self.our_default and (self.grade is not Grade.D or self.sources):
            raise ValueError("a default of ours has grade D and names no sources")
        if not self.sources and self.grade is not Grade.D:
            raise ValueError("a figure without sources has grade D")


OUR_DEFAULT = Evidence(Grade.D, our_default=True)
OWN_FIGURE = Evidence(Grade.D, our_default=True, note="The clinic's own figure.")
"""What stands in place of a source once the clinic says something else than the source does."""
