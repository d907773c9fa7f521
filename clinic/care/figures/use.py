"""How far people, rooms and devices are used, and whether the sessions owed will find time in the coming weeks."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from clinic.care.figures.months import Month
from clinic.care.parts import ResourceKind


@dataclass(frozen=True, slots=True)
class Hours:
    """Minutes that there were, and those of them or beyond them that visits held."""

    there: int = 0
    used: int = 0

    def __add__(self, other: Hours) -> Hours:
        return Hours(self.there + other.there, self.used + other.used)

    @property
    def percent(self) -> float | None:
        """How many of a hundred minutes were used; none where there were none."""
        return 100 * self.used / self.there if self.there else None


@dataclass(frozen=True, slots=True)
class Used:
    """One practitioner, room or device at one clinic, month by month."""

    resource_id: int
    kind: ResourceKind
    name: str
    clinic_id: int
    months: Mapping[Month, Hours]

    @property
    def total(self) -> Hours:
        """All its months together."""
        return sum(self.months.values(), Hours())


def together(used: Iterable[Used], kind: ResourceKind) -> Mapping[Month, Hours]:
    """The hours of all resources of a kind, by month."""
    found: dict[Month, Hours] = {}
    for each in used:
        if each.kind is kind:
            for month, hours in each.months.items():
                found[month] = found.get(month, Hours()) + hours
    return found


@dataclass(frozen=True, slots=True)
class Week:
    """Minutes free and owed in the week from that Monday, and those that found no place until its end.

    It is full where not everything finds a place; the rest of the present week never is, for the next one follows.
    """

    from_on: date
    free: int
    owed: int
    left_over: int
    is_full: bool


@dataclass(frozen=True, slots=True)
class Supply:
    """What the sessions owed need one of, and how its coming weeks stand."""

    kind: ResourceKind
    code: str
    weeks: tuple[Week, ...]

    @property
    def full_from(self) -> Week | None:
        """The first week in which not everything owed finds a place."""
        return next((week for week in self.weeks if week.is_full), None)


def weeks_ahead(mondays: Sequence[date], free: Mapping[date, int], owed: Mapping[date, int]) -> tuple[Week, ...]:
    """The weeks in their order: what finds no place in one is owed in the next."""
    found, left_over = list[Week](), 0
    for monday in mondays:
        wanted = left_over + owed.get(monday, 0)
        left_over = max(0, wanted - free.get(monday, 0))
        found.append(Week(monday, free.get(monday, 0), owed.get(monday, 0), left_over, bool(found and left_over)))
    return tuple(found)
