"""The least change of a tiny course by trying every plan, from the format page alone: moves, cost and ties."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.planning.brute_force import candidates, session_of
from tests.planning.checker import begin
from tests.planning.reading import Document
from tests.planning.repair_checker import Session, Standing, faults_of_repair, parts_of_repair, start_of, staying


def repair_of(problem: dict[str, Any], standing: Standing) -> tuple[int, dict[str, Any]] | None:
    """The fewest moves and, of the plans with so many, the one that the format names; None where there is none."""
    document = Document(problem)
    place = {name: at for at, name in enumerate(document.resources)}
    best: tuple[Any, dict[str, Any]] | None = None
    for sessions in _plans(problem, standing, []):
        parts = parts_of_repair(document, standing, sessions)
        plan = {"cost": sum(parts.values()), "parts": parts, "sessions": sessions}
        rank = (
            len(standing) - len(staying(document, standing, sessions)), plan["cost"],
            [begin(each) for each in sessions], [[place[name] for name in each["resources"]] for each in sessions],
        )
        if best is None or rank < best[0]:
            best = (rank, plan)
    return None if best is None else (best[0][0], best[1])


def _plans(problem: dict[str, Any], standing: Standing, placed: list[Session]) -> Iterator[list[Session]]:
    at = len(placed)
    if at == len(problem["course"]["steps"]):
        yield placed
        return
    first = {**problem, "course": {**problem["course"], "steps": problem["course"]["steps"][:at + 1]}}
    document, known = Document(first), {place: each for place, each in standing.items() if place <= at}
    tried = list(candidates(document, placed))
    if at in standing:
        stays = session_of(
            document, placed, at, start_of(document, standing[at]), list(standing[at]["resources"]))
        tried += [stays] if stays not in tried else []
    for each in tried:
        sessions = [*placed, each]
        parts = parts_of_repair(document, known, sessions)
        if not faults_of_repair(first, known, {"cost": sum(parts.values()), "parts": parts, "sessions": sessions}):
            yield from _plans(problem, standing, sessions)
