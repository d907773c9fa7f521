"""The planning document read by the format page alone, for the checker and the models; nothing of the planner is used.

Instants are whole seconds since 1970 in UTC.
"""
from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DEFAULT_COSTS = {
    "gap_day": 10, "wait_day": 1, "practitioner_change": 30, "other_practitioner": 30, "outside_windows": 20,
}
Span = tuple[int, int]


def seconds(at: datetime) -> int:
    return int((at - EPOCH).total_seconds())


def at_second(second: int, zone: ZoneInfo) -> datetime:
    return (EPOCH + timedelta(seconds=second)).astimezone(zone)


def readings(wall: datetime, zone: ZoneInfo) -> list[int]:
    """Every instant at which the clock reads `wall`, in order: none, one or two."""
    found = set()
    for fold in (0, 1):
        at = seconds(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC))
        if at_second(at, zone).replace(tzinfo=None) == wall:
            found.add(at)
    return sorted(found)


def resolve(wall: datetime, zone: ZoneInfo, *, end: bool = False) -> int:
    found = readings(wall, zone)
    if found:
        return found[-1] if end else found[0]
    # Skipped: walk forward, minute by minute, to the first instant whose reading is later than the wall time.
    at = seconds(wall.replace(tzinfo=UTC)) - 2 * 86_400
    low, high = at, at + 4 * 86_400
    while high - low > 60:
        middle = low + (high - low) // 120 * 60
        if at_second(middle, zone).replace(tzinfo=None) < wall:
            low = middle
        else:
            high = middle
    return high


def written(text: str, zone: ZoneInfo, *, end: bool = False) -> int:
    """A time of the document."""
    wall = datetime.fromisoformat(text[:10]) + timedelta(hours=int(text[11:13]), minutes=int(text[14:16]))
    rest = text[16:]
    if not rest:
        return resolve(wall, zone, end=end)
    if rest == "Z":
        return seconds(wall.replace(tzinfo=UTC))
    shift = timedelta(hours=int(rest[1:3]), minutes=int(rest[4:6])) * (-1 if rest[0] == "-" else 1)
    return seconds(wall.replace(tzinfo=UTC) - shift)


