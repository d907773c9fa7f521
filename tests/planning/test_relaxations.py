"""What would help: each relaxation, applied to the document, makes a plan possible, and a smaller one does not."""
from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from clinic.planning import plan
from clinic.planning.document import document_of, problem_of
from tests.planning.random_problems import course_problem
from tests.planning.reading import Document, Span, at_second
from tests.planning.settings import count

DAY = timedelta(days=1)
# Zones whose clock changes would make times of the wall clock, which overrides are written in, mean two things.
PLAIN = "Asia/Kathmandu"


def answered(document: dict[str, Any]) -> dict[str, Any]:
    problem = problem_of(document)
    return document_of(plan(problem), problem)


def has_plan(document: dict[str, Any], relaxation: dict[str, Any], session: int) -> bool:
    """Whether the course has a plan, or, where the text says no more, its first sessions have."""
    found = copy.deepcopy(document)
    if "still not fit" in relaxation["text"]:
        found["course"]["steps"] = found["course"]["steps"][:session]
    return bool(answered(found)["plans"])


def parts_of(change: str) -> list[str | int]:
    return [int(part) if part.isdigit() else part for part in re.findall(r"\w+", change)]


def applied(document: dict[str, Any], relaxation: dict[str, Any]) -> dict[str, Any]:
    """The document with the change made; overrides replace those of their dates, and nothing takes the value away."""
    found = copy.deepcopy(document)
    *way, last = parts_of(relaxation["change"])
    at: Any = found
    for part in way:
        at = at[part]
    if relaxation["to"] is None:
        del at[last]
    elif last == "overrides":
        new = {each["date"]: each for each in relaxation["to"]}
        at[last] = [each for each in at.get(last, ()) if each["date"] not in new] + list(new.values())
    else:
        at[last] = relaxation["to"]
    return found


def smaller(document: dict[str, Any], relaxation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The document with a little less than the change."""
    changed = applied(document, relaxation)
    *way, last = parts_of(relaxation["change"])
    at: Any = changed
    for part in way:
        at = at[part]
    if last in ("max", "min", "days"):
        at[last] += -1 if last == "max" else 1
        yield changed
    elif way and way[-1] == "dates":
        at[last] = str(date.fromisoformat(at[last]) + (DAY if last == "from" else -DAY))
        yield changed
    elif last == "skills":
        had = document["resources"][way[1]].get("skills", ())
        for skill in set(at[last]) - set(had):
            less = copy.deepcopy(changed)
            less["resources"][way[1]]["skills"].remove(skill)
            yield less
    elif last in ("overrides", "busy", "patient_busy"):
        for span in ends_of(document, changed, last, way):
            less = copy.deepcopy(changed)
            holder = less if last == "patient_busy" else less["resources"][way[1]]
            holder.setdefault("patient_busy" if last == "patient_busy" else "busy", []).append(span)
            yield less


def ends_of(before: dict[str, Any], after: dict[str, Any], last: str, way: list[str | int]) -> list[dict[str, str]]:
    """The first and the last five minutes that the change gives."""
    had, has = Document(before), Document(after)
    if last == "patient_busy":
        given = minus(had.patient_busy, has.patient_busy)
    else:
        name = before["resources"][way[1]]["id"]
        given = minus(had.busy_spans[name], has.busy_spans[name]) if last == "busy" else minus(
            has.open_spans[name], had.open_spans[name])
    # What lies outside the days of the plan is left out of a change, and is of no matter to it.
    until = had.not_before + (had.horizon + 1) * 86_400
    given = [each for each in given if had.not_before - 86_400 <= each[0] < until]
    low, high = min(each[0] for each in given), max(each[1] for each in given)
    return [
        {"from": at_second(begins, had.zone).isoformat(timespec="minutes"),
         "to": at_second(begins + 300, had.zone).isoformat(timespec="minutes")}
        for begins in (low, high - 300)
    ]


def minus(some: list[Span], others: list[Span]) -> list[Span]:
    """What is in some spans and in none of the others."""
    for low, high in others:
        some = [
            piece for begins, ends in some
            for piece in ((begins, min(ends, low)), (max(begins, high), ends)) if piece[0] < piece[1]
        ]
    return some


def test_each_relaxation_makes_a_plan_possible_and_a_smaller_one_does_not() -> None:
    kinds: Counter[str] = Counter()
    for seed in range(count(40, 600)):
        document = course_problem(seed) | {"time_zone": PLAIN, "start_step_minutes": 15}
        answer = answered(document)
        for relaxation in answer.get("relaxations", ()):
            session = int(re.findall(r"Session (\d+)", answer["reason"])[0])
            kinds[str(parts_of(relaxation["change"])[-1])] += 1
            assert has_plan(applied(document, relaxation), relaxation, session), (seed, relaxation)
            assert not any(has_plan(less, relaxation, session) for less in smaller(document, relaxation)), (
                seed, relaxation)
    assert set(kinds) >= {"max", "days", "skills", "overrides"}


@pytest.mark.parametrize(("way", "value", "kind"), [
    (("resources", 3, "busy"), [{"from": "2027-02-01T00:00", "to": "2027-05-01T00:00"}], "busy"),
    (("resources", 2, "busy"), [{"from": "2027-03-26T00:00", "to": "2027-04-20T00:00"}], "busy"),
    (("patient_busy",), [{"from": "2027-03-20T00:00", "to": "2027-06-01T12:00"}], "patient_busy"),
    (("course", "steps", 1, "dates"), {"to": "2027-03-28"}, "to"),
    (("course", "steps", 1, "dates"), {"from": "2027-04-29"}, "from"),
])
def test_bookings_patients_and_dates_are_asked_for_no_more_than_helps(
    way: tuple[str | int, ...], value: Any, kind: str
) -> None:
    document = json.loads((Path(__file__).parent / "examples" / "two-sessions.problem.json").read_text())
    at: Any = document
    for part in way[:-1]:
        at = at[part]
    at[way[-1]] = value
    document["course"]["steps"][0]["dates"] = {"to": "2027-03-02"}

    answer = answered(document)

    session = int(re.findall(r"Session (\d+)", answer["reason"])[0])
    assert kind in [parts_of(each["change"])[-1] for each in answer["relaxations"]]
    for relaxation in answer["relaxations"]:
        assert has_plan(applied(document, relaxation), relaxation, session), relaxation
        assert not any(has_plan(less, relaxation, session) for less in smaller(document, relaxation)), relaxation
