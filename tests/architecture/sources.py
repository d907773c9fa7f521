"""The sources that the laws of the house are about."""
from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def files(folder: str) -> list[Path]:
    """The Python files below that folder of the project, as paths from its root."""
    return sorted(path.relative_to(ROOT) for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts)


@cache
def tree(path: Path) -> ast.Module:
    """That file, parsed."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Every node of that file."""
    return tuple(ast.walk(tree(path)))


def at(path: Path, node: ast.AST) -> str:
    """Where the node stands, for the report of a failure."""
    return f"{path}:{getattr(node, 'lineno', 1)}"


def is_below(path: Path, *folders: str) -> bool:
    """Whether the file is one of these, or lies in one of them."""
    return any(path.is_relative_to(folder) for folder in folders)


def committed() -> list[Path]:
    """Every file that is, or is about to be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
