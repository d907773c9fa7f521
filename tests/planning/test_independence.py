"""The law that what checks the planner knows nothing of it."""
from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CHECKERS = (
    "reading", "checker", "exact_model", "exact_order", "brute_force", "random_problems", "repair_checker",
    "exact_repair", "brute_repair", "random_repairs",
)


@pytest.mark.parametrize("name", CHECKERS)
def test_what_checks_the_planner_imports_nothing_of_it(name: str) -> None:
    tree = ast.parse((HERE / f"{name}.py").read_text())

    imported = [
        module for node in ast.walk(tree)
        for module in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    ]

    allowed = {f"tests.planning.{each}" for each in CHECKERS}
    assert imported
    assert [each for each in imported if each.split(".")[0] in ("clinic", "tests") and each not in allowed] == []


def test_what_checks_the_planner_runs_without_any_of_it() -> None:
    imports = "; ".join(f"import tests.planning.{name}" for name in CHECKERS)
    asked = f"import sys; {imports}; print([each for each in sys.modules if each.split('.')[0] == 'clinic'])"

    ran = subprocess.run(
        [sys.executable, "-c", asked], cwd=HERE.parent.parent, capture_output=True, text=True, timeout=60, check=True)

    assert ran.stdout == "[]\n"
