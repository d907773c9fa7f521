"""What patients may do with a date on their own page."""
from __future__ import annotations

from datetime import datetime, timedelta

from clinic.care.states import AppointmentState, PatientsMay

NOTICE = timedelta(hours=24)
"""So shortly before a date the desk decides, whatever the clinic allows. Our default: no source gives a figure."""


def what_patients_may(
    allowed: PatientsMay, state: AppointmentState, starts_at: datetime, *, pinned: bool, now: datetime
) -> PatientsMay:
    """What a patient may do with that date now: never with one that has begun or is only held, and no more than ask
    where it is soon or was fixed by the desk."""
    if state is not AppointmentState.BOOKED or starts_at <= now:
        return PatientsMay.NEVER
    if allowed is PatientsMay.AT_ONCE and (pinned or starts_at - now < NOTICE):
        return PatientsMay.ASK
    return allowed
