"""Some days at a clinic as its diary shows them: columns with their hours, and everybody who comes.

The grid, the week and the list are drawn from this one value, so that they say the same.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from clinic.care.parts import Part, ResourceKind, patient_minutes, read_parts
from clinic.care.states import AppointmentState
from clinic.care.windows import Fit, Window
from clinic.planning import ruler
from clinic.planning.local import DAY, instant, zone
from clinic.queries.consultations import last_day
from clinic.queries.diary_hours import Hours, Shade, Stretch, Timing, spans_of, stretches_within
from clinic.queries.diary_rows import (
    HeldSpan,
    HoursRows,
    asked_of,
    held_spans,
    hours_rows,
    version_of,
    visit_rows,
)
from clinic.queries.protocol_contents import contents_of

__all__ = ["Diary", "DiaryColumn", "DiaryDay", "DiaryResource", "DiaryVisit", "HeldPart", "Shade",
           "Stretch", "diary_of", "diary_version"]

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class DiaryResource:
    """A practitioner, a room or a device that appointments hold."""

    id: int
    kind: ResourceKind
    name: str


@dataclass(frozen=True, slots=True)
class HeldPart:
    """What a visit holds of one resource, from when to when."""

    resource: DiaryResource
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class DiaryVisit:
    """An appointment. `holds` is empty where it holds nothing any more: cancelled, missed, or its hold has lapsed.

    `number` and `of` say which session of its course it is; without `of` it is one of its upkeep. `fit` is how its
    date lies in its window, where it has one. `parts` are empty where they are not known to be those of this visit.
    """

    id: int
    lock_version: int
    kind: str
    state: AppointmentState
    starts_at: datetime
    ends_at: datetime
    local_start: datetime
    local_end: datetime
    patient_id: int
    patient: str
    alerts: str
    treatment_id: int | None
    treatment: str
    number: int | None
    of: int | None
    fit: Fit | None
    course_id: int | None
    pinned: bool
    is_confirmed: bool
    held_until: date | None
    ended_cause: str | None
    holds: tuple[HeldPart, ...]
    parts: tuple[Part, ...]

    def names(self, kind: ResourceKind) -> tuple[str, ...]:
        """Those whom or what it holds of a kind, each once."""
        return tuple(dict.fromkeys(each.resource.name for each in self.holds if each.resource.kind is kind))


@dataclass(frozen=True, slots=True)
class DiaryDay:
    """A date with its instants, from midnight to midnight, and why the clinic is closed on it, if it is."""

    on: date
    starts_at: datetime
    ends_at: datetime
    closed: str | None


@dataclass(frozen=True, slots=True)
class DiaryColumn:
    """One resource on one day: what its hours are, and where it could be booked from now on."""

    day: DiaryDay
    resource: DiaryResource
    stretches: tuple[Stretch, ...]
    free: tuple[Span, ...]
    visits: tuple[DiaryVisit, ...]

    @property
    def is_here(self) -> bool:
        """Whether there is anything to see: work, or somebody who comes."""
        return bool(self.visits) or any(each.shade is Shade.WORK for each in self.stretches)


@dataclass(frozen=True, slots=True)
class Diary:
    """Some days of a clinic by one kind of resource; `visits` are all of them, those that hold nothing too."""

    where: ZoneInfo
    days: tuple[DiaryDay, ...]
    columns: tuple[DiaryColumn, ...]
    visits: tuple[DiaryVisit, ...]


def diary_of(
    db: Session, clinic_id: int, first_on: date, days: int, *, by: ResourceKind, where: ZoneInfo, now: datetime
) -> Diary:
    """The diary of some days, in four statements at most, however full they are."""
    on, asked = ruler(where, first_on, days), asked_of(clinic_id, first_on, days, where, now)
    rows, held = hours_rows(db, asked), held_spans(db, asked)
    resources = _resources(rows)
    visits = _visits(db, visit_rows(db, asked), held, resources)
    timing = Timing(on, rows, (span for spans in held.values() for span in spans), clinic_id)
    sites = {ident: name for ident, name, _ in rows.clinics}
    shown = _shown(rows, timing, visits, resources, by)
    hours = {each.id: timing.of(each.id) for each in shown}
    there, columns = _there(visits), []
    all_days = tuple(_day(first_on + after * DAY, where, rows) for after in range(days))
    for day in all_days:
        low, high, begun = on.down(day.starts_at), on.up(day.ends_at), on.up(now)
        for each in shown:
            its: Hours = hours[each.id]
            columns.append(DiaryColumn(
                day, each, stretches_within(on, its, low, high, sites=sites),
                tuple(spans_of(on, its.free, max(low, begun), high)),
                tuple(visit for visit, begins, ends in there.get(each.id, ())
                      if begins < day.ends_at and ends > day.starts_at)))
    return Diary(where, all_days, tuple(columns), visits)


def diary_version(
    db: Session, clinic_id: int, first_on: date, days: int, *, where: ZoneInfo, now: datetime
) -> str:
    """A name for what the diary of these days shows; it is another one once anything of it has changed."""
    return version_of(db, asked_of(clinic_id, first_on, days, where, now))


def _resources(rows: HoursRows) -> Mapping[int, DiaryResource]:
    kinds = zip(ResourceKind, (rows.practitioners, rows.rooms, rows.devices), strict=True)
    return {row[0]: DiaryResource(row[0], kind, row[1]) for kind, found in kinds for row in found}


def _shown(
    rows: HoursRows, timing: Timing, visits: Sequence[DiaryVisit], resources: Mapping[int, DiaryResource],
    by: ResourceKind,
) -> list[DiaryResource]:
    """Those in use that are of this clinic, and whoever else holds something here, by name."""
    found = dict(zip(ResourceKind, (rows.practitioners, rows.rooms, rows.devices), strict=True))[by]
    ids = {row[0] for row in found if row[2] and (by is not ResourceKind.PRACTITIONER or timing.works_here(row[0]))}
    ids |= {each.resource.id for visit in visits for each in visit.holds if each.resource.kind is by}
    return sorted((resources[ident] for ident in ids), key=lambda each: (each.name.casefold(), each.id))


def _day(on: date, where: ZoneInfo, rows: HoursRows) -> DiaryDay:
    closed = next((reason for first, last, reason in sorted(rows.closures)
                   if date.fromisoformat(first) <= on <= date.fromisoformat(last)), None)
    return DiaryDay(on, instant(on, 0, where), instant(on + DAY, 0, where), closed)


def _there(visits: Iterable[DiaryVisit]) -> Mapping[int, list[tuple[DiaryVisit, datetime, datetime]]]:
    """For each resource the visits that hold it, with when they begin and end: the patient's stay and what is held."""
    found: defaultdict[int, list[tuple[DiaryVisit, datetime, datetime]]] = defaultdict(list)
    for visit in visits:
        spans: dict[int, Span] = {}
        for each in visit.holds:
            begins, ends = spans.get(each.resource.id, (visit.starts_at, visit.ends_at))
            spans[each.resource.id] = min(begins, each.starts_at), max(ends, each.ends_at)
        for ident, (begins, ends) in spans.items():
            found[ident].append((visit, begins, ends))
    return found


