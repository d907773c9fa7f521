"""A consultation before a course: which ones count, and until when dates may be held for want of one."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from clinic.planning.findings import Finding, Weight
from clinic.planning.local import DAY
from clinic.planning.words import date_words

COUNTS_FOR = timedelta(days=365)
"""A consultation longer ago than this says nothing of a course today. Our default: no source gives a figure."""
HELD_FOR = timedelta(days=14)
"""How long dates are held where no consultation is booked yet. Our default: no source gives a figure."""
NEEDED = "consultation-first"
"""The code of the finding that asks for one, and of the reason to do without."""


class ConsultationRule(StrEnum):
    """What a clinic asks for before a course by a protocol; the values are those of the protocol's row."""

    NONE = "none"
    BEFORE = "before"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Consultations:
    """What a protocol asks for, the date of the patient's last consultation, and that of the next one booked."""

    rule: ConsultationRule
    last_on: date | None = None
    next_on: date | None = None

    def counts(self, today: date) -> bool:
        """Whether the patient has had a consultation lately."""
        return self.last_on is not None and today - COUNTS_FOR <= self.last_on <= today

    def must_hold(self, today: date) -> bool:
        """Whether dates can only be held for now."""
        return self.rule is ConsultationRule.HOLD and not self.counts(today)


@dataclass(frozen=True, slots=True)
class HoldSpan:
    """The days until the end of which dates may be held, and the one that suggests itself."""

    first: date
    suggested: date
    last: date


def judge_consultation(known: Consultations, *, today: date) -> tuple[Finding, ...]:
    """What speaks against booking a course now: a consultation has to come first, and there was none that counts."""
    if known.rule is not ConsultationRule.BEFORE or known.counts(today):
        return ()
    return (missing_consultation(known),)


def missing_consultation(known: Consultations) -> Finding:
    """Says that a consultation is missing; a practitioner may go past it with a reason."""
    last = " The last one is more than a year ago." if known.last_on else ""
    return Finding(NEEDED, Weight.WARNS, f"A consultation comes before this course.{last}")


def hold_span(known: Consultations, *, first_on: date, today: date) -> HoldSpan | None:
    """Until when dates can be held whose first is `first_on`; none where no day is left for a consultation.

    They are free at the latest when the day before the first session ends.
    """
    last = first_on - DAY
    if last < today:
        return None
    wanted = known.next_on if known.next_on and known.next_on >= today else today + HELD_FOR
    return HoldSpan(today, min(wanted, last), last)


def outside_span(first_on: date) -> Finding:
    """Says until when dates can be held whose first is that one."""
    return Finding("hold-until", Weight.BLOCKS, "The dates can be held until a day between today and the day before "
                   f"the first session, which is on {date_words(first_on)}", "hold_until")
