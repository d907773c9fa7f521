"""What patients may do with a date on their own page."""
from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from clinic.care.states import AppointmentState, PatientsMay

REQUESTS = ("move", "cancel", "unprepared", "symptom")
"""Kinds of tasks that patients open on their own page."""
ANSWERED = ("move", "cancel", "unprepared")
"""Those whose answer stands on that page; what a patient feels is answered by the phone."""
MOVED, CANCELLED = AS_WISHED = ("As wished: moved", "As wished: cancelled")
"""What stands as the reply where the desk did as the patient wished."""


class Answer(StrEnum):
    """What became of what a patient asked for, by what has happened to the visit, whoever did it."""

    WAITS = "waits"
    MOVED = "moved"
    CANCELLED = "cancelled"
    STAYS = "stays"


def answer_now(state: AppointmentState, *, is_done: bool, has_moved: bool) -> Answer:
    """What is true to tell a patient of their request: that a visit is cancelled never waits for the desk."""
    if state is AppointmentState.CANCELLED:
        return Answer.CANCELLED
    if not is_done:
        return Answer.WAITS
    return Answer.MOVED if has_moved else Answer.STAYS


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
