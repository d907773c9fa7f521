"""What must hold of any answer, whatever the problem."""
from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.planning import Costs, Pin, judge, placed_at, plan, starts
from clinic.planning.document import document_of, problem_of
from tests.planning.diaries import placements
from tests.planning.random_problems import course_problem, random_problem
from tests.planning.settings import count

seeds = st.integers(0, 10_000)
ZONES_WITHOUT_CHANGES = ("Asia/Kathmandu", "UTC", "Asia/Tokyo", "America/Phoenix")


@settings(max_examples=count(25, 300), deadline=None)
@given(seeds)
def test_the_judge_has_nothing_against_any_plan(seed: int) -> None:
    problem = problem_of(random_problem(seed))

    answer = plan(problem)

    assert [judge(problem, placements(each)) for each in answer.plans] == [()] * len(answer.plans)


@settings(max_examples=count(15, 200), deadline=None)
@given(seeds, st.data())
def test_what_the_judge_accepts_is_among_the_starts(seed: int, data: st.DataObject) -> None:
    problem = problem_of(random_problem(seed))
    answer = plan(problem)
    if not answer.plans:
        return
    sessions = placements(answer.plans[-1])
    step = data.draw(st.integers(0, len(sessions) - 1))
    moved = replace(sessions[step], start_at=sessions[step].start_at + timedelta(
        days=data.draw(st.integers(-2, 2)), minutes=problem.start_step * data.draw(st.integers(-4, 4))
    ))
    sessions[step] = moved

    findings = judge(problem, sessions)

    if not findings and problem.steps[step].pinned is None:
        assert moved.start_at in (starts(problem, step + 1).starts or ())


@settings(max_examples=count(15, 300), deadline=None)
@given(seeds, st.data())
def test_a_step_at_one_of_its_starts_is_as_the_plan_that_begins_there_has_it(seed: int, data: st.DataObject) -> None:
    problem = problem_of(random_problem(seed))
    answer = plan(problem)
    if not answer.plans:
        return
    place = data.draw(st.integers(0, len(problem.steps) - 1))
    problem = replace(problem, costs=Costs(0, 0, 0, 0, 0), alternatives=1, steps=tuple(
        each if at == place or each.pinned else replace(each, pinned=Pin(held.start_at, held.resources))
        for at, (each, held) in enumerate(zip(problem.steps, answer.plans[0].sessions, strict=True))))
    found = (starts(problem, place + 1).starts or ())[:8]

    placed = placed_at(problem, place + 1, found)

    assert placed == tuple(plan(replace(problem, not_before=at)).plans[0].sessions[place] for at in found)


@settings(max_examples=count(25, 400), deadline=None)
@given(seeds, st.data())
def test_more_free_time_never_raises_the_least_cost_nor_takes_a_start_away(seed: int, data: st.DataObject) -> None:
    document = course_problem(seed)
    freer = freed(document, data)

    before, after = (document_of(plan(problem_of(each)), problem_of(each))["plans"] for each in (document, freer))

    assert not before or after[0]["cost"] <= before[0]["cost"]
    if len(document["course"]["steps"]) <= 3:
        step = len(document["course"]["steps"])
        had, has = (set(starts(problem_of(each), step).starts or ()) for each in (document, freer))
        assert had <= has


def freed(document: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """The document with more time: a resource freed wholly, of one booking, or for more hours; or the patient freed."""
    found = copy.deepcopy(document)
    resource = data.draw(st.sampled_from(found["resources"]))
    way = data.draw(st.sampled_from(["all", "a booking", "hours", "an override", "patient"]))
    if way == "all":
        for key in ("hours", "overrides", "busy"):
            resource.pop(key, None)
    elif way == "a booking" and resource["busy"]:
        resource["busy"].pop(data.draw(st.integers(0, len(resource["busy"]) - 1)))
    elif way == "hours" and "hours" in resource:
        first = data.draw(st.integers(0, 23))
        resource["hours"].append({
            "days": [data.draw(st.sampled_from(["mon", "wed", "sat"]))], "from": f"{first:02}:00", "to": "24:00",
        })
    elif way == "an override" and resource.get("overrides"):
        data.draw(st.sampled_from(resource["overrides"]))["hours"].append({"from": "09:00", "to": "19:00"})
    else:
        found.pop("patient_busy", None)
    return found


@settings(max_examples=count(25, 400), deadline=None)
@given(seeds)
def test_a_booked_plan_fed_back_as_busy_is_not_offered_again(seed: int) -> None:
    document = course_problem(seed)
    plans = document_of(plan(problem_of(document)), problem_of(document))["plans"]
    if not plans:
        return
    booked = plans[0]["sessions"]

    again = problem_of(with_booked(document, booked))

    for other in document_of(plan(again), again)["plans"]:
        for step, one, two in zip(document["course"]["steps"], booked, other["sessions"], strict=True):
            assert "pinned" in step or (one["start"], one["resources"]) != (two["start"], two["resources"])


def with_booked(document: dict[str, Any], sessions: list[dict[str, Any]]) -> dict[str, Any]:
    """The document with what the sessions hold among what is busy, written as instants."""
    found = copy.deepcopy(document)
    by_id = {each["id"]: each for each in found["resources"]}
    for step, each in zip(found["course"]["steps"], sessions, strict=True):
        for need, name in zip(step["needs"], each["resources"], strict=True):
            begins = datetime.fromisoformat(each["start"]).astimezone(UTC) + timedelta(minutes=need.get("offset", 0))
            ends = begins + timedelta(minutes=need.get("minutes", step["minutes"]))
            by_id[name].setdefault("busy", []).append(
                {"from": f"{begins:%Y-%m-%dT%H:%MZ}", "to": f"{ends:%Y-%m-%dT%H:%MZ}"}
            )
    return found


@settings(max_examples=count(25, 400), deadline=None)
@given(st.integers(1, 300), seeds, st.sampled_from(ZONES_WITHOUT_CHANGES))
def test_whole_weeks_shift_the_answer_in_a_zone_without_clock_changes(weeks: int, seed: int, zone: str) -> None:
    document = random_problem(seed) | {"time_zone": zone}
    later = shifted(document, weeks)

    answer, after = (document_of(plan(problem_of(each)), problem_of(each)) for each in (document, later))

    assert shifted(placed(answer), weeks) == placed(after)
    assert answer["status"] == after["status"]


def placed(answer: dict[str, Any]) -> list[Any]:
    """The plans without the words that name a date."""
    return [{key: value for key, value in each.items() if key != "why"} for each in answer["plans"]]


def shifted(document: Any, weeks: int) -> Any:
    """The document with every date so many weeks later."""
    return json.loads(re.sub(
        r"\b\d{4}-\d\d-\d\d", lambda found: str(date.fromisoformat(found[0]) + timedelta(weeks=weeks)),
        json.dumps(document),
    ))
