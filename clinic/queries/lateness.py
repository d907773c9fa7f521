"""When the visits of somebody who runs late are likely to begin: what is read, as the rule of lateness takes it."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.states import AppointmentState
from clinic.planning.lateness import Delay, Late, Load, delays
from clinic.planning.local import DAY, MINUTE, instant
from clinic.store.diary import Appointment, ResourceBooking, RunningLate
from clinic.store.resources import Practitioner

_COUNT = (AppointmentState.BOOKED, AppointmentState.ARRIVED, AppointmentState.FULFILLED)
OPEN = (AppointmentState.BOOKED, AppointmentState.ARRIVED)
"""The states of a visit that is still to come or going on."""
_NOTHING = Delay(timedelta(0), timedelta(0))
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Expected:
    """When a visit is likely to begin and end; of a patient who is here, when somebody begins to treat them."""

    begins_at: datetime
    ends_at: datetime
    delay: Delay

    @property
    def minutes(self) -> int:
        """How much later than planned it begins."""
        return self.delay.begins // MINUTE


@dataclass(frozen=True, slots=True)
class LatePerson:
    """A practitioner who runs late, as somebody said it."""

    id: int
    name: str
    said: Late


@dataclass(frozen=True, slots=True)
class DayLateness:
    """Who runs late on a day at a clinic until their last visit is over, and what that means for which appointment."""

    people: tuple[LatePerson, ...]
    expected: Mapping[int, Expected]


NOBODY_LATE = DayLateness((), {})


def lateness_of(db: Session, clinic_id: int, on: date, *, where: ZoneInfo) -> DayLateness:
    """The lateness of a day, in one statement."""
    spans: defaultdict[LatePerson, defaultdict[int, list[Span]]] = defaultdict(lambda: defaultdict(list))
    visits: dict[int, Any] = {}
    for row in db.execute(_late_visits(clinic_id, on, where)):
        its = spans[LatePerson(row.practitioner_id, row.name, Late(row.minutes, row.at))]
        if row.visit_id is not None:
            visits[row.visit_id] = row
            its[row.visit_id].append((row.held_from, row.held_to))
    found = latest(delays(_loads(held, visits), person.said) for person, held in spans.items())
    treated_at = {ident: min(held[ident][0][0] for held in spans.values() if ident in held) for ident in visits}
    still = tuple(person for person, held in spans.items()
                  if not held or any(visits[ident].state in OPEN for ident in held))
    return DayLateness(still, {
        ident: expected_of(visits[ident].starts_at, visits[ident].ends_at, delay,
                           is_here=visits[ident].state == AppointmentState.ARRIVED, treated_at=treated_at[ident])
        for ident, delay in found.items()})


def load_of(
    visit_id: int, state: str, spans: Sequence[Span], *, begun_at: datetime | None, closed_at: datetime | None
) -> Load | None:
    """What a visit asks of a practitioner; none where it asks nothing, or is not agreed yet."""
    if state not in _COUNT or not spans:
        return None
    return Load(visit_id, tuple(sorted(spans)), begun_at, closed_at if state == AppointmentState.FULFILLED else None,
                is_here=state == AppointmentState.ARRIVED)


def latest(found: Iterable[Mapping[int, Delay]]) -> Mapping[int, Delay]:
    """Where several people of one visit run late, whoever is the latest decides."""
    worst: dict[int, Delay] = {}
    for each in found:
        for visit_id, delay in each.items():
            known = worst.get(visit_id, _NOTHING)
            worst[visit_id] = Delay(max(known.begins, delay.begins), max(known.ends, delay.ends))
    return worst


def expected_of(
    starts_at: datetime, ends_at: datetime, delay: Delay, *, is_here: bool, treated_at: datetime
) -> Expected:
    """When a visit with that delay is likely to begin and end."""
    return Expected((treated_at if is_here else starts_at) + delay.begins, ends_at + delay.ends, delay)


def _late_visits(clinic_id: int, on: date, where: ZoneInfo) -> sa.Select[Any]:
    """What those who run late are held for on that day; one row for whoever is held for nothing."""
    begins, ends = instant(on, 0, where), instant(on + DAY, 0, where)
    held, visit, person = ResourceBooking.__table__.c, Appointment.__table__.c, Practitioner.__table__.c
    return (
        sa.select(
            RunningLate.practitioner_id, person.name, RunningLate.minutes, RunningLate.at, visit.id.label("visit_id"),
            visit.state, visit.starts_at, visit.ends_at, visit.begun_at, visit.closed_at,
            held.starts_at.label("held_from"), held.ends_at.label("held_to"))
        .select_from(RunningLate.__table__)
        .join(Practitioner.__table__, person.id == RunningLate.practitioner_id)
        .outerjoin(ResourceBooking.__table__, sa.and_(
            held.resource_id == RunningLate.practitioner_id, held.clinic_id == clinic_id,
            held.ends_at > begins, held.starts_at < ends))
        .outerjoin(Appointment.__table__, sa.and_(
            visit.id == held.appointment_id, visit.starts_at >= begins, visit.starts_at < ends))
        .where(RunningLate.clinic_id == clinic_id, RunningLate.on_date == on)
        .order_by(person.name, person.id, held.starts_at))


def _loads(held: Mapping[int, Sequence[Span]], visits: Mapping[int, Any]) -> list[Load]:
    found = (load_of(ident, visits[ident].state, spans, begun_at=visits[ident].begun_at,
                     closed_at=visits[ident].closed_at) for ident, spans in held.items())
    return [load for load in found if load is not None]
