"""A protocol as a clinic wants it: what it sets itself loses its source, all else is carried over."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from clinic.care.documents import write_document
from clinic.care.evidence import OWN_FIGURE
from clinic.care.figure_fields import figure_rows, look_up, put
from clinic.care.guidance import Aftercare, Instruction, RedFlag, Urgency
from clinic.care.parts import Part, write_parts
from clinic.care.protocols import Protocol
from clinic.care.visit_parts import kept_evidence


@dataclass(frozen=True, slots=True)
class PrecareLine:
    """A line of pre-care; `place` is that of the line which it changes, from 0, none for a new one."""

    place: int | None
    days_before: int
    text: str


@dataclass(frozen=True, slots=True)
class AftercarePhase:
    """What is said for a stretch of hours; the phases of a protocol stay as many as they are."""

    from_hours: int
    to_hours: int
    expect: tuple[str, ...]
    do: tuple[str, ...]
    avoid: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlagLine:
    """A sign to call about; `place` is that of the line which it changes, from 0, none for a new one."""

    place: int | None
    text: str
    urgency: Urgency


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a clinic wants a protocol to say: its figures by their places, the parts of each treatment, its lines."""

    name: str
    figures: Mapping[str, int | str]
    parts: tuple[tuple[Part, ...], ...]
    precare: tuple[PrecareLine, ...]
    aftercare: tuple[AftercarePhase, ...]
    red_flags: tuple[FlagLine, ...]


def as_it_is(protocol: Protocol) -> Wanted:
    """The protocol wanted exactly as it is."""
    document = _whole_document(protocol)
    return Wanted(
        name=protocol.name,
        figures={field.path: look_up(document, field.path) for row in figure_rows(protocol) for field in row.fields},
        parts=tuple(treatment.parts for treatment in protocol.treatments),
        precare=tuple(PrecareLine(place, each.days_before, each.text) for place, each in enumerate(protocol.precare)),
        aftercare=tuple(AftercarePhase(each.from_hours, each.to_hours, each.expect, each.do, each.avoid)
                        for each in protocol.aftercare),
        red_flags=tuple(FlagLine(place, each.text, each.urgency) for place, each in enumerate(protocol.red_flags)))


def document_with(protocol: Protocol, wanted: Wanted) -> dict[str, Any]:
    """The document of a further version: faults in it are for `Protocol.from_document` to find."""
    document = _whole_document(protocol)
    document["name"] = wanted.name
    for row in figure_rows(protocol):
        changed = [field for field in row.fields if wanted.figures[field.path] != look_up(document, field.path)]
        for field in changed:
            put(document, field.path, wanted.figures[field.path])
        if changed:
            put(document, row.evidence, write_document(OWN_FIGURE))
    for treatment, kept, parts in zip(document["treatments"], protocol.treatments, wanted.parts, strict=True):
        treatment["parts"] = write_parts(kept_evidence(parts, kept.parts))
    document["precare"] = _precare(protocol.precare, wanted.precare)
    document["aftercare"] = [_phase(*pair) for pair in zip(protocol.aftercare, wanted.aftercare, strict=True)]
    document["red_flags"] = _flags(protocol.red_flags, wanted.red_flags)
    return document


def _whole_document(protocol: Protocol) -> dict[str, Any]:
    """The document with what it leaves out while it stands at its default."""
    return {**protocol.to_document(), "missed": write_document(protocol.missed)}


def _precare(before: Sequence[Instruction], wanted: Iterable[PrecareLine]) -> list[Any]:
    keys, lines = _fresh("own", (each.key for each in before)), []
    for line in wanted:
        kept = None if line.place is None else before[line.place]
        if kept is None:
            lines.append(write_document(Instruction(line.days_before, next(keys), line.text, OWN_FIGURE)))
        elif (kept.days_before, kept.text) == (line.days_before, line.text):
            lines.append(write_document(kept))
        else:
            lines.append({**write_document(kept), "days_before": line.days_before, "text": line.text,
                          "evidence": write_document(OWN_FIGURE)})
    return lines


def _phase(before: Aftercare, wanted: AftercarePhase) -> Any:
    said = write_document(before)
    new = {"from_hours": wanted.from_hours, "to_hours": wanted.to_hours, "expect": list(wanted.expect),
           "do": list(wanted.do), "avoid": list(wanted.avoid)}
    if all(said.get(name) == value for name, value in new.items()):
        return said
    return {**said, **new, "evidence": write_document(OWN_FIGURE)}


def _flags(before: Sequence[RedFlag], wanted: Iterable[FlagLine]) -> list[Any]:
    codes, lines = _fresh("own", (each.code for each in before)), []
    for line in wanted:
        kept = None if line.place is None else before[line.place]
        if kept is not None and (kept.text, kept.urgency) == (line.text, line.urgency):
            lines.append(write_document(kept))
        else:
            code = kept.code if kept else next(codes)
            lines.append(write_document(RedFlag(code, line.text, line.urgency, OWN_FIGURE)))
    return lines


def _fresh(stem: str, known: Iterable[str]) -> Iterator[str]:
    taken = set(known)
    return (code for number in count(1) if (code := f"{stem}-{number}") not in taken)
