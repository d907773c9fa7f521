"""CSV files of other programs as rows with their line numbers: read in a stream, with every fault as a value.

UTF-8 with or without a mark of order, quotes after RFC 4180, and a comma, a semicolon or a tab between cells,
whichever finds the most known names in the heading. What cannot be read is said at its line; the next row goes on.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from clinic.interchange.cells import plain
from clinic.interchange.moving_in.faults import Listed

DELIMITERS: Final = (",", ";", "\t")
_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_SPREADSHEET: Final = b"PK\x03\x04"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_MARK: Final = b"\xef\xbb\xbf"
_FIRST: Final = 4096


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be. Our defaults: far beyond any clinic, and read without filling the memory."""

    bytes: int = 512 * 1024 * 1024
    rows: int = 1_000_000
    columns: int = 100
    cell: int = 10_000
    line: int = 200_000


@dataclass(frozen=True, slots=True)
class Heading:
    """The first row: the names of the columns as the file has them, and what stands between cells."""

    names: tuple[str, ...]
    delimiter: str


Row = tuple[int, list[str]]
"""The line on which a row begins, and its cells, without white space around them."""


def plain_name(text: str) -> str:
    """A heading as names are compared: without case, and with one underscore for whatever is between words."""
    return re.sub(r"[\s_./-]+", "_", text.strip().casefold())


class Table:
    """One file, opened to be read once from its first row to its last; what is wrong goes to `faults`."""

    def __init__(self, path: Path, known: Collection[str], faults: Listed, limits: Limits | None = None) -> None:
        """Names in `known` are headings that the delimiter is found by."""
        self._path, self._faults, self._limits = path, faults, limits or Limits()
        self._known = frozenset(map(plain_name, known))

    def rows(self, begin: Callable[[Heading], bool]) -> Iterator[Row]:
        """Every row that could be read; `begin` is told the heading first and may say that it is not worth reading."""
        if self._path.stat().st_size > self._limits.bytes:
            self._fault(0, "", f"is larger than {self._limits.bytes // 1024 // 1024} MB: split it")
            return None
        with self._path.open("rb") as stream:
            if not self._is_text(stream):
                return None
            lines = _Lines(stream, self._limits.line)
            heading = self._heading(lines)
            if heading is not None and begin(heading):
                yield from self._body(lines, heading)
        return None

    def _fault(self, line: int, column: str, text: str) -> None:
        self._faults.add(self._path.name, line, column, text)

    def _is_text(self, stream: BinaryIO) -> bool:
        first = stream.read(_FIRST)
        stream.seek(len(_MARK) if first.startswith(_MARK) else 0)
        wrong = None
        if not first.removeprefix(_MARK).strip():
            wrong = "is empty: the first line names the columns"
        elif first.startswith(_SPREADSHEET):
            wrong = "is a spreadsheet, not a CSV file: open it and save it as “CSV UTF-8”"
        elif first.startswith(_UTF_16) or first.count(b"\0") > len(first) // 4:
            wrong = "is written in UTF-16: save it as “CSV UTF-8”"
        elif b"\n" not in first and b"\r" in first:
            wrong = "ends its lines as old Macintosh programs do: save it as “CSV UTF-8”"
        if wrong:
            self._fault(1, "", wrong)
        return wrong is None

    def _heading(self, lines: _Lines) -> Heading | None:
        number, raw, is_whole = lines.next() or (1, b"", True)
        text = self._decoded(number, raw, None)
        if text is None or not is_whole:
            return None
        found = max((self._split_heading(text, each) for each in DELIMITERS), key=self._worth)
        if not self._worth(found)[0]:
            self._fault(1, "", "none of the columns is known: the first line names them, with a comma, a semicolon or "
                        f"a tab between; it says {text[:60].strip()!r}")
            return None
        if len(found.names) > self._limits.columns:
            self._fault(1, "", f"has {len(found.names):,} columns; at most {self._limits.columns} can be read")
            return None
        return found

    def _worth(self, heading: Heading) -> tuple[int, int]:
        return sum(plain_name(name) in self._known for name in heading.names), len(heading.names)

    @staticmethod
    def _split_heading(text: str, delimiter: str) -> Heading:
        names = [name.strip().strip('"').strip() for name in text.split(delimiter)]
        while len(names) > 1 and not names[-1]:
            names.pop()
        return Heading(tuple(names), delimiter)

    def _body(self, lines: _Lines, heading: Heading) -> Iterator[Row]:
        count = 0
        for number, raw, is_whole in iter(lines.next, None):
            if not is_whole:
                self._fault(number, "", f"is longer than {self._limits.line:,} bytes: is a line break missing?")
                continue
            text = self._decoded(number, raw, heading)
            if text is None or not text.strip():
                continue
            cells = text.split(heading.delimiter) if '"' not in text else self._quoted(lines, number, text, heading)
            if cells is None or not any(map(str.strip, cells)):
                continue
            count += 1
            if count > self._limits.rows:
                self._fault(number, "", f"has more than {self._limits.rows:,} rows: split it")
                return None
            cells = [plain(cell.strip()).strip() for cell in cells]
            if self._fits(number, cells, heading):
                yield number, cells
        return None

    def _decoded(self, number: int, raw: bytes, heading: Heading | None) -> str | None:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            before = raw[:error.start]
            self._fault(number, _at(heading, before.decode("utf-8")),
                        f"the byte {raw[error.start]:02X} is not UTF-8: the file was saved by an older program "
                        "(Windows-1252 or Latin-1); save it as “CSV UTF-8”")
            return None
        if "\x00" in text or not text.isprintable():
            found = _NO_TEXT.search(text)
            if found is not None:
                self._fault(number, _at(heading, text[:found.start()]),
                            f"holds a character that is no text (code {ord(found[0])}): take it out")
                return None
        return text

    def _quoted(self, lines: _Lines, number: int, text: str, heading: Heading) -> list[str] | None:
        """The cells of a row with quotes; it may go on over the lines that follow."""
        cells, at = list[str](), 0
        while True:
            if text[at:at + 1] != '"':
                ends = text.find(heading.delimiter, at)
                cell = text[at:] if ends < 0 else text[at:ends]
                if '"' in cell:
                    self._fault(number, _name(heading, len(cells)), "holds a quote in the middle: put the whole "
                                "cell in quotes and write each quote in it twice")
                    return None
                cells.append(cell)
            else:
                closed = self._closing(lines, number, text, at, heading, len(cells))
                if closed is None:
                    return None
                text, ends = closed
                cells.append(text[at + 1:ends].replace('""', '"'))
                after = text.find(heading.delimiter, ends)
                rest = text[ends + 1:] if after < 0 else text[ends + 1:after]
                if rest.strip():
                    self._fault(number, _name(heading, len(cells) - 1), f"goes on after its closing quote with "
                                f"{rest.strip()[:20]!r}: is a quote missing, or to be written twice?")
                    return None
                ends = after
            if ends < 0:
                return cells
            at = ends + 1

    def _closing(
        self, lines: _Lines, number: int, text: str, at: int, heading: Heading, cell: int
    ) -> tuple[str, int] | None:
        """The text of the row, as far as it had to be read, and where the quote that opens at `at` is closed."""
        search = at + 1
        while True:
            ends = text.find('"', search)
            if ends >= 0 and text[ends + 1:ends + 2] == '"':
                search = ends + 2
                continue
            if ends >= 0:
                return text, ends
            search = len(text)
            following = lines.next() if search - at <= self._limits.cell else None
            more = self._decoded(following[0], following[1], None) if following and following[2] else None
            if more is None:
                self._fault(number, _name(heading, cell), "opens a quote that is not closed: close it, or take "
                            "it away")
                return None
            text = f"{text}\n{more}"

    def _fits(self, number: int, cells: list[str], heading: Heading) -> bool:
        columns = len(heading.names)
        while len(cells) > columns and not cells[-1]:
            cells.pop()
        if len(cells) != columns:
            self._fault(number, "", f"has {_counted(len(cells))}, but the heading names {columns}: is a cell with a "
                        f"{_WORDS[heading.delimiter]} in it not in quotes?")
            return False
        for index, cell in enumerate(cells):
            if len(cell) > self._limits.cell:
                self._fault(number, heading.names[index], f"has {len(cell):,} characters; at most "
                            f"{self._limits.cell:,} can be kept")
                return False
        return True


