"""Why appointments are cancelled and courses stopped, as the database keeps it, and whose doing each reason is."""
from __future__ import annotations

from enum import StrEnum
from typing import Final

OTHER: Final = "Another reason"
CANCELLATION: Final = (
    "The patient cannot come", "The patient is ill", "The patient does not want the session",
    "The practitioner is away", "Room or device out of service", "Booked by mistake", OTHER,
)
STOPPING: Final = (
    "The patient wishes to stop", "A medical reason", "The result is reached", "The patient does not come any more",
    "Booked by mistake", OTHER,
)
BY_PATIENT: Final = "The patient cancelled on their page"
"""Why an appointment was cancelled, before the patient's own words."""
RESULT_REACHED: Final = "The result is reached"
MISTAKE: Final = "Booked by mistake"

_OURS = frozenset({"The practitioner is away", "Room or device out of service"})
_WITH_COURSE = frozenset({"course-stopped", "course-on-hold"})
_NO_CANCELLATION = frozenset({MISTAKE, "hold-expired", "left-undated"})


class Whose(StrEnum):
    """Whose doing a cancellation was. Of nobody: a hold that ran out, a slip, or a date to be planned anew."""

    PATIENT = "patient"
    CLINIC = "clinic"
    COURSE = "course"
    NOBODY = "nobody"


def cause_of(reason: str | None, known: tuple[str, ...]) -> str:
    """The reason that was chosen from a list, without the words typed beside it; any other text is another reason."""
    chosen = (reason or "").partition(": ")[0]
    return chosen if chosen in known else OTHER


def cancelled_by(reason: str | None, *, by_clinic: bool) -> Whose:
    """Whose doing it was that an appointment was cancelled."""
    chosen = (reason or "").partition(": ")[0]
    if chosen in _NO_CANCELLATION:
        return Whose.NOBODY
    if by_clinic or chosen in _OURS:
        return Whose.CLINIC
    return Whose.COURSE if chosen in _WITH_COURSE else Whose.PATIENT
