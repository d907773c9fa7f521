"""Parcels: what is sent to be moved in is unpacked within bounds."""
from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from clinic.interchange.parcel import ParcelFault, unpack

NAME = b"a.csv"


def listing(count: int, *, large_form: bool = False, comment: bytes = b"") -> io.BytesIO:
    """A zip that holds one empty file and lists it so many times."""
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, len(NAME), 0) + NAME
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, len(NAME), 0, 0, 0, 0, 0, 0) + NAME
    listed, told = entry * count, b""
    size = len(listed)
    if large_form:
        at = len(local) + size
        told = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, len(local))
        told += struct.pack("<4sLQL", b"PK\6\7", 0, at, 1)
        size = 0
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, size, len(local), len(comment))
    return io.BytesIO(local + listed + told + end + comment)


@pytest.mark.parametrize("sent", [
    listing(60_000), listing(60_000, large_form=True), listing(60_000, comment=b"x" * 60_000),
], ids=["plain", "large-form", "with-a-comment"])
def test_a_zip_that_lists_more_than_anybody_sends_is_refused_unread(sent: io.BytesIO, tmp_path: Path) -> None:
    tracemalloc.start()
    with pytest.raises(ParcelFault, match="more than 20 files"):
        unpack(tmp_path, iter([("all.zip", sent)]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 2_000_000
    assert list(tmp_path.iterdir()) == []


def test_an_ordinary_zip_is_unpacked_with_or_without_a_comment(tmp_path: Path) -> None:
    sent = io.BytesIO()
    with zipfile.ZipFile(sent, "w") as archive:
        archive.writestr("../../patients.csv", "id\n1\n")
        archive.writestr("read me.pdf", "no table")
        archive.comment = b"from elsewhere"
    sent.seek(0)

    [found] = unpack(tmp_path, iter([("all.zip", sent)]))

    assert (found.name, found.path.parent, found.path.read_text()) == ("patients.csv", tmp_path, "id\n1\n")
