"""The kinds of messages, and which of them may never be held back or switched off."""
from __future__ import annotations

from enum import StrEnum


class MessageKind(StrEnum):
    """What a message item is about; the value is the folder of its texts."""

    CONFIRMATION = "confirmation"
    PRECARE = "precare"
    REMINDER_7D = "reminder-7d"
    REMINDER_2D = "reminder-2d"
    CHANGE = "change"
    CLINIC_CHANGE = "clinic-change"
    CANCELLATION = "cancellation"
    AFTERCARE = "aftercare"
    CHECK_IN_24H = "check-in-24h"
    CHECK_IN_72H = "check-in-72h"
    COURSE_COMPLETE = "course-complete"
    RECALL = "recall"
    NUDGE_14D = "nudge-14d"
    NUDGE_IDEAL = "nudge-ideal"
    OUT_OF_WINDOW = "out-of-window"
    MISSED = "missed"
    DATES_HELD = "dates-held"
    DATES_RELEASED = "dates-released"
    REVIEW_VISIT = "review-visit"
    REVIEW_REQUEST = "review-request"


SCHEDULE = (MessageKind.CONFIRMATION, MessageKind.CHANGE, MessageKind.CLINIC_CHANGE, MessageKind.CANCELLATION)
"""What tells dates: the difference between what the patient knows and what stands. A reminder only repeats it."""
KEEPS_SAFE = frozenset({
    MessageKind.CHANGE, MessageKind.CLINIC_CHANGE, MessageKind.CANCELLATION, MessageKind.DATES_RELEASED,
    MessageKind.AFTERCARE, MessageKind.CHECK_IN_24H, MessageKind.CHECK_IN_72H,
})
"""What no daily limit holds back: without it a patient comes in vain, or does not know what to watch for."""
ASKED_OFF = frozenset({
    MessageKind.REMINDER_7D, MessageKind.REMINDER_2D, MessageKind.NUDGE_14D, MessageKind.NUDGE_IDEAL,
    MessageKind.OUT_OF_WINDOW, MessageKind.RECALL, MessageKind.REVIEW_VISIT, MessageKind.REVIEW_REQUEST,
})
"""What a patient who wants no reminders does not get."""
