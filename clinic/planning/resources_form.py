"""Reading the resources of a planning document."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from clinic.planning.form import Form, readable
from clinic.planning.hours import Hours, opening_bits
from clinic.planning.problem import Kind, Resource
from clinic.planning.ruler import Ruler, busy_bits
from clinic.planning.times_form import TimesReader

KINDS = tuple(kind.value for kind in Kind)


@dataclass(frozen=True, slots=True)
class WrittenResource:
    """A resource as written, before there is a ruler."""

    id: str
    kind: Kind
    skills: frozenset[str]
    hours: tuple[Hours, ...] | None
    overrides: dict[date, tuple[tuple[int, int], ...]]
    busy: tuple[tuple[datetime, datetime], ...]


class ResourcesReader:
    """Reads the list of resources."""

    def __init__(self, form: Form, times: TimesReader) -> None:
        self.form, self.times = form, times

    def resources(self, value: Any) -> list[WrittenResource | None]:
        """All resources, no two with one id."""
        found = self.form.items(value, "resources", self._resource, most=500)
        self._refuse_same_ids(found)
        return found

    def _resource(self, value: Any, place: str) -> WrittenResource | None:
        had = len(self.form.faults)
        found = self.form.members(value, place, ("id", "kind"), ("skills", "hours", "overrides", "busy"))
        if found is None:
            return None
        name = self.form.name(found["id"], f"{place}.id") if "id" in found else None
        kind = self.form.one_of(found["kind"], f"{place}.kind", KINDS) if "kind" in found else None
        skills = self.form.skills(found, place, unique=True)
        hours = None
        if "hours" in found:
            hours = tuple(readable(self.form.items(found["hours"], f"{place}.hours", self.times.hours, most=64)))
        overrides: list[Any] = []
        if "overrides" in found:
            overrides = self.form.items(found["overrides"], f"{place}.overrides", self._override, most=4000)
            self._refuse_same_dates(overrides, f"{place}.overrides")
        busy: list[Any] = []
        if "busy" in found:
            busy = self.form.items(found["busy"], f"{place}.busy", self.times.span, most=50_000)
        if name is None or kind is None:
            return None
        if len(self.form.faults) > had:
            # Its name and kind are known: what refers to it is not at fault.
            return WrittenResource(name, Kind(kind), skills, None, {}, ())
        return WrittenResource(name, Kind(kind), skills, hours, dict(readable(overrides)), tuple(readable(busy)))

    def _override(self, value: Any, place: str) -> tuple[date, tuple[tuple[int, int], ...]] | None:
        found = self.form.members(value, place, ("date", "hours"))
        if found is None:
            return None
        on = self.form.date(found["date"], f"{place}.date") if "date" in found else None
        hours: list[Any] = []
        if "hours" in found:
            hours = self.form.items(found["hours"], f"{place}.hours", self._hours_of_a_date, most=24)
        return None if on is None else (on, tuple(readable(hours)))

    def _hours_of_a_date(self, value: Any, place: str) -> tuple[int, int] | None:
        found = self.form.members(value, place, ("from", "to"))
        begins, ends = (None, None) if found is None else self.times.clocks(found, place)
        return None if begins is None or ends is None else (begins, ends)

    def _refuse_same_dates(self, overrides: Sequence[tuple[date, Any] | None], place: str) -> None:
        seen: set[date] = set()
        for at, override in enumerate(overrides):
            if override is not None and override[0] in seen:
                self.form.fault(f"{place}[{at}].date", "has an earlier override too")
            if override is not None:
                seen.add(override[0])

    def _refuse_same_ids(self, resources: Sequence[WrittenResource | None]) -> None:
        seen: set[str] = set()
        for at, resource in enumerate(resources):
            if resource is not None and resource.id in seen:
                self.form.fault(f"resources[{at}].id", "is the id of an earlier resource too")
            if resource is not None:
                seen.add(resource.id)


def on_ruler(on: Ruler, resources: Sequence[WrittenResource]) -> tuple[Resource, ...]:
    """The resources with their hours and busy spans as bits."""
    return tuple(
        Resource(
            each.id, each.kind, each.skills, opening_bits(on, each.hours, each.overrides),
            busy_bits(on, each.busy) if each.busy else 0,
        )
        for each in resources
    )