def _visits(
    db: Session, rows: Sequence[Any], held: Mapping[int, list[HeldSpan]],
    resources: Mapping[int, DiaryResource],
) -> tuple[DiaryVisit, ...]:
    contents = contents_of(db, {row.protocol_version_id for row in rows if row.protocol_version_id})
    parts = {version: {each.code: each.parts for each in content.treatments} for version, content in contents.items()}
    names = {version: {each.code: each.name for each in content.treatments} for version, content in contents.items()}
    found = []
    for row in rows:
        holds = tuple(HeldPart(resources[span.resource_id], span.starts_at, span.ends_at)
                      for span in held.get(row.id, ()) if span.resource_id in resources)
        code, version = row.treatment_code, row.protocol_version_id
        its = parts[version].get(code, ()) if version else read_parts(row.parts or [])
        name = row.treatment or names.get(version, {}).get(code, code)
        found.append(_visit(row, holds, its, name))
    return tuple(found)


def _visit(row: Any, holds: tuple[HeldPart, ...], parts: Sequence[Part], treatment: str) -> DiaryVisit:
    where = zone(row.zone)
    window = (row.earliest_on, row.ideal_on, row.latest_on)
    starts = row.local_start.replace(tzinfo=where, fold=row.fold)
    # Parts that were changed since, as those of a consultation may be, say nothing of a visit of another length.
    fits = bool(holds) and patient_minutes(parts) == row.minutes
    return DiaryVisit(
        id=row.id, lock_version=row.lock_version, kind=row.kind, state=AppointmentState(row.state),
        starts_at=row.starts_at, ends_at=row.ends_at, local_start=starts,
        local_end=row.ends_at.astimezone(where), patient_id=row.patient_id,
        patient=f"{row.given_name} {row.family_name}", alerts=row.alerts, treatment_id=row.treatment_id,
        treatment=treatment, number=row.number, of=row.of,
        fit=Window(*window).fit(starts.date()) if all(window) else None, course_id=row.course_id, pinned=row.pinned,
        is_confirmed=row.confirmed_at is not None,
        held_until=last_day(row.hold_expires_at, row.zone) if row.hold_expires_at else None,
        ended_cause=row.ended_cause, holds=holds,
        parts=tuple(parts) if fits else ())

