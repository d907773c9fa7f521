"""`clinic plan`: documents in, answers out, on the command line."""
from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from clinic.cli import main
from tests.planning.checker import faults
from tests.planning.exact_model import ExactModel
from tests.planning.hard_problems import hard_problem
from tests.planning.random_problems import course_problem
from tests.planning.reading import Document
from tests.planning.settings import count

EXAMPLES = Path(__file__).parent / "examples"
EXAMPLE = EXAMPLES / "two-sessions.problem.json"
ANSWER_FORM = Draft202012Validator(json.loads((EXAMPLES / "answer.schema.json").read_text()))


def asked(document: Any, *words: str) -> Result:
    """What the command says of a document on standard input."""
    return CliRunner().invoke(main, ["plan", "-", *words], input=json.dumps(document))


def answered(document: Any, *words: str) -> dict[str, Any]:
    """The answer, which keeps its form."""
    result = asked(document, *words)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    assert list(ANSWER_FORM.iter_errors(found)) == []
    return found


def test_the_example_is_answered_from_a_file_and_from_standard_input_in_a_process_of_its_own() -> None:
    expected = json.loads((EXAMPLES / "two-sessions.answer.json").read_text())
    environ = {"PATH": os.environ["PATH"]}

    with EXAMPLE.open("rb") as text:
        runs = [
            subprocess.run(
                [sys.executable, "-m", "clinic.cli", "plan", name], stdin=text, capture_output=True, check=True,
                timeout=60, env=environ)
            for name in (str(EXAMPLE), "-")
        ]

    for run in runs:
        found = json.loads(run.stdout)
        assert all(each.pop("why") for each in found["plans"])
        assert (found, run.stderr) == (expected, b"")


@pytest.mark.parametrize("seed", range(0, 64, 3))
def test_an_answer_keeps_its_form_and_its_plans_are_right(seed: int) -> None:
    document = course_problem(seed)

    found = answered(document)

    assert found["status"] == ("optimal" if found["plans"] else "infeasible")
    assert bool(found["plans"]) != bool(found.get("reason"))
    assert [fault for each in found["plans"] for fault in faults(Document(document), each)] == []


def test_the_starts_of_a_step_are_listed_in_order_and_the_first_step_is_meant_if_none_is_named() -> None:
    document = json.loads(EXAMPLE.read_text())

    first, second = answered(document, "--starts"), answered(document, "--starts", "--step", "2")

    assert first == answered(document, "--starts", "--step", "1")
    assert (first["status"], first["plans"], first["starts"][0]) == ("optimal", [], "2027-03-01T15:15+00:00")
    for each in (first, second):
        assert each["starts"] == sorted(set(each["starts"]))
    assert {start[-6:] for start in second["starts"]} == {"+01:00"}


@pytest.mark.parametrize("step", [1, 2])
def test_every_start_that_is_listed_leads_to_a_whole_plan_and_no_other_does(step: int) -> None:
    document = json.loads(EXAMPLE.read_text()) | {"start_step_minutes": 120, "horizon_days": 36}
    document["alternatives"] = 1

    listed = answered(document, "--starts", "--step", str(step))["starts"]

    for start in Document(document).grid():
        local = Document(document).date_of(start)
        pinned = copy.deepcopy(document)
        pinned["course"]["steps"][step - 1]["dates"] = {"from": str(local), "to": str(local)}
        # All but the hour from the start is taken from the patient; what remains is the start or nothing.
        pinned["patient_busy"] = hours_around(start, document["course"]["steps"][step - 1]["minutes"], str(local))
        is_listed = any(Document(document).span({"from": each, "to": each})[0] == start for each in listed)
        assert bool(answered(pinned)["plans"]) == is_listed


