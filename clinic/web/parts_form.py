"""The parts of a visit as a table of fields: read, shown again, and offered with what each part can hold."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from clinic.care.evidence import OWN_FIGURE
from clinic.care.parts import TURNOVER, Hold, Part, ResourceKind
from clinic.care.visit_parts import (
    ANY,
    LONGEST_VISIT,
    MOST_PARTS,
    SKILLS,
    judge_parts,
    kept_evidence,
    read_holds,
    written_holds,
)
from clinic.web.forms import Form

_STEP = 5
_FIELDS = ("name", "minutes", "offset", *(kind.value for kind in ResourceKind))
_NOBODY = {ResourceKind.PRACTITIONER: "Nobody", ResourceKind.ROOM: "No room", ResourceKind.DEVICE: "No device"}
_ANYBODY = {ResourceKind.PRACTITIONER: "Any practitioner", ResourceKind.ROOM: "Any room"}


def read_parts(form: Form, prefix: str, before: Sequence[Part]) -> tuple[Part, ...]:
    """The parts that were typed, with the evidence of those that are as they were; faults stay with the form.

    A row that is left empty is no part; one that says no beginning follows the row above it.
    """
    parts: list[Part] = []
    known = len(form.faults)
    for place in _used(form, prefix):
        part = _read_part(form, f"{prefix}-{place}", parts[-1].ends if parts else 0, place + 1)
        if part is not None:
            parts.append(part)
    if len(form.faults) == known:
        for fault in judge_parts(parts):
            form.fault(f"{prefix}-0-name", fault)
    return kept_evidence(parts, before)


def initial_of(prefix: str, parts: Iterable[Part]) -> dict[str, Any]:
    """What the table shows of parts that are kept."""
    found: dict[str, Any] = {}
    for place, part in enumerate(parts):
        name = f"{prefix}-{place}"
        found |= {f"{name}-name": part.name, f"{name}-minutes": part.minutes, f"{name}-offset": part.offset}
        found |= {f"{name}-{kind.value}": written_holds(part.holds, kind) for kind in ResourceKind}
    return found


def table_of(form: Form, prefix: str, before: Sequence[Part]) -> dict[str, Any]:
    """What the template of the table needs: its rows, two of them empty, and what each part can hold."""
    last = max([-1, *_used(form, prefix)])
    return {"prefix": prefix, "rows": range(min(MOST_PARTS, max(last + 3, 3))),
            "holds": {kind.value: _choices(kind, before) for kind in ResourceKind}}


def _read_part(form: Form, name: str, follows: int, number: int) -> Part | None:
    known = len(form.faults)
    called = form.text(f"{name}-name", f"The name of part {number}", most=60)
    minutes = form.number(f"{name}-minutes", f"The minutes of part {number}", least=_STEP, most=LONGEST_VISIT)
    offset = form.number(f"{name}-offset", f"The beginning of part {number}", least=0, most=LONGEST_VISIT,
                         required=False)
    for field, figure in (("minutes", minutes), ("offset", offset)):
        if figure is not None and figure % _STEP:
            form.fault(f"{name}-{field}", f"Count in whole {_STEP} minutes.")
    holds: list[Hold] = []
    for kind in ResourceKind:
        line = form.text(f"{name}-{kind.value}", f"What part {number} holds", most=300, required=False)
        try:
            holds += read_holds(line, kind)
        except ValueError:
            form.fault(f"{name}-{kind.value}", "Choose it again from the list.")
    if len(form.faults) > known or minutes is None:
        return None
    called = TURNOVER if called.casefold() == TURNOVER else called
    try:
        return Part(called, follows if offset is None else offset, minutes, tuple(holds), OWN_FIGURE)
    except ValueError:
        form.fault(f"{name}-device", "A part holds each practitioner, room and device once.")
        return None


def _used(form: Form, prefix: str) -> list[int]:
    return [place for place in range(MOST_PARTS)
            if any(str(form.value(f"{prefix}-{place}-{field}")).strip() for field in _FIELDS)]


def _choices(kind: ResourceKind, before: Sequence[Part]) -> list[tuple[str, str]]:
    """Each skill alone, and the combinations that are held already."""
    known: Mapping[str, str] = SKILLS[kind]
    singles = [("", _NOBODY[kind])]
    if kind in _ANYBODY:
        singles.append((ANY, _ANYBODY[kind]))
    singles += sorted(known.items(), key=lambda each: each[1].casefold())
    lines = dict.fromkeys(written_holds(part.holds, kind) for part in before)
    return singles + [(line, _words(line, kind)) for line in lines if line not in dict(singles)]


def _words(line: str, kind: ResourceKind) -> str:
    return " and ".join(SKILLS[kind].get(code, "any") for each in line.split("|") for code in each.split("+"))
