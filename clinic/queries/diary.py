"""Some days at a clinic as its diary shows them: columns with their hours, and everybody who comes.

The grid, the week and the list are drawn from this one value, so that they say the same.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from clinic.care.parts import Part, ResourceKind, patient_minutes, read_parts
from clinic.care.states import AppointmentState
from clinic.care.windows import Fit, Window
from clinic.planning import Ruler, ruler
from clinic.planning.lateness import Late, Load, delays
from clinic.planning.local import DAY, day_of, instant, zone
from clinic.queries.away import Away, Noted, is_within, noted
from clinic.queries.consultations import last_day
from clinic.queries.diary_hours import Hours, Shade, Stretch, Timing, spans_of, stretches_within
from clinic.queries.diary_rows import DiaryText, HeldSpan, HoursRows, TreatmentRow, VisitRow, read_text
from clinic.queries.effects import TO_COME
from clinic.queries.folding import by_name
from clinic.queries.lateness import Expected, expected_of, latest, load_of
from clinic.queries.protocol_contents import contents_of
from clinic.store.expressions import instant_of, parsed

__all__ = ["Diary", "DiaryColumn", "DiaryDay", "DiaryResource", "DiaryText", "DiaryVisit", "HeldPart", "Shade",
           "Stretch", "diary_in", "diary_of", "read_text"]

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
    `expected` says when it is likely to begin, where somebody of it runs late. `away` is who and what
    of a visit to come is noted absent for some of its part in it.
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
    begun_at: datetime | None = None
    closed_at: datetime | None = None
    expected: Expected | None = None
    away: tuple[Away, ...] = ()

    @property
    def is_here(self) -> bool:
        """Whether the patient has come and has not left."""
        return self.state is AppointmentState.ARRIVED

    @property
    def mark(self) -> str:
        """Which session of its course it is, such as "2 of 4"; empty for any other visit."""
        if self.number is None:
            return ""
        return f"{self.number} of {self.of}" if self.of else f"maintenance {self.number}"

    def names(self, kind: ResourceKind) -> tuple[str, ...]:
        """Those whom or what it holds of a kind, each once."""
        return tuple(dict.fromkeys(each.resource.name for each in self.holds if each.resource.kind is kind))


@dataclass(frozen=True, slots=True)
class DiaryDay:
    """A date with its instants, from midnight to midnight, when the clinic is open, and why it is closed, if it is."""

    on: date
    starts_at: datetime
    ends_at: datetime
    closed: str | None
    open: tuple[Span, ...] = ()


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
    """Some days of a clinic by one kind of resource; `visits` are all of them, those that hold nothing too.

    `late` says who runs late today, whether today is shown or not.
    """

    where: ZoneInfo
    days: tuple[DiaryDay, ...]
    columns: tuple[DiaryColumn, ...]
    visits: tuple[DiaryVisit, ...]
    late: Mapping[int, Late] = field(default_factory=dict)


def diary_of(
    db: Session, clinic_id: int, first_on: date, days: int, *, by: ResourceKind, where: ZoneInfo, now: datetime
) -> Diary:
    """The diary of some days, in two statements at most, however full they are."""
    text = read_text(db, clinic_id, first_on, days, where=where, now=now)
    return diary_in(db, text, clinic_id, first_on, days, by=by, where=where, now=now)


def diary_in(
    db: Session, text: DiaryText, clinic_id: int, first_on: date, days: int, *, by: ResourceKind, where: ZoneInfo,
    now: datetime,
) -> Diary:
    """The same where its text was read: one statement at most, for what no protocol was asked of before."""
    on, rows, held = ruler(where, first_on, days), text.hours(), text.held()
    resources = _resources(rows)
    late = {who: Late(minutes, instant_of(at)) for who, minutes, at in rows.late}
    visits = _expected(_visits(db, text, held, resources), late, day_of(now, where))
    visits = _with_away(visits, noted(rows.absences))
    timing = Timing(on, rows, (span for spans in held.values() for span in spans), clinic_id)
    sites = {ident: name for ident, name, _ in rows.clinics}
    shown = _shown(rows, timing, visits, resources, by)
    hours = {each.id: timing.of(each.id) for each in shown}
    there, columns = _there(visits), []
    all_days = tuple(_day(on, first_on + after * DAY, where, rows, timing) for after in range(days))
    for day in all_days:
        low, high, begun = on.down(day.starts_at), on.up(day.ends_at), on.up(now)
        for each in shown:
            its: Hours = hours[each.id]
            columns.append(DiaryColumn(
                day, each, stretches_within(on, its, low, high, sites=sites),
                tuple(spans_of(on, its.free, max(low, begun), high)),
                tuple(visit for visit, begins, ends in there.get(each.id, ())
                      if begins < day.ends_at and ends > day.starts_at)))
    return Diary(where, all_days, tuple(columns), visits, late)


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
    return sorted((resources[ident] for ident in ids), key=lambda each: (by_name(each.name), each.id))


def _expected(
    visits: tuple[DiaryVisit, ...], late: Mapping[int, Late], today: date
) -> tuple[DiaryVisit, ...]:
    """Those visits, those of today with when they are likely to begin where somebody runs late."""
    if not late:
        return visits
    mine = [visit for visit in visits if visit.local_start.date() == today]
    found = latest(delays(_loads(mine, who), said) for who, said in late.items())
    return tuple(
        replace(visit, expected=expected_of(visit.starts_at, visit.ends_at, found[visit.id], is_here=visit.is_here,
                                            treated_at=_treated_at(visit)))
        if visit.id in found else visit for visit in visits)


def _with_away(visits: tuple[DiaryVisit, ...], absences: Noted) -> tuple[DiaryVisit, ...]:
    if not absences:
        return visits
    return tuple(replace(visit, away=found) if (found := _away(visit, absences)) else visit for visit in visits)


def _away(visit: DiaryVisit, absences: Noted) -> tuple[Away, ...]:
    if visit.state not in TO_COME:
        return ()
    return tuple(dict.fromkeys(
        Away(each.resource.kind, each.resource.name) for each in visit.holds
        if is_within(absences.get(each.resource.id, ()), each.starts_at, each.ends_at)))


def _loads(visits: Iterable[DiaryVisit], who: int) -> Iterator[Load]:
    for visit in visits:
        spans = [(each.starts_at, each.ends_at) for each in visit.holds if each.resource.id == who]
        load = load_of(visit.id, visit.state, spans, begun_at=visit.begun_at, closed_at=visit.closed_at)
        if load is not None:
            yield load


def _treated_at(visit: DiaryVisit) -> datetime:
    """When somebody begins to treat, which may be long after the patient came."""
    return min((each.starts_at for each in visit.holds if each.resource.kind is ResourceKind.PRACTITIONER),
               default=visit.starts_at)


def _day(ruled: Ruler, on: date, where: ZoneInfo, rows: HoursRows, timing: Timing) -> DiaryDay:
    starts_at, ends_at = instant(on, 0, where), instant(on + DAY, 0, where)
    closed = next((reason for first, last, reason in sorted(rows.closures)
                   if date.fromisoformat(first) <= on <= date.fromisoformat(last)), None)
    return DiaryDay(on, starts_at, ends_at, closed,
                    tuple(spans_of(ruled, timing.opening, ruled.down(starts_at), ruled.up(ends_at))))


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
    db: Session, text: DiaryText, held: Mapping[int, list[HeldSpan]], resources: Mapping[int, DiaryResource]
) -> tuple[DiaryVisit, ...]:
    rows, known = text.visits(), text.treatments()
    contents = contents_of(db, {row.protocol_version_id for row in rows if row.protocol_version_id})
    parts = {version: {each.code: each.parts for each in content.treatments} for version, content in contents.items()}
    names = {version: {each.code: each.name for each in content.treatments} for version, content in contents.items()}
    others = {row.treatment_code for row in rows if not row.protocol_version_id} & known.keys()
    parts_of_others = {code: read_parts(parsed(known[code].parts) or []) for code in others}
    found = []
    for row in rows:
        holds = tuple(HeldPart(resources[span.resource_id], instant_of(span.starts), instant_of(span.ends))
                      for span in held.get(row.id, ()) if span.resource_id in resources)
        code, version, treatment = row.treatment_code, row.protocol_version_id, known.get(row.treatment_code)
        its = parts[version].get(code, ()) if version else parts_of_others.get(code, ())
        name = treatment.name if treatment else names[version].get(code, code) if version else code
        found.append(_visit(row, holds, its, name, treatment))
    return tuple(found)


def _visit(
    row: VisitRow, holds: tuple[HeldPart, ...], parts: Sequence[Part], name: str, treatment: TreatmentRow | None
) -> DiaryVisit:
    where, ends_at = zone(row.zone), instant_of(row.ends)
    starts = datetime.fromisoformat(row.local_start).replace(tzinfo=where, fold=row.fold)
    # Parts that were changed since, as those of a consultation may be, say nothing of a visit of another length.
    fits = bool(holds) and patient_minutes(parts) == row.minutes
    return DiaryVisit(
        id=row.id, lock_version=row.lock_version, kind=row.kind, state=AppointmentState(row.state),
        starts_at=instant_of(row.starts), ends_at=ends_at, local_start=starts,
        local_end=ends_at.astimezone(where), patient_id=row.patient_id,
        patient=f"{row.given_name} {row.family_name}", alerts=row.alerts,
        treatment_id=treatment.id if treatment else None, treatment=name, number=row.number, of=row.of,
        fit=_fit(row, starts.date()), course_id=row.course_id, pinned=bool(row.pinned),
        is_confirmed=bool(row.is_confirmed),
        held_until=last_day(instant_of(row.hold_expires), row.zone) if row.hold_expires else None,
        ended_cause=row.ended_cause, holds=holds,
        parts=tuple(parts) if fits else (), begun_at=instant_of(row.begun) if row.begun else None,
        closed_at=instant_of(row.closed) if row.closed else None)


def _fit(row: VisitRow, on: date) -> Fit | None:
    if row.earliest_on is None or row.ideal_on is None or row.latest_on is None:
        return None
    return Window(*map(date.fromisoformat, (row.earliest_on, row.ideal_on, row.latest_on))).fit(on)
