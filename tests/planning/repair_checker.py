"""Checks a repaired course against its problem by the format page alone, and counts its cost afresh.

What standing sessions add to the page: one stays at its start with its resources, or moves. A session that stays need
not lie on the grid, after `not_before` or within the horizon, and outside the days of the problem (from the day before
the first to the last) it is not held against hours, bookings or wishes. All other rules hold for it.
"""
from __future__ import annotations

from typing import Any

from tests.planning.checker import begin, faults, parts_of
from tests.planning.reading import Document

Session = dict[str, Any]
Standing = dict[int, dict[str, Any]]  # by place of the step: its start and resources


def faults_of_repair(problem: dict[str, Any], standing: Standing, plan: dict[str, Any]) -> list[str]:
    """Everything that is wrong with a repaired course."""
    document, sessions = Document(problem), plan["sessions"]
    stays = staying(document, standing, sessions)
    beyond = {at for at in stays if is_beyond(document, start_of(document, standing[at]))}
    excused = {f"{at + 1}: off the grid" for at in stays}
    excused |= {f"{at + 1}: before not_before or after the horizon" for at in stays}
    excused |= {f"{at + 1}: {each} is not free" for at in beyond for each in standing[at]["resources"]}
    excused |= {f"{at + 1}: the patient is busy" for at in beyond}
    found = [each for each in faults(document, plan) if each not in excused and not each.startswith("the cost is")]
    parts = parts_of_repair(document, standing, sessions)
    return found if parts == plan["parts"] and sum(parts.values()) == plan["cost"] else [*found, f"it costs {parts}"]


def parts_of_repair(document: Document, standing: Standing, sessions: list[Session]) -> dict[str, int]:
    """The cost by its rows; a session that stays outside the problem's days pays for no window, as a pin."""
    stays = staying(document, standing, sessions)
    beyond = {at for at in stays if is_beyond(document, start_of(document, standing[at]))}
    steps = [{**step, "pinned": standing[at]} if at in beyond else step for at, step in enumerate(document.steps)]
    return parts_of(Document({**document.raw, "course": {**document.raw["course"], "steps": steps}}), sessions)


def staying(document: Document, standing: Standing, sessions: list[Session]) -> set[int]:
    """The places of the steps that stay where they are."""
    return {
        at for at, each in standing.items()
        if start_of(document, each) == begin(sessions[at]) and each["resources"] == sessions[at]["resources"]
    }


def start_of(document: Document, standing: dict[str, Any]) -> int:
    """The instant at which a standing session starts."""
    return document.span({"from": standing["start"], "to": standing["start"]})[0]


def is_beyond(document: Document, start: int) -> bool:
    """Whether a start lies outside the days of the problem."""
    return not -1 <= (document.date_of(start) - document.first_date).days < document.horizon
