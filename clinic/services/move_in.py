"""Moving in: a folder of CSV files from another system, all of it or nothing, safe to repeat."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clinic.interchange.moving_in import Report
from clinic.services.work import UnitOfWork

Progress = Callable[[int, int, str], None]
"""Told how many of how many steps are done, and what is being done, in words."""


def move_in(
    work: UnitOfWork, folder: Path, *, dry_run: bool = False, progress: Progress = lambda done, total, what: None,
) -> Report:
    """Reads every file of the folder and adds what is new, in one commit; with a fault, or as a dry run, nothing.

    A row that came in before is left alone. Messages are held from then on until a person releases them.
    """
    raise NotImplementedError
