"""A session is the patient's, the database's or the browser's: the bare word says nothing."""
from __future__ import annotations

import ast
from collections.abc import Iterable

import pytest

from tests.architecture.sources import at, files, nodes


def names(node: ast.AST) -> set[str]:
    """The identifiers that the node brings into being; what a library calls its own is its own business."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            return {name}
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name.lower()}
        case ast.Import(names=imported) | ast.ImportFrom(names=imported):
            # SQLAlchemy's class Session keeps its name where it is a type.
            return {alias.asname or alias.name for alias in imported}
        case ast.Attribute(attr=name, ctx=ast.Store(), value=ast.Name(id="self")):
            return {name}
        case _:
            return set()


def called_session(nodes: Iterable[ast.AST]) -> list[ast.AST]:
    """The nodes that call something `session`, and no more."""
    return [node for node in nodes if "session" in names(node)]


@pytest.mark.parametrize("folder", ["clinic", "migrations"])
def test_nothing_is_called_session_alone(folder: str) -> None:
    found = [at(path, node) for path in files(folder) for node in called_session(nodes(path))]

    assert found == []


@pytest.mark.parametrize("source", [
    "session = 1", "def f(session): ...", "from flask import session", "with g() as session: ...", "class Session: ...",
])
def test_a_bare_session_would_be_found(source: str) -> None:
    assert len(called_session(ast.walk(ast.parse(source)))) == 1


def test_longer_names_are_allowed() -> None:
    source = "treatment_session = 1\nfrom flask import session as browser_session\nrequest.session = 2"

    assert called_session(ast.walk(ast.parse(source))) == []
