"""Long works that a page begins, and how they stand."""
from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from clinic.services import errands


def test_a_work_runs_until_it_lets_go_of_its_folder(tmp_path: Path) -> None:
    """Or whoever reads its answer begins the next work in vain."""
    (tmp_path / "progress.json").write_text("{}")
    (tmp_path / "answer.json").write_text(json.dumps({"is_good": True}))
    handle = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)

    held = errands.standing(tmp_path).state
    os.close(handle)

    assert (held, errands.standing(tmp_path).state) == ("running", "done")
