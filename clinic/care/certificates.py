"""Papers of a practitioner that run out: qualifications, registration, insurance, training, and when to warn of it."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from types import MappingProxyType

SOON_DAYS = 60
VERY_SOON_DAYS = 14
CERTIFICATE_KINDS: Mapping[str, str] = MappingProxyType({
    "registration": "Registration",
    "insurance": "Insurance",
    "training": "Training certificate",
})


class Standing(IntEnum):
    """How a paper stands on a date; the higher, the more urgent."""

    VALID = 0
    NOT_YET = 1
    SOON = 2
    VERY_SOON = 3
    LAPSED = 4


@dataclass(frozen=True, slots=True)
class Paper:
    """One period of validity; `about` tells the same paper, renewed, from another. `expires_on` is its last date."""

    about: str
    valid_from: date
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class PaperStanding:
    """How a paper stands; `last_on` is the last date on which it is (or was) valid, none where there is no end."""

    about: str
    standing: Standing
    last_on: date | None


def standing(papers: Sequence[Paper], today: date) -> PaperStanding:
    """How one paper stands with all its renewals; what follows without a gap counts as one period."""
    about = papers[0].about
    held = sorted(papers, key=lambda paper: paper.valid_from)
    until: date | None = None
    for paper in held:
        begins_in_time = paper.valid_from <= today if until is None else paper.valid_from <= until + timedelta(days=1)
        if begins_in_time and (paper.expires_on is None or paper.expires_on >= today):
            if paper.expires_on is None:
                return PaperStanding(about, Standing.VALID, None)
            until = paper.expires_on if until is None else max(until, paper.expires_on)
    if until is not None:
        return PaperStanding(about, _weighed((until - today).days), until)
    ended = [paper.expires_on for paper in held if paper.expires_on is not None and paper.expires_on < today]
    if ended:
        return PaperStanding(about, Standing.LAPSED, max(ended))
    return PaperStanding(about, Standing.NOT_YET, None)


def warnings(papers: Iterable[Paper], today: date) -> tuple[PaperStanding, ...]:
    """What runs out within 60 days or has run out, the most urgent first."""
    by_paper: dict[str, list[Paper]] = {}
    for paper in papers:
        by_paper.setdefault(paper.about, []).append(paper)
    found = [standing(each, today) for each in by_paper.values()]
    urgent = [each for each in found if each.standing >= Standing.SOON]
    return tuple(sorted(urgent, key=lambda each: (-each.standing, each.last_on or today, each.about)))


def _weighed(days_left: int) -> Standing:
    if days_left <= VERY_SOON_DAYS:
        return Standing.VERY_SOON
    return Standing.SOON if days_left <= SOON_DAYS else Standing.VALID
