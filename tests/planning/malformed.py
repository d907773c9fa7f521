"""Documents that break the form, each in a way that is known, with the place at which it must be refused.

`python -m tests.planning.malformed COUNT` reads so many of them and writes what became of each, as JSON.
"""
from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from clinic.planning.document import parse
from clinic.planning.form import Malformed
from tests.planning.random_problems import random_problem

Way = list[str | int]
ZONES = (
    "Europe/Atlantis", "../../etc/passwd", "/etc/localtime", "UTC+3", "Europe/London\n", "europe", "\u0000", "x" * 200,
    "Europe", "Europe/London/", "GMT+25", "ไทย",
)
TIMES = (
    "2027-02-30T09:00", "2027-03-01T24:01", "2027-03-01T09:60", "2027-03-01 09:00", "2027-3-1T9:00", "٢٠٢٧-03-01T09:00",
    "2027-03-01T09:00+24:00", "2027-03-01T09:00+0100", "2027-03-01T09:00:00", "0000-01-01T00:00", "2027-13-01T09:00",
    "2027-03-01T09:00z", "", "9" * 10_000, "2027-03-01T09:00\n",
)
CLOCKS = ("24:01", "9:00", "25:00", "09:60", "", "09:00:00", "-1:00", "24:0", "٠٩:00")
DATES = ("2027-02-29", "2027-3-1", "yesterday", "", "20270301", "2027-03-01T09:00", "10000-01-01", "٢٠٢٧-03-01")
OTHER_TYPES = (None, True, "seven", [], {}, [[]], {"a": 1}, -1, 0.5, 10**30, 1e308)
NESTED = (50, 500, 5_000, 100_000)
MARK = "\u2603 here"


def malformed(seed: int) -> tuple[bytes, str]:
    """The document of a seed and where one of its faults must be told; seeds go round the ways to be wrong."""
    random = Random(f"malformed {seed}")
    document = random_problem(seed)
    document["course"].setdefault("spacing", [{"first": "rf", "then": "rf", "days": 1}])
    text, place = WAYS[seed % len(WAYS)](random, document)
    return text, place


def place_of(way: Way) -> str:
    """A way into a document as the planner writes it."""
    found = ""
    for part in way:
        found += f"[{part}]" if isinstance(part, int) else f".{part}" if found else part
    return found


def ways_into(value: Any, way: Way) -> Iterator[tuple[Way, Any]]:
    """Every value in a document with the way to it."""
    yield way, value
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield from ways_into(each, [*way, key])


def put(document: Any, way: Way, value: Any) -> None:
    """Set the value at the end of a way."""
    at = document
    for part in way[:-1]:
        at = at[part]
    at[way[-1]] = value


def _pick(random: Random, document: Any, wanted: Callable[[Way, Any], bool]) -> Way | None:
    found = [way for way, value in ways_into(document, []) if way and wanted(way, value)]
    return random.choice(found) if found else None


def _bytes(document: Any) -> bytes:
    return json.dumps(document).encode()


def _marked(document: Any, way: Way, text: str) -> bytes:
    """The document with a text of JSON, or of none, at a place."""
    put(document, way, MARK)
    return json.dumps(document).replace(json.dumps(MARK), text).encode()


def _other_type(random: Random, document: Any) -> tuple[bytes, str]:
    way = _pick(random, document, lambda way, value: True)
    assert way is not None
    at = document
    for part in way:
        at = at[part]
    kinds = [each for each in OTHER_TYPES if type(each) is not type(at) and not isinstance(at, int | float)]
    put(document, way, random.choice(kinds or [None, "seven", [], True]))
    return _bytes(document), place_of(way)


def _number(random: Random, document: Any) -> tuple[bytes, str]:
    way = _pick(random, document, lambda way, value: type(value) is int and way[-1] != "same_as")
    assert way is not None
    return _marked(document, way, random.choice(
        ("-100000", "1" + "0" * 30, "1e308", "1e400", "0.5", "-1e-9", "99999.5", "true", '"15"')
    )), place_of(way)


