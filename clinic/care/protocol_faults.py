"""What in a protocol contradicts itself: what is missing or said twice, and what is named and not there."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

from clinic.care.documents import Fault
from clinic.care.evidence import Evidence

if TYPE_CHECKING:
    from clinic.care.protocols import Protocol


def contradictions(protocol: Protocol) -> Iterator[Fault]:
    """Everything that a protocol says and that cannot be, each by its place."""
    yield from _empty(protocol)
    yield from _repeated(protocol)
    yield from _unknown_treatments(protocol)
    yield from _unknown_sources(protocol)
    if (len(protocol.cycle) > 1) != (protocol.mode == "alternating"):
        yield Fault("mode", "is alternating where the cycle has several turns, and only there")


def broken_spacing(protocol: Protocol) -> Iterator[Fault]:
    """Each spacing of two treatments that the shortest intervals of the cycle break: windows would open too soon.

    It is asked of a new version only: what is stored may say so, and is read all the same.
    """
    for index, spacing in enumerate(protocol.spacing):
        least = min(_shortest_ways(protocol, spacing.first, spacing.then), default=spacing.days)
        if spacing.days > least:
            yield Fault(f"spacing[{index}].days", f"is more than the {least} days that the shortest intervals leave "
                        "between the two: change those as well")


def _shortest_ways(protocol: Protocol, first: str, then: str) -> Iterator[int]:
    """The fewest days from each turn of `first` to the next of `then`."""
    for place, turn in enumerate(protocol.cycle):
        days = 0
        for later in (*protocol.cycle[place + 1:], *protocol.cycle[:place + 1]):
            days += later.interval.shortest
            if (turn.treatment, later.treatment) == (first, then):
                yield days
                break


def _empty(protocol: Protocol) -> Iterator[Fault]:
    for name in ("indications", "treatments", "cycle", "contraindications", "aftercare", "red_flags"):
        if not getattr(protocol, name):
            yield Fault(name, "must not be empty")
    for index, treatment in enumerate(protocol.treatments):
        if not treatment.parts:
            yield Fault(f"treatments[{index}].parts", "must not be empty")


def _repeated(protocol: Protocol) -> Iterator[Fault]:
    """One code means one thing; a pre-care key may come again for another treatment."""
    codes: dict[str, tuple[object, ...]] = {
        name: tuple(each.code for each in getattr(protocol, name))
        for name in ("indications", "treatments", "contraindications", "red_flags", "sources")
    }
    codes["gaps"] = tuple(gap.after for gap in protocol.gaps)
    codes["precare"] = tuple((each.key, each.treatments) for each in protocol.precare)
    codes["aftercare"] = tuple((each.from_hours, each.treatments) for each in protocol.aftercare)
    for name, found in codes.items():
        for code, times in Counter(found).items():
            if times > 1:
                yield Fault(f"{name}[{_last(found, code)}]", "repeats an earlier one")


def _last(found: tuple[object, ...], code: object) -> int:
    return len(found) - 1 - found[::-1].index(code)


def _unknown_treatments(protocol: Protocol) -> Iterator[Fault]:
    known = {treatment.code for treatment in protocol.treatments}
    named = [(f"cycle[{index}].treatment", turn.treatment) for index, turn in enumerate(protocol.cycle)]
    named.append(("maintenance.treatment", protocol.maintenance.treatment))
    for index, spacing in enumerate(protocol.spacing):
        named += [(f"spacing[{index}].first", spacing.first), (f"spacing[{index}].then", spacing.then)]
    for name in ("precare", "aftercare"):
        for index, each in enumerate(getattr(protocol, name)):
            named += [(f"{name}[{index}].treatments", code) for code in each.treatments]
    for place, code in named:
        if code not in known:
            yield Fault(place, f"{code} is not a treatment of this protocol")


def _unknown_sources(protocol: Protocol) -> Iterator[Fault]:
    known = {source.code for source in protocol.sources}
    for place, evidence in _evidence(protocol, ""):
        for code in evidence.sources:
            if code not in known:
                yield Fault(f"{place}.sources", f"{code} is not among the sources")


def _evidence(value: object, place: str) -> Iterator[tuple[str, Evidence]]:
    if isinstance(value, Evidence):
        yield place, value
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _evidence(each, f"{place}[{index}]")
    elif is_dataclass(value):
        for field in fields(value):
            yield from _evidence(getattr(value, field.name), f"{place}.{field.name}" if place else field.name)
