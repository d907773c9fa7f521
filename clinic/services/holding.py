"""Putting an appointment into the diary: the one place that writes what is held, and that says who was faster."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from clinic.care.parts import Part, ResourceKind, needs_of, patient_minutes
from clinic.care.protocols import Step
from clinic.care.states import AppointmentState
from clinic.care.windows import Window
from clinic.planning import Finding, Weight
from clinic.planning.local import local_of, zone
from clinic.queries.series import Series
from clinic.queries.visit_choice import VisitChoice
from clinic.services.work import UnitOfWork
from clinic.store.clinics import Clinic
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.locks import is_overlap

TAKEN = Finding("taken", Weight.BLOCKS, "Someone else has just booked one of these times: look at the times again")


class Taken(Exception):
    """The database refused an overlap that was not there when it was looked for."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What an appointment is for: a treatment in its parts, as a treatment session or as another kind of visit."""

    kind: str
    treatment: str
    parts: tuple[Part, ...]
    treatment_session_id: int | None = None


def purpose_of(treatment_session: TreatmentSession, step: Step) -> Purpose:
    """That of a treatment session's appointment."""
    return Purpose("session", step.treatment, step.parts, treatment_session.id)


def new_appointment(
    work: UnitOfWork, clinic: Clinic, patient_id: int, purpose: Purpose, choice: VisitChoice, *,
    held_until_at: datetime | None = None,
) -> Appointment:
    """An appointment with everything that it holds: booked, or only held until that instant. Raises Taken."""
    appointment = Appointment(
        clinic_id=clinic.id, patient_id=patient_id, kind=purpose.kind,
        treatment_session_id=purpose.treatment_session_id, treatment_code=purpose.treatment,
        state=AppointmentState.PROPOSED if held_until_at else AppointmentState.BOOKED, hold_expires_at=held_until_at,
        uid=f"{uuid4()}@appointment", created_at=work.now, created_by=work.actor.account_id,
        **_times(work, clinic, purpose.parts, choice.starts_at))
    work.db.add(appointment)
    work.db.flush()
    _hold(work, appointment, purpose.parts, choice)
    return appointment


def change_time(
    work: UnitOfWork, clinic: Clinic, appointment: Appointment, parts: Sequence[Part], choice: VisitChoice, *,
    by_clinic: bool = False
) -> None:
    """Gives an appointment another time: what it held is free, what it needs now is held. Raises Taken.

    `by_clinic`: the clinic was the cause, which its patient is told with an apology.
    """
    for name, value in _times(work, clinic, parts, choice.starts_at).items():
        setattr(appointment, name, value)
    appointment.revision += 1
    appointment.confirmed_at = None
    appointment.changed_by_clinic = by_clinic
    free(work, [appointment.id])
    work.db.flush()
    _hold(work, appointment, parts, choice)


def cancel(work: UnitOfWork, appointment: Appointment, reason: str, *, by_clinic: bool = False) -> None:
    """Marks an appointment cancelled, by the clinic's doing or not; the database frees what it held. No commit."""
    appointment.state = AppointmentState.CANCELLED
    appointment.cancellation_reason = reason
    appointment.changed_by_clinic = by_clinic
    appointment.hold_expires_at = None
    appointment.closed_at = work.now
    appointment.scheduled_at = work.now
    appointment.revision += 1
    appointment.lock_version += 1
    work.db.flush()


def free(work: UnitOfWork, appointment_ids: Sequence[int]) -> None:
    """Gives up what these appointments hold, so that they may take each other's times. No commit."""
    work.db.execute(sa.delete(ResourceBooking).where(ResourceBooking.appointment_id.in_(appointment_ids)))


def free_lapsed(work: UnitOfWork, resource_ids: Iterable[int]) -> None:
    """Frees what holds whose time is up still keep of these resources, which are locked. No commit.

    The holds themselves are ended by the worker, each under the lock of its own course: see `services.lapsing`.
    """
    mine = sa.select(ResourceBooking.appointment_id).where(ResourceBooking.resource_id.in_(sorted(set(resource_ids))))
    # Never waits, for whoever has one of them may want our resources; what is being confirmed just now stays held.
    lapsed = work.db.scalars(
        sa.select(Appointment.id)
        .where(Appointment.id.in_(mine), Appointment.state == AppointmentState.PROPOSED,
               Appointment.hold_expires_at <= work.now)
        .order_by(Appointment.id).with_for_update(skip_locked=True)).all()
    if lapsed:
        free(work, lapsed)


def refresh_windows(series: Series, windows: Sequence[Window | None]) -> None:
    """Writes each open session's window as it follows from the sessions before it."""
    for place, window in zip(series.places, windows, strict=True):
        if place.row.performed_at is None:
            place.row.earliest_on = window.earliest_on if window else None
            place.row.ideal_on = window.ideal_on if window else None
            place.row.latest_on = window.latest_on if window else None


@contextmanager
def refusing_overlap() -> Iterator[None]:
    """Turns the database's refusal of an overlap into Taken; every other error stays what it is."""
    try:
        yield
    except DBAPIError as error:
        if is_overlap(error):
            raise Taken from error
        raise


def _times(work: UnitOfWork, clinic: Clinic, parts: Sequence[Part], starts_at: datetime) -> dict[str, object]:
    local = local_of(starts_at, zone(clinic.zone))
    minutes = patient_minutes(parts)
    return {
        "local_start": local.replace(tzinfo=None, fold=0), "zone": clinic.zone, "fold": local.fold,
        "minutes": minutes, "starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=minutes),
        "scheduled_at": work.now,
    }


def _hold(work: UnitOfWork, appointment: Appointment, parts: Sequence[Part], choice: VisitChoice) -> None:
    rows = [(0, appointment.patient_id, appointment.starts_at, appointment.ends_at)]
    appointment.practitioner_id = None
    for number, (need, resource_id) in enumerate(zip(needs_of(parts), choice.resource_ids, strict=True), 1):
        if need.kind is ResourceKind.PRACTITIONER and appointment.practitioner_id is None:
            appointment.practitioner_id = resource_id
        begins = appointment.starts_at + timedelta(minutes=need.offset)
        rows.append((number, resource_id, begins, begins + timedelta(minutes=need.minutes)))
    with refusing_overlap():
        work.db.execute(sa.insert(ResourceBooking), [
            {"appointment_id": appointment.id, "clinic_id": appointment.clinic_id, "need": number,
             "resource_id": resource_id, "starts_at": begins, "ends_at": ends}
            for number, resource_id, begins, ends in rows])
