"""A protocol version's content: how a treatment is to be spaced, who must wait, and what the patient is told."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from clinic.care.documents import DocumentFaults, read_document, write_document
from clinic.care.evidence import Evidence, Source
from clinic.care.guidance import Aftercare, Contraindication, Instruction, Laxity, RedFlag
from clinic.care.outcomes import ALWAYS_KEEP, Missed
from clinic.care.parts import Part
from clinic.care.protocol_faults import contradictions


class ProtocolFaults(DocumentFaults):
    """A protocol says something that cannot be; `faults` names all of it, each by its place."""


class Mode(StrEnum):
    """How a protocol's treatments follow each other."""

    SINGLE = "single"
    ALTERNATING = "alternating"
    SAME_SESSION = "same-session"


class ReviewStatus(StrEnum):
    """Whether a clinician has signed the content."""

    DRAFT = "draft"
    APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class Interval:
    """The gap between two sessions, in whole days."""

    shortest: int
    ideal: int
    longest: int

    def __post_init__(self) -> None:
        if not 0 < self.shortest <= self.ideal <= self.longest:
            raise ValueError(f"interval out of order: {self}")


@dataclass(frozen=True, slots=True)
class Sessions:
    """How many sessions a course has."""

    least: int
    typical: int
    most: int
    evidence: Evidence

    def __post_init__(self) -> None:
        if not 0 < self.least <= self.typical <= self.most:
            raise ValueError(f"sessions out of order: {self.least}, {self.typical}, {self.most}")


@dataclass(frozen=True, slots=True)
class Review:
    """Whether the content is signed, in words for every screen that shows it."""

    status: ReviewStatus
    text: str


@dataclass(frozen=True, slots=True)
class Indication:
    """What a course is for; `lifts` where it is about laxity, `sessions` where it has a count of its own."""

    code: str
    name: str
    lifts: bool = False
    sessions: Sessions | None = None


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done in one session: its name, the modalities it is made of, and its parts."""

    code: str
    name: str
    modalities: tuple[str, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """One place in the cycle of a course: the treatment, and its interval to the session before."""

    treatment: str
    interval: Interval
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Spacing:
    """At least `days` between `first` and a later `then`."""

    first: str
    then: str
    days: int
    evidence: Evidence

    def __post_init__(self) -> None:
        if self.days <= 0:
            raise ValueError("spacing is at least one day")


@dataclass(frozen=True, slots=True)
class Gap:
    """How many days after another modality, from anywhere, a session of this protocol may be; 0 allows the same day."""

    after: str
    days: int
    evidence: Evidence

    def __post_init__(self) -> None:
        if self.days < 0:
            raise ValueError("a gap is no less than 0 days")


@dataclass(frozen=True, slots=True)
class Downtime:
    """How many days the treatment shows."""

    shortest: int
    longest: int
    evidence: Evidence

    def __post_init__(self) -> None:
        if not 0 <= self.shortest <= self.longest:
            raise ValueError(f"downtime out of order: {self.shortest}, {self.longest}")


@dataclass(frozen=True, slots=True)
class Assessment:
    """When the result is judged, in days after the last session, and when it is looked at on the way."""

    after_days: int
    interim_days: tuple[int, ...]
    evidence: Evidence

    def __post_init__(self) -> None:
        if self.after_days <= 0 or any(days <= 0 for days in self.interim_days):
            raise ValueError("an assessment comes after the last session")


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Upkeep after a completed course: so many sessions of a treatment at a time, that far apart."""

    treatment: str
    interval: Interval
    sessions: int
    evidence: Evidence

    def __post_init__(self) -> None:
        if self.sessions <= 0:
            raise ValueError("maintenance has at least one session")


