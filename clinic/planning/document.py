"""The planning problem and its answer as JSON documents: the planner's public format, version 1."""
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from clinic.planning.answer import Answer, Plan, Status
from clinic.planning.form import Form, Malformed, inside, load
from clinic.planning.local import day_of, local_of, resolve, zone
from clinic.planning.problem import (
    Costs,
    Gap,
    Kind,
    Need,
    Past,
    Pin,
    Preferences,
    Problem,
    Resource,
    Spacing,
    Step,
)
from clinic.planning.ruler import (
    MINUTES_OF_A_DAY,
    Hours,
    Ruler,
    busy_bits,
    granule_for,
    opening_bits,
    ruler,
)

PROBLEM_FORMAT = "clinic-planning-problem/1"
ANSWER_FORMAT = "clinic-planning-answer/1"
HORIZON_DAYS, START_STEP = 400, 15
LONGEST_DAYS = 3660
DEAREST = 1_000_000
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KINDS = tuple(kind.value for kind in Kind)
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(Z|[+-]\d\d:\d\d)?", re.ASCII)
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)
# Plans are not made at the ends of the calendar, where its dates could not be counted on.
FIRST_AT, LAST_AT = datetime(1, 1, 20, tzinfo=UTC), datetime(9999, 12, 10, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Time:
    """A time as written: a wall-clock reading, or an instant where it came with an offset."""

    wall: datetime
    offset: timedelta | None

    def at(self, where: ZoneInfo, *, last: bool = False) -> datetime:
        """The instant that is meant, kept from the ends of the calendar."""
        try:
            if self.offset is not None:
                found = self.wall.replace(tzinfo=UTC) - self.offset
            else:
                found = resolve(self.wall, where, last=last)
        except OverflowError:
            found = self.wall.replace(tzinfo=UTC)
        return min(max(found, FIRST_AT), LAST_AT)


@dataclass(frozen=True, slots=True)
class _Resource:
    id: str
    kind: Kind
    skills: frozenset[str]
    hours: tuple[Hours, ...] | None
    overrides: dict[date, tuple[tuple[int, int], ...]]
    busy: tuple[tuple[datetime, datetime], ...]


def parse(text: str | bytes) -> Problem:
    """The problem that a JSON text states; Malformed with every fault by its place."""
    return problem_of(load(text))


def problem_of(document: Any) -> Problem:
    """The problem that a parsed JSON document states; Malformed with every fault by its place."""
    return _Reader().problem(document)


def document_of(answer: Answer, problem: Problem) -> dict[str, Any]:
    """An answer as a JSON document."""
    where = problem.ruler.zone
    found: dict[str, Any] = {"format": ANSWER_FORMAT, "status": answer.status.value}
    if answer.status is Status.FEASIBLE and answer.bound is not None:
        found["bound"] = answer.bound
    if answer.reason is not None:
        found["reason"] = answer.reason
    found["plans"] = [_plan_document(plan, where) for plan in answer.plans]
    if answer.relaxations:
        found["relaxations"] = [
            {"change": each.change, "to": each.to, "text": each.text} for each in answer.relaxations
        ]
    if answer.starts is not None:
        found["starts"] = [_written(start_at, where) for start_at in answer.starts]
    return found


def _plan_document(plan: Plan, where: ZoneInfo) -> dict[str, Any]:
    parts = plan.parts
    found: dict[str, Any] = {
        "cost": plan.cost,
        "parts": {
            "gap": parts.gap, "wait": parts.wait, "practitioner_change": parts.practitioner_change,
            "other_practitioner": parts.other_practitioner, "outside_windows": parts.outside_windows,
        },
        "sessions": [
            {
                "step": each.step, "treatment": each.treatment, "start": _written(each.start_at, where),
                "end": _written(each.end_at, where), "gap_days": each.gap_days, "resources": list(each.resources),
            }
            for each in plan.sessions
        ],
    }
    if plan.why:
        found["why"] = plan.why
    return found


def _written(at: datetime, where: ZoneInfo) -> str:
    return local_of(at, where).isoformat(timespec="minutes")


class _Reader:
    """Reads one document; everything is looked at before anything is refused."""

    def __init__(self) -> None:
        self.form = Form()
        self.zone: ZoneInfo | None = None

    def problem(self, document: Any) -> Problem:
        top = self.form.members(
            document, "", ("format", "time_zone", "not_before", "resources", "course"),
            ("horizon_days", "start_step_minutes", "patient_busy", "history", "last_session", "preferences", "costs",
             "alternatives"),
        )
        if top is None:
            raise Malformed(self.form.faults)
        if "format" in top and top["format"] != PROBLEM_FORMAT:
            self.form.fault("format", f"must be {PROBLEM_FORMAT}")
        self.zone = self._zone(top)
        not_before = self._not_before(top)
        days = self._optional(top, "horizon_days", HORIZON_DAYS, 1, LONGEST_DAYS)
        step_minutes = self._optional(top, "start_step_minutes", START_STEP, 1, MINUTES_OF_A_DAY)
        resources = self._list(top, "resources", self._resource, most=500)
        self._refuse_same_ids(resources)
        kinds = {each.id: each.kind for each in resources if each is not None}
        patient_busy = self._list(top, "patient_busy", self._span, most=5000)
        steps, spacing = self._course(top, kinds)
        history = self._list(top, "history", self._past, most=1000)
        last = self.form.date(top["last_session"], "last_session") if "last_session" in top else None
        preferences = self._preferences(top, kinds)
        costs = self._costs(top)
        alternatives = self._optional(top, "alternatives", 1, 1, 100)
        if self.form.faults or self.zone is None or not_before is None:
            raise Malformed(self.form.faults)
        on = self._ruler(not_before, days, step_minutes, _whole(steps))
        return Problem(
            ruler=on, not_before=not_before, resources=_on_ruler(on, _whole(resources)), steps=tuple(_whole(steps)),
            start_step=step_minutes, patient_busy=busy_bits(on, _whole(patient_busy)), spacing=tuple(_whole(spacing)),
            history=tuple(_whole(history)), last_session_on=last, preferences=preferences, costs=costs,
            alternatives=alternatives,
        )

    def _zone(self, top: Mapping[str, Any]) -> ZoneInfo | None:
        name = self.form.name(top["time_zone"], "time_zone") if "time_zone" in top else None
        if name is None:
            return None
        try:
            return zone(name)
        except ValueError:
            self.form.fault("time_zone", "is not a time zone that is known here")
            return None

    def _not_before(self, top: Mapping[str, Any]) -> datetime | None:
        written = self._time(top["not_before"], "not_before") if "not_before" in top else None
        if written is None or self.zone is None:
            return None
        found = written.at(self.zone)
        if not FIRST_AT < found < LAST_AT - timedelta(days=LONGEST_DAYS + 20):
            self.form.fault("not_before", "is too near the end of the calendar")
            return None
        return found

    def _ruler(self, not_before: datetime, days: int, step_minutes: int, steps: Sequence[Step]) -> Ruler:
        assert self.zone is not None
        first_on = day_of(not_before, self.zone)
        minutes = [
            each for step in steps if step.pinned is None
            for each in (step.minutes, *(part for need in step.needs for part in (need.offset, need.minutes)))
        ]
        granule = granule_for(step_minutes, minutes, self.zone, first_on, days)
        return ruler(self.zone, first_on, days, granule)

    def _optional(self, top: Mapping[str, Any], key: str, default: int, low: int, high: int) -> int:
        if key not in top:
            return default
        found = self.form.whole(top[key], key, low, high)
        return default if found is None else found

    def _list(self, top: Mapping[str, Any], key: str, read: Any, most: int) -> list[Any]:
        return self.form.items(top[key], key, read, most=most) if key in top else []

    # resources

    def _resource(self, value: Any, place: str) -> _Resource | None:
        had = len(self.form.faults)
        found = self.form.members(value, place, ("id", "kind"), ("skills", "hours", "overrides", "busy"))
        if found is None:
            return None
        name = self.form.name(found["id"], f"{place}.id") if "id" in found else None
        kind = self.form.one_of(found["kind"], f"{place}.kind", KINDS) if "kind" in found else None
        skills = self._skills(found, place, unique=True)
        hours = None
        if "hours" in found:
            hours = tuple(_whole(self.form.items(found["hours"], f"{place}.hours", self._hours, most=64)))
        overrides: list[Any] = []
        if "overrides" in found:
            overrides = self.form.items(found["overrides"], f"{place}.overrides", self._override, most=4000)
            self._refuse_same_dates(overrides, f"{place}.overrides")
        busy: list[Any] = []
        if "busy" in found:
            busy = self.form.items(found["busy"], f"{place}.busy", self._span, most=50_000)
        if name is None or kind is None:
            return None
        if len(self.form.faults) > had:
            # Its name and kind are known: what refers to it is not at fault.
            return _Resource(name, Kind(kind), skills, None, {}, ())
        return _Resource(name, Kind(kind), skills, hours, dict(_whole(overrides)), tuple(_whole(busy)))

    def _skills(self, found: Mapping[str, Any], place: str, *, unique: bool) -> frozenset[str]:
        if "skills" not in found:
            return frozenset()
        place = f"{place}.skills"
        names = self.form.items(found["skills"], place, self.form.name, most=100)
        if unique:
            seen: set[str | None] = set()
            for at, name in enumerate(names):
                if name is not None and name in seen:
                    self.form.fault(f"{place}[{at}]", "is listed twice")
                seen.add(name)
        return frozenset(_whole(names))

    def _hours(self, value: Any, place: str) -> Hours | None:
        found = self.form.members(value, place, ("days", "from", "to"))
        if found is None:
            return None
        days: list[str | None] = []
        if "days" in found:
            days = self.form.items(
                found["days"], f"{place}.days", lambda day, at: self.form.one_of(day, at, WEEKDAYS), least=1
            )
        begins, ends = self._clocks(found, place)
        if begins is None or ends is None:
            return None
        return Hours(frozenset(WEEKDAYS.index(day) for day in _whole(days)), begins, ends)

    def _override(self, value: Any, place: str) -> tuple[date, tuple[tuple[int, int], ...]] | None:
        found = self.form.members(value, place, ("date", "hours"))
        if found is None:
            return None
        on = self.form.date(found["date"], f"{place}.date") if "date" in found else None
        hours: list[Any] = []
        if "hours" in found:
            hours = self.form.items(found["hours"], f"{place}.hours", self._hours_of_a_date, most=24)
        return None if on is None else (on, tuple(_whole(hours)))

    def _hours_of_a_date(self, value: Any, place: str) -> tuple[int, int] | None:
        found = self.form.members(value, place, ("from", "to"))
        begins, ends = (None, None) if found is None else self._clocks(found, place)
        return None if begins is None or ends is None else (begins, ends)

    def _clocks(self, found: Mapping[str, Any], place: str) -> tuple[int | None, int | None]:
        begins = self._clock(found["from"], f"{place}.from") if "from" in found else None
        ends = self._clock(found["to"], f"{place}.to") if "to" in found else None
        return begins, ends

    def _clock(self, value: Any, place: str) -> int | None:
        match = CLOCK.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.form.fault(place, "must be a time of day such as 09:00, at most 24:00")
            return None
        hour, minute = match.groups()
        return MINUTES_OF_A_DAY if hour is None else int(hour) * 60 + int(minute)

    def _refuse_same_ids(self, resources: Sequence[_Resource | None]) -> None:
        seen: set[str] = set()
        for at, resource in enumerate(resources):
            if resource is not None and resource.id in seen:
                self.form.fault(f"resources[{at}].id", "is the id of an earlier resource too")
            if resource is not None:
                seen.add(resource.id)

    def _refuse_same_dates(self, overrides: Sequence[tuple[date, Any] | None], place: str) -> None:
        seen: set[date] = set()
        for at, override in enumerate(overrides):
            if override is not None and override[0] in seen:
                self.form.fault(f"{place}[{at}].date", "has an earlier override too")
            if override is not None:
                seen.add(override[0])

    # times

    def _time(self, value: Any, place: str) -> _Time | None:
        match = TIME.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.form.fault(place, "must be a time such as 2027-03-01T09:00, with an offset or without")
            return None
        year, month, day, hour, minute = (int(part) for part in match.groups()[:5])
        try:
            midnight = datetime(year, month, day)  # noqa: DTZ001 - a wall-clock reading; its zone is applied later
        except ValueError:
            self.form.fault(place, "is on no date that exists")
            return None
        if minute > 59 or hour > 24 or (hour == 24 and minute):
            self.form.fault(place, "is no time of day that exists")
            return None
        offset = self._offset(match.group(6), place)
        if match.group(6) is not None and offset is None:
            return None
        try:
            return _Time(midnight + timedelta(hours=hour, minutes=minute), offset)
        except OverflowError:
            return _Time(midnight, offset)

    def _offset(self, written: str | None, place: str) -> timedelta | None:
        if written is None:
            return None
        if written == "Z":
            return timedelta(0)
        hours, minutes = int(written[1:3]), int(written[4:6])
        if hours > 23 or minutes > 59:
            self.form.fault(place, "has an offset that does not exist")
            return None
        return timedelta(hours=hours, minutes=minutes) * (-1 if written[0] == "-" else 1)

    def _span(self, value: Any, place: str) -> tuple[datetime, datetime] | None:
        found = self.form.members(value, place, ("from", "to"))
        if found is None:
            return None
        begins = self._time(found["from"], f"{place}.from") if "from" in found else None
        ends = self._time(found["to"], f"{place}.to") if "to" in found else None
        if begins is None or ends is None or self.zone is None:
            return None
        span = begins.at(self.zone), ends.at(self.zone, last=True)
        if span[0] >= span[1] and not span[0] == span[1] == LAST_AT and not span[0] == span[1] == FIRST_AT:
            self.form.fault(f"{place}.to", "must be after from")
            return None
        return span

    # the course

    def _course(
        self, top: Mapping[str, Any], kinds: Mapping[str, Kind]
    ) -> tuple[list[Step | None], list[Spacing | None]]:
        if "course" not in top:
            return [], []
        found = self.form.members(top["course"], "course", ("steps",), ("spacing",))
        if found is None:
            return [], []
        steps: list[Step | None] = []
        if "steps" in found:
            steps = self.form.items(
                found["steps"], "course.steps", lambda value, place: self._step(value, place, kinds), least=1, most=60
            )
        spacing: list[Spacing | None] = []
        if "spacing" in found:
            spacing = self.form.items(found["spacing"], "course.spacing", self._spacing, most=400)
        self._refuse_disordered_pins(steps)
        return steps, spacing

    def _step(self, value: Any, place: str, kinds: Mapping[str, Kind]) -> Step | None:
        had = len(self.form.faults)
        found = self.form.members(
            value, place, ("treatment", "minutes", "needs"), ("gap_days", "dates", "pinned")
        )
        if found is None:
            return None
        treatment = self.form.name(found["treatment"], f"{place}.treatment") if "treatment" in found else None
        minutes = None
        if "minutes" in found:
            minutes = self.form.whole(found["minutes"], f"{place}.minutes", 1, MINUTES_OF_A_DAY)
        needs: list[Need | None] = []
        if "needs" in found:
            needs = self.form.items(
                found["needs"], f"{place}.needs",
                lambda need, at: self._need(need, at, 1 if minutes is None else minutes), least=1, most=12,
            )
            self._refuse_unlike(needs, f"{place}.needs")
        gap = self._gap(found["gap_days"], f"{place}.gap_days") if "gap_days" in found else None
        if "gap_days" not in found and place != "course.steps[0]":
            self.form.fault(f"{place}.gap_days", "is required from the second step on")
        from_on, to_on = self._dates(found["dates"], f"{place}.dates") if "dates" in found else (None, None)
        pin = self._pin(found["pinned"], f"{place}.pinned", needs, kinds) if "pinned" in found else None
        if len(self.form.faults) > had or treatment is None or minutes is None:
            return None
        return Step(treatment, minutes, tuple(_whole(needs)), gap, from_on, to_on, pin)

    def _need(self, value: Any, place: str, minutes: int) -> Need | None:
        found = self.form.members(value, place, ("kind",), ("skills", "offset", "minutes", "same_as"))
        if found is None:
            return None
        kind = self.form.one_of(found["kind"], f"{place}.kind", KINDS) if "kind" in found else None
        skills = self._skills(found, place, unique=False)
        offset: int | None = 0
        if "offset" in found:
            offset = self.form.whole(found["offset"], f"{place}.offset", -MINUTES_OF_A_DAY, MINUTES_OF_A_DAY)
        held: int | None = minutes
        if "minutes" in found:
            held = self.form.whole(found["minutes"], f"{place}.minutes", 1, 2 * MINUTES_OF_A_DAY)
        same_as = self.form.whole(found["same_as"], f"{place}.same_as", 1) if "same_as" in found else None
        if kind is None or offset is None or held is None:
            return None
        return Need(Kind(kind), held, skills, offset, same_as)

    def _refuse_unlike(self, needs: Sequence[Need | None], place: str) -> None:
        for at, need in enumerate(needs):
            if need is None or need.same_as is None:
                continue
            other = needs[need.same_as - 1] if need.same_as <= at else None
            if need.same_as > at or (other is not None and other.kind is not need.kind):
                self.form.fault(f"{place}[{at}].same_as", "must be an earlier need of the same kind, counted from 1")

    def _gap(self, value: Any, place: str) -> Gap | None:
        found = self.form.members(value, place, ("min", "ideal", "max"))
        if found is None:
            return None
        shortest, ideal, longest = (
            self.form.whole(found[key], inside(place, key), 1, LONGEST_DAYS) if key in found else None
            for key in ("min", "ideal", "max")
        )
        if shortest is not None and ideal is not None and shortest > ideal:
            self.form.fault(f"{place}.min", "must not be more than ideal")
        if ideal is not None and longest is not None and ideal > longest:
            self.form.fault(f"{place}.max", "must not be less than ideal")
        if shortest is not None and longest is not None and ideal is None and shortest > longest:
            self.form.fault(f"{place}.max", "must not be less than min")
        if shortest is None or ideal is None or longest is None or not shortest <= ideal <= longest:
            return None
        return Gap(shortest, ideal, longest)

    def _dates(self, value: Any, place: str) -> tuple[date | None, date | None]:
        found = self.form.members(value, place, (), ("from", "to"))
        if found is None:
            return None, None
        if not found:
            self.form.fault(place, "must have from or to")
        from_on = self.form.date(found["from"], f"{place}.from") if "from" in found else None
        to_on = self.form.date(found["to"], f"{place}.to") if "to" in found else None
        if from_on is not None and to_on is not None and from_on > to_on:
            self.form.fault(f"{place}.to", "must not be before from")
        return from_on, to_on

    def _pin(self, value: Any, place: str, needs: Sequence[Need | None], kinds: Mapping[str, Kind]) -> Pin | None:
        found = self.form.members(value, place, ("start", "resources"))
        if found is None:
            return None
        start = self._time(found["start"], f"{place}.start") if "start" in found else None
        if "resources" not in found:
            return None
        names = self.form.items(found["resources"], f"{place}.resources", self.form.name)
        if isinstance(found["resources"], list) and len(names) != len(needs):
            self.form.fault(f"{place}.resources", f"must name one resource for each of the {len(needs)} needs")
        for at, (name, need) in enumerate(zip(names, needs, strict=False)):
            if name is not None and name not in kinds:
                self.form.fault(f"{place}.resources[{at}]", "is no resource of this problem")
            elif name is not None and need is not None and kinds[name] is not need.kind:
                self.form.fault(f"{place}.resources[{at}]", f"must be a {need.kind.value}, as the need is")
        if start is None or self.zone is None:
            return None
        start_at = start.at(self.zone)
        if not FIRST_AT < start_at < LAST_AT:
            self.form.fault(f"{place}.start", "is too near the end of the calendar")
        return Pin(start_at, tuple(_whole(names)))

    def _refuse_disordered_pins(self, steps: Sequence[Step | None]) -> None:
        latest: datetime | None = None
        for at, step in enumerate(steps):
            if step is None or step.pinned is None:
                continue
            if latest is not None and step.pinned.start_at < latest:
                self.form.fault(f"course.steps[{at}].pinned.start", "must not be before the pin of an earlier step")
            else:
                latest = step.pinned.start_at

    def _spacing(self, value: Any, place: str) -> Spacing | None:
        found = self.form.members(value, place, ("first", "then", "days"))
        if found is None:
            return None
        first = self.form.name(found["first"], f"{place}.first") if "first" in found else None
        then = self.form.name(found["then"], f"{place}.then") if "then" in found else None
        days = self.form.whole(found["days"], f"{place}.days", 0, LONGEST_DAYS) if "days" in found else None
        return None if first is None or then is None or days is None else Spacing(first, then, days)

    # the patient

    def _past(self, value: Any, place: str) -> Past | None:
        found = self.form.members(value, place, ("treatment", "date"))
        if found is None:
            return None
        treatment = self.form.name(found["treatment"], f"{place}.treatment") if "treatment" in found else None
        on = self.form.date(found["date"], f"{place}.date") if "date" in found else None
        return None if treatment is None or on is None else Past(treatment, on)

    def _preferences(self, top: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Preferences:
        if "preferences" not in top:
            return Preferences()
        place = "preferences"
        found = self.form.members(top["preferences"], place, (), ("practitioner", "windows"))
        if found is None:
            return Preferences()
        name = None
        if "practitioner" in found:
            name = self.form.name(found["practitioner"], f"{place}.practitioner")
            if name is not None and kinds.get(name) is not Kind.PRACTITIONER:
                self.form.fault(f"{place}.practitioner", "is no practitioner of this problem")
        windows = None
        if "windows" in found:
            windows = tuple(_whole(
                self.form.items(found["windows"], f"{place}.windows", self._hours, least=1, most=64)
            ))
        return Preferences(name, windows)

    def _costs(self, top: Mapping[str, Any]) -> Costs:
        if "costs" not in top:
            return Costs()
        keys = ("gap_day", "wait_day", "practitioner_change", "other_practitioner", "outside_windows")
        found = self.form.members(top["costs"], "costs", (), keys)
        points = {
            key: self.form.whole(found[key], inside("costs", key), 0, DEAREST)
            for key in keys if found is not None and key in found
        }
        return Costs(**{key: each for key, each in points.items() if each is not None})


def _on_ruler(on: Ruler, resources: Sequence[_Resource]) -> tuple[Resource, ...]:
    return tuple(
        Resource(
            each.id, each.kind, each.skills, opening_bits(on, each.hours, each.overrides),
            busy_bits(on, each.busy) if each.busy else 0,
        )
        for each in resources
    )


def _whole(found: Sequence[Any]) -> list[Any]:
    """What could be read."""
    return [each for each in found if each is not None]
