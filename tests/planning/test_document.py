"""The documents: every fault by its place, and answers that keep their form."""
from __future__ import annotations

import copy
import json
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from clinic.planning import plan, starts
from clinic.planning.document import document_of, parse, problem_of
from clinic.planning.form import Malformed
from tests.planning.random_problems import random_problem
from tests.planning.settings import count

EXAMPLES = Path(__file__).parent / "examples"
EXAMPLE = json.loads((EXAMPLES / "two-sessions.problem.json").read_text())
PROBLEM_FORM = Draft202012Validator(
    json.loads((EXAMPLES / "problem.schema.json").read_text()), format_checker=FormatChecker(["date"])
)
ANSWER_FORM = Draft202012Validator(json.loads((EXAMPLES / "answer.schema.json").read_text()))


def changed(path: str, value: Any) -> Any:
    """The example with one value set, by a path such as course/steps/1/minutes; `...` deletes."""
    document = copy.deepcopy(EXAMPLE)
    *way, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    at: Any = document
    for part in way:
        at = at[part]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return document


def places(document: Any) -> list[str]:
    """The places of all faults; none where the document is right."""
    try:
        problem_of(document)
    except Malformed as malformed:
        return [fault.split(": ")[0] for fault in malformed.faults]
    return []


@pytest.mark.parametrize(("path", "value", "place"), [
    ("format", "clinic-planning-problem/2", "format"),
    ("time_zone", "Europe/Atlantis", "time_zone"),
    ("time_zone", "../etc/passwd", "time_zone"),
    ("not_before", "2027-02-30T09:00", "not_before"),
    ("not_before", "2027-03-01T24:30", "not_before"),
    ("not_before", "2027-03-01T09:00+25:00", "not_before"),
    ("not_before", "2027-03-01 09:00", "not_before"),
    ("not_before", "٢٠٢٧-03-01T09:00", "not_before"),
    ("not_before", "2027-03-01T09:00\n", "not_before"),
    ("not_before", "9999-12-31T09:00", "not_before"),
    ("not_before", ..., "not_before"),
    ("horizon_days", 3661, "horizon_days"),
    ("horizon_days", True, "horizon_days"),
    ("horizon_days", 60.5, "horizon_days"),
    ("start_step_minutes", 0, "start_step_minutes"),
    ("alternatives", 10**400, "alternatives"),
    ("surprise", 1, "surprise"),
    ("a b", 1, '["a b"]'),
    ("resources/1/id", "amari", "resources[1].id"),
    ("resources/1/id", "", "resources[1].id"),
    ("resources/1/kind", "nurse", "resources[1].kind"),
    ("resources/1/kind", ["room"], "resources[1].kind"),
    ("resources/1/skills", ["rf", "rf"], "resources[1].skills[1]"),
    ("resources/0/hours/0/from", "24:01", "resources[0].hours[0].from"),
    ("resources/0/hours/0/days", [], "resources[0].hours[0].days"),
    ("resources/0/hours/0/days/1", "Mon", "resources[0].hours[0].days[1]"),
    ("resources/0/overrides/0/date", "2027-13-01", "resources[0].overrides[0].date"),
    ("resources/0/overrides", [{"date": "2027-03-29", "hours": []}] * 2, "resources[0].overrides[1].date"),
    ("resources/0/busy/0/to", "2027-03-01T09:00", "resources[0].busy[0].to"),
    ("patient_busy", [{"from": "2027-03-01T09:00", "to": "2027-03-01T08:00"}], "patient_busy[0].to"),
    ("course/steps", [], "course.steps"),
    ("course/steps/1/gap_days", ..., "course.steps[1].gap_days"),
    ("course/steps/1/gap_days/min", 31, "course.steps[1].gap_days.min"),
    ("course/steps/1/gap_days/min", 0, "course.steps[1].gap_days.min"),
    ("course/steps/1/gap_days/max", 29, "course.steps[1].gap_days.max"),
    ("course/steps/0/minutes", "90", "course.steps[0].minutes"),
    ("course/steps/0/needs", [], "course.steps[0].needs"),
    ("course/steps/0/needs/1/offset", -1441, "course.steps[0].needs[1].offset"),
    ("course/steps/0/needs/1/same_as", 1, "course.steps[0].needs[1].same_as"),
    ("course/steps/0/needs/1/same_as", 2, "course.steps[0].needs[1].same_as"),
    ("course/steps/0/dates", {}, "course.steps[0].dates"),
    ("course/steps/0/dates", {"from": "2027-03-02", "to": "2027-03-01"}, "course.steps[0].dates.to"),
    ("course/steps/0/pinned", {"start": "2027-03-01T09:00", "resources": []}, "course.steps[0].pinned.resources"),
    ("course/spacing", [{"first": "rf", "then": "peel"}], "course.spacing[0].days"),
    ("history", [{"treatment": "rf", "date": "yesterday"}], "history[0].date"),
    ("last_session", "2027-02-29", "last_session"),
    ("preferences/practitioner", "room-1", "preferences.practitioner"),
    ("preferences/windows", [], "preferences.windows"),
    ("costs", {"gap_day": -1}, "costs.gap_day"),
    ("costs", {"gap_days": 1}, "costs.gap_days"),
])
def test_a_fault_is_told_by_its_place(path: str, value: Any, place: str) -> None:
    assert places(changed(path, value)) == [place]


