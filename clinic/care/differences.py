"""What two versions of a protocol say differently, place by place."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from types import MappingProxyType

from clinic.care.evidence import OWN_FIGURE, Evidence
from clinic.care.parts import DEVICE_TYPES, QUALIFICATIONS, ROOM_FEATURES, Hold
from clinic.care.protocols import Interval, Protocol

_WORDS: Mapping[str, str] = MappingProxyType({
    "after_days": "days after the last session", "aftercare": "Aftercare", "assessment": "Result judged",
    "components": "Components", "contraindications": "Reasons not to treat", "cycle": "Days between sessions",
    "defer_days": "days to wait", "downtime": "Downtime", "evidence": "source", "figures": "Figures of the sources",
    "gaps": "After other treatments", "indications": "For", "laxity": "Laxity", "maintenance": "Maintenance",
    "missed": "After a missed session", "mode": "Kind", "name": "name", "precare": "Pre-care",
    "red_flags": "When to call", "sessions": "Sessions", "sources": "Sources", "spacing": "Spacing",
    "treatments": "Visit", "typical": "usual", "to_hours": "until hour", "from_hours": "from hour",
})
_NAMED_BY = ("code", "key", "after", "label")
_SKILLS = {**QUALIFICATIONS, **DEVICE_TYPES, **ROOM_FEATURES}


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two versions differ; nothing stands before what is new, nothing after what is gone."""

    place: tuple[str, ...]
    before: str
    after: str

    @property
    def is_source(self) -> bool:
        """Whether it is about where a figure comes from, and not about the figure."""
        return self.place[-1] == _WORDS["evidence"]


def differences(before: Protocol, after: Protocol) -> tuple[Difference, ...]:
    """Every place at which they differ, in the order of the newer one; none where they are equal."""
    old, new = dict(_leaves(before, ())), dict(_leaves(after, ()))
    found = (_difference(place, old.get(place, ""), new.get(place, "")) for place in dict.fromkeys((*new, *old)))
    return tuple(each for each in found if each.before != each.after)


_Place = tuple[tuple[str, str], ...]
"""The steps to a value, each as words and as what tells it from its neighbours."""
_ORDER, _BETWEEN = ("order", "#order"), " · "


def _difference(place: _Place, before: str, after: str) -> Difference:
    if place[-1] == _ORDER:
        # What came or went is told by itself: only members of both that changed places have another order.
        both = set(before.split(_BETWEEN)) & set(after.split(_BETWEEN))
        before, after = (_BETWEEN.join(key for key in order.split(_BETWEEN) if key in both)
                         for order in (before, after))
    return Difference(tuple(label for label, _ in place), before, after)


def _leaves(value: object, place: _Place) -> Iterator[tuple[_Place, str]]:
    if isinstance(value, tuple) and all(isinstance(each, Hold) for each in value) and value:
        yield place, ", ".join(_hold_words(each) for each in value)
    elif isinstance(value, tuple):
        yield from _list_leaves(value, place)
    elif is_dataclass(value) and not isinstance(value, Interval | Evidence):
        for field in fields(value):
            words = _WORDS.get(field.name, field.name.replace("_", " "))
            yield from _leaves(getattr(value, field.name), (*place, (words, field.name)))
    else:
        yield place, _text(value)


def _list_leaves(values: tuple[object, ...], place: _Place) -> Iterator[tuple[_Place, str]]:
    """A member is known by its code where it has one, else by its number; where members stand is told by itself."""
    keys = [_key(value, number) for number, value in enumerate(values, start=1)]
    seen: dict[str, int] = {}
    for value, (label, key) in zip(values, keys, strict=True):
        seen[key] = seen.get(key, 0) + 1
        step = (label, key if seen[key] == 1 else f"{key}#{seen[key]}")
        yield from _leaves(value, (*place, step))
    yield (*place, _ORDER), _BETWEEN.join(key for _, key in keys)


def _key(value: object, number: int) -> tuple[str, str]:
    for name in _NAMED_BY:
        key = getattr(value, name, None)
        if isinstance(key, str):
            return str(getattr(value, "name", None) or getattr(value, "title", None) or key.replace("_", " ")), key
    return str(number), f"#{number}"


def _text(value: object) -> str:
    match value:
        case Interval():
            return f"{value.ideal} ({value.shortest} to {value.longest}) days"
        case Evidence():
            if value == OWN_FIGURE:
                return f"Grade {value.grade}: the clinic's own"
            cited = ", ".join(value.sources) or ("our default" if value.our_default else "no source")
            return f"Grade {value.grade}: {cited}" + (f" ({value.note})" if value.note else "")
        case StrEnum():
            return value.value.replace("-", " ").replace("_", " ")
        case bool():
            return "yes" if value else "no"
        case None:
            return "none"
        case _:
            return str(value)


def _hold_words(hold: Hold) -> str:
    skills = " and ".join(_SKILLS.get(skill, skill) for skill in hold.skills)
    return f"{hold.kind} ({skills})" if skills else f"any {hold.kind}"
