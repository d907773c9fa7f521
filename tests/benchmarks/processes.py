"""What processes have used of the processor, as the kernel counts it."""
from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PARENT, _USED, _USED_BY_ENDED = 1, slice(11, 13), slice(13, 15)


def seconds_of(pids: Iterable[int]) -> float:
    """The seconds of processor time of processes, with their children that have ended."""
    found = 0
    for pid in pids:
        facts = _facts_of(pid)
        found += sum(map(int, (*facts[_USED], *facts[_USED_BY_ENDED])))
    return found / _TICK


def children_of(pid: int) -> Sequence[int]:
    """The processes that it started and that run."""
    every = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]
    return [each for each in every if (facts := _facts_of(each)) and int(facts[_PARENT]) == pid]


def _facts_of(pid: int) -> Sequence[str]:
    """From its state on; nothing of one that has just ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return ()
