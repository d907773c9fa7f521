"""What the desk is told of the ways in which a visit can end, before it chooses one."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from clinic.care.outcomes import MissedEffect, MissedRule, NoShowCause
from clinic.care.states import AppointmentState
from clinic.planning.local import day_of, zone
from clinic.queries.counting import row_counted
from clinic.queries.missed import effect_of_lateness, effect_of_noshow
from clinic.queries.series import series_of
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment


@dataclass(frozen=True, slots=True)
class VisitEnds:
    """What would follow if the patient did not come, by cause, and if the session was given on that date.

    `noshow` is empty where it is too late or too early for a no-show; `late` is nothing where nothing is added.
    `counts_as` is the earlier session that is owed and is the one given then; none where it is the visit's own.
    """

    noshow: Mapping[NoShowCause, MissedEffect]
    late: MissedEffect | None
    counts_as: int | None = None


def visit_ends(db: Session, appointment_id: int, *, now: datetime, performed_on: date | None = None) -> VisitEnds:
    """What follows from each way in which that visit can end; a session was given today if not said otherwise."""
    appointment = db.get_one(Appointment, appointment_id)
    can_miss = appointment.state == AppointmentState.BOOKED and appointment.starts_at <= now
    if appointment.treatment_session_id is None:
        return VisitEnds({cause: _of_no_course(cause) for cause in NoShowCause} if can_miss else {}, None)
    row = db.get_one(TreatmentSession, appointment.treatment_session_id)
    series = series_of(db, row, now=now)
    given = row_counted(series, row)
    late = effect_of_lateness(db, series, given, performed_on or day_of(now, zone(appointment.zone)))
    return VisitEnds(
        {cause: effect_of_noshow(db, series, row, cause, now=now, where=appointment.zone) for cause in NoShowCause}
        if can_miss else {}, late[1] if late else None, given.number if given is not row else None)


def _of_no_course(cause: NoShowCause) -> MissedEffect:
    if cause is NoShowCause.BY_CLINIC:
        return MissedEffect(0, MissedRule.KEEP, "It was not the patient's doing: the visit does not count as "
                                                "missed, and nothing is sent.")
    return MissedEffect(0, MissedRule.KEEP, "The patient is asked by message to find a new time.")
