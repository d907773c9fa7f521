"""Long works that a page begins: each runs in a thread, and its folder says how far it is and how it ended.

Whoever can read the folder can ask, in whatever process; the lock is the system's, so it ends with a process that dies.
"""
from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, Literal

from clinic.logs import told

Progress = Callable[[int, int, str], None]
Act = Callable[[Progress], dict[str, Any]]
"""Does the work and answers what the page is to show, as JSON can hold it."""

_TOLD_EVERY = 0.3
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an errand stands. One that `broke` ended with its process, or with a fault of ours."""

    state: Literal["none", "running", "done", "broke"]
    done: int = 0
    total: int = 0
    what: str = ""
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def percent(self) -> int:
        """How far it is."""
        return min(100 * self.done // self.total, 100) if self.total else 0


def begin(folder: Path, act: Act) -> bool:
    """Begins the work in that folder; False where one is running in it already."""
    lock = _locked(folder, fcntl.LOCK_EX)
    if lock is None:
        return False
    (folder / "answer.json").unlink(missing_ok=True)
    _write(folder / "progress.json", {})
    Thread(target=_run, args=(folder, act, lock), daemon=True).start()
    return True


def standing(folder: Path) -> Standing:
    """How the last work of that folder stands."""
    lock = _locked(folder, fcntl.LOCK_SH)
    progress = _read(folder / "progress.json")
    if lock is None:
        # Also once it has written its answer: until it lets go of the folder, the next work could not begin.
        return Standing("running", **(progress or {}))
    os.close(lock)
    answer = _read(folder / "answer.json")
    if answer is not None:
        return Standing("broke") if answer.get("broke") else Standing("done", answer=answer)
    return Standing("none") if progress is None else Standing("broke")


def forget(folder: Path) -> None:
    """Removes the folder with what lies in it."""
    shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, act: Act, lock: int) -> None:
    shown_at = 0.0

    def progress(done: int, total: int, what: str) -> None:
        nonlocal shown_at
        if time.monotonic() - shown_at >= _TOLD_EVERY:
            shown_at = time.monotonic()
            _write(folder / "progress.json", {"done": done, "total": total, "what": what})

    try:
        answer = act(progress)
    except Exception as error:  # the page has to say that it ended, whatever it was
        _log.error("errand-failed", extra={"facts": {"error": told(error)}})
        answer = {"broke": True}
    try:
        with suppress(FileNotFoundError):
            _write(folder / "answer.json", answer)
    finally:
        os.close(lock)


def _locked(folder: Path, how: int) -> int | None:
    """The lock of the folder, to be closed; none where another holds it. Who only looks holds it for an instant, which
    is long on a busy machine."""
    for _ in range(50):
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, how | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            if how == fcntl.LOCK_SH:
                return None
            time.sleep(0.02)
        else:
            return handle
    return None


def _write(path: Path, document: dict[str, Any]) -> None:
    """Readers find the old document or the new one, never half of it."""
    draft = path.with_suffix(".draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(document, file)
    draft.replace(path)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found