def minute_of(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def hours_on(day: date, begins: str, ends: str, zone: ZoneInfo) -> Span | None:
    """Opening hours that begin on a date, or None where nothing is left of them after resolving."""
    first, last = minute_of(begins), minute_of(ends)
    if last <= first:
        last += 1440
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall-clock reading
    span = (
        resolve(midnight + timedelta(minutes=first), zone), resolve(midnight + timedelta(minutes=last), zone, end=True)
    )
    return span if span[0] < span[1] else None


@dataclass
class Document:
    """The problem with its defaults filled in."""

    raw: dict[str, Any]
    zone: ZoneInfo = field(init=False)
    _known_free: dict[tuple[str, Span], bool] = field(init=False, default_factory=dict)
    _dates_of: dict[int, date] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.zone = ZoneInfo(self.raw["time_zone"])

    @cached_property
    def not_before(self) -> int:
        return written(self.raw["not_before"], self.zone)

    @cached_property
    def first_date(self) -> date:
        return self.date_of(self.not_before)

    @property
    def steps(self) -> list[dict[str, Any]]:
        steps: list[dict[str, Any]] = self.raw["course"]["steps"]
        return steps

    @cached_property
    def costs(self) -> dict[str, int]:
        return {**DEFAULT_COSTS, **self.raw.get("costs", {})}

    @cached_property
    def horizon(self) -> int:
        return int(self.raw.get("horizon_days", 400))

    @cached_property
    def last_session(self) -> date | None:
        return date.fromisoformat(self.raw["last_session"]) if "last_session" in self.raw else None

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        return {resource["id"]: resource for resource in self.raw["resources"]}

    @cached_property
    def open_spans(self) -> dict[str, list[Span]]:
        return {name: self._openings(resource) for name, resource in self.resources.items()}

    @cached_property
    def busy_spans(self) -> dict[str, list[Span]]:
        return {
            name: [self.span(each) for each in resource.get("busy", ())] for name, resource in self.resources.items()
        }

    @cached_property
    def patient_busy(self) -> list[Span]:
        return [self.span(each) for each in self.raw.get("patient_busy", ())]

    @cached_property
    def windows(self) -> list[Span] | None:
        windows = self.raw.get("preferences", {}).get("windows")
        if windows is None:
            return None
        found = []
        for day in self._dates():
            for each in windows:
                held = WEEKDAYS[day.weekday()] in each["days"]
                span = hours_on(day, each["from"], each["to"], self.zone) if held else None
                if span:
                    found.append(span)
        return found

    def date_of(self, at: int) -> date:
        if at not in self._dates_of:
            self._dates_of[at] = at_second(at, self.zone).date()
        return self._dates_of[at]

    def span(self, raw: dict[str, str]) -> Span:
        return written(raw["from"], self.zone), written(raw["to"], self.zone, end=True)

    def holds(self, step: dict[str, Any], start: int) -> list[Span]:
        """What each need holds, from a start."""
        found = []
        for need in step["needs"]:
            begins = start + need.get("offset", 0) * 60
            found.append((begins, begins + need.get("minutes", step["minutes"]) * 60))
        return found

    def is_free(self, name: str, span: Span) -> bool:
        key = (name, span)
        if key not in self._known_free:
            self._known_free[key] = self._is_free(name, span)
        return self._known_free[key]

    def _is_free(self, name: str, span: Span) -> bool:
        # Openings are joined and in order: only the last that begins in time could hold the span.
        opened = self.open_spans[name]
        last = bisect_right(opened, span[0], key=lambda each: each[0]) - 1
        return last >= 0 and span[1] <= opened[last][1] and not any(
            low < span[1] and span[0] < high for low, high in self.busy_spans[name]
        )

    def spacing(self, first: str, then: str) -> int:
        return max((
            each["days"] for each in self.raw["course"].get("spacing", ())
            if each["first"] == first and each["then"] == then
        ), default=0)

    def is_spaced_from_history(self, treatment: str, day: date) -> bool:
        for past in self.raw.get("history", ()):
            between = (day - date.fromisoformat(past["date"])).days
            if between >= 0 and between < self.spacing(past["treatment"], treatment):
                return False
            if between <= 0 and -between < self.spacing(treatment, past["treatment"]):
                return False
        return True

    def grid(self) -> Iterator[int]:
        """Every start that the grid, `not_before` and the horizon allow, in order."""
        step = self.raw.get("start_step_minutes", 15)
        found = set()
        for ahead in range(-2, self.horizon):
            day = self.first_date + ahead * DAY
            midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall-clock reading
            for minute in range(0, 1440, step):
                found.update(
                    at for at in readings(midnight + timedelta(minutes=minute), self.zone) if at >= self.not_before
                )
        return iter(sorted(found))

    def roots(self, step: dict[str, Any]) -> list[int]:
        """For each need the earlier need, or itself, whose resource meets it."""
        found: list[int] = []
        for at, need in enumerate(step["needs"]):
            found.append(found[need["same_as"] - 1] if "same_as" in need else at)
        return found

    def lead(self, step: dict[str, Any]) -> int | None:
        """The first-listed practitioner need."""
        return next((at for at, need in enumerate(step["needs"]) if need["kind"] == "practitioner"), None)

    def is_outside(self, step: dict[str, Any], start: int) -> bool:
        end = start + step["minutes"] * 60
        return self.windows is not None and not any(low <= start and end <= high for low, high in self.windows)

    def _dates(self) -> Iterator[date]:
        for ahead in range(-8, self.horizon + 9):
            yield self.first_date + ahead * DAY

    def _openings(self, resource: dict[str, Any]) -> list[Span]:
        overrides = {each["date"]: each["hours"] for each in resource.get("overrides", ())}
        spans = []
        for day in self._dates():
            if day.isoformat() in overrides:
                todays = [(each["from"], each["to"]) for each in overrides[day.isoformat()]]
            elif "hours" not in resource:
                todays = [("00:00", "24:00")]
            else:
                todays = [
                    (each["from"], each["to"]) for each in resource["hours"] if WEEKDAYS[day.weekday()] in each["days"]
                ]
            spans += [span for begins, ends in todays if (span := hours_on(day, begins, ends, self.zone))]
        joined: list[Span] = []
        for low, high in sorted(spans):
            if joined and low <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
            else:
                joined.append((low, high))
        return joined