class _Lines:
    """The lines of a stream: number, bytes without their end, and whether the line is whole."""

    def __init__(self, stream: BinaryIO, longest: int) -> None:
        self._stream, self._longest, self._number = stream, longest, 0

    def next(self) -> tuple[int, bytes, bool] | None:
        """The next one; one that is too long is passed over, and only its beginning answered."""
        raw = self._stream.readline(self._longest + 1)
        if not raw:
            return None
        self._number += 1
        is_whole = len(raw) <= self._longest
        rest = raw
        while len(rest) > self._longest and not rest.endswith(b"\n"):
            rest = self._stream.readline(self._longest + 1)
        return self._number, raw.rstrip(b"\r\n"), is_whole


_WORDS: Final = {",": "comma", ";": "semicolon", "\t": "tab"}


def _counted(cells: int) -> str:
    return "one cell" if cells == 1 else f"{cells} cells"


def _name(heading: Heading, index: int) -> str:
    return heading.names[index] if index < len(heading.names) else ""


def _at(heading: Heading | None, before: str) -> str:
    return _name(heading, before.count(heading.delimiter)) if heading else ""


def first_rows(path: Path, known: Sequence[str], count: int) -> tuple[Heading | None, list[Row], Listed]:
    """The heading and the first rows of a file, to be looked at before it is moved in, and what is wrong with them."""
    faults, found = Listed(), list[Heading]()

    def begin(heading: Heading) -> bool:
        found.append(heading)
        return True

    rows: list[Row] = []
    for row in Table(path, known, faults).rows(begin):
        rows.append(row)
        if len(rows) == count:
            break
    return (found[0] if found else None), rows, faults
