"""Which messages an owner (a course, a maintenance plan, another visit) owes: one pure answer, asked after each change.

The schedule is the difference between what the patient was told and what is now true (`owed_schedule`). Everything
else is about one appointment (`owed_before`), one treatment session (`owed_after`, `owed_asks`) or the end of a course,
and is said once for each revision of it. When each goes out is the clinic's choice (`message_rules`).
"""
from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from clinic.care.message_kinds import SCHEDULE, MessageKind
from clinic.care.message_rules import MORNING
from clinic.care.nudges import ASKS, why_not_asked
from clinic.care.owed_after import aftercare, course_complete, review_request, review_visit
from clinic.care.owed_asks import MISSED_LASTS, asks, missed, recalls
from clinic.care.owed_before import NEWS_LASTS, REMINDERS, precare, reminders, why_needless
from clinic.care.owed_items import GRACE, OwedItem, OwedVisit, VisitChange, why_unreachable
from clinic.care.owed_schedule import held, released, schedule
from clinic.care.owner_facts import AppointmentFacts, OwnerFacts
from clinic.care.states import AppointmentState

__all__ = [
    "GRACE", "MISSED_LASTS", "MORNING", "NEWS_LASTS", "OwedItem", "OwedVisit", "VisitChange", "messages_owed",
    "why_no_longer", "why_unreachable",
]


def messages_owed(facts: OwnerFacts, *, now: datetime) -> tuple[OwedItem, ...]:
    """Every message that is owed as things stand at `now`, those of the past and the future included, by due time.

    No due time lies in quiet hours, except of aftercare and of items that are withheld; none lies past its use.
    """
    found = (item for item in _said(facts, now) if facts.rules.of(item.kind).is_on)
    return tuple(sorted(found, key=lambda item: (item.due_at, item.key)))


def why_no_longer(facts: OwnerFacts, kind: str, subject_kind: str, subject_id: int, revision: int) -> str:
    """In words for staff: why something that was owed once is not any more."""
    if not facts.rules.of(MessageKind(kind)).is_on:
        return "the clinic does not send this message"
    if kind in (MessageKind.MISSED, MessageKind.RECALL) and facts.is_active:
        return "the session has been booked"
    if kind in ASKS:
        return why_not_asked(facts, subject_id)
    if kind == MessageKind.DATES_HELD:
        if facts.held:
            return "the dates have changed since"
        return "the dates are confirmed" if facts.is_active else "the dates are not held any more"
    if kind == MessageKind.REVIEW_VISIT and facts.review.is_booked:
        return "a review is booked"
    if subject_kind == "appointment" and kind not in SCHEDULE:
        return _why_not_about(facts, kind, subject_id, revision)
    if kind in SCHEDULE:
        if facts.is_said_of != revision:
            return "the dates have changed since"
        return "the patient already knows" if facts.is_active else "the course has ended or rests"
    return "no longer true"


def _said(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    yield from schedule(facts, now)
    yield from aftercare(facts, now)
    if facts.is_active:
        for appointment in facts.appointments:
            if appointment.state is AppointmentState.BOOKED:
                yield from reminders(facts, appointment, now)
                yield from precare(facts, appointment, now)
        for each in (missed, recalls, asks):
            yield from each(facts, now)
    for ending in (course_complete, review_visit, review_request, held, released):
        yield from ending(facts, now)


def _why_not_about(facts: OwnerFacts, kind: str, appointment_id: int, revision: int) -> str:
    appointment = next((each for each in facts.appointments if each.id == appointment_id), None)
    if appointment is None or appointment.is_withdrawn:
        return "the appointment was cancelled"
    if appointment.state is not AppointmentState.BOOKED:
        return "the visit has taken place or was missed"
    if appointment.revision != revision:
        return "the appointment was moved"
    if not facts.is_active:
        return "the course has ended or rests"
    return _why_not_reminded(facts, kind, appointment) or "no longer true"


def _why_not_reminded(facts: OwnerFacts, kind: str, appointment: AppointmentFacts) -> str | None:
    return why_needless(facts, MessageKind(kind), appointment) if kind in REMINDERS else None