def _no_number(random: Random, document: Any) -> tuple[bytes, str]:
    way = _pick(random, document, lambda way, value: True)
    assert way is not None
    return _marked(document, way, random.choice(("NaN", "Infinity", "-Infinity"))), place_of(way)


def _endless_number(random: Random, document: Any) -> tuple[bytes, str]:
    return _marked(document, ["horizon_days"], "9" * random.choice((5_000, 100_000))), "document"


def _required(random: Random, document: Any) -> tuple[bytes, str]:
    keys = {
        "format", "time_zone", "not_before", "resources", "course", "steps", "id", "kind", "minutes", "needs", "from",
        "min", "ideal", "max", "days",
    }
    way = _pick(random, document, lambda way, value: way[-1] in keys and "dates" not in way and not (
        way[-1] == "minutes" and "needs" in way))
    assert way is not None
    at = document
    for part in way[:-1]:
        at = at[part]
    del at[way[-1]]
    return _bytes(document), place_of(way)


def _unknown_key(random: Random, document: Any) -> tuple[bytes, str]:
    way = _pick(random, document, lambda way, value: isinstance(value, dict))
    assert way is not None
    key = random.choice(("note", "Id", "with space", "", "\ud800", "x" * 100_000))
    put(document, [*way, key], 1)
    return _bytes(document), place_of(way)


def _nested(random: Random, document: Any) -> tuple[bytes, str]:
    way = _pick(random, document, lambda way, value: not isinstance(value, list))
    assert way is not None
    depth = random.choice(NESTED)
    begins, ends = random.choice((("[", "]"), ('{"a": ', "}")))
    text = _marked(document, way, begins * depth + "1" + ends * depth)
    return text, "document" if depth >= 5_000 else place_of(way)


def _same_id(random: Random, document: Any) -> tuple[bytes, str]:
    last = len(document["resources"]) - 1
    document["resources"][last]["id"] = document["resources"][random.randrange(last)]["id"]
    return _bytes(document), f"resources[{last}].id"


def _same_key(random: Random, document: Any) -> tuple[bytes, str]:
    key = random.choice(("time_zone", "not_before", "format"))
    return json.dumps(document).replace(f'"{key}":', f'"{key}": 1, "{key}":', 1).encode(), key


def _zone(random: Random, document: Any) -> tuple[bytes, str]:
    return _bytes(document | {"time_zone": random.choice(ZONES)}), "time_zone"


def _time(random: Random, document: Any) -> tuple[bytes, str]:
    choices: list[tuple[Way, tuple[str, ...]]] = [
        (way, TIMES if "T" in value else CLOCKS if ":" in value else DATES)
        for way, value in ways_into(document, [])
        if way and way[-1] in ("from", "to", "not_before", "date", "last_session", "start") and isinstance(value, str)
    ]
    way, wrong = random.choice(choices)
    put(document, way, random.choice(wrong))
    return _bytes(document), place_of(way)