def test_every_fault_is_told_at_once() -> None:
    document = changed("resources/0/kind", 7)
    document["course"]["steps"][1]["gap_days"]["min"] = 99
    document["alternatives"] = None

    assert places(document) == ["resources[0].kind", "course.steps[1].gap_days.min", "alternatives"]


def test_pins_that_start_in_another_order_than_their_steps_are_refused() -> None:
    names = ["amari", "room-1", "pen-1"]
    document = changed("course/steps/0/pinned", {"start": "2027-03-02T09:00", "resources": names})
    document["course"]["steps"][1]["pinned"] = {"start": "2027-03-01T09:00", "resources": ["bell", "pen-1", "who"]}

    assert places(document) == [
        "course.steps[1].pinned.resources[1]", "course.steps[1].pinned.resources[2]",
    ]
    document["course"]["steps"][1]["pinned"]["resources"] = names
    assert places(document) == ["course.steps[1].pinned.start"]


@pytest.mark.parametrize(("text", "fault"), [
    ("", "document: not JSON"),
    ("[" * 100_000, "document: nested too deeply"),
    ('{"a": ' * 50_000, "document: nested too deeply"),
    ("1" * 10_000, "document: a number is too long"),
    ("[]", "document: must be an object"),
    (b"\xff\xfe\xfa", "document: not"),
])
def test_what_is_no_document_is_refused(text: str | bytes, fault: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse(text)

    assert [each.startswith(fault) for each in refused.value.faults] == [True]


def test_a_key_given_twice_and_a_number_that_is_none_are_refused() -> None:
    text = json.dumps(EXAMPLE).replace('"alternatives": 3', '"alternatives": NaN, "time_zone": "UTC"')

    with pytest.raises(Malformed) as refused:
        parse(text)

    assert refused.value.faults == (
        "time_zone: is given more than once", "alternatives: must be a whole number",
    )


def test_a_whole_number_may_be_written_as_a_fraction_of_one() -> None:
    assert problem_of(changed("horizon_days", 60.0)).ruler.days == 60


def test_midnight_may_be_written_as_24_00_and_forever_as_the_end_of_the_calendar() -> None:
    document = changed("resources/0/busy", [{"from": "2027-03-01T24:00", "to": "9999-12-31T24:00"}])

    busy = problem_of(document).resources[0].busy

    on = problem_of(document).ruler
    assert (busy & -busy).bit_length() - 1 == on.spans[2].low
    assert busy.bit_length() == on.length


@pytest.mark.parametrize("seed", range(count(24, 400)))
def test_answers_keep_their_form(seed: int) -> None:
    document = random_problem(seed)
    problem = problem_of(document)

    answers = [document_of(plan(problem), problem), document_of(starts(problem), problem)]

    assert list(PROBLEM_FORM.iter_errors(document)) == []
    assert [list(ANSWER_FORM.iter_errors(json.loads(json.dumps(each)))) for each in answers] == [[], []]


ODD = (
    None, True, -1, 0, 10**30, 1e308, 0.5, "", "x" * 300, "2027-02-30", "2027-03-01T09:00", "24:00", [], {}, [[]],
    {"from": "09:00", "to": "10:00"}, "\ud800", "Europe/Paris", "practitioner", -10**9, ["mon"], float("inf"),
)


def mutated(seed: int) -> Any:
    """A random problem with a few values replaced, deleted, doubled or moved."""
    random = Random(seed)
    document: Any = random_problem(seed)
    for _ in range(random.randint(1, 3)):
        at, way = document, []
        while isinstance(at, dict | list) and at and (not way or random.random() < 0.8):
            way.append((at, random.choice(list(at)) if isinstance(at, dict) else random.randrange(len(at))))
            at = way[-1][0][way[-1][1]]
        if not way:
            continue
        parent, key = way[-1]
        what = random.random()
        if what < 0.6:
            parent[key] = random.choice(ODD)
        elif what < 0.75:
            del parent[key]
        elif isinstance(parent, list):
            parent.extend([copy.deepcopy(parent[key])] * random.choice((1, 1, 700)))
        else:
            parent[f"{key}s"] = parent.pop(key)
    return document


@pytest.mark.parametrize("block", range(10))
def test_mutated_documents_are_planned_or_refused_by_their_places_within_a_second(block: int) -> None:
    each = count(15, 100)
    for seed in range(block * each, (block + 1) * each):
        document = mutated(seed)
        breaks_the_form = bool(list(PROBLEM_FORM.iter_errors(document)))

        began = time.process_time()  # our own second: what else a busy machine does is not ours
        found = places(document)
        took = time.process_time() - began

        assert found or not breaks_the_form, document
        assert took < 1
