"""Treatment sessions as a page shows them: each with its window, its appointment and what held it before."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from clinic.care.parts import ResourceKind
from clinic.care.states import AppointmentState, SessionState
from clinic.care.windows import Fit, Window
from clinic.planning.local import local_of, zone
from clinic.queries.away import Away, is_away
from clinic.queries.consultations import last_day
from clinic.queries.effects import TO_COME
from clinic.store.courses import MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.resources import Device, Practitioner, Resource, Room

_STANDS = frozenset({
    AppointmentState.PROPOSED, AppointmentState.BOOKED, AppointmentState.ARRIVED, AppointmentState.FULFILLED,
})


# Not the whole row: a day has hundreds.
_OF_LINE = (
    Appointment.id, Appointment.kind, Appointment.state, Appointment.local_start, Appointment.fold, Appointment.zone,
    Appointment.ends_at, Appointment.treatment_session_id, Appointment.cancellation_reason, Appointment.ended_cause,
    Appointment.closed_at, Appointment.lock_version, Appointment.pinned, Appointment.hold_expires_at,
    Appointment.confirmed_at, Appointment.begun_at,
)


@dataclass(frozen=True, slots=True)
class AppointmentLine:
    """An appointment in the wall time of its own zone; who and what it holds, where it still holds anything.

    `held_until` is the last day of one that waits for a consultation; `confirmed_at` is when the patient said that they
    come, `begun_at` when somebody began with them. `away` is who and what of one to come is noted absent then.
    """

    id: int
    kind: str
    state: AppointmentState
    local_start: datetime
    local_end: datetime
    zone: str
    practitioner: str | None
    practitioner_id: int | None
    room: str | None
    device: str | None
    cancellation_reason: str | None
    ended_cause: str | None
    closed_at: datetime | None
    lock_version: int
    pinned: bool = False
    held_until: date | None = None
    confirmed_at: datetime | None = None
    begun_at: datetime | None = None
    away: tuple[Away, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether it is still to come or was kept: neither cancelled nor missed."""
        return self.state in _STANDS


