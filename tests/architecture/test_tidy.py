"""What a reader of the repository must never meet: lint, untyped code, and words about one machine."""
from __future__ import annotations

import re
import subprocess
import sys

from tests.architecture.sources import ROOT, committed

# Written in two halves, so that this file does not hold them.
OF_ONE_MACHINE = [
    "/wo" + "rk/", r"\bfa" + "rm-", r"\.\./sha" + "red", "/opt/" + "pypi", "pypi" + r"\.org",
    "registry.npm" + r"js\.org", "pythonhosted" + r"\.org", "deb\\.deb" + r"ian\.org", r"\.libr" + "ary/",
]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, timeout=300,
                          check=False)


def test_ruff_finds_nothing() -> None:
    checked = run("ruff", "check", ".")

    assert checked.returncode == 0, checked.stdout


def test_mypy_finds_nothing() -> None:
    checked = run("mypy", "--strict", "clinic")

    assert checked.returncode == 0, checked.stdout


def test_no_file_tells_of_the_machine_it_was_written_on() -> None:
    words = re.compile("|".join(OF_ONE_MACHINE).encode())

    found = {str(path.relative_to(ROOT)): sorted(set(words.findall(path.read_bytes()))) for path in committed()}

    assert {path: said for path, said in found.items() if said} == {}
