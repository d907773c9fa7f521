"""The patches fit the code as it is: `python -m tests.sabotage` tries what each does to its test."""
from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.sabotage.patches import PATCHES, Edit, Patch


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.name)
def test_a_patch_still_applies_leaves_code_and_names_a_test_that_is_there(patch: Patch, tmp_path: Path) -> None:
    for file in {edit.file for edit in patch.edits}:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)

    for edit in patch.edits:
        edit.apply(tmp_path)

    for edit in patch.edits:
        ast.parse((tmp_path / edit.file).read_text(encoding="utf-8"))
    file, _, name = patch.test.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_a_text_that_stands_there_twice_or_not_at_all_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "some.py").write_text("one\ntwo\ntwo\n")

    for old in ("two\n", "three\n"):
        with pytest.raises(ValueError, match=r"some\.py holds"):
            Edit("some.py", old, "").apply(tmp_path)
    assert (tmp_path / "some.py").read_text() == "one\ntwo\ntwo\n"
