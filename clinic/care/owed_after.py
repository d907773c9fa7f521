"""What is owed after a treatment, and at the end of a course."""
from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from clinic.care.message_kinds import MessageKind
from clinic.care.owed_items import OwedItem, owed_item
from clinic.care.owner_facts import OwnerFacts, SubjectKind
from clinic.care.quiet import next_allowed
from clinic.care.states import SessionState
from clinic.planning.local import DAY, instant

REVIEW_LASTS = 28 * DAY
"""How long after the day on which the result is judged a patient is still invited to come for that."""
OPINION_LASTS = timedelta(days=14)
"""How long after its time a patient is still asked for an opinion."""

_CHECK_INS = (MessageKind.CHECK_IN_24H, MessageKind.CHECK_IN_72H)
_ADVICE_LASTS = timedelta(hours=72)
_CHECK_IN_LASTS = timedelta(hours=24)
_ENDING_LASTS = timedelta(days=30)


def aftercare(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    """What follows a treatment is owed whatever becomes of the course: it keeps the patient safe."""
    for each in facts.sessions:
        if each.state is not SessionState.COMPLETED or each.performed_at is None:
            continue
        key: tuple[SubjectKind, int, int] = ("treatment-session", each.id, 0)
        yield owed_item(facts, now, MessageKind.AFTERCARE, key, planned=each.performed_at,
                        useless_after=each.performed_at + _ADVICE_LASTS, at_any_hour=True)
        for kind in _CHECK_INS:
            planned = facts.rules.of(kind).after(each.performed_at, facts.quiet.zone)
            if planned > (each.recorded_at or each.performed_at):
                useless_after = next_allowed(planned, facts.quiet) + _CHECK_IN_LASTS
                yield owed_item(facts, now, kind, key, planned=planned, useless_after=useless_after)


def course_complete(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    """After the last treatment was recorded, so that the aftercare comes first."""
    ended_at = _ended_at(facts)
    if ended_at is not None:
        planned = facts.rules.of(MessageKind.COURSE_COMPLETE).after(ended_at, facts.quiet.zone)
        yield owed_item(facts, now, MessageKind.COURSE_COMPLETE, (facts.owner.kind, facts.owner.id, 0),
                        planned=planned, useless_after=next_allowed(planned, facts.quiet) + _ENDING_LASTS)


def review_visit(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    """The invitation to have the result judged, where the protocol says when and no review is booked."""
    judged_on = facts.review.judged_on
    if judged_on is None or facts.review.is_booked or _ended_at(facts) is None:
        return
    rule = facts.rules.of(MessageKind.REVIEW_VISIT)
    yield owed_item(facts, now, MessageKind.REVIEW_VISIT, (facts.owner.kind, facts.owner.id, 0),
                    planned=rule.on(judged_on - rule.days * DAY, facts.quiet.zone),
                    useless_after=instant(judged_on + REVIEW_LASTS, 1440, facts.quiet.zone))


def review_request(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    """Asks for an opinion once for a course, of everybody who consents, and of nobody whose concern is still open."""
    ended_at = _ended_at(facts)
    if ended_at is None or not facts.review.may_ask_opinion:
        return
    planned = facts.rules.of(MessageKind.REVIEW_REQUEST).after(ended_at, facts.quiet.zone)
    yield owed_item(facts, now, MessageKind.REVIEW_REQUEST, (facts.owner.kind, facts.owner.id, 0), planned=planned,
                    useless_after=next_allowed(planned, facts.quiet) + OPINION_LASTS,
                    withheld="a concern of the patient is open" if facts.review.has_concern else None)


def _ended_at(facts: OwnerFacts) -> datetime | None:
    """When the last treatment of a course that is over was recorded; none where it goes on, or nothing was done."""
    ends = [end for each in facts.sessions if (end := each.recorded_at or each.performed_at) is not None]
    return max(ends, default=None) if facts.is_completed else None
