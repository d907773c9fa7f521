"""Whether the tests notice a guard that is gone: `python -m tests.sabotage [name …]`.

The sources are copied; in the copy every named test passes. Then one guard at a time is removed, and its test must fail
by what it asserts. The exit status is 1 where one does not.
"""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.architecture.sources import ROOT, committed
from tests.sabotage.patches import PATCHES, Patch

BUILT = Path("clinic/static/dist")
"""What is no source and yet has to be there before a page is shown."""
ASSERTED = re.compile(r"^E +(assert |AssertionError|Failed: DID NOT RAISE)", re.MULTILINE)


def copied(where: Path) -> Path:
    """A copy of the sources, and of what is built from them."""
    for path in committed():
        target = where / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    if (ROOT / BUILT).is_dir():
        shutil.copytree(ROOT / BUILT, where / BUILT)
    return where


def run(where: Path, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Those tests in that copy."""
    return subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-x", "-n", "0", "-p", "no:cacheprovider", "--tb=short", *tests],
        cwd=where, env={**os.environ, "PYTHONPATH": str(where)}, capture_output=True, text=True, check=False)


def how_it_fails(patch: Patch) -> str | None:
    """What its test says where the guard is gone; none where it does not fail by what it asserts."""
    with tempfile.TemporaryDirectory(prefix="clinic-sabotage-") as name:
        where = copied(Path(name))
        for edit in patch.edits:
            edit.apply(where)
        ran = run(where, [patch.test])
    found = ASSERTED.search(ran.stdout)
    if ran.returncode != 1 or found is None:
        say(ran.stdout + ran.stderr)
        return None
    return ran.stdout[found.start() + 1:].splitlines()[0].strip()[:120]


def main(names: Sequence[str]) -> int:
    """Tries the patches of those names, or all; the exit status."""
    chosen = [patch for patch in PATCHES if not names or patch.name in names]
    if unknown := set(names) - {patch.name for patch in chosen}:
        say(f"There is no {', '.join(sorted(unknown))}; there are {', '.join(patch.name for patch in PATCHES)}.")
        return 2
    with tempfile.TemporaryDirectory(prefix="clinic-sabotage-") as name:
        ran = run(copied(Path(name)), sorted({patch.test for patch in chosen}))
    if ran.returncode != 0:
        say(f"{ran.stdout}{ran.stderr}The tests fail before anything is changed.")
        return 1
    missed = 0
    for patch in chosen:
        how = how_it_fails(patch)
        missed += how is None
        say(f"{patch.name}: {'NOT NOTICED' if how is None else 'noticed'} ({patch.harm})\n    {patch.test}\n    {how}")
    say(f"{len(chosen) - missed} of {len(chosen)} noticed")
    return 1 if missed else 0


def say(text: str) -> None:
    """One or more lines of the report."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