@dataclass(slots=True)
class _Held:
    """What an appointment holds: the first of each kind of resource with its id, and who and what of it all is away."""

    first: dict[str, tuple[int, str]] = field(default_factory=dict)
    away: dict[Away, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A treatment session: `appointment` is the one that stands, `past` those cancelled or missed, oldest first.

    One that was treated in part names the areas treated and those left out.
    """

    id: int
    number: int
    treatment: str
    state: SessionState
    earliest_on: date | None
    ideal_on: date | None
    latest_on: date | None
    performed_local: datetime | None
    appointment: AppointmentLine | None
    past: tuple[AppointmentLine, ...]
    gap_days: int | None
    lock_version: int
    areas_treated: str | None = None
    areas_left: str | None = None

    @property
    def held_on(self) -> date | None:
        """The local date on which it was performed or is booked."""
        if self.performed_local:
            return self.performed_local.date()
        return self.appointment.local_start.date() if self.appointment else None

    @property
    def fit(self) -> Fit | None:
        """How its date lies in its window; nothing where either is missing."""
        if self.held_on is None or self.earliest_on is None or self.ideal_on is None or self.latest_on is None:
            return None
        return Window(self.earliest_on, self.ideal_on, self.latest_on).fit(self.held_on)


def session_lines(
    db: Session, owned: sa.ColumnElement[bool], *, zone_name: str, names: Mapping[str, str],
    before_on: date | None = None,
) -> tuple[SessionLine, ...]:
    """The treatment sessions that `owned` selects, by number, in three statements whatever their count.

    `names` gives each treatment code its name; `before_on` is the date of the session before the first.
    """
    rows = db.scalars(sa.select(TreatmentSession).where(owned).order_by(TreatmentSession.number)).all()
    wanted = sa.select(TreatmentSession.id).where(owned)
    held: dict[int, list[AppointmentLine]] = {}
    for session_id, visit in appointment_lines(db, Appointment.treatment_session_id.in_(wanted)):
        if session_id is not None:
            held.setdefault(session_id, []).append(visit)
    lines = []
    for row in rows:
        line = _session_line(row, held.get(row.id, []), zone_name, names, before_on)
        lines.append(line)
        if row.state != SessionState.NOT_DONE:
            before_on = line.held_on
    return tuple(lines)


def of_courses(course_ids: sa.BindParameter[Any]) -> sa.ColumnElement[bool]:
    """Whether a session is of one of the courses that are bound there, or of its upkeep.

    Their ids are put together, not asked for one way or the other: for that PostgreSQL reads every session there is.
    """
    own, kept_up = aliased(TreatmentSession), aliased(TreatmentSession)
    return TreatmentSession.id.in_(sa.union_all(
        sa.select(own.id).where(own.course_id.in_(course_ids)),
        sa.select(kept_up.id).join(MaintenancePlan, MaintenancePlan.id == kept_up.maintenance_plan_id)
        .where(MaintenancePlan.course_id.in_(course_ids), kept_up.maintenance_plan_id.is_not(None))))


def appointment_lines(
    db: Session, which: sa.ColumnElement[bool]
) -> tuple[tuple[int | None, AppointmentLine], ...]:
    """The appointments that `which` selects, by start, each after its treatment session's id; in two statements."""
    rows = db.execute(sa.select(*_OF_LINE).where(which).order_by(Appointment.starts_at, Appointment.id)).all()
    holds = _holds(db, which)
    return tuple((row.treatment_session_id, _appointment_line(row, holds.get(row.id, _Held()))) for row in rows)


def last_held_on(lines: Sequence[SessionLine]) -> date | None:
    """The date of the last session that was performed or is booked, from which what follows counts."""
    return next((line.held_on for line in reversed(lines) if line.held_on), None)


def _holds(db: Session, which: sa.ColumnElement[bool]) -> dict[int, _Held]:
    """What each appointment holds, in order of its needs."""
    statement = (
        sa.select(
            ResourceBooking.appointment_id, Resource.__table__.c.kind, Resource.__table__.c.id,
            sa.func.coalesce(Practitioner.__table__.c.name, Room.__table__.c.name, Device.__table__.c.name),
            is_away(ResourceBooking))
        .join(Appointment, Appointment.id == ResourceBooking.appointment_id)
        .join(Resource.__table__, Resource.__table__.c.id == ResourceBooking.resource_id)
        .outerjoin(Practitioner.__table__, Practitioner.__table__.c.id == ResourceBooking.resource_id)
        .outerjoin(Room.__table__, Room.__table__.c.id == ResourceBooking.resource_id)
        .outerjoin(Device.__table__, Device.__table__.c.id == ResourceBooking.resource_id)
        .where(which, ResourceBooking.need > 0)
        .order_by(ResourceBooking.appointment_id, ResourceBooking.need)
    )
    found: defaultdict[int, _Held] = defaultdict(_Held)
    for appointment_id, kind, resource_id, name, is_absent in db.execute(statement):
        held = found[appointment_id]
        held.first.setdefault(kind, (resource_id, name))
        if is_absent:
            held.away[Away(ResourceKind(kind), name)] = None
    return found


def _appointment_line(row: Any, held: _Held) -> AppointmentLine:
    where = zone(row.zone)
    names: dict[str, str] = {kind: name for kind, (_, name) in held.first.items()}
    practitioner = held.first.get("practitioner")
    return AppointmentLine(
        id=row.id, kind=row.kind, state=AppointmentState(row.state),
        local_start=row.local_start.replace(tzinfo=where, fold=row.fold), local_end=local_of(row.ends_at, where),
        zone=row.zone, practitioner=names.get("practitioner"),
        practitioner_id=practitioner[0] if practitioner else None,
        room=names.get("room"), device=names.get("device"),
        cancellation_reason=row.cancellation_reason, ended_cause=row.ended_cause, closed_at=row.closed_at,
        lock_version=row.lock_version, pinned=row.pinned,
        held_until=last_day(row.hold_expires_at, row.zone) if row.hold_expires_at else None,
        confirmed_at=row.confirmed_at, begun_at=row.begun_at,
        away=tuple(held.away) if row.state in TO_COME else (),
    )


def _session_line(
    row: TreatmentSession, held: Sequence[AppointmentLine], zone_name: str, names: Mapping[str, str],
    before_on: date | None,
) -> SessionLine:
    standing = [line for line in held if line.stands]
    performed = local_of(row.performed_at, zone(zone_name)) if row.performed_at else None
    bare = SessionLine(
        id=row.id, number=row.number, treatment=names.get(row.treatment_code, row.treatment_code),
        state=SessionState(row.state), earliest_on=row.earliest_on, ideal_on=row.ideal_on, latest_on=row.latest_on,
        performed_local=performed, appointment=standing[-1] if standing else None,
        past=tuple(line for line in held if not line.stands), gap_days=None, lock_version=row.lock_version,
        areas_treated=row.areas_treated, areas_left=row.areas_left,
    )
    if before_on is None or bare.held_on is None:
        return bare
    return replace(bare, gap_days=(bare.held_on - before_on).days)
