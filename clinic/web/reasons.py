"""Why an appointment is cancelled, a course stopped or put on hold: one of a few reasons, with words of one's own."""
from __future__ import annotations

from clinic.care.endings import CANCELLATION, OTHER, STOPPING
from clinic.web.forms import Form

__all__ = ["CANCELLATION", "RESTING", "STOPPING", "read_reason", "reason_words"]

RESTING = ("The patient asks for a break", "A medical reason", "The patient is away", OTHER)

_CODES = {
    "left-undated": "To be planned later", "course-stopped": "The course was stopped",
    "course-on-hold": "The course was put on hold",
    "hold-expired": "The dates were not confirmed in time",
}


def read_reason(form: Form, reasons: tuple[str, ...]) -> str:
    """The chosen reason with what was typed beside it; a reason that is not in the list has to be typed."""
    chosen = form.one_of("reason", "The reason", reasons)
    details = form.text("details", "The details", most=300, required=False)
    if chosen == OTHER:
        if not details:
            form.fault("details", "Say which reason.")
        return details
    return f"{chosen}: {details}" if details else chosen


def reason_words(reason: str | None) -> str:
    """A kept reason as staff read it."""
    return _CODES.get(reason or "", reason or "")
