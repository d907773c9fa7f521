"""The whole answer of a tiny problem by trying every plan, from the format page alone: costs, ties and alternatives."""
from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from tests.planning.checker import begin, faults, parts_of
from tests.planning.reading import Document, at_second

Session = dict[str, Any]


def answer_of(problem: dict[str, Any]) -> list[dict[str, Any]]:
    """The plans that the format asks for, in their order."""
    document = Document(problem)
    courses = [
        Document({**problem, "course": {**problem["course"], "steps": document.steps[:count]}})
        for count in range(len(document.steps) + 1)
    ]
    place = {name: at for at, name in enumerate(document.resources)}
    best: dict[int, tuple[Any, dict[str, Any]]] = {}
    for sessions in _plans(courses, []):
        parts = parts_of(document, sessions)
        plan = {"cost": sum(parts.values()), "parts": parts, "sessions": sessions}
        rank = (
            plan["cost"], [begin(each) for each in sessions],
            [[place[name] for name in each["resources"]] for each in sessions],
        )
        first_on = document.date_of(begin(sessions[0])).toordinal()
        if first_on not in best or rank < best[first_on][0]:
            best[first_on] = (rank, plan)
    in_order = sorted(best.items(), key=lambda entry: (entry[1][0][0], entry[0]))
    return [plan for _, (_, plan) in in_order[:problem.get("alternatives", 1)]]


def _plans(courses: list[Document], placed: list[Session]) -> Iterator[list[Session]]:
    """Every right plan; `courses` are the problem with its first 0, 1, 2 ... steps alone."""
    document = courses[-1]
    if len(placed) == len(document.steps):
        yield placed
        return
    for session in candidates(document, placed):
        sessions = [*placed, session]
        if _is_right(courses[len(sessions)], sessions):
            yield from _plans(courses, sessions)


def _is_right(document: Document, sessions: list[Session]) -> bool:
    parts = parts_of(document, sessions)
    return not faults(document, {"cost": sum(parts.values()), "parts": parts, "sessions": sessions})


def candidates(document: Document, placed: list[Session]) -> Iterator[Session]:
    at = len(placed)
    step = document.steps[at]
    if "pinned" in step:
        pin = step["pinned"]
        start = document.span({"from": pin["start"], "to": pin["start"]})[0]
        yield session_of(document, placed, at, start, list(pin["resources"]))
        return
    for start in document.grid():
        able = [
            [
                name for name, resource in document.resources.items()
                if resource["kind"] == need["kind"] and document.is_free(name, span)
            ]
            for need, span in zip(step["needs"], document.holds(step, start), strict=True)
        ]
        for names in product(*able):
            yield session_of(document, placed, at, start, list(names))


def session_of(document: Document, placed: list[Session], at: int, start: int, names: list[str]) -> Session:
    step, day = document.steps[at], document.date_of(start)
    before = document.date_of(begin(placed[-1])) if placed else document.last_session
    return {
        "step": at + 1, "treatment": step["treatment"],
        "start": at_second(start, document.zone).isoformat(timespec="minutes"),
        "end": at_second(start + step["minutes"] * 60, document.zone).isoformat(timespec="minutes"),
        "gap_days": None if before is None else (day - before).days, "resources": names,
    }
