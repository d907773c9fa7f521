"""What is owed before a visit: its reminders and its preparation."""
from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from clinic.care.message_kinds import MessageKind
from clinic.care.message_rules import MORNING, GivesWay
from clinic.care.owed_items import GRACE, OwedItem, about_visit
from clinic.care.owner_facts import AppointmentFacts, OwnerFacts
from clinic.planning.local import DAY, instant, zone

NEWS_LASTS = timedelta(days=1)
"""A reminder this soon after the patient heard of the time would only repeat it."""
REMINDERS = (MessageKind.REMINDER_7D, MessageKind.REMINDER_2D)

_LATEST = timedelta(hours=2)


def reminders(facts: OwnerFacts, appointment: AppointmentFacts, now: datetime) -> Iterator[OwedItem]:
    """Those of one appointment that say something new."""
    for kind in REMINDERS:
        planned = _reminded_at(facts, kind, appointment)
        if why_needless(facts, kind, appointment) is None:
            yield about_visit(facts, now, kind, appointment, planned=planned,
                              useless_after=_of_use_until(facts, kind, appointment))


def why_needless(facts: OwnerFacts, kind: MessageKind, appointment: AppointmentFacts) -> str | None:
    """To what a reminder gives way, in words for staff; none: it is of use."""
    gives_way = facts.rules.of(kind).gives_way
    if GivesWay.CONFIRMED in gives_way and appointment.confirmed_at is not None:
        return "the patient has said that they come"
    if GivesWay.NEWS in gives_way and _reminded_at(facts, kind, appointment) <= appointment.scheduled_at + NEWS_LASTS:
        return "the patient has only just heard of the time"
    return None


def precare(facts: OwnerFacts, appointment: AppointmentFacts, now: datetime) -> Iterator[OwedItem]:
    """The preparation, once for a session and date, when no visit for a session before it is to come.

    One that was missed and has no new date keeps nobody from being prepared for the next.
    """
    session_facts = next(each for each in facts.sessions if each.id == appointment.treatment_session_id)
    if session_facts.precare_days is None or (session_facts.id, _date_of(appointment)) in facts.told_precare:
        return
    earlier = [each for each in facts.sessions if each.number < session_facts.number]
    to_come = {each.treatment_session_id for each in facts.appointments if each.is_standing}
    if any(each.id in to_come for each in earlier):
        return
    begins_on = _date_of(appointment) - session_facts.precare_days * DAY
    where = zone(appointment.zone)
    planned = facts.rules.of(MessageKind.PRECARE).before(instant(begins_on, MORNING, where), begins_on, where)
    over_at = [each.recorded_at for each in earlier if each.recorded_at is not None]
    planned = max(planned, max((appointment.scheduled_at, *over_at)) + GRACE)
    yield about_visit(facts, now, MessageKind.PRECARE, appointment, planned=planned,
                      useless_after=appointment.starts_at, keeps_safe=_cannot_wait(facts, begins_on))


def _cannot_wait(facts: OwnerFacts, begins_on: date) -> bool:
    """Whether by the next morning something would have had to be done already."""
    return facts.full_on is not None and facts.full_on >= begins_on - DAY


def _reminded_at(facts: OwnerFacts, kind: MessageKind, appointment: AppointmentFacts) -> datetime:
    where = zone(appointment.zone)
    return facts.rules.of(kind).before(appointment.starts_at, _date_of(appointment), where)


def _of_use_until(facts: OwnerFacts, kind: MessageKind, appointment: AppointmentFacts) -> datetime:
    """The first reminder is of use until about when the second one follows, the second until shortly before."""
    first, second = (facts.rules.of(each) for each in REMINDERS)
    if kind is MessageKind.REMINDER_7D and second.is_on and first.days > second.days > 0:
        return instant(_date_of(appointment) - second.days * DAY, _minute_of(appointment), zone(appointment.zone))
    return appointment.starts_at - _LATEST


def _date_of(appointment: AppointmentFacts) -> date:
    return appointment.local_start.date()


def _minute_of(appointment: AppointmentFacts) -> int:
    return appointment.local_start.hour * 60 + appointment.local_start.minute
