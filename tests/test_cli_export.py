"""Everything out and back in, typed by an operator."""
from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_cli import ANA, HARBOUR, Operator, no_settings, operator, said

__all__ = ["no_settings", "operator"]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Operator:
    """The operator of another installation, which is new."""
    return Operator(f"sqlite:///{tmp_path / 'elsewhere.db'}", tmp_path / "elsewhere")


def test_a_clinic_is_exported_and_brought_back_elsewhere(
    operator: Operator, elsewhere: Operator, tmp_path: Path
) -> None:
    operator(*HARBOUR)
    operator(*ANA)
    out, again = tmp_path / "out", tmp_path / "again"

    exported = operator("export", str(out))
    brought = elsewhere("import", str(out))
    elsewhere("export", str(again))

    assert exported.exit_code == 0, exported.output
    assert "keep it safe" in exported.output
    assert brought.exit_code == 0, brought.output
    assert "use `clinic set-password`" in brought.output
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in out.iterdir()}
    assert elsewhere.rows("SELECT email FROM account") == [("ana@harbour.example",)]
    assert elsewhere.rows("SELECT action FROM audit WHERE subject_kind = 'installation' ORDER BY id") == [
        ("data-restored",), ("data-exported",)]


def test_what_stands_in_the_way_is_said_in_words(operator: Operator, tmp_path: Path) -> None:
    operator(*HARBOUR)
    out = tmp_path / "out"
    operator("export", str(out))

    taken = said(operator("export", str(out)))
    full = operator("import", str(out))
    nowhere = said(operator("export", "/proc/nowhere/out"))

    assert "not empty" in taken
    assert (full.exit_code, "already holds a clinic" in full.output) == (2, True)
    assert "cannot be written" in nowhere
