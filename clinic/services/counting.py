"""Counting the sessions of a course in the order in which they are given."""
from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from clinic.care.states import SessionState
from clinic.queries.counting import counted
from clinic.queries.series import Series
from clinic.services.work import UnitOfWork, record
from clinic.store.courses import CourseOverride, TreatmentSession
from clinic.store.diary import Appointment


def count_in_order(
    work: UnitOfWork, series: Series, row: TreatmentSession, appointment: Appointment
) -> TreatmentSession:
    """The session that the visit for `row` counts as, now that it is given; later visits move up with it. No commit.

    Visits keep their times, what they hold and what was told of them: to the patient nothing changes. What was noted
    when a time was chosen past a warning goes with its visit.
    """
    becomes = counted(series, row)
    if not becomes:
        return row
    places = {place.row.number: place for place in series.places}
    for was, number in becomes.items():
        visit = appointment if was == row.number else places[was].appointment
        assert visit is not None  # it is given, or booked
        visit.treatment_session_id = places[number].row.id
        work.db.flush()  # one after the other: no session has two visits that stand
    for number in {*becomes, *becomes.values()}:
        changed = places[number].row
        changed.state = SessionState.BOOKED if number in becomes.values() else SessionState.OWED
        changed.lock_version += 1
    _carry_reasons(work, series, becomes)
    record(work, "sessions-counted", "course", series.course.id, clinic_id=series.course.clinic_id,
           session=row.number, becomes=becomes[row.number], visits=len(becomes))
    return places[becomes[row.number]].row


def _carry_reasons(work: UnitOfWork, series: Series, becomes: Mapping[int, int]) -> None:
    chosen_at = {place.row.number: place.appointment.scheduled_at for place in series.places if place.appointment}
    for kept in work.db.scalars(sa.select(CourseOverride).where(CourseOverride.course_id == series.course.id)):
        number = kept.value.get("number")
        if number is not None and number in becomes and kept.made_at == chosen_at.get(number):
            kept.value = {**kept.value, "number": becomes[number]}
