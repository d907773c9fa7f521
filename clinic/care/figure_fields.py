"""Which figures of a protocol a clinic may set for itself, each by its place in the document."""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from clinic.care.finish import LONGEST_RECOVERY
from clinic.care.outcomes import MissedRule
from clinic.care.protocols import Protocol

MOST_SESSIONS = 60
MOST_DAYS = 3660
MISSED_RULES: Mapping[str, str] = MappingProxyType({
    MissedRule.KEEP.value: "Nothing is added", MissedRule.EXTEND.value: "One more session",
    MissedRule.RESTART.value: "The whole series again",
})

COURSE, GAPS, WAITS = "course", "gaps", "waits"


@dataclass(frozen=True, slots=True)
class FigureField:
    """One figure: a whole number within its bounds, or one of several codes."""

    path: str
    label: str
    least: int = 0
    most: int = MOST_DAYS
    choices: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class FigureRow:
    """Figures that rest on the same evidence, which stands at `evidence`; `group` says what they are about."""

    label: str
    fields: tuple[FigureField, ...]
    evidence: str
    group: str = COURSE


def figure_rows(protocol: Protocol) -> tuple[FigureRow, ...]:
    """Every figure that a clinic may set, in the order in which a page asks for them."""
    return tuple(_rows(protocol))


def look_up(document: Any, path: str) -> Any:
    """What stands at that place of a document; raises LookupError where nothing does."""
    for step in _steps(path):
        document = document[step]
    return document


def put(document: Any, path: str, value: object) -> None:
    """Writes a value at a place whose surroundings are there."""
    *way, last = _steps(path)
    for step in way:
        document = document[step]
    document[last] = value


def _rows(protocol: Protocol) -> Iterator[FigureRow]:
    names = {treatment.code: treatment.name for treatment in protocol.treatments}
    yield _sessions("Sessions", "sessions")
    for index, indication in enumerate(protocol.indications):
        if indication.sessions:
            yield _sessions(f"Sessions for {indication.name}", f"indications[{index}].sessions")
    for index, turn in enumerate(protocol.cycle):
        label = "Days between sessions" if len(protocol.cycle) == 1 else f"Days before {names[turn.treatment]}"
        yield FigureRow(label, _interval(f"cycle[{index}].interval"), f"cycle[{index}].evidence")
    for index, spacing in enumerate(protocol.spacing):
        first, then = (names.get(code, _words(code)) for code in (spacing.first, spacing.then))
        yield _days(f"{then}, days after {first}", f"spacing[{index}]", "days", least=1)
    yield FigureRow("Maintenance, days after the last session", _interval("maintenance.interval"),
                    "maintenance.evidence")
    yield FigureRow("Maintenance, sessions at a time", (
        FigureField("maintenance.sessions", "Sessions", 1, MOST_SESSIONS),), "maintenance.evidence")
    yield FigureRow("Days of downtime", (
        FigureField("downtime.shortest", "Shortest", most=LONGEST_RECOVERY),
        FigureField("downtime.longest", "Longest", most=LONGEST_RECOVERY)), "downtime.evidence")
    yield _days("Result judged, days after the last session", "assessment", "after_days", least=1)
    yield FigureRow("After a missed session that passes its window", tuple(
        FigureField(f"missed.{cause}", label, choices=MISSED_RULES)
        for cause, label in (("forgot", "Forgotten"), ("ill", "Ill"), ("prevented", "Prevented"))), "missed.evidence")
    for index, gap in enumerate(protocol.gaps):
        yield _days(f"Days after {_words(gap.after)}", f"gaps[{index}]", "days", group=GAPS)
    for index, each in enumerate(protocol.contraindications):
        if each.defer_days is not None:
            yield _days(each.title, f"contraindications[{index}]", "defer_days", least=1, group=WAITS)


def _sessions(label: str, path: str) -> FigureRow:
    return FigureRow(label, tuple(
        FigureField(f"{path}.{name}", words, 1, MOST_SESSIONS)
        for name, words in (("least", "Least"), ("typical", "Usual"), ("most", "Most"))), f"{path}.evidence")


def _interval(path: str) -> tuple[FigureField, ...]:
    return tuple(FigureField(f"{path}.{name}", words, 1)
                 for name, words in (("shortest", "Shortest"), ("ideal", "Ideal"), ("longest", "Longest")))


def _days(label: str, path: str, name: str, *, least: int = 0, group: str = COURSE) -> FigureRow:
    return FigureRow(label, (FigureField(f"{path}.{name}", "Days", least),), f"{path}.evidence", group)


def _words(code: str) -> str:
    return code.replace("_", " ").replace("-", " ")


def _steps(path: str) -> list[str | int]:
    return [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path)]
