"""A parcel: files that somebody has sent to be moved in, kept in a folder of their own until they are."""
from __future__ import annotations

import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MOST_FILES = 20
MOST_BYTES = 64 * 1024 * 1024
"""Of what is sent."""
MOST_LISTED = 1024 * 1024
"""Of a zip's own list of its files, which is read whole: sixty megabytes of it would take ten times as much memory."""
MOST_UNPACKED = 512 * 1024 * 1024
_TABLES = (".csv", ".tsv", ".txt")
_BLOCK = 1 << 20
_TAIL = 22 + 20 + (1 << 16)
_NO_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069/\\]")


class ParcelFault(ValueError):
    """The parcel cannot be taken, with what to do in words."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A file of the parcel: the name that it came under, and where it lies."""

    name: str
    path: Path


def unpack(folder: Path, given: Iterator[tuple[str, IO[bytes]]]) -> list[Sent]:
    """Keeps the files that were sent, those inside of a zip too; never more than the bounds, whatever a zip says."""
    found: list[Sent] = []
    room = MOST_UNPACKED
    for name, stream in given:
        if _is_zip(stream):
            for inner, size in _unzipped(folder, stream, len(found), room):
                room -= size
                found.append(inner)
        else:
            sent, size = _kept(folder, name, stream, len(found), room)
            room -= size
            found.append(sent)
        if len(found) > MOST_FILES:
            raise ParcelFault(f"These are more than {MOST_FILES} files. Send those that can be moved in.")
    if not found:
        raise ParcelFault("There is no table in it. Choose CSV files, or a zip of them.")
    return found


def _is_zip(stream: IO[bytes]) -> bool:
    head = stream.read(4)
    stream.seek(0)
    return head == b"PK\x03\x04"


def _unzipped(folder: Path, stream: IO[bytes], before: int, room: int) -> Iterator[tuple[Sent, int]]:
    if _lists_too_many(stream):
        raise ParcelFault(f"These are more than {MOST_FILES} files. Send those that can be moved in.")
    try:
        with zipfile.ZipFile(stream) as archive:
            names = {info.filename.rpartition("/")[2] for info in archive.infolist()}
            if "manifest.json" in names:
                raise ParcelFault(
                    "This is the export of a whole clinic. It comes back into an empty database, with `clinic import`.")
            if "[Content_Types].xml" in names:
                raise ParcelFault("This is a workbook. Save each of its sheets as CSV (UTF-8), and send those.")
            tables = [info for info in archive.infolist()
                      if info.filename.casefold().endswith(_TABLES) and not info.filename.startswith("__MACOSX")]
            for number, info in enumerate(tables[:MOST_FILES + 1], before):
                with archive.open(info) as inner:
                    sent, size = _kept(folder, info.filename, inner, number, room)
                room -= size
                yield sent, size
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise ParcelFault("The zip cannot be opened: it is damaged or has a password. Send its files by themselves."
                          ) from error


def _lists_too_many(stream: IO[bytes]) -> bool:
    """Whether the list at the end of a zip is longer than we read, whichever end its reader will find."""
    stream.seek(0, os.SEEK_END)
    stream.seek(max(stream.tell() - _TAIL, 0))
    tail = stream.read()
    stream.seek(0)
    for found in re.finditer(b"PK\x05\x06", tail):
        listed = int.from_bytes(tail[found.start() + 12:found.start() + 16], "little")
        # The other form has a list of any length, for archives larger than what may be sent.
        if listed > MOST_LISTED or tail[:found.start()][-20:].startswith(b"PK\x06\x07"):
            return True
    return False


def _kept(folder: Path, name: str, stream: IO[bytes], number: int, room: int) -> tuple[Sent, int]:
    path = folder / f"{number}.table"
    size = 0
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        while block := stream.read(_BLOCK):
            size += len(block)
            if size > room:
                raise ParcelFault("This is more than can be moved in at once. Send it in several parts.")
            file.write(block)
    return Sent(_shown(name), path), size


def _shown(name: str) -> str:
    """The name of a file as it can stand on a page, without the folders before it."""
    plain = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return _NO_NAME.sub("", plain).strip()[:80] or "file"


def lay_out(target: Path, files: dict[str, Path]) -> None:
    """Puts the files into a folder under the names that they are to have; nothing is copied where that can be."""
    target.mkdir(mode=0o700, exist_ok=True)
    for old in target.iterdir():
        old.unlink()
    for name, path in files.items():
        with suppress(FileExistsError):
            os.link(path, target / name)
