"""The planning problem as values: who and what is free when, what the course asks for, what the patient prefers.

A reader of a database builds a `Problem` directly:

1. `on = ruler(zone(name), day_of(not_before, zone), horizon_days, 300)`: five-minute granules serve wherever every
   duration and the grid of starts are whole granules (`granule_for` says what would serve otherwise).
2. Each resource's times are two integers on that ruler: `open` from `opening_bits` (or from its rota, as spans that
   `on.inside` turns into bits) and `busy` from occupancy that is kept packed, shifted to `on.origin`, or from
   `busy_bits`. What is open is rounded inward and what is busy outward, which is exact for every start on the grid.
3. An appointment of this course that stays is its step's `Pin`, whether `busy` lists it or not; one that may move
   is left out of `busy`. Completed sessions are not steps: the last one is `last_session_on`, others are `history`.
4. The order of `resources` decides between plans that are otherwise equal.
"""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from functools import reduce
from operator import or_

from clinic.planning.hours import Hours
from clinic.planning.ruler import Ruler


class Kind(StrEnum):
    """What kind of resource a session can hold."""

    PRACTITIONER = "practitioner"
    ROOM = "room"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Resource:
    """Someone or something that can be booked: where it is open and busy, as bits on the problem's ruler.

    `limits` names the skills that do not hold at all times, each with the granules at which it does.
    """

    id: str
    kind: Kind
    skills: frozenset[str] = frozenset()
    open: int = field(default=-1, repr=False)
    busy: int = field(default=0, repr=False)
    name: str = ""
    limits: tuple[tuple[str, int], ...] = field(default=(), repr=False)

    @property
    def words(self) -> str:
        """What staff call it."""
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class Need:
    """One resource of a kind, with all these skills, held from `offset` minutes after the start for `minutes`."""

    kind: Kind
    minutes: int
    skills: frozenset[str] = frozenset()
    offset: int = 0
    same_as: int | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """The days between a session and the one before it."""

    min: int
    ideal: int
    max: int

    def __post_init__(self) -> None:
        if not 0 < self.min <= self.ideal <= self.max:
            raise ValueError(f"gap out of order: {self}")


@dataclass(frozen=True, slots=True)
class Pin:
    """A session that stands as it is, with its resources in the order of the step's needs."""

    start_at: datetime
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One session that the course asks for; `number` is what staff call it, where that is not its place in the list."""

    treatment: str
    minutes: int
    needs: tuple[Need, ...]
    gap: Gap | None = None
    from_on: date | None = None
    to_on: date | None = None
    pinned: Pin | None = None
    name: str = ""
    standing: Pin | None = None  # the appointment that it has and may keep or lose; `repair` sets it
    number: int | None = None

    @property
    def words(self) -> str:
        """What staff call the treatment."""
        return self.name or self.treatment


@dataclass(frozen=True, slots=True)
class Spacing:
    """At least so many days from every session of one treatment to every later one of another."""

    first: str
    then: str
    days: int


@dataclass(frozen=True, slots=True)
class Past:
    """A treatment that the patient has had, or will have, outside this course."""

    treatment: str
    on: date


@dataclass(frozen=True, slots=True)
class Costs:
    """The points that each departure from the ideal costs."""

    gap_day: int = 10
    wait_day: int = 1
    practitioner_change: int = 30
    other_practitioner: int = 30
    outside_windows: int = 20
    moved: int = 0  # each standing session that moves: weighed by `repair` alone, and no part of what a plan costs


@dataclass(frozen=True, slots=True)
class Preferences:
    """Whom and when the patient would rather have; no windows means any time."""

    practitioner: str | None = None
    windows: tuple[Hours, ...] | None = None


@dataclass(frozen=True, slots=True)
class Unwilling:
    """Times at which the patient does not come by what they asked, though nothing of theirs lies there.

    `words` go on from "the patient …"; `kept` says where that is written. With `asks` the patient may agree to another
    time all the same: no plan goes there by itself, and what a person puts there warns.
    """

    times: int = field(repr=False)
    words: str
    kept: str
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One course to be placed; a problem that cannot be asked cannot be built."""

    ruler: Ruler
    not_before: datetime
    resources: tuple[Resource, ...]
    steps: tuple[Step, ...]
    start_step: int = 15
    patient_busy: int = field(default=0, repr=False)
    unwilling: tuple[Unwilling, ...] = ()
    spacing: tuple[Spacing, ...] = ()
    history: tuple[Past, ...] = ()
    last_session_on: date | None = None
    preferences: Preferences = Preferences()
    costs: Costs = Costs()
    alternatives: int = 1

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError("a course has at least one step")
        if len({resource.id for resource in self.resources}) != len(self.resources):
            raise ValueError("two resources have one id")
        if any(step.gap is None for step in self.steps[1:]):
            raise ValueError("every step from the second on has a gap")
        if (self.start_step * 60) % self.ruler.granule:
            raise ValueError("the grid of starts does not lie on the ruler's granules")
        for step in self.steps:
            self._check(step)

    @property
    def patient_away(self) -> int:
        """Everything that no plan takes of the patient's time: what they are busy with, and what they asked to keep."""
        return reduce(or_, (each.times for each in self.unwilling), self.patient_busy)

    def with_patient(self, times: int) -> Problem:
        """The problem if the patient had time then."""
        return replace(self, patient_busy=self.patient_busy & ~times, unwilling=tuple(
            replace(each, times=each.times & ~times) for each in self.unwilling))

    @property
    def asking(self) -> Problem:
        """The problem if the patient agrees to times that they do not come at otherwise."""
        return replace(self, unwilling=tuple(each for each in self.unwilling if not each.asks))

    def number(self, at: int) -> int:
        """What staff call the step at that place (from 0): sessions that are over, or have no date, are no steps."""
        return self.steps[at].number or at + 1

    def _check(self, step: Step) -> None:
        minutes = [step.minutes, *(each for need in step.needs for each in (need.offset, need.minutes))]
        if step.pinned is None and any(each * 60 % self.ruler.granule for each in minutes):
            raise ValueError(f"a duration of {step.treatment} is no whole number of granules")
        for at, need in enumerate(step.needs):
            if need.same_as is not None and not (
                1 <= need.same_as <= at and step.needs[need.same_as - 1].kind is need.kind
            ):
                raise ValueError(f"need {at + 1} of {step.treatment} is the same as no earlier need of its kind")
        if step.pinned is not None and len(step.pinned.resources) != len(step.needs):
            raise ValueError(f"a pin of {step.treatment} names another number of resources than needs")
