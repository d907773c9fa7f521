"""The folder into which a mail server puts what came back, as it may be found."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DataError, OperationalError

from clinic.services.bounce_folder import Round, take_from
from clinic.services.work import UnitOfWork
from tests.engines import lent_engine
from tests.services.desk import Desk


@pytest.fixture
def open_work(sqlite_url: str) -> Iterator[Callable[[], UnitOfWork]]:
    with lent_engine(sqlite_url) as engine:
        yield Desk(engine).work


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_so_many_are_taken_in_one_round_and_the_others_in_the_next(
    open_work: Callable[[], UnitOfWork], folder: Path
) -> None:
    for number in range(5):
        (folder / "new" / f"{number}.host:2,").write_bytes(b"Subject: away\n\n")

    rounds = [take_from(open_work, folder, most=3).taken for _ in range(3)]

    assert rounds == [3, 2, 0]
    assert (names(folder / "new"), names(folder / "cur")) == ([], [f"{number}.host:2,S" for number in range(5)])


def test_what_is_no_file_of_a_mail_server_stays_and_keeps_none_waiting(
    open_work: Callable[[], UnitOfWork], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = folder / "new"
    (new / "a folder").mkdir()
    (new / "a link").symlink_to("/etc/hostname")
    os.mkfifo(new / "a pipe")
    for name in (".hidden", "unreadable", "good"):
        (new / name).write_bytes(b"x")
    opened = os.open

    def may_not(path: Path, *more: int) -> int:
        if path.name == "unreadable":
            raise PermissionError(13, "Permission denied")
        return opened(path, *more)

    monkeypatch.setattr("os.open", may_not)

    found = take_from(open_work, folder)

    assert found == Round(1, "a file in it cannot be read: Permission denied")
    assert names(new) == [".hidden", "a folder", "a link", "a pipe", "unreadable"]


def test_what_the_database_cannot_keep_stays_and_keeps_none_waiting(
    open_work: Callable[[], UnitOfWork], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keep(_: UnitOfWork, data: bytes) -> None:
        if data == b"bad":
            raise DataError("statement", None, ValueError("out of range"))
        if data == b"away":
            raise OperationalError("statement", None, ValueError("connection refused"))

    monkeypatch.setattr("clinic.services.bounce_folder.take_report", keep)
    for name in ("bad", "good"):
        (folder / "new" / name).write_bytes(name.encode())

    found = take_from(open_work, folder)
    (folder / "new" / "away").write_bytes(b"away")
    with pytest.raises(OperationalError):
        take_from(open_work, folder)

    assert found == Round(1, "a file in it cannot be kept")
    assert names(folder / "new") == ["away", "bad"]


@pytest.mark.parametrize("missing", ["new", "cur"])
def test_what_is_wrong_with_the_folder_is_said(
    missing: str, open_work: Callable[[], UnitOfWork], folder: Path
) -> None:
    (folder / missing).rmdir()

    found = take_from(open_work, folder)

    assert (found.taken, bool(found.trouble)) == (0, True)
