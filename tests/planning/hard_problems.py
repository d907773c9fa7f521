"""Problems that are hard by nature: many needs of one kind, held overnight, and spacing between distant steps."""
from __future__ import annotations

from random import Random
from typing import Any

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TREATMENTS = ("rf", "peel", "laser")


def hard_problem(
    seed: int, *, steps: int, people: int, needs: int, hold: int, spacing: tuple[int, int, int], days: int
) -> dict[str, Any]:
    """`steps` sessions a few days apart, each of which holds `needs` of the people for `hold` minutes."""
    random = Random(seed)
    return {
        "format": "clinic-planning-problem/1", "time_zone": "Europe/London", "not_before": "2027-03-01T08:00",
        "horizon_days": days, "start_step_minutes": 240,
        "resources": [
            {"id": f"p{at}", "kind": "practitioner",
             "hours": [{"days": random.sample(WEEKDAYS, 6), "from": "00:00", "to": "24:00"}]}
            for at in range(people)
        ],
        "course": {
            "steps": [_step(at, needs, hold) for at in range(steps)],
            "spacing": [
                {"first": first, "then": then, "days": spacing[(one + other) % 3]}
                for one, first in enumerate(TREATMENTS) for other, then in enumerate(TREATMENTS)
            ],
        },
    }


def _step(at: int, needs: int, hold: int) -> dict[str, Any]:
    step: dict[str, Any] = {
        "treatment": TREATMENTS[at % 3], "minutes": 60, "needs": [{"kind": "practitioner", "minutes": hold}] * needs,
    }
    return step | {"gap_days": {"min": 1, "ideal": 2, "max": 9}} if at else step
