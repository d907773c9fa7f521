"""A thousand documents that break the form, and documents as large as they come: refused by their places, quickly."""
from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from clinic.cli import main
from tests.planning.malformed import WAYS, malformed
from tests.planning.random_problems import random_problem

ROOT = Path(__file__).parent.parent.parent
MOST_SECONDS, MOST_MEGABYTES = 1.0, 200
SPAN = {"from": "2027-03-01T09:00", "to": "2027-03-01T10:00"}
READ = """
import json, resource, sys, time
from clinic.planning import plan
from clinic.planning.document import parse
from clinic.planning.form import Malformed
parse(sys.argv[2])
text = open(sys.argv[1], "rb").read()
before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
try:
    said = [str(len(parse(text).resources))]
except Malformed as refused:
    said = [each[:200] for each in refused.faults[:5]]
grew = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
print(json.dumps([said, time.process_time() - began, grew]))
"""


def test_a_thousand_malformed_documents_are_refused_by_their_places_within_a_second_and_200_mb() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.planning.malformed", "1000"], cwd=ROOT, capture_output=True, check=True,
        timeout=300)
    answer = json.loads(ran.stdout)

    places = [malformed(seed)[1] for seed in range(1000)]

    assert [each["trace"] for each in answer["found"]] == [""] * 1000
    assert [
        (place, each["faults"][:5]) for place, each in zip(places, answer["found"], strict=True)
        if not any(fault.startswith(place) for fault in each["faults"])
    ] == []
    assert max(each["took"] for each in answer["found"]) < MOST_SECONDS
    assert answer["grew"] < MOST_MEGABYTES


@pytest.mark.parametrize("seed", range(500, 500 + 3 * len(WAYS)))
def test_the_command_line_refuses_with_exit_code_2_every_fault_and_no_plan(seed: int) -> None:
    text, place = malformed(seed)

    result = CliRunner().invoke(main, ["plan", "-"], input=text)

    assert (result.exit_code, result.stdout) == (2, "")
    assert isinstance(result.exception, SystemExit)
    assert any(fault.startswith(place) for fault in result.stderr.splitlines())


def with_(way: tuple[str | int, ...], value: Any) -> bytes:
    document = random_problem(0)
    at: Any = document
    for part in way[:-1]:
        at = at[part]
    at[way[-1]] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(("text", "fault"), [
    (lambda: with_(("resources", 0, "busy"), [SPAN] * 1_000_000), "document: must have at most 16 MB"),
    (lambda: with_(("time_zone",), "x" * 50_000_000), "document: must have at most 16 MB"),
    (lambda: with_(("time_zone",), "x" * 16_000_000), "time_zone: must have 1 to 200 characters"),
    (lambda: with_(("resources", 0, "busy"), [[]] * 4_000_000), "document: holds too many values"),
    (lambda: b"[" + b"{}," * 5_000_000 + b"1]", "document: holds too many values"),
    (lambda: with_(("history",), {str(at): 1 for at in range(600_000)}), "history: must be a list"),
    (lambda: with_(("costs",), {str(at): 1 for at in range(500_000)}), 'costs["0"]: is not part of the form'),
    (lambda: with_(("resources",), [{"id": str(at), "kind": "room"} for at in range(250_000)]), "resources: must have"),
    (lambda: with_(("horizon_days",), 10**9), "horizon_days: must be from 1 to 3660"),
    (lambda: with_(("course", "steps", 0, "minutes"), 10**12), "course.steps[0].minutes: must be from 1 to 1440"),
    (lambda: with_(("resources", 0, "hours"), [{"days": ["mon"], "from": "09:00", "to": "10:00"}] * 100_000),
     "resources[0].hours: must have at most 64 items"),
    (lambda: with_(("resources", 0, "busy"), [SPAN] * 200_000), "resources[0].busy: must have at most 50000 items"),
    (lambda: json.dumps(random_problem(0) | {
        "resources": [{"id": str(at), "kind": "room", "busy": [SPAN] * 45_000 + [{"from": "x"}]} for at in range(5)],
    }).encode(), "resources[0].busy[45000].from: must be a time"),
    (lambda: json.dumps(random_problem(0) | {
        "time_zone": "America/New_York", "not_before": "1883-06-01T09:00", "horizon_days": 3660,
        "resources": [{"id": str(at), "kind": "room"} for at in range(400)],
    }).encode(), "horizon_days: must be at most 169 for 400 resources"),
])
def test_a_document_that_is_too_large_is_refused_with_its_bound(
    text: Callable[[], bytes], fault: str, tmp_path: Path
) -> None:
    (tmp_path / "huge.json").write_bytes(text())

    said, took, grew = read_apart(tmp_path / "huge.json")

    assert [each for each in said if each.startswith(fault)] != [], said
    assert took < MOST_SECONDS
    assert grew < MOST_MEGABYTES


def test_a_document_of_five_years_of_a_large_clinic_is_read(tmp_path: Path) -> None:
    spans = [{"from": f"20{27 + at // 12}-{at % 12 + 1:02}-{day:02}T{hour:02}:00", "to":
              f"20{27 + at // 12}-{at % 12 + 1:02}-{day:02}T{hour:02}:45"}
             for at in range(60) for day in range(1, 26) for hour in (8, 9, 10, 13)]
    document = random_problem(0) | {"time_zone": "Europe/London", "horizon_days": 3660, "resources": [
        {"id": str(at), "kind": "room", "busy": spans} for at in range(40)
    ]}
    document.pop("preferences", None)
    (tmp_path / "large.json").write_text(json.dumps(document))

    said, _, _ = read_apart(tmp_path / "large.json")

    assert said == ["40"]


def read_apart(path: Path) -> tuple[list[str], float, float]:
    """What a process of its own says of a document, with the seconds and the megabytes that it took."""
    ran = subprocess.run(
        [sys.executable, "-c", READ, str(path), json.dumps(random_problem(1))], cwd=ROOT, capture_output=True,
        check=True, timeout=60)
    said, took, grew = json.loads(ran.stdout)
    return said, took, grew