def hours_around(start: int, minutes: int, day: str) -> list[dict[str, str]]:
    """What is left of a day before and after a session, as busy spans in UTC."""
    def written(second: int) -> str:
        return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%MZ")

    begins = int(datetime.fromisoformat(f"{day}T00:00Z").timestamp()) - 7200
    ends = start + minutes * 60
    return [{"from": written(begins), "to": written(start)}, {"from": written(ends), "to": written(begins + 100_000)}]


def test_where_nothing_fits_the_exit_code_is_0_and_no_start_is_listed() -> None:
    document = json.loads(EXAMPLE.read_text())
    document["resources"][3]["hours"] = []

    found, listed = answered(document), answered(document, "--starts", "--step", "2")

    assert (found["status"], found["plans"]) == ("infeasible", [])
    assert "pen-1" in found["reason"]
    assert found["relaxations"]
    assert (listed["status"], listed["plans"], listed["starts"]) == ("infeasible", [], [])


@pytest.mark.parametrize(("words", "said"), [
    (("--starts", "--step", "3"), "the course has 2 steps"), (("--step", "0"), "--step"),
    (("--seconds", "0"), "--seconds"), (("--seconds", "-1"), "--seconds"), (("--seconds", "soon"), "--seconds"),
])
def test_what_cannot_be_asked_is_refused_with_exit_code_2(words: tuple[str, ...], said: str) -> None:
    result = asked(json.loads(EXAMPLE.read_text()), *words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_a_file_that_is_not_there_is_refused_with_exit_code_2() -> None:
    result = CliRunner().invoke(main, ["plan", "nowhere.json"])

    assert (result.exit_code, result.stdout) == (2, "")
    assert "nowhere.json" in result.stderr


@pytest.mark.parametrize("name", ["Zoë", "\u0000", "😀", "\ud800", "\u2028"])
def test_any_name_is_said_as_it_was_written(name: str) -> None:
    document = json.loads(EXAMPLE.read_text())
    document["resources"][0]["id"] = name
    document["resources"][1]["hours"] = []

    found = answered(document)

    assert found["plans"][0]["sessions"][0]["resources"][0] == name


HARD = [
    {"seed": 1, "steps": 6, "people": 9, "needs": 3, "hold": 1440, "spacing": (3, 5, 7), "days": 40},
    {"seed": 1, "steps": 9, "people": 9, "needs": 3, "hold": 1800, "spacing": (2, 5, 6), "days": 60},
    {"seed": 3, "steps": 12, "people": 9, "needs": 4, "hold": 1440, "spacing": (2, 5, 8), "days": 60},
]


@pytest.mark.parametrize("shape", HARD[:count(1, 3)])
def test_a_hard_problem_ends_in_time_with_a_right_plan_and_a_bound_that_a_solver_proves(shape: dict[str, Any]) -> None:
    document = hard_problem(**shape)

    began = time.process_time()
    found = answered(document, "--seconds", "0.2")
    took = time.process_time() - began

    best, = found["plans"]
    assert (found["status"], faults(Document(document), best)) == ("feasible", [])
    assert 0 < found["bound"] < best["cost"]
    assert not ExactModel(document).has_plan(found["bound"] - 1)
    assert took < 10


def test_given_time_the_same_problem_is_answered_exactly() -> None:
    document = hard_problem(**HARD[0])

    hurried, found = answered(document, "--seconds", "0.2"), answered(document, "--seconds", "500")

    assert found["status"] == "optimal"
    assert "bound" not in found
    assert hurried["bound"] <= found["plans"][0]["cost"] <= hurried["plans"][0]["cost"]


def test_a_hard_problem_without_a_plan_is_answered_in_time_too() -> None:
    document = hard_problem(seed=4, steps=12, people=8, needs=4, hold=2000, spacing=(2, 5, 8), days=60)
    for step in document["course"]["steps"][1:]:
        step["gap_days"]["max"] = 7

    began = time.process_time()
    found = answered(document, "--seconds", "0.5")

    assert found["status"] == "infeasible"
    assert found["reason"]
    assert time.process_time() - began < 10
