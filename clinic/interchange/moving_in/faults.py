"""What is wrong with a folder that is to be moved in, or only worth knowing: by file, line and column, in words."""
from __future__ import annotations

from dataclasses import dataclass, field

MOST_KEPT = 200
"""So many are listed; of the others only their number is said."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a file. `line` counts from 1 as an editor does (0: the whole file); `column` is the heading of the
    column as that file has it (empty: the whole line)."""

    file: str
    line: int
    column: str
    text: str

    @property
    def words(self) -> str:
        """The fault as it is printed."""
        place = self.file
        if self.line:
            place += f", line {self.line}"
        if self.column:
            place += f", column {self.column}"
        return f"{place}: {self.text}"


@dataclass(slots=True)
class Listed:
    """The first faults (or warnings) that were found, and how many there are in all."""

    kept: list[Fault] = field(default_factory=list)
    count: int = 0

    def add(self, file: str, line: int, column: str, text: str) -> None:
        """One more."""
        self.count += 1
        if len(self.kept) < MOST_KEPT:
            self.kept.append(Fault(file, line, column, text))

    @property
    def more(self) -> int:
        """How many are not listed."""
        return self.count - len(self.kept)
