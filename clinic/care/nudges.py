"""When the patient of a running course is asked to book the next session that has no date yet."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from clinic.care.owner_facts import MessageKind, OwnerFacts, SessionFacts
from clinic.care.states import SessionState
from clinic.planning.local import DAY, day_of

NUDGE_DAYS_BEFORE = 14
"""A patient is asked this long before the window opens. Our default; clinic systems ask 5 to 14 days before."""
RESTS = timedelta(days=7)
"""After an appointment was cancelled or missed, the patient is not asked again at once."""
LATE_CALL_LASTS = timedelta(days=14)
"""How long after a window closed its patient is still written to about it; a person calls all the same."""
NUDGES = (MessageKind.NUDGE_14D, MessageKind.NUDGE_IDEAL)
ASKS = (*NUDGES, MessageKind.OUT_OF_WINDOW)
"""Everything that asks about the next session without a date."""


@dataclass(frozen=True, slots=True)
class Nudge:
    """One asking: in the morning of `on`, of use until the morning of `until`. `revision` counts the appointments
    that the session has had, so that one that loses its date again is asked about again."""

    kind: MessageKind
    treatment_session_id: int
    revision: int
    on: date
    until: date


def nudges(facts: OwnerFacts) -> Iterator[Nudge]:
    """Asks about the first session without a date: before its window opens, and again at its ideal date.

    Nothing is asked in the week after an appointment was cancelled or missed, on the day of a screening, or after the
    window has closed: then it is for a person to call. Upkeep has its recalls and is not asked about here.
    """
    due = next_undated(facts)
    if due is None or due.earliest_on is None or due.ideal_on is None or due.latest_on is None:
        return
    count, rests = _rests(facts, due)
    first_on = max([due.earliest_on - facts.rules.of(MessageKind.NUDGE_14D).days * DAY, *rests])
    again_on = max([due.ideal_on + facts.rules.of(MessageKind.NUDGE_IDEAL).days * DAY, *rests])
    if first_on < again_on:
        yield Nudge(MessageKind.NUDGE_14D, due.id, count, first_on, again_on)
    if again_on <= due.latest_on:
        yield Nudge(MessageKind.NUDGE_IDEAL, due.id, count, again_on, due.latest_on + DAY)


def out_of_window(facts: OwnerFacts) -> Iterator[Nudge]:
    """Says once that the window of the first session without a date has closed, and asks for a call."""
    due = next_undated(facts)
    if due is None or due.latest_on is None:
        return
    count, rests = _rests(facts, due)
    on = max([due.latest_on + facts.rules.of(MessageKind.OUT_OF_WINDOW).days * DAY, due.latest_on + DAY, *rests])
    if on < due.latest_on + LATE_CALL_LASTS:
        yield Nudge(MessageKind.OUT_OF_WINDOW, due.id, count, on, due.latest_on + LATE_CALL_LASTS)


def next_undated(facts: OwnerFacts) -> SessionFacts | None:
    """The first session of a course that is owed without a date; one at a time is enough to ask about."""
    standing = {each.treatment_session_id for each in facts.appointments if each.is_standing}
    owed = (each for each in facts.sessions if each.state is SessionState.OWED and each.id not in standing)
    return min(owed, key=lambda each: each.number, default=None) if facts.owner.kind == "course" else None


def why_not_asked(facts: OwnerFacts, treatment_session_id: int) -> str:
    """In words for staff: why that session is not asked about any more."""
    if not facts.is_active:
        return "the course has ended or rests"
    due = next_undated(facts)
    if due is not None and due.id != treatment_session_id:
        owed = any(each.id == treatment_session_id and each.state is SessionState.OWED for each in facts.sessions)
        return "another session comes first" if owed else "the session has been booked"
    return "its window has changed" if due else "the session has been booked"


def _rests(facts: OwnerFacts, due: SessionFacts) -> tuple[int, list[date]]:
    """How many appointments the session has had, and until when its patient is left alone."""
    own = [each for each in facts.appointments if each.treatment_session_id == due.id]
    rests = [day_of(each.closed_at, facts.quiet.zone) + RESTS for each in own if each.closed_at is not None]
    return len(own), rests + ([facts.screened_on + DAY] if facts.screened_on else [])
