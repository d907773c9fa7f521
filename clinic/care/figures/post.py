"""What became of the messages to patients: how many reached the mail server, and why the others did not."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from clinic.care.figures.months import Month
from clinic.care.figures.small import FEWEST
from clinic.care.states import FINAL_DECISIONS, TELLING_DECISIONS, MessageDecision, MessageState


class Fate(StrEnum):
    """What became of a message."""

    SENT = "sent"
    TOLD = "told"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    EXPIRED = "expired"
    WITHHELD = "withheld"
    NOT_NEEDED = "not-needed"


WANTED = (Fate.SENT, Fate.TOLD, Fate.FAILED, Fate.UNCERTAIN, Fate.EXPIRED)
"""What was to be told."""


@dataclass(frozen=True, slots=True)
class Settled:
    """So many messages of one month that came to rest so, to so many patients."""

    month: Month
    state: MessageState
    decision: MessageDecision | None
    number: int
    patients: int


@dataclass(frozen=True, slots=True)
class Post:
    """How many messages had which fate; without numbers where they are about fewer than five patients."""

    fates: dict[Fate, int]
    patients: int

    @property
    def wanted(self) -> int:
        """How many were to be told."""
        return sum(self.fates.get(fate, 0) for fate in WANTED)

    @property
    def is_shown(self) -> bool:
        """Whether it is about enough patients."""
        return self.patients >= FEWEST

    @property
    def percent(self) -> float | None:
        """How many in a hundred of those to be told the mail server took."""
        return 100 * self.fates.get(Fate.SENT, 0) / self.wanted if self.wanted and self.is_shown else None


def fate_of(state: MessageState, decision: MessageDecision | None) -> Fate:
    """What became of a message in that state; what a person told or printed instead is told."""
    if decision in TELLING_DECISIONS:
        return Fate.TOLD
    if decision in FINAL_DECISIONS:
        return Fate.NOT_NEEDED
    return _FATES.get(state, Fate.FAILED)


_FATES = {
    MessageState.SENT: Fate.SENT, MessageState.UNCERTAIN: Fate.UNCERTAIN, MessageState.EXPIRED: Fate.EXPIRED,
    MessageState.WITHHELD: Fate.WITHHELD, MessageState.SUPERSEDED: Fate.NOT_NEEDED,
}


def post_of(rows: Iterable[Settled]) -> Post:
    """The fates of these messages. Patients are not told apart between rows: at least the most of one row."""
    fates, patients = Counter[Fate](), 0
    for each in rows:
        fates[fate_of(each.state, each.decision)] += each.number
        patients = max(patients, each.patients)
    return Post(dict(fates), patients)
