"""Takes what mail systems report from a Maildir into which the mail server delivers it.

A file is moved on (from `new` to `cur`, as read) only after what it says is kept. Whoever dies in between leaves it
where it was: it is taken once more, and known.
"""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from clinic.interchange.mime_parts import MOST_BYTES
from clinic.services.bounces import take_report
from clinic.services.work import UnitOfWork

MOST = 50
"""So many files are taken in one round, so that a folder full of them keeps nothing else waiting."""
_READ = ":2,S"
"""What a Maildir adds to the name of a message that was seen."""


@dataclass(frozen=True, slots=True)
class Round:
    """How many files were taken, and what is wrong with the folder or a file in it, if anything is."""

    taken: int
    trouble: str | None = None


def take_from(
    open_work: Callable[[], UnitOfWork], folder: Path, *, most: int = MOST, stopping: Callable[[], bool] = lambda: False
) -> Round:
    """Takes the next files of the folder, each in a unit of work of its own.

    One that cannot be read or kept stays, and keeps no other from being taken.
    """
    taken, trouble = 0, None
    try:
        if not (folder / "cur").is_dir():
            raise NotADirectoryError(0, "it is no Maildir: it has no folder “cur”")
        for name in _waiting(folder / "new"):
            if taken == most or stopping():
                break
            try:
                data = _content(folder / "new" / name)
            except FileNotFoundError:
                continue  # another worker has taken it
            except OSError as error:
                trouble = f"a file in it cannot be read: {error.strerror}"
                continue
            try:
                with open_work() as work:
                    take_report(work, data)
            except (OperationalError, InterfaceError):
                raise  # the database is away: all of them wait
            except DBAPIError:
                trouble = "a file in it cannot be kept"
                continue
            _move_on(folder, name)
            taken += 1
    except OSError as error:
        trouble = str(error.strerror)
    return Round(taken, trouble)


def _waiting(new: Path) -> Iterator[str]:
    with os.scandir(new) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                yield entry.name


def _content(path: Path) -> bytes:
    """The beginning of a file; never of what a link leads to."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(handle, "rb") as file:
        return file.read(MOST_BYTES)


def _move_on(folder: Path, name: str) -> None:
    with suppress(FileNotFoundError):  # another worker has moved it
        (folder / "new" / name).rename(folder / "cur" / f"{name.partition(':')[0]}{_READ}")
