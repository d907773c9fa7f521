"""The planning problem and its answer as JSON documents: the planner's public format, version 1."""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from clinic.planning.answer import Answer, Plan, Status
from clinic.planning.course_form import LONGEST_DAYS, CourseReader
from clinic.planning.form import Form, Malformed, inside, load, readable
from clinic.planning.local import day_of, local_of, zone
from clinic.planning.problem import Costs, Kind, Past, Preferences, Problem, Step
from clinic.planning.resources_form import ResourcesReader, on_ruler
from clinic.planning.ruler import MINUTES_OF_A_DAY, SECONDS_OF_A_DAY, Ruler, busy_bits, granule_for, ruler
from clinic.planning.times_form import FIRST_AT, LAST_AT, TimesReader

PROBLEM_FORMAT = "clinic-planning-problem/1"
ANSWER_FORMAT = "clinic-planning-answer/1"
HORIZON_DAYS, START_STEP = 400, 15
DEAREST = 1_000_000
# Our default: granules of all resources together. Ten years to the minute fit for 500 resources; to the second, as
# clock changes by odd seconds long ago would need, they do not.
MOST_GRANULES = 3_000_000_000
RESOURCES_MORE = 10


def parse(text: str | bytes) -> Problem:
    """The problem that a JSON text states; Malformed with every fault by its place."""
    return problem_of(load(text))


def problem_of(document: Any) -> Problem:
    """The problem that a parsed JSON document states; Malformed with every fault by its place."""
    return _Reader().problem(document)


def as_text(document: Mapping[str, Any]) -> bytes:
    """A document as UTF-8 text, whatever the terminal speaks; names that are no text of Unicode are escaped."""
    try:
        return json.dumps(document, indent=1, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(document, indent=1).encode()


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
        times = TimesReader(self.form, self.zone)
        not_before = self._not_before(top, times)
        days = self._optional(top, "horizon_days", HORIZON_DAYS, 1, LONGEST_DAYS)
        step_minutes = self._optional(top, "start_step_minutes", START_STEP, 1, MINUTES_OF_A_DAY)
        resources = ResourcesReader(self.form, times).resources(top["resources"]) if "resources" in top else []
        kinds = {each.id: each.kind for each in resources if each is not None}
        patient_busy = self._list(top, "patient_busy", times.span, most=5000)
        steps, spacing = CourseReader(self.form, times, kinds).course(top["course"]) if "course" in top else ([], [])
        history = self._list(top, "history", self._past, most=1000)
        last = self.form.date(top["last_session"], "last_session") if "last_session" in top else None
        preferences = self._preferences(top, kinds, times)
        costs = self._costs(top)
        alternatives = self._optional(top, "alternatives", 1, 1, 100)
        if self.form.faults or self.zone is None or not_before is None:
            raise Malformed(self.form.faults)
        on = self._ruler(not_before, days, step_minutes, readable(steps), len(resources))
        return Problem(
            ruler=on,
            not_before=not_before,
            resources=on_ruler(on, readable(resources)),
            steps=tuple(readable(steps)),
            start_step=step_minutes,
            patient_busy=busy_bits(on, readable(patient_busy)),
            spacing=tuple(readable(spacing)),
            history=tuple(readable(history)),
            last_session_on=last,
            preferences=preferences,
            costs=costs,
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

    def _not_before(self, top: Mapping[str, Any], times: TimesReader) -> datetime | None:
        written = times.time(top["not_before"], "not_before") if "not_before" in top else None
        if written is None or self.zone is None:
            return None
        found = written.at(self.zone)
        if not FIRST_AT < found < LAST_AT - timedelta(days=LONGEST_DAYS + 20):
            self.form.fault("not_before", "is too near the end of the calendar")
            return None
        return found

    def _ruler(
        self, not_before: datetime, days: int, step_minutes: int, steps: Sequence[Step], resources: int
    ) -> Ruler:
        assert self.zone is not None
        first_on = day_of(not_before, self.zone)
        minutes = [
            each for step in steps if step.pinned is None
            for each in (step.minutes, *(part for need in step.needs for part in (need.offset, need.minutes)))
        ]
        granule = granule_for(step_minutes, minutes, self.zone, first_on, days)
        most_days = MOST_GRANULES // (resources + RESOURCES_MORE) * granule // SECONDS_OF_A_DAY
        if days > most_days:
            self.form.fault("horizon_days", (
                f"must be at most {most_days} for {resources} resources where time is counted in steps of {granule} s, "
                "as the clock changes of the zone ask here"
            ))
            raise Malformed(self.form.faults)
        return ruler(self.zone, first_on, days, granule)

    def _optional(self, top: Mapping[str, Any], key: str, default: int, low: int, high: int) -> int:
        if key not in top:
            return default
        found = self.form.whole(top[key], key, low, high)
        return default if found is None else found

    def _list(self, top: Mapping[str, Any], key: str, read: Any, most: int) -> list[Any]:
        return self.form.items(top[key], key, read, most=most) if key in top else []

    def _past(self, value: Any, place: str) -> Past | None:
        found = self.form.members(value, place, ("treatment", "date"))
        if found is None:
            return None
        treatment = self.form.name(found["treatment"], f"{place}.treatment") if "treatment" in found else None
        on = self.form.date(found["date"], f"{place}.date") if "date" in found else None
        return None if treatment is None or on is None else Past(treatment, on)

    def _preferences(
        self, top: Mapping[str, Any], kinds: Mapping[str, Kind], times: TimesReader
    ) -> Preferences:
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
            windows = tuple(readable(
                self.form.items(found["windows"], f"{place}.windows", times.hours, least=1, most=64)
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
