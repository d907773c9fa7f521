"""From a least cost back to the plan itself: of all that cost it, the one the format names.

The starts are settled first, session by session, keeping every state that still reaches the least cost; then the
resources, session by session, among the states that remain.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clinic.planning.answer import Plan, PlannedSession
from clinic.planning.board import MINUTE
from clinic.planning.costs import gap_before, parts_of
from clinic.planning.local import day_of
from clinic.planning.search import Search, State
from clinic.planning.stage import Option, Position


@dataclass(slots=True)
class Node:
    """A state reached with the starts chosen so far, and what the rest of an optimal plan costs from it."""

    state: State
    rest: int
    option: Option
    parents: list[Node]


def plan_from(search: Search, day: int, cost: int) -> Plan:
    """The plan of that cost whose first session is on that day; it must exist."""
    layers = [_first_layer(search, day, cost)]
    while len(layers) < len(search.board.stages):
        layers.append(_next_layer(search, layers[-1]))
    return _as_plan(search, _chosen(search, layers))


def any_plan(search: Search, looks: int) -> Plan | None:
    """Some plan, each step placed where its gap costs least; None if none was met before so many dead ends."""
    dead: set[State] = set()
    for day in sorted(search.board.first_days(), key=search.board.first_cost):
        for option, state in search.beginnings(day):
            way = [option]
            if _dive(search, state, way, dead, looks):
                return _as_plan(search, [(each.start, _resources(search, at, each)) for at, each in enumerate(way)])
    return None


def _dive(search: Search, state: State, way: list[Option], dead: set[State], looks: int) -> bool:
    if state.at + 1 == len(search.board.stages):
        return True
    if state in dead or len(dead) > looks:
        return False
    for day, gap_cost in search.days_after(state.at, state.day):
        for _, option, child in search.children(state, day, gap_cost):
            way.append(option)
            if _dive(search, child, way, dead, looks):
                return True
            way.pop()
    dead.add(state)
    return False


def _first_layer(search: Search, day: int, cost: int) -> list[Node]:
    found = []
    for option, state in search.beginnings(day):
        rest = cost - search.board.first_cost(day) - option.cost
        if rest >= 0 and search.rest(state, rest) == rest:
            found.append(Node(state, rest, option, []))
    return _earliest(found)


def _next_layer(search: Search, layer: Sequence[Node]) -> list[Node]:
    """The states one step on with the earliest start that still reaches the least cost."""
    ways: dict[int, list[tuple[int, Node]]] = {}
    for node in layer:
        for day, gap_cost in search.days_after(node.state.at, node.state.day):
            if gap_cost <= node.rest:
                ways.setdefault(day, []).append((gap_cost, node))
    found: list[Node] = []
    until = None
    for day in sorted(ways):
        if until is not None and day > until:
            break
        reached = _reached(search, day, ways[day])
        if reached and until is None:
            until = day + search.board.ruler.days_out_of_order
        found += reached
    return _earliest(found)


def _reached(search: Search, day: int, ways: Sequence[tuple[int, Node]]) -> list[Node]:
    found: dict[tuple[State, Option], Node] = {}
    for gap_cost, node in ways:
        for cost, option, state in search.children(node.state, day, gap_cost, node.rest):
            rest = node.rest - cost
            if search.rest(state, rest) != rest:
                continue
            same = found.setdefault((state, option), Node(state, rest, option, []))
            same.parents.append(node)
    return list(found.values())


def _earliest(nodes: Sequence[Node]) -> list[Node]:
    first = min(node.option.start for node in nodes)
    return [node for node in nodes if node.option.start == first]


def _chosen(search: Search, layers: Sequence[Sequence[Node]]) -> list[tuple[Position, tuple[int, ...]]]:
    """For each step its start and resources: the earliest resources that lead on to the end."""
    leads_on: list[list[Node]] = [list(layers[-1])]
    for layer in reversed(layers[:-1]):
        wanted = {id(parent) for node in leads_on[-1] for parent in node.parents}
        leads_on.append([node for node in layer if id(node) in wanted])
    chosen: list[tuple[Position, tuple[int, ...]]] = []
    before: Node | None = None
    for layer in reversed(leads_on):
        ways = [node for node in layer if before is None or any(parent is before for parent in node.parents)]
        resources, before = min(
            ((_resources(search, node.state.at, node.option), node) for node in ways), key=lambda way: way[0]
        )
        chosen.append((before.option.start, resources))
    return chosen


def _resources(search: Search, at: int, option: Option) -> tuple[int, ...]:
    if option.resources is not None:
        return option.resources
    supply = search.board.stages[at].supply
    assert supply is not None and isinstance(option.start, int)
    found = supply.assign(option.start, option.leader, frozenset())
    assert found is not None
    return found


def _as_plan(search: Search, chosen: Sequence[tuple[Position, tuple[int, ...]]]) -> Plan:
    problem = search.board.problem
    starts = [search.board.start_at(at, start) for at, (start, _) in enumerate(chosen)]
    days = [day_of(start_at, problem.ruler.zone) for start_at in starts]
    sessions = tuple(
        PlannedSession(
            step=at + 1, treatment=step.treatment, start_at=starts[at], end_at=starts[at] + step.minutes * MINUTE,
            gap_days=gap_before(problem, at, days),
            resources=tuple(problem.resources[each].id for each in chosen[at][1]),
        )
        for at, step in enumerate(problem.steps)
    )
    parts = parts_of(problem, sessions)
    return Plan(parts.total, parts, sessions)
