"""Zone data of our own: rules that a country might make tomorrow, for this process or for others (`PYTHONTZPATH`)."""
from __future__ import annotations

import struct
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clinic.planning import local


def write_zone(folder: Path, name: str, rule: str) -> Path:
    """A folder in which that zone has always had one rule, in the words of POSIX, such as `GMT0BST,M3.5.0/1,M10.5.0`.

    What is asked for first there and not found is looked for where this machine keeps its zones.
    """
    types = struct.pack(">lbB", 0, 0, 0) + b"LMT\0"
    block = b"TZif2" + bytes(15) + struct.pack(">6l", 0, 0, 0, 0, 1, 4) + types
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(block + block + f"\n{rule}\n".encode("ascii"))
    return folder


def tzpath(folder: Path) -> tuple[str, ...]:
    """Where zones are looked for, that folder first."""
    return (str(folder), *(each for each in zoneinfo.TZPATH if each != str(folder)))


@contextmanager
def rules_of(folder: Path) -> Iterator[None]:
    """This process lives by the rules in that folder, as if it had started with them."""
    before = zoneinfo.TZPATH
    try:
        _read_zones_from(tzpath(folder))
        yield
    finally:
        _read_zones_from(before)


def _read_zones_from(places: tuple[str, ...]) -> None:
    zoneinfo.reset_tzpath(places)
    zoneinfo.ZoneInfo.clear_cache()
    local.zone.cache_clear()