def _out_of_order(random: Random, document: Any) -> tuple[bytes, str]:
    steps, resources = document["course"]["steps"], document["resources"]
    for step in steps:
        step.pop("pinned", None)
    at, span = random.randrange(len(steps)), {"from": "2027-03-01T09:00", "to": "2027-03-01T09:00"}
    names = [next(each["id"] for each in resources if each["kind"] == need["kind"]) for need in steps[0]["needs"]]
    what: list[tuple[Way, Any, str]] = [
        (["course", "steps", at, "gap_days"], {"min": 5, "ideal": 4, "max": 9}, f"course.steps[{at}].gap_days.min"),
        (["course", "steps", at, "gap_days"], {"min": 5, "ideal": 9, "max": 8}, f"course.steps[{at}].gap_days.max"),
        (["course", "steps", at, "dates"], {"from": "2027-03-02", "to": "2027-03-01"}, f"course.steps[{at}].dates.to"),
        (["resources", 0, "busy"], [span], "resources[0].busy[0].to"),
        (["patient_busy"], [span], "patient_busy[0].to"),
        (["resources", 0, "overrides"], [{"date": "2027-03-01", "hours": []}] * 2, "resources[0].overrides[1].date"),
        (["course", "steps", at, "needs", 0, "same_as"], random.choice((1, 2, 10**9)),
         f"course.steps[{at}].needs[0].same_as"),
        (["preferences"], {"practitioner": "nobody"}, "preferences.practitioner"),
        (["course", "steps", 0, "pinned"], {"start": "2027-03-01T09:00", "resources": [*names, "nobody"]},
         "course.steps[0].pinned.resources"),
        (["course", "steps", 0, "pinned"], {"start": "2027-03-01T09:00", "resources": ["nobody", *names[1:]]},
         "course.steps[0].pinned.resources[0]"),
        (["resources", 0, "skills"], ["rf", "rf"], "resources[0].skills[1]"),
    ]
    way, value, place = random.choice(what)
    put(document, way, value)
    return _bytes(document), place


def _too_many(random: Random, document: Any) -> tuple[bytes, str]:
    span = {"from": "2027-03-01T09:00", "to": "2027-03-01T10:00"}
    hours = {"days": ["mon"], "from": "09:00", "to": "10:00"}
    what: list[tuple[Way, Any, int]] = [
        (["course", "steps"], document["course"]["steps"][0] | {"gap_days": {"min": 1, "ideal": 1, "max": 1}}, 61),
        (["course", "steps", 0, "needs"], {"kind": "room"}, 13),
        (["course", "spacing"], {"first": "a", "then": "b", "days": 1}, 401),
        (["resources"], {"id": "a", "kind": "room"}, random.choice((501, 100_000))),
        (["resources", 0, "hours"], hours, random.choice((65, 100_000))),
        (["resources", 0, "busy"], span, random.choice((50_001, 200_000))),
        (["patient_busy"], span, 5_001), (["history"], {"treatment": "rf", "date": "2027-01-01"}, 1_001),
        (["resources", 0, "skills"], "rf", 101), (["preferences"], {"windows": [hours]}, 65),
    ]
    way, value, many = random.choice(what)
    if way == ["preferences"]:
        way, value = ["preferences", "windows"], hours
        document["preferences"] = {}
    put(document, way, [value] * many)
    return _bytes(document), place_of(way)


def _broken_text(random: Random, document: Any) -> tuple[bytes, str]:
    text = _bytes(document)
    at = random.randrange(1, len(text) - 1)
    return random.choice((
        text[:at], text[:at] + b"\xff" + text[at:], text + b"}", b"", b"\x00" * 100, text.replace(b":", b"=", 1),
        b"[" + text, b"null", text + text, text.decode().encode("utf-16")[:at], b"[" * random.choice(NESTED),
    )), "document"


WAYS = (
    _other_type, _number, _no_number, _endless_number, _required, _unknown_key, _nested, _same_id, _same_key, _zone,
    _time, _out_of_order, _too_many, _broken_text,
)


def what_became_of(text: bytes) -> dict[str, Any]:
    """Whether a document was refused, where, and the processor time that took."""
    began = time.process_time()
    faults: tuple[str, ...] = ()
    trace = ""
    try:
        parse(text)
    except Malformed as refused:
        faults = refused.faults
    except Exception as error:
        # That nothing else is ever raised is what is tested.
        trace = repr(error)
    return {"faults": [each[:300] for each in faults[:200]], "trace": trace, "took": time.process_time() - began}


def main(count: int) -> None:
    """Read so many documents and write what became of each, and the memory that the worst took above the beginning."""
    parse(json.dumps(random_problem(0)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = [what_became_of(malformed(seed)[0]) for seed in range(count)]
    grew = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    sys.stdout.write(json.dumps({"found": found, "grew": grew}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
