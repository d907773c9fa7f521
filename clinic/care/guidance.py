"""What a protocol says to patients and about them: who must wait, whom it suits, what to do before and after."""
from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from clinic.care.evidence import Evidence


class ContraindicationKind(StrEnum):
    """How a reason not to treat weighs: never, not yet, or only with a practitioner's reason."""

    ABSOLUTE = "absolute"
    TEMPORARY = "temporary"
    RELATIVE = "relative"


class Suitability(StrEnum):
    """What a protocol can do for one grade of laxity."""

    YES = "yes"
    LIMITED = "limited"
    NO = "no"
    NOT_INDICATION = "not-indication"
    SURGICAL_CONSULTATION = "surgical-consultation"


class Urgency(StrEnum):
    """How soon a red flag must be seen."""

    EMERGENCY = "emergency"
    SAME_DAY = "same_day"
    NEXT_WORKING_DAY = "next_working_day"


@dataclass(frozen=True, slots=True)
class Laxity:
    """What the protocol can do for each grade of laxity."""

    mild: Suitability
    moderate: Suitability
    severe: Suitability
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Contraindication:
    """A reason not to treat; `question` asks the patient for it, `date_label` for the date that counts.

    One with `defer_days` ends that many days after the answer's date, one with `defer_until` when that has happened.
    A clinician may let the treatment go ahead in spite of a waivable one, with a reason.
    """

    code: str
    title: str
    question: str
    kind: ContraindicationKind
    evidence: Evidence
    defer_days: int | None = None
    defer_until: str = ""
    date_label: str = ""
    note: str = ""
    waivable: bool = False

    def __post_init__(self) -> None:
        if self.defer_days is not None and self.defer_days <= 0:
            raise ValueError("defer_days is at least one day")
        if self.kind is ContraindicationKind.ABSOLUTE and (self.defer_days or self.defer_until or self.waivable):
            raise ValueError("an absolute contraindication neither ends nor is waived")
        if self.kind is ContraindicationKind.TEMPORARY and not (self.defer_days or self.defer_until):
            raise ValueError("a temporary contraindication says when it ends")
        if self.kind is ContraindicationKind.RELATIVE and not self.waivable:
            raise ValueError("a relative contraindication is for a clinician to weigh")


@dataclass(frozen=True, slots=True)
class Instruction:
    """What the patient does or leaves off from some days before a session on.

    It is for the treatments named, or for all; `first_only` where only the first session needs it.
    """

    days_before: int
    key: str
    text: str
    evidence: Evidence
    treatments: tuple[str, ...] = ()
    first_only: bool = False

    def __post_init__(self) -> None:
        if self.days_before < 0:
            raise ValueError("pre-care comes before the session")


@dataclass(frozen=True, slots=True)
class Aftercare:
    """What to expect, do and avoid between two hours after a session, for the treatments named or for all."""

    from_hours: int
    to_hours: int
    expect: tuple[str, ...]
    do: tuple[str, ...]
    avoid: tuple[str, ...]
    evidence: Evidence
    treatments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.from_hours < self.to_hours:
            raise ValueError(f"aftercare out of order: {self.from_hours} to {self.to_hours} hours")


@dataclass(frozen=True, slots=True)
class RedFlag:
    """What the patient must not wait with after a session."""

    code: str
    text: str
    urgency: Urgency
    evidence: Evidence
