"""How much of the random tests is run: a little each time, all of it where TEST_FULL is set."""
from __future__ import annotations

import os

FULL = bool(os.environ.get("TEST_FULL"))


def count(few: int, all_of_it: int) -> int:
    """The number of cases of this run."""
    return all_of_it if FULL else few
