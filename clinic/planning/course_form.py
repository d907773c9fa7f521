"""Reading the course of a planning document: its steps, their pins and their spacing."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from clinic.planning.form import Form, inside, readable
from clinic.planning.problem import Gap, Kind, Need, Pin, Spacing, Step
from clinic.planning.resources_form import KINDS
from clinic.planning.ruler import MINUTES_OF_A_DAY
from clinic.planning.times_form import FIRST_AT, LAST_AT, TimesReader

LONGEST_DAYS = 3660


class CourseReader:
    """Reads the course; `kinds` are those of the resources that pins may name."""

    def __init__(self, form: Form, times: TimesReader, kinds: Mapping[str, Kind]) -> None:
        self.form, self.times, self.kinds = form, times, kinds

    def course(self, value: Any) -> tuple[list[Step | None], list[Spacing | None]]:
        """The steps and the spacing between their treatments."""
        found = self.form.members(value, "course", ("steps",), ("spacing",))
        if found is None:
            return [], []
        steps: list[Step | None] = []
        if "steps" in found:
            steps = self.form.items(found["steps"], "course.steps", self._step, least=1, most=60)
        spacing: list[Spacing | None] = []
        if "spacing" in found:
            spacing = self.form.items(found["spacing"], "course.spacing", self._spacing, most=400)
        self._refuse_disordered_pins(steps)
        return steps, spacing

    def _step(self, value: Any, place: str) -> Step | None:
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
        pin = self._pin(found["pinned"], f"{place}.pinned", needs) if "pinned" in found else None
        if len(self.form.faults) > had or treatment is None or minutes is None:
            return None
        return Step(treatment, minutes, tuple(readable(needs)), gap, from_on, to_on, pin)

    def _need(self, value: Any, place: str, minutes: int) -> Need | None:
        found = self.form.members(value, place, ("kind",), ("skills", "offset", "minutes", "same_as"))
        if found is None:
            return None
        kind = self.form.one_of(found["kind"], f"{place}.kind", KINDS) if "kind" in found else None
        skills = self.form.skills(found, place, unique=False)
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

    def _pin(self, value: Any, place: str, needs: Sequence[Need | None]) -> Pin | None:
        found = self.form.members(value, place, ("start", "resources"))
        if found is None:
            return None
        start = self.times.time(found["start"], f"{place}.start") if "start" in found else None
        if "resources" not in found:
            return None
        names = self.form.items(found["resources"], f"{place}.resources", self.form.name)
        if isinstance(found["resources"], list) and len(names) != len(needs):
            self.form.fault(f"{place}.resources", f"must name one resource for each of the {len(needs)} needs")
        for at, (name, need) in enumerate(zip(names, needs, strict=False)):
            if name is not None and name not in self.kinds:
                self.form.fault(f"{place}.resources[{at}]", "is no resource of this problem")
            elif name is not None and need is not None and self.kinds[name] is not need.kind:
                self.form.fault(f"{place}.resources[{at}]", f"must be a {need.kind.value}, as the need is")
        if start is None or self.times.zone is None:
            return None
        start_at = start.at(self.times.zone)
        if not FIRST_AT < start_at < LAST_AT:
            self.form.fault(f"{place}.start", "is too near the end of the calendar")
        return Pin(start_at, tuple(readable(names)))

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
