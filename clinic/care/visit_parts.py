"""What the parts of a visit must be, beyond what each part is by itself; and the holds as one line of codes."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from clinic.care.evidence import OWN_FIGURE
from clinic.care.parts import (
    DEVICE_TYPES,
    QUALIFICATIONS,
    ROOM_FEATURES,
    TURNOVER,
    Hold,
    Part,
    ResourceKind,
    patient_minutes,
    visit_minutes,
)

MOST_PARTS = 12
LONGEST_VISIT = 12 * 60
ANY = "any"
SKILLS: Mapping[ResourceKind, Mapping[str, str]] = MappingProxyType({
    ResourceKind.PRACTITIONER: QUALIFICATIONS, ResourceKind.ROOM: ROOM_FEATURES, ResourceKind.DEVICE: DEVICE_TYPES,
})
_AND, _BESIDE = "+", "|"


def judge_parts(parts: Sequence[Part]) -> tuple[str, ...]:
    """What is wrong with these parts together, in sentences; nothing: they make a visit."""
    if not parts:
        return ("A visit has at least one part.",)
    found = []
    if min(part.offset for part in parts) != 0:
        found.append("The first part begins when the patient arrives, after 0 minutes.")
    if patient_minutes(parts) == 0:
        found.append("Turnover begins when the patient has left: name the part that the patient is here for.")
    if any(part.name == TURNOVER and part.offset < patient_minutes(parts) for part in parts):
        found.append("Turnover begins when the patient has left, after all other parts.")
    if visit_minutes(parts) > LONGEST_VISIT:
        found.append(f"A visit takes at most {LONGEST_VISIT // 60} hours.")
    if len(parts) > MOST_PARTS:
        found.append(f"A visit has at most {MOST_PARTS} parts.")
    if not any(part.holds for part in parts):
        found.append("A visit holds at least a practitioner, a room or a device.")
    return tuple(found)


def written_holds(holds: Sequence[Hold], kind: ResourceKind) -> str:
    """The holds of that kind as one line: codes joined by +, one resource beside another by |, "any" without skills."""
    return _BESIDE.join(_AND.join(hold.skills) or ANY for hold in holds if hold.kind is kind)


def read_holds(line: str, kind: ResourceKind) -> tuple[Hold, ...]:
    """The holds that such a line writes; raises ValueError for a code that is not known."""
    holds = []
    for each in line.split(_BESIDE) if line else ():
        skills = () if each == ANY else tuple(each.split(_AND))
        if not set(skills) <= set(SKILLS[kind]):
            raise ValueError(f"{each} is not known")
        holds.append(Hold(kind, skills))
    return tuple(holds)


def kept_evidence(parts: Sequence[Part], before: Sequence[Part]) -> tuple[Part, ...]:
    """The parts, each with the evidence of the one before that says the same; what differs is the clinic's own."""
    known = {_said(part): part.evidence for part in before}
    return tuple(Part(part.name, part.offset, part.minutes, part.holds, known.get(_said(part), OWN_FIGURE))
                 for part in parts)


def _said(part: Part) -> tuple[str, int, int, frozenset[tuple[ResourceKind, frozenset[str]]]]:
    held = frozenset((hold.kind, frozenset(hold.skills)) for hold in part.holds)
    return part.name, part.offset, part.minutes, held
