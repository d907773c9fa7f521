from __future__ import annotations

import subprocess
import sys
import tomllib

from tests.architecture.sources import ROOT, files

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
FREE = {"app"}
"""The composition root imports everything."""


def test_every_room_imports_only_what_its_contract_allows() -> None:
    checked = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache",
         "--no-logo"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_room_has_a_contract() -> None:
    rooms = {path.parts[1].removesuffix(".py") for path in files("clinic")} - {"__init__"} - FREE

    assert rooms == {room.removeprefix("clinic.") for contract in CONTRACTS for room in contract["source_modules"]}


def test_migrations_import_nothing_of_the_clinic() -> None:
    text = {path: (ROOT / path).read_text(encoding="utf-8") for path in files("migrations")}

    assert [path for path, source in text.items() if "import clinic" in source or "from clinic" in source] == []
