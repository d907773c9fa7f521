"""How a visit ends: treated, in part, not at all, or missed; and what a missed one does to its course."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from clinic.care.evidence import Evidence, Grade
from clinic.planning.words import date_words


class VisitOutcome(StrEnum):
    """How much of a session was given to a patient who was treated."""

    TREATED = "treated"
    PARTLY_TREATED = "partly-treated"


class NotTreatedCause(StrEnum):
    """Why a patient who came was not treated."""

    TAN = "tan"
    COLD_SORE = "cold-sore"
    OTHER_HEALTH = "other-health"
    DEVICE = "device"
    CLINIC_REASON = "clinic-reason"
    LEFT = "patient-left"


class NoShowCause(StrEnum):
    """Why a patient did not come. The last is no fault of the patient's, and never counts against them."""

    FORGOT = "forgot"
    ILL = "ill"
    PREVENTED = "prevented"
    BY_CLINIC = "by-clinic"


CONTRAINDICATION_OF = {
    NotTreatedCause.TAN.value: "sunburn_or_recent_tan", NotTreatedCause.COLD_SORE.value: "active_herpes",
}
"""The contraindication that a cause speaks of, by the codes that the library's protocols use for it."""


class MissedRule(StrEnum):
    """What becomes of a course when a session that was missed can no longer be given in time.

    Keep: nothing. Extend: one session more, at the end. Restart: as many more as were completed, so that the whole
    series is given again.
    """

    KEEP = "keep"
    EXTEND = "extend"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Missed:
    """A protocol's rule for missed sessions, by the patient's cause. What the clinic caused always keeps."""

    forgot: MissedRule
    ill: MissedRule
    prevented: MissedRule
    evidence: Evidence

    def rule(self, cause: NoShowCause) -> MissedRule:
        """The rule for a cause."""
        if cause is NoShowCause.BY_CLINIC:
            return MissedRule.KEEP
        by_cause = {NoShowCause.FORGOT: self.forgot, NoShowCause.ILL: self.ill, NoShowCause.PREVENTED: self.prevented}
        return by_cause[cause]


ALWAYS_KEEP = Missed(
    MissedRule.KEEP, MissedRule.KEEP, MissedRule.KEEP,
    Evidence(Grade.D, our_default=True, note="This version says nothing of missed sessions."))
"""How a protocol version reads that is older than the question."""


@dataclass(frozen=True, slots=True)
class MissedEffect:
    """How many sessions a missed one adds to its course, under which rule, and why in a sentence for the desk."""

    added: int
    rule: MissedRule
    text: str


@dataclass(frozen=True, slots=True)
class PartlyTreated:
    """Which areas were treated and which were left out, in the words of whoever treated."""

    treated: str
    left: str

    def __post_init__(self) -> None:
        if not (self.treated.strip() and self.left.strip()):
            raise ValueError("a session treated in part names the areas treated and those left out")


def missed_effect(
    missed: Missed, cause: NoShowCause, *, latest_on: date | None, given_from: date, completed: int
) -> MissedEffect:
    """What a missed session of a course means for the course, given the last date of its window.

    The rule is applied only where the session passes its window: where `given_from`, the first date on which it can
    still be given, lies after `latest_on`. When a no-show is noted that is the day after; when the session is
    performed later on, it is the date on which it was. So the same missed session is judged once when it is noted,
    and once more when it was given after all. Without a window (a first session, or upkeep) nothing can pass.
    A missed visit that the clinic caused always keeps. `completed` counts the sessions given before this one.
    """
    rule = missed.rule(cause)
    if cause is NoShowCause.BY_CLINIC:
        return MissedEffect(0, rule, "The session stays owed. It was not the patient's doing: nothing is added, and "
                                     "the visit does not count as missed.")
    added = {MissedRule.KEEP: 0, MissedRule.EXTEND: 1, MissedRule.RESTART: completed}[rule]
    if latest_on is None or not added:
        return MissedEffect(0, rule, "The session stays owed. Nothing is added.")
    last = date_words(latest_on)
    if given_from <= latest_on:
        return MissedEffect(0, rule, f"The session stays owed. Nothing is added if it is given by {last}; "
                                     f"given later, it adds {_more(added)}.")
    why = " Those given so far do not count any more: the whole series is given again." \
        if rule is MissedRule.RESTART else ""
    return MissedEffect(added, rule, f"The session passes its last day, {last}: {_more(added)} at the end.{why}")


def _more(count: int) -> str:
    return "one more session" if count == 1 else f"{count} more sessions"
