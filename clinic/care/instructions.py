"""What the patient is told before and after a session."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from clinic.care.guidance import Aftercare, Instruction, RedFlag, Urgency
from clinic.care.protocols import Protocol


@dataclass(frozen=True, slots=True)
class ChecklistLine:
    """One thing to do, and the date from which it applies."""

    on: date
    text: str
    days_before: int
    key: str


def checklist(
    protocol: Protocol, start_on: date, *, number: int = 1, treatment: str | None = None
) -> tuple[ChecklistLine, ...]:
    """The pre-care of session `number` on `start_on`, each line on its own lead time, oldest first.

    In an alternating course `treatment` says which one is given; without it every instruction is listed.
    Dates that have passed are listed too: what to do about them is for the message that carries the list.
    """
    lines = (
        ChecklistLine(start_on - timedelta(days=each.days_before), each.text, each.days_before, each.key)
        for each in _precare(protocol, number, treatment)
    )
    return tuple(sorted(lines, key=lambda line: line.on))


def longest_lead(protocol: Protocol, *, number: int = 1, treatment: str | None = None) -> int:
    """How many days before that session its earliest instruction applies; 0 where there is none."""
    return max((each.days_before for each in _precare(protocol, number, treatment)), default=0)


def lead_of(protocol: Protocol, *, number: int = 1, treatment: str | None = None) -> int | None:
    """How many days before that session its preparation begins; none where it has no instructions."""
    if not _precare(protocol, number, treatment):
        return None
    return longest_lead(protocol, number=number, treatment=treatment)


def aftercare(protocol: Protocol, *, treatment: str | None = None) -> tuple[Aftercare, ...]:
    """What to expect, do and avoid after that treatment, in order of time."""
    meant = (each for each in protocol.aftercare if _is_for(each.treatments, treatment))
    return tuple(sorted(meant, key=lambda each: each.from_hours))


def aftercare_at(protocol: Protocol, hours: int, *, treatment: str | None = None) -> Aftercare | None:
    """The aftercare that applies so many hours after the treatment, if any still does."""
    return next((each for each in aftercare(protocol, treatment=treatment)
                 if each.from_hours <= hours < each.to_hours), None)


def red_flags(protocol: Protocol) -> tuple[RedFlag, ...]:
    """What the patient must not wait with, most urgent first."""
    order = list(Urgency)
    return tuple(sorted(protocol.red_flags, key=lambda flag: order.index(flag.urgency)))


def _precare(protocol: Protocol, number: int, treatment: str | None) -> tuple[Instruction, ...]:
    """What only a first session needs is said once for each treatment, the first time that it comes round."""
    is_first = number <= len(protocol.cycle)
    return tuple(each for each in protocol.precare
                 if _is_for(each.treatments, treatment) and (is_first or not each.first_only))


def _is_for(treatments: tuple[str, ...], treatment: str | None) -> bool:
    return not treatments or treatment is None or treatment in treatments
