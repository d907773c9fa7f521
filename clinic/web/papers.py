"""What managers are told of papers that run out: one sentence, and how urgent it is."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from clinic.access import Right
from clinic.care.certificates import SOON_DAYS, VERY_SOON_DAYS, Standing
from clinic.queries.practitioners import papers_to_look_after
from clinic.web.entry import here
from clinic.web.words import plural


@dataclass(frozen=True, slots=True)
class PaperNotice:
    """A notice on the front page."""

    tone: str
    title: str


def paper_notice(db: Any, today: date) -> PaperNotice | None:
    """For those who set the clinic up, where a paper of a practitioner lapses soon or has lapsed."""
    if not here().may(Right.SET_UP):
        return None
    return notice_of(papers_to_look_after(db, today=today))


def notice_of(counts: Mapping[Standing, int]) -> PaperNotice | None:
    """Such as "1 paper has lapsed, 2 papers lapse within 14 days"; nothing where all is in order."""
    lapsed, very_soon, soon = (counts.get(each, 0) for each in (Standing.LAPSED, Standing.VERY_SOON, Standing.SOON))
    words = []
    if lapsed:
        words.append(f"{plural(lapsed, 'paper')} of practitioners {'has' if lapsed == 1 else 'have'} lapsed")
    for number, days in ((very_soon, VERY_SOON_DAYS), (soon, SOON_DAYS)):
        if number:
            what = plural(number, "paper") + (" of practitioners" if not words else "")
            words.append(f"{what} {'lapses' if number == 1 else 'lapse'} within {days} days")
    if not words:
        return None
    return PaperNotice("bad" if lapsed else "warn" if very_soon else "info", ", ".join(words))
