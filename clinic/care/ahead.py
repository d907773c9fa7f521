"""What becomes of a course, a maintenance plan or another visit if everything goes as it is laid."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from clinic.care.counting import Counted, counts_as
from clinic.care.message_rules import MessageRules
from clinic.care.owner_facts import NO_SESSION, AppointmentFacts, OwnerFacts, ReviewFacts, SessionFacts
from clinic.care.states import AppointmentState, SessionState
from clinic.planning.local import DAY, day_of

_OVER = (SessionState.COMPLETED, SessionState.NOT_DONE)


@dataclass(frozen=True, slots=True)
class Ahead:
    """One owner as it is, and as it becomes: each set of facts holds from its instant on, the first as things stand."""

    stages: tuple[tuple[datetime, OwnerFacts], ...]

    def at(self, now: datetime) -> OwnerFacts:
        """What is known of it then."""
        return [facts for begins_at, facts in self.stages if begins_at <= now][-1]

    def next_after(self, now: datetime) -> datetime | None:
        """When something becomes of it next."""
        return min((begins_at for begins_at, _ in self.stages if begins_at > now), default=None)

    def under(self, rules: MessageRules) -> Ahead:
        """The same under other rules."""
        return Ahead(tuple((begins_at, replace(facts, rules=rules)) for begins_at, facts in self.stages))


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known beforehand of the end of a course: after how many days its result is judged, and whether the
    patient may be asked for an opinion."""

    judged_after_days: int
    may_ask_opinion: bool


def as_booked(
    facts: OwnerFacts, ends: Mapping[int, datetime], ending: Ending | None, *, now: datetime, until: datetime
) -> Ahead:
    """Each visit that stands takes place at its time and is recorded when it `ends`; nothing new is booked."""
    stages = [(now, facts)]
    for each in sorted(facts.appointments, key=lambda each: each.starts_at):
        over_at = ends[each.id]
        if each.is_standing and over_at <= until:
            facts = taken_place(facts, each, over_at, ending, recorded_at=max(over_at, now))
            stages.append((max(over_at, now), facts))
    return Ahead(tuple(stages))


def taken_place(
    facts: OwnerFacts, visit: AppointmentFacts, over_at: datetime, ending: Ending | None = None, *,
    recorded_at: datetime | None = None
) -> OwnerFacts:
    """The owner after that visit took place; with its last session a course is completed."""
    recorded_at = recorded_at or over_at
    facts = _counted(facts, visit)
    given = next(each.treatment_session_id for each in facts.appointments if each.id == visit.id)
    sessions = tuple(
        _performed(each, over_at, recorded_at) if each.id == given else each for each in facts.sessions)
    appointments = tuple(
        replace(each, state=AppointmentState.FULFILLED, closed_at=recorded_at) if each.id == visit.id else each
        for each in facts.appointments)
    found = replace(facts, sessions=sessions, appointments=appointments)
    if facts.owner.kind != "course" or not facts.is_active or any(each.state not in _OVER for each in sessions):
        return found
    return replace(found, is_active=False, is_completed=True, review=_review(facts, ending, over_at))


def _counted(facts: OwnerFacts, visit: AppointmentFacts) -> OwnerFacts:
    """The owner with each visit for the session that it counts as once that one took place."""
    own = next((each for each in facts.sessions if each.id == visit.treatment_session_id), None)
    if facts.owner.kind != "course" or own is None:
        return facts
    becomes = counts_as((Counted(each.number, each.treatment, each.state) for each in facts.sessions), own.number)
    if not becomes:
        return facts
    ids = {each.number: each.id for each in facts.sessions}
    now_for = {ids[was]: ids[number] for was, number in becomes.items()}
    return replace(
        facts, sessions=tuple(_stands_anew(each, becomes) for each in facts.sessions),
        appointments=tuple(
            replace(each, treatment_session_id=now_for[each.treatment_session_id])
            if each.is_standing and each.treatment_session_id in now_for else each for each in facts.appointments))


def _stands_anew(session_facts: SessionFacts, becomes: Mapping[int, int]) -> SessionFacts:
    if session_facts.number in becomes.values():
        return replace(session_facts, state=SessionState.BOOKED)
    return replace(session_facts, state=SessionState.OWED) if session_facts.number in becomes else session_facts


def _performed(session_facts: SessionFacts, over_at: datetime, recorded_at: datetime) -> SessionFacts:
    if session_facts.id == NO_SESSION:
        return replace(session_facts, state=SessionState.COMPLETED)
    return replace(session_facts, state=SessionState.COMPLETED, performed_at=over_at, recorded_at=recorded_at)


def _review(facts: OwnerFacts, ending: Ending | None, over_at: datetime) -> ReviewFacts:
    if ending is None:
        return facts.review
    return replace(facts.review, judged_on=day_of(over_at, facts.quiet.zone) + ending.judged_after_days * DAY,
                   may_ask_opinion=ending.may_ask_opinion)
