"""A large folder moves in with little memory and at a good pace: `python -m tests.benchmarks.moving_in` in short."""
from __future__ import annotations

from pathlib import Path

from tests.benchmarks.moving_in import measured, write_folder
from tests.databases import is_full

ASKED = 3000
"""Rows a second, on a machine that has time for it; reading the protocols takes a while in every run, however short."""
BEGINNING = 2.0


def test_memory_stays_small_and_rows_come_in_fast(database_url: str, tmp_path: Path) -> None:
    patients = 50_000 if is_full() else 1_500
    rows = write_folder(tmp_path / "folder", patients)

    figures = measured(database_url, tmp_path / "folder", rows)

    assert figures.megabytes < 300, str(figures)
    # A busy machine lends us only a part of its time: what counts is the time that it lent.
    assert rows / max(figures.own - BEGINNING, 0.1) > ASKED, str(figures)
    assert figures.steps > 20


def test_the_benchmark_has_the_size_that_was_asked_for(tmp_path: Path) -> None:
    rows = write_folder(tmp_path / "folder", 1000)

    appointments = (tmp_path / "folder" / "appointments.csv").read_text().count("\n") - 1
    assert (rows, appointments) == (10 + 250 + 250 + 1000 + 1000 + 4000, 4000)
