"""Small problems for the planner's tests, with a clinic of a few people and rooms."""
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from clinic.planning import (
    Gap,
    Hours,
    Kind,
    Need,
    Placement,
    Plan,
    Problem,
    Resource,
    Ruler,
    Step,
    busy_bits,
    opening_bits,
    ruler,
)
from clinic.planning.local import resolve, zone

LONDON = zone("Europe/London")
MONDAY = date(2027, 3, 1)
NINE = datetime(2027, 3, 1, 9, tzinfo=UTC)
WEEKDAYS = frozenset(range(5))
RULER = ruler(LONDON, MONDAY, 120)


def at(written: str) -> datetime:
    """A wall-clock time of London, as 2027-03-01 09:00."""
    return resolve(datetime.fromisoformat(written), LONDON)


def office(on: Ruler = RULER, begins: int = 9, ends: int = 17, days: frozenset[int] = WEEKDAYS) -> int:
    """Open from hour to hour."""
    return opening_bits(on, (Hours(days, begins * 60, ends * 60),))


def busy(*spans: tuple[str, str], on: Ruler = RULER) -> int:
    """Busy in spans of London's clock."""
    return busy_bits(on, [(at(begins), at(ends)) for begins, ends in spans])


AMARI = Resource("amari", Kind.PRACTITIONER, frozenset({"rf"}), office(days=frozenset({0, 2})), name="Dr Amari")
BELL = Resource("bell", Kind.PRACTITIONER, frozenset({"rf"}), office(begins=12, ends=20, days=frozenset({1, 3})))
ROOM = Resource("room-1", Kind.ROOM, open=office(begins=8, ends=21), name="Room 1")
DEVICE = Resource("rf-1", Kind.DEVICE, frozenset({"rf"}), name="the RF device")
NEEDS = (
    Need(Kind.PRACTITIONER, 45, frozenset({"rf"}), 15),
    Need(Kind.ROOM, 75),
    Need(Kind.DEVICE, 60, frozenset({"rf"}), 15),
)


def course(*gaps: Gap, **changes: Any) -> Problem:
    """A course of RF at a clinic with two practitioners, a room and a device, from Monday 1 March 2027, 09:00 on."""
    steps = (Step("rf", 60, NEEDS), *(Step("rf", 60, NEEDS, gap) for gap in gaps))
    problem = Problem(RULER, NINE, (AMARI, BELL, ROOM, DEVICE), steps)
    return replace(problem, **changes)


def with_resource(problem: Problem, changed: Resource) -> Problem:
    """The problem with one resource changed."""
    return replace(
        problem, resources=tuple(changed if each.id == changed.id else each for each in problem.resources)
    )


def placements(plan: Plan) -> list[Placement]:
    """The sessions of a plan as placements to be judged."""
    return [Placement(each.step, each.start_at, each.resources) for each in plan.sessions]


def starts_of(plan: Plan) -> list[str]:
    """The starts of a plan on London's clock."""
    return [each.start_at.astimezone(LONDON).strftime("%Y-%m-%d %H:%M") for each in plan.sessions]
