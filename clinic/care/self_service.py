"""What patients may do with a date on their own page."""
from __future__ import annotations

from datetime import datetime, timedelta

from clinic.care.states import AppointmentState, PatientsMay

REQUESTS = ("move", "cancel", "unprepared", "symptom")
"""Kinds of tasks that patients open on their own page."""


def what_patients_may(
    allowed: PatientsMay, state: AppointmentState, starts_at: datetime, *, pinned: bool, notice_hours: int,
    now: datetime,
) -> PatientsMay:
    """What a patient may do with that date now: never with one that has begun or is only held, and no more than ask
    where the desk fixed it or it is nearer than the clinic's notice."""
    if state is not AppointmentState.BOOKED or starts_at <= now:
        return PatientsMay.NEVER
    if allowed is PatientsMay.AT_ONCE and (pinned or starts_at - now < timedelta(hours=notice_hours)):
        return PatientsMay.ASK
    return allowed
