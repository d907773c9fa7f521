"""When a patient is asked to come back for upkeep."""
from __future__ import annotations

from datetime import date, timedelta

from clinic.care.windows import Window

RECALL_DAYS_BEFORE = 21
"""A patient is asked this long before the ideal date of upkeep. Our default; clinic systems use 12 to 28 days."""


def ask_on(window: Window, performed_on: date) -> date:
    """When a patient is asked to come for upkeep with that window, after a session of that date."""
    return max(window.ideal_on - timedelta(days=RECALL_DAYS_BEFORE), performed_on + timedelta(days=1))
