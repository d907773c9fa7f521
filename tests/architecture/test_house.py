"""Laws that no linter knows: who may commit, who may ask the time, where imports stand, how long a file is."""
from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import ROOT, at, files, is_below, nodes, tree

LONGEST_FILE = 400
MAY_IMPORT_LATE = ("clinic/app.py", "clinic/cli/")
MAY_COUNT_SECONDS = (
    "clinic/worker", "clinic/services", "clinic/app.py", "clinic/cli/",
    "clinic/messages/wire.py",  # how long a mail server may take
    "clinic/planning/planner.py", "clinic/planning/search.py",  # how long a search may take, if its caller says so
    "clinic/web/logs.py",  # how long an answer took
    "clinic/store/engine.py",  # how long a writer has waited
)
ASKS_THE_DATE = {"now", "utcnow", "today"}
ASKS_THE_TIME = {"time", "time_ns", "localtime", "gmtime", "ctime", "clock_gettime"}
COUNTS_SECONDS = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"}


def late_imports(source: ast.AST) -> Iterator[ast.AST]:
    """The imports that stand inside a function."""
    for function in ast.walk(source):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from (node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom))


def clocks(node: ast.AST) -> set[str]:
    """What the node asks of a clock, such as `datetime.now` or `time.monotonic`."""
    match node:
        case ast.Attribute(attr=name, value=ast.Name(id="datetime" | "date") | ast.Attribute(attr="datetime" | "date")):
            return {f"date.{name}"} if name in ASKS_THE_DATE else set()
        case ast.Attribute(attr=name, value=ast.Name(id="time")):
            return {f"time.{name}"} if name in ASKS_THE_TIME | COUNTS_SECONDS else set()
        case ast.ImportFrom(module="time", names=imported):
            return {f"time.{alias.name}" for alias in imported} & {
                f"time.{name}" for name in ASKS_THE_TIME | COUNTS_SECONDS}
        case _:
            return set()


def test_imports_stand_at_the_top_of_a_file() -> None:
    found = [
        at(path, node) for path in files("clinic") if not is_below(path, *MAY_IMPORT_LATE)
        for node in late_imports(tree(path))
    ]

    assert found == []


def test_only_services_commit() -> None:
    found = [
        at(path, node) for path in files("clinic") if not is_below(path, "clinic/services")
        for node in nodes(path) if isinstance(node, ast.Attribute) and node.attr == "commit"
    ]

    assert found == []


def test_only_the_clock_asks_the_time() -> None:
    seconds = {f"time.{name}" for name in COUNTS_SECONDS}

    found = [
        f"{at(path, node)} {asked}"
        for path in files("clinic") if path != Path("clinic/clock.py")
        for node in nodes(path) if isinstance(node, ast.Attribute | ast.ImportFrom)
        for asked in clocks(node) - (seconds if is_below(path, *MAY_COUNT_SECONDS) else set())
    ]

    assert found == []


def test_no_file_is_too_long_to_read() -> None:
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in files("clinic")}

    assert {path: length for path, length in lengths.items() if length >= LONGEST_FILE} == {}


def test_the_laws_find_who_breaks_them() -> None:
    tree = ast.parse(
        "def f():\n    import os\n    return datetime.now(), datetime.datetime.utcnow, date.today(), time.time()\n"
        "from time import monotonic\n"
    )

    assert len(list(late_imports(tree))) == 1
    assert {asked for node in ast.walk(tree) for asked in clocks(node)} == {
        "date.now", "date.utcnow", "date.today", "time.time", "time.monotonic"}
