"""Dates and times as patients read them in their language."""
from __future__ import annotations

from datetime import date, datetime

from clinic.messages.words import clock, day_in_words, labels, short_day_in_words


def day_said(on: date, language: str) -> str:
    """Monday 1 March 2027."""
    return day_in_words(on, labels(language))


def moment_said(at: datetime, language: str) -> str:
    """Monday 1 March, 09:00."""
    words = labels(language)
    return f"{short_day_in_words(at.date(), words)}, {words.time.format(start=clock(at))}"


def hours_said(starts_at: datetime, ends_at: datetime, language: str) -> str:
    """09:00 to 09:45."""
    return labels(language).hours.format(start=clock(starts_at), end=clock(ends_at))
