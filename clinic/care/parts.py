"""The parts of a visit: who and what is held from when to when."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from clinic.care.documents import read_document, write_document
from clinic.care.evidence import Evidence

TURNOVER = "turnover"
_STEP_MINUTES = 5


class ResourceKind(StrEnum):
    """What a part can hold, in the order in which needs are listed."""

    PRACTITIONER = "practitioner"
    ROOM = "room"
    DEVICE = "device"


QUALIFICATIONS: Mapping[str, str] = MappingProxyType({
    "microneedling": "Microneedling",
    "rf-microneedling": "RF microneedling",
    "phlebotomy": "Drawing blood and preparing PRP",
    "laser": "Non-ablative laser",
    "laser-ablative": "Ablative laser (physician)",
    "ipl": "Intense pulsed light",
    "rf-monopolar": "Monopolar RF",
    "peel-superficial": "Superficial peels",
    "peel-medium": "Medium-depth peels",
    "laser-hair-removal": "Laser hair removal",
    "focused-ultrasound": "Focused ultrasound",
})

DEVICE_TYPES: Mapping[str, str] = MappingProxyType({
    "needling-pen": "Needling pen",
    "rf-needling": "RF microneedling device",
    "laser-nafl": "Non-ablative fractional laser",
    "laser-afl": "Ablative fractional laser",
    "ipl": "IPL device",
    "rf-monopolar": "Monopolar RF device",
    "laser-hair": "Hair removal laser",
    "focused-ultrasound": "Focused ultrasound device",
})

ROOM_FEATURES: Mapping[str, str] = MappingProxyType({
    "numbing-chair": "Numbing chair",
    "laser-safe": "Safe for lasers and intense light",
})


@dataclass(frozen=True, slots=True)
class Hold:
    """One resource that a part of the visit holds, with everything it must be able to do."""

    kind: ResourceKind
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the visit, in whole five minutes from the patient's arrival."""

    name: str
    offset: int
    minutes: int
    holds: tuple[Hold, ...]
    evidence: Evidence

    def __post_init__(self) -> None:
        if self.offset < 0 or self.minutes <= 0:
            raise ValueError("a part begins at or after arrival and takes time")
        if self.offset % _STEP_MINUTES or self.minutes % _STEP_MINUTES:
            raise ValueError(f"a part is counted in whole {_STEP_MINUTES} minutes")
        if len({_resource(hold) for hold in self.holds}) < len(self.holds):
            raise ValueError("a part holds each resource once")

    @property
    def ends(self) -> int:
        """Minutes from arrival to the end of the part."""
        return self.offset + self.minutes


@dataclass(frozen=True, slots=True)
class Need:
    """A resource that a visit holds without a break; `same_as` is the number, from 1, of the need it shares it with."""

    kind: ResourceKind
    skills: tuple[str, ...]
    offset: int
    minutes: int
    same_as: int | None = None


def needs_of(parts: Sequence[Part]) -> tuple[Need, ...]:
    """The needs of a visit: practitioners, then rooms, then devices, of each kind the one held longest first.

    Holds of equal kind and skills are one resource: what touches is one need, what does not shares it by `same_as`.
    """
    needs: list[Need] = []
    for hold, spans in _by_resource(parts):
        first = len(needs) + 1
        for begins, ends in spans:
            same_as = None if len(needs) < first else first
            needs.append(Need(hold.kind, hold.skills, begins, ends - begins, same_as))
    return tuple(needs)


def patient_minutes(parts: Sequence[Part]) -> int:
    """How long the patient stays: everything but the turnover."""
    return max((part.ends for part in parts if part.name != TURNOVER), default=0)


def visit_minutes(parts: Sequence[Part]) -> int:
    """How long it takes until everything is free for the next patient."""
    return max((part.ends for part in parts), default=0)


def read_parts(document: object) -> tuple[Part, ...]:
    """The parts that a parsed JSON list describes; raises DocumentFaults with every fault in it."""
    return read_document(_Parts, {"parts": document}).parts


def write_parts(parts: Sequence[Part]) -> list[Any]:
    """The parts as a list that JSON can hold."""
    return [write_document(part) for part in parts]


@dataclass(frozen=True, slots=True)
class _Parts:
    parts: tuple[Part, ...]


def _resource(hold: Hold) -> tuple[ResourceKind, frozenset[str]]:
    return hold.kind, frozenset(hold.skills)


def _by_resource(parts: Sequence[Part]) -> list[tuple[Hold, list[tuple[int, int]]]]:
    held: dict[tuple[ResourceKind, frozenset[str]], tuple[Hold, list[tuple[int, int]]]] = {}
    for part in parts:
        for hold in part.holds:
            held.setdefault(_resource(hold), (hold, []))[1].append((part.offset, part.ends))
    joined = [(hold, _join(spans)) for hold, spans in held.values()]
    kinds = list(ResourceKind)
    return sorted(joined, key=lambda each: (kinds.index(each[0].kind), -_total(each[1]), each[1][0], each[0].skills))


def _join(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for begins, ends in sorted(spans):
        if joined and begins <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(ends, joined[-1][1]))
        else:
            joined.append((begins, ends))
    return joined


def _total(spans: list[tuple[int, int]]) -> int:
    return sum(ends - begins for begins, ends in spans)
