"""A made-up course of a protocol, laid at its ideal intervals, so that its whole sequence of messages can be read."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from clinic.care.ahead import Ahead, Ending, taken_place
from clinic.care.business_days import BusinessDays
from clinic.care.instructions import lead_of
from clinic.care.message_kinds import MessageKind
from clinic.care.message_rules import MessageRules
from clinic.care.outcomes import NoShowCause
from clinic.care.owner_facts import AppointmentFacts, Owner, OwnerFacts, PatientFacts, SessionFacts
from clinic.care.parts import patient_minutes
from clinic.care.protocols import Protocol, Step, maintenance_step, steps_for
from clinic.care.quiet import QuietHours
from clinic.care.recalls import ask_on
from clinic.care.states import AppointmentState, SessionState
from clinic.care.windows import Window, window_after
from clinic.planning.local import DAY, day_of, instant, resolve

BOOKED_AT = 10 * 60
"""The minute of the day at which a made-up course is booked, and at which its visits begin."""
LONG_BEFORE = 28 * DAY
"""How long before its first visit a course is booked that is booked in good time."""

_COURSE, _UPKEEP = Owner("course", 1), Owner("maintenance-plan", 1)
_CLINIC = 1
_REACHED = PatientFacts("anna@example.org")


class Story(StrEnum):
    """How it goes with a made-up course."""

    AHEAD = "ahead"
    LATE = "late"
    CONFIRMS = "confirms"
    UNDATED = "undated"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a made-up course takes place, under which rules, and whether its patient may be asked for an opinion."""

    quiet: QuietHours
    business: BusinessDays
    rules: MessageRules
    may_ask_opinion: bool = False


def made_up_course(protocol: Protocol, setting: Setting, story: Story, *, booked_on: date) -> tuple[Ahead, Ahead]:
    """A course that is booked on that date, and the upkeep that follows it, as they become while it runs."""
    booked_at = instant(booked_on, BOOKED_AT, setting.quiet.zone)
    steps = steps_for(protocol, protocol.sessions.typical)
    visits = _visits(steps, setting, _dates(steps, setting.business, booked_on + _lead(story)), booked_at)
    facts = OwnerFacts(
        owner=_COURSE, is_active=True, is_completed=False, patient=_REACHED, quiet=setting.quiet,
        sessions=tuple(_sessions(protocol, steps, visits)), appointments=visits, business=setting.business,
        rules=setting.rules)
    ending = Ending(protocol.assessment.after_days, setting.may_ask_opinion)
    course = Ahead(tuple(_lived(facts, steps, story, booked_at, ending)))
    return course, _upkeep(protocol, setting, course, booked_at)


def _lead(story: Story) -> timedelta:
    return DAY if story is Story.LATE else LONG_BEFORE


def _dates(steps: Sequence[Step], business: BusinessDays, first_on: date) -> list[date]:
    """Each at its ideal interval, or on the next day on which the clinic is open."""
    found: list[date] = []
    for step in steps:
        on = found[-1] + step.interval.ideal * DAY if found and step.interval else first_on
        found.append(business.next_after(on - DAY))
    return found


def _visits(
    steps: Sequence[Step], setting: Setting, dates: Sequence[date], booked_at: datetime
) -> tuple[AppointmentFacts, ...]:
    where = setting.quiet.zone
    walls = [datetime.combine(on, time(BOOKED_AT // 60)) for on in dates]
    return tuple(
        AppointmentFacts(step.number, step.number, _CLINIC, AppointmentState.BOOKED, 0, wall, 0, where.key,
                         resolve(wall, where), booked_at)
        for step, wall in zip(steps, walls, strict=True))


def _sessions(
    protocol: Protocol, steps: Sequence[Step], visits: Sequence[AppointmentFacts]
) -> Iterator[SessionFacts]:
    before: AppointmentFacts | None = None
    for step, visit in zip(steps, visits, strict=True):
        lead = lead_of(protocol, number=step.number, treatment=step.treatment)
        window = window_after(before.local_start.date(), step.interval) if before and step.interval else None
        yield _within(SessionFacts(step.number, step.number, SessionState.BOOKED, precare_days=lead), window)
        before = visit


def _within(session_facts: SessionFacts, window: Window | None) -> SessionFacts:
    if window is None:
        return session_facts
    return replace(session_facts, earliest_on=window.earliest_on, ideal_on=window.ideal_on, latest_on=window.latest_on)


def _lived(
    facts: OwnerFacts, steps: Sequence[Step], story: Story, booked_at: datetime, ending: Ending
) -> Iterator[tuple[datetime, OwnerFacts]]:
    last = facts.appointments[-1]
    if story is Story.UNDATED:
        facts = replace(_owed_again(facts, last), appointments=facts.appointments[:-1])
    yield booked_at, facts
    over_at = booked_at
    for step, visit in zip(steps, facts.appointments, strict=False):
        if story is Story.CONFIRMS:
            says_at = max(over_at, _first_reminder_at(facts, visit) + timedelta(hours=1))
            if says_at < visit.starts_at:
                facts = _changed(facts, replace(visit, confirmed_at=says_at))
                yield says_at, facts
        over_at = visit.starts_at + timedelta(minutes=patient_minutes(step.parts))
        if story is Story.MISSED and visit.id == last.id:
            facts = _owed_again(_changed(facts, replace(
                visit, state=AppointmentState.NOSHOW, closed_at=over_at, ended_cause=NoShowCause.FORGOT)), last)
        else:
            facts = taken_place(facts, visit, over_at, ending)
        yield over_at, facts


def _first_reminder_at(facts: OwnerFacts, visit: AppointmentFacts) -> datetime:
    rule = facts.rules.of(MessageKind.REMINDER_7D)
    return rule.before(visit.starts_at, visit.local_start.date(), facts.quiet.zone)


def _changed(facts: OwnerFacts, visit: AppointmentFacts) -> OwnerFacts:
    return replace(facts, appointments=tuple(
        visit if each.id == visit.id else each for each in facts.appointments))


def _owed_again(facts: OwnerFacts, visit: AppointmentFacts) -> OwnerFacts:
    return replace(facts, sessions=tuple(
        replace(each, state=SessionState.OWED) if each.id == visit.treatment_session_id else each
        for each in facts.sessions))


def _upkeep(protocol: Protocol, setting: Setting, course: Ahead, booked_at: datetime) -> Ahead:
    """What is owed once the course is completed: the first session of upkeep, which nobody has booked."""
    nothing = OwnerFacts(
        owner=_UPKEEP, is_active=False, is_completed=False, patient=_REACHED, quiet=setting.quiet, sessions=(),
        appointments=(), business=setting.business, rules=setting.rules)
    begins_at, ended = course.stages[-1]
    if not ended.is_completed:
        return Ahead(((booked_at, nothing),))
    performed_on = day_of(begins_at, setting.quiet.zone)
    window = window_after(performed_on, protocol.maintenance.interval)
    number = len(ended.sessions) + 1
    step = maintenance_step(protocol)
    owed = _within(SessionFacts(
        number, 1, SessionState.OWED, ask_on=ask_on(window, performed_on),
        precare_days=lead_of(protocol, number=1 + len(protocol.cycle), treatment=step.treatment)), window)
    return Ahead(((booked_at, nothing), (begins_at, replace(nothing, is_active=True, sessions=(owed,)))))
