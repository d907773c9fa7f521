"""The law that what checks the planner knows nothing of it."""
from __future__ import annotations

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", ["reading", "checker", "exact_model", "brute_force", "random_problems"])
def test_what_checks_the_planner_imports_nothing_of_it(name: str) -> None:
    tree = ast.parse((HERE / f"{name}.py").read_text())

    imported = [
        module for node in ast.walk(tree)
        for module in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    ]

    allowed = ("tests.planning.reading", "tests.planning.checker")
    assert imported
    assert [each for each in imported if each.split(".")[0] in ("clinic", "tests") and each not in allowed] == []
