"""One chosen time, as a form carries it: which session, when, and with whom and what."""
from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_FORM = re.compile(r"(\d{1,3})@(2[01]\d\d-\d\d-\d\dT\d\d:\d\d)Z@(\d{1,9}(?:,\d{1,9}){0,11})", re.ASCII)


@dataclass(frozen=True, slots=True)
class VisitChoice:
    """A session's number, its start (aware UTC) and the resources that meet its needs, in their order."""

    number: int
    starts_at: datetime
    resource_ids: tuple[int, ...]

    def __str__(self) -> str:
        when = self.starts_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")
        return f"{self.number}@{when}Z@{','.join(map(str, self.resource_ids))}"

    def is_same_place(self, other: VisitChoice) -> bool:
        """Whether the other begins at the same instant and holds the same, in whatever order."""
        return self.starts_at == other.starts_at and set(self.resource_ids) == set(other.resource_ids)


def parse_choice(text: str) -> VisitChoice:
    """The choice that a form carried; ValueError for anything that no page of ours has offered."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError("this is not a time that was offered")
    starts_at = datetime.strptime(found[2], "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    return VisitChoice(int(found[1]), starts_at, tuple(int(each) for each in found[3].split(",")))