@dataclass(frozen=True, slots=True)
class Training:
    """What is written about who may give the treatment; what the clinic asks for are the skills of the parts."""

    texts: tuple[str, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as the facts state it, with the range that was found, for the clinician who reviews it."""

    label: str
    value: str
    range: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Step:
    """One session of an expanded protocol; the first has no interval."""

    number: int
    treatment: str
    name: str
    interval: Interval | None
    parts: tuple[Part, ...]
    modalities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Protocol:
    """Everything that one version of a protocol says; one that contradicts itself cannot be built.

    `missed` came later than the first stored versions, which never change: one without it keeps a course as it is.
    """

    code: str
    name: str
    mode: Mode
    review: Review
    components: tuple[str, ...]
    indications: tuple[Indication, ...]
    sessions: Sessions
    treatments: tuple[Treatment, ...]
    cycle: tuple[Turn, ...]
    spacing: tuple[Spacing, ...]
    gaps: tuple[Gap, ...]
    downtime: Downtime
    assessment: Assessment
    maintenance: Maintenance
    laxity: Laxity
    contraindications: tuple[Contraindication, ...]
    precare: tuple[Instruction, ...]
    aftercare: tuple[Aftercare, ...]
    red_flags: tuple[RedFlag, ...]
    figures: tuple[Figure, ...]
    scales: tuple[str, ...]
    photos: tuple[str, ...]
    photo_days: tuple[int, ...]
    training: Training
    sources: tuple[Source, ...]
    missed: Missed = ALWAYS_KEEP

    def __post_init__(self) -> None:
        if faults := tuple(contradictions(self)):
            raise ProtocolFaults(faults)

    @classmethod
    def from_document(cls, document: object) -> Protocol:
        """The protocol that a stored document describes; raises ProtocolFaults with every fault by its place."""
        try:
            return read_document(cls, document)
        except DocumentFaults as error:
            raise ProtocolFaults(error.faults) from None

    def to_document(self) -> dict[str, Any]:
        """The document that `from_document` reads back as this protocol; it needs nothing beside it."""
        return cast(dict[str, Any], write_document(self))

    @property
    def interval(self) -> Interval:
        """The interval that stands for the course where one is shown."""
        return self.cycle[0].interval

    @property
    def is_lifting(self) -> bool:
        """Whether the course is offered against laxity."""
        return any(indication.lifts for indication in self.indications)

    def treatment(self, code: str) -> Treatment:
        """The treatment of that code; KeyError where the protocol has none."""
        return _by_code(self.treatments)[code]


def steps_for(protocol: Protocol, sessions: int) -> tuple[Step, ...]:
    """The protocol laid out to so many sessions, its cycle repeated as often as they need."""
    if sessions < 1:
        raise ValueError("a course has at least one session")
    turns = (protocol.cycle[index % len(protocol.cycle)] for index in range(sessions))
    return tuple(_step(protocol, turn.treatment, number, turn.interval if number > 1 else None)
                 for number, turn in enumerate(turns, start=1))


def maintenance_step(protocol: Protocol) -> Step:
    """One maintenance session; its interval counts from the session before it."""
    return _step(protocol, protocol.maintenance.treatment, 1, protocol.maintenance.interval)


def sessions_for(protocol: Protocol, indication: str | None) -> Sessions:
    """How many sessions a course for that indication has."""
    own = {each.code: each.sessions for each in protocol.indications if each.sessions}
    return own.get(indication or "", protocol.sessions)


def gap_rules(protocol: Protocol) -> tuple[Spacing, ...]:
    """The gaps after other modalities as spacing from the modality to each treatment of the protocol."""
    return tuple(Spacing(gap.after, treatment.code, gap.days, gap.evidence)
                 for gap in protocol.gaps if gap.days for treatment in protocol.treatments)


def _step(protocol: Protocol, code: str, number: int, interval: Interval | None) -> Step:
    treatment = protocol.treatment(code)
    return Step(number, treatment.code, treatment.name, interval, treatment.parts, treatment.modalities)


def _by_code(treatments: Iterable[Treatment]) -> Mapping[str, Treatment]:
    return {treatment.code: treatment for treatment in treatments}
