"""What moving in has done, or would do: counts of each kind, warnings and faults."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from clinic.interchange.moving_in.faults import Fault


@dataclass(frozen=True, slots=True)
class Count:
    """How the rows of one file fared.

    `new` were added; `unchanged` came in before and say the same; `changed` came in before and say something else
    now, and are left as they are here; `linked` are the same thing as one that was here under that name.
    """

    file: str
    new: int = 0
    unchanged: int = 0
    changed: int = 0
    linked: int = 0

    @property
    def rows(self) -> int:
        """All rows of the file that could be read."""
        return self.new + self.unchanged + self.changed + self.linked


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a folder. With faults, or as a dry run, nothing has changed."""

    counts: tuple[Count, ...]
    warnings: tuple[Fault, ...] = ()
    more_warnings: int = 0
    faults: tuple[Fault, ...] = ()
    more_faults: int = 0
    is_dry_run: bool = False
    holds_messages: bool = False

    @property
    def is_good(self) -> bool:
        """Whether the folder can be moved in, or was."""
        return not self.faults

    @property
    def was_kept(self) -> bool:
        """Whether the database holds these rows now."""
        return self.is_good and not self.is_dry_run

    @property
    def lines(self) -> Iterator[str]:
        """The report as it is printed."""
        yield from _listed("fault", self.faults, self.more_faults)
        yield from _listed("warning", self.warnings, self.more_warnings)
        for count in self.counts:
            said = [f"{number} {words}" for number, words in (
                (count.new, "new"), (count.unchanged, "unchanged"), (count.linked, "already here under that name"),
                (count.changed, "changed since they were moved in: change them here")) if number]
            yield f"{count.file}: {', '.join(said) or 'no rows'}"
        yield self.summary

    @property
    def summary(self) -> str:
        """One sentence on what the database holds now."""
        if not self.is_good:
            return "Nothing was moved in: mend the faults and try again."
        if self.is_dry_run:
            return "Nothing was moved in: this was a dry run. The folder is ready."
        if self.holds_messages:
            return "Moved in. No message leaves until a person releases them on the Messages page."
        return "Nothing was new." if not any(count.new for count in self.counts) else "Moved in."


def _listed(noun: str, found: tuple[Fault, ...], more: int) -> Iterator[str]:
    for each in found:
        yield f"{noun}: {each.words}"
    if more:
        yield f"… and {more:,} more {noun}s"
