"""Day sheets, typed by an operator or run by the night."""
from __future__ import annotations

from pathlib import Path

import pytest

from tests.opened_sheets import PASSPHRASE, few_rounds, opened
from tests.test_cli import HARBOUR, Operator, no_settings, operator, said

__all__ = ["few_rounds", "no_settings", "operator"]
pytestmark = pytest.mark.usefixtures("few_rounds")


def test_sheets_are_written_with_a_passphrase_from_a_file_or_asked_for_and_noted(
    operator: Operator, tmp_path: Path
) -> None:
    operator(*HARBOUR)
    secret, stick = tmp_path / "passphrase", tmp_path / "stick"
    secret.write_text(f"\ufeff{PASSPHRASE}\n", encoding="utf-8")
    secret.chmod(0o600)

    by_night = operator("day-sheets", str(stick), "--passphrase-file", str(secret))
    by_hand = operator("day-sheets", str(stick), "--clinic", "Harbour Street", typed=f"{PASSPHRASE}\n{PASSPHRASE}\n")

    assert (by_night.exit_code, by_hand.exit_code) == (0, 0), by_night.output + by_hand.output
    [file] = stick.iterdir()
    assert str(file) in by_night.output
    assert PASSPHRASE not in by_night.output + by_hand.output
    assert opened(file.read_text(encoding="utf-8"))["clinic"] == "Harbour Street"
    assert operator.rows("SELECT action, actor, clinic_id FROM audit WHERE action = 'day-sheets-written'") == [
        ("day-sheets-written", "cli", 1)] * 2


def test_what_stands_in_the_way_of_sheets_is_said_in_words(operator: Operator, tmp_path: Path) -> None:
    none = said(operator("day-sheets", str(tmp_path)))
    operator(*HARBOUR)
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE)
    secret.chmod(0o644)

    beside = said(operator("day-sheets", str(tmp_path), "--passphrase-file", str(secret)))
    unmounted = said(operator("day-sheets", str(tmp_path / "no" / "stick"), "--passphrase-file", str(secret)))
    weak = said(operator("day-sheets", str(tmp_path / "stick"), "--passphrase-file", "-", typed="1234\n"))
    unknown = said(operator("day-sheets", str(tmp_path / "stick"), "--clinic", "Hill"))

    assert "There is no clinic yet" in none
    assert "keep it somewhere else" in beside
    assert "No such file or directory" in unmounted
    assert "chmod 600" in unmounted
    assert "at least 15 characters" in weak
    assert "No clinic is called 'Hill'" in unknown
    assert list(tmp_path.glob("**/*.html")) == []
    assert operator.rows("SELECT count(*) FROM audit WHERE action = 'day-sheets-written'") == [(0,)]
