"""The states page is generated from the tables that the code obeys."""
from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clinic.care import states

PAGE = Path(__file__).parents[2] / "docs" / "states.md"
TABLES: tuple[tuple[str, Mapping[Any, frozenset[Any]]], ...] = (
    ("A course", states.COURSE_MOVES),
    ("A maintenance plan", states.MAINTENANCE_MOVES),
    ("A treatment session", states.SESSION_MOVES),
    ("An appointment", states.APPOINTMENT_MOVES),
    ("A message", states.MESSAGE_MOVES),
)


def _page() -> str:
    lines = [
        "# States", "",
        "Generated from `clinic/care/states.py` by `TEST_APPROVE=1 pytest tests/architecture/test_states.py`;"
        " a test compares.", ""]
    for title, moves in TABLES:
        words = inspect.getdoc(type(next(iter(moves)))) or ""
        lines += [f"## {title}", "", *words.splitlines(), "", "| from | may become |", "| --- | --- |"]
        lines += [f"| {state} | {', '.join(sorted(moves[state])) or '–'} |" for state in moves]
        lines.append("")
    return "\n".join(lines)


def test_the_page_of_states_says_what_the_code_obeys() -> None:
    if os.environ.get("TEST_APPROVE") == "1":
        PAGE.write_text(_page(), encoding="utf-8")

    assert PAGE.read_text(encoding="utf-8") == _page()


def test_every_state_is_in_its_table_and_reachable() -> None:
    for _, moves in TABLES:
        kind = type(next(iter(moves)))
        first = next(iter(moves))
        reachable = {first, *(state for after in moves.values() for state in after)}

        assert set(moves) == set(kind)
        assert reachable == set(kind)
