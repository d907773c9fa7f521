"""Which messages an owner (a course, a maintenance plan, another visit) owes: one pure answer, asked after each change.

The schedule (confirmation, change, cancellation) is the difference between what the patient was told and what is
now true; so a change that is taken back before it was told is never mentioned. Everything else is about one
appointment or one treatment session, and is said once for each revision of it.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from clinic.care.nudges import NUDGES, RESTS, nudges, why_not_asked
from clinic.care.owner_facts import (
    AppointmentFacts,
    MessageKind,
    OwnerFacts,
    PatientFacts,
    SessionFacts,
    SubjectKind,
    Told,
)
from clinic.care.quiet import next_allowed
from clinic.care.states import AppointmentState, SessionState
from clinic.planning.local import DAY, day_of, instant, zone

GRACE = timedelta(minutes=3)
"""How long a change may be taken back before anything is said about it."""
MORNING = 9 * 60
"""The wall-clock minute at which messages of a date go out."""
NEWS_LASTS = timedelta(days=1)
"""A reminder this soon after the patient heard of the time would only repeat it."""
MISSED_LASTS = timedelta(days=7)
"""How long after a missed appointment its patient may be written to about it. Our default: no source gives a figure."""

_REMINDERS = ((MessageKind.REMINDER_7D, 7), (MessageKind.REMINDER_2D, 2))
_CHECK_INS = ((MessageKind.CHECK_IN_24H, timedelta(hours=24)), (MessageKind.CHECK_IN_72H, timedelta(hours=72)))
_PRECARE_MARGIN_DAYS = 2
_OVER = (SessionState.COMPLETED, SessionState.NOT_DONE)
_SCHEDULE = (MessageKind.CONFIRMATION, MessageKind.CHANGE, MessageKind.CANCELLATION)


class VisitChange(StrEnum):
    """What has become of a date since the patient last heard of it."""

    NEW = "new"
    KEPT = "kept"
    MOVED = "moved"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class OwedVisit:
    """A date as a message tells it. `old` is what the patient was told before; `withdrawn` are the appointments
    whose calendar entries the patient still has and that are no more."""

    appointment_id: int
    change: VisitChange
    old: Told | None = None
    withdrawn: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class OwedItem:
    """One thing to be said, once for its key. `withheld` says why it may not be sent as things stand."""

    kind: MessageKind
    subject_kind: SubjectKind
    subject_id: int
    revision: int
    due_at: datetime
    useless_after: datetime
    visits: tuple[OwedVisit, ...] = ()
    withheld: str | None = None

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What must never be said twice."""
        return (self.kind.value, self.subject_kind, self.subject_id, self.revision)


def messages_owed(facts: OwnerFacts, *, now: datetime) -> tuple[OwedItem, ...]:
    """Every message that is owed as things stand at `now`, those of the past and the future included, by due time.

    No due time lies in quiet hours, except of aftercare and of items that are withheld; none lies past its use.
    """
    found = [*_schedule(facts, now), *_aftercare(facts, now)]
    if facts.is_active:
        for appointment in facts.appointments:
            if appointment.state is AppointmentState.BOOKED:
                found += [*_reminders(facts, appointment, now), *_precare(facts, appointment, now)]
        found += [*_missed(facts, now), *_recalls(facts, now), *_nudges(facts, now)]
    if facts.is_completed:
        found += _course_complete(facts, now)
    found += [*_held(facts, now), *_released(facts, now)]
    return tuple(sorted(found, key=lambda item: (item.due_at, item.key)))


def why_unreachable(patient: PatientFacts) -> str | None:
    """Why no e-mail may go to this patient; none: it may."""
    if not patient.wants_messages or patient.channel == "none":
        return "does not want messages"
    if patient.channel == "phone":
        return "asked for the phone"
    if not patient.email:
        return "no e-mail address"
    return None


def why_no_longer(facts: OwnerFacts, kind: str, subject_kind: str, subject_id: int, revision: int) -> str:
    """In words for staff: why something that was owed once is not any more."""
    if kind in (MessageKind.MISSED, MessageKind.RECALL) and facts.is_active:
        return "the session has been booked"
    if kind in NUDGES:
        return why_not_asked(facts, subject_id)
    if kind == MessageKind.DATES_HELD:
        if facts.held:
            return "the dates have changed since"
        return "the dates are confirmed" if facts.is_active else "the dates are not held any more"
    if subject_kind == "appointment" and kind not in _SCHEDULE:
        return _why_not_about(facts, subject_id, revision)
    if kind in _SCHEDULE:
        if facts.is_said_of != revision:
            return "the dates have changed since"
        return "the patient already knows" if facts.is_active else "the course has ended or rests"
    return "no longer true"


def _why_not_about(facts: OwnerFacts, appointment_id: int, revision: int) -> str:
    appointment = next((each for each in facts.appointments if each.id == appointment_id), None)
    if appointment is None or appointment.is_withdrawn:
        return "the appointment was cancelled"
    if appointment.state is not AppointmentState.BOOKED:
        return "the visit has taken place or was missed"
    if appointment.revision != revision:
        return "the appointment was moved"
    return "no longer true" if facts.is_active else "the course has ended or rests"


def _schedule(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    visits = _visits(facts, now)
    if not facts.is_active:
        visits = tuple(visit for visit in visits if visit.change is VisitChange.CANCELLED)
    changed = tuple(visit for visit in visits if visit.change is not VisitChange.KEPT)
    if not changed:
        return
    by_id = {appointment.id: appointment for appointment in facts.appointments}
    yield _item(
        facts, now, _schedule_kind(visits), (facts.owner.kind, facts.owner.id, facts.is_said_of),
        planned=max(_changed_at(facts, visit, by_id) for visit in changed) + GRACE,
        useless_after=max(_matters_until(visit, by_id) for visit in changed), visits=visits,
    )


def _schedule_kind(visits: tuple[OwedVisit, ...]) -> MessageKind:
    changes = {visit.change for visit in visits}
    if changes == {VisitChange.NEW}:
        return MessageKind.CONFIRMATION
    if changes <= {VisitChange.CANCELLED, VisitChange.KEPT}:
        return MessageKind.CANCELLATION
    return MessageKind.CHANGE


def _visits(facts: OwnerFacts, now: datetime) -> tuple[OwedVisit, ...]:
    """Each session's date against what was told of it, in order of sessions; what is past is no news."""
    standing = {each.treatment_session_id: each for each in facts.appointments if each.is_standing}
    found = (
        _visit(facts, now, standing.get(session_facts.id), _told_of(facts, session_facts.id), session_facts)
        for session_facts in sorted(facts.sessions, key=lambda each: each.number)
    )
    return tuple(visit for visit in found if visit is not None)


def _told_of(facts: OwnerFacts, treatment_session_id: int) -> tuple[Told, ...]:
    return tuple(sorted(
        (told for told in facts.told if told.treatment_session_id == treatment_session_id and not told.cancelled),
        key=lambda told: told.appointment_id,
    ))


def _visit(
    facts: OwnerFacts, now: datetime, present: AppointmentFacts | None, told: tuple[Told, ...],
    session_facts: SessionFacts,
) -> OwedVisit | None:
    gone = {each.id for each in facts.appointments
            if each.is_withdrawn or each.was_on_another_date(session_facts.performed_at)}
    withdrawn = tuple(each.appointment_id for each in told if each.appointment_id in gone)
    if present is not None:
        if present.starts_at <= now:
            return None
        expected = [each for each in told if each.appointment_id in gone or each.appointment_id == present.id]
        if not expected:
            return OwedVisit(present.id, VisitChange.NEW)
        if expected[-1].agrees_with(present):
            return OwedVisit(present.id, VisitChange.KEPT, expected[-1], withdrawn)
        return OwedVisit(present.id, VisitChange.MOVED, expected[-1], withdrawn)
    last = next((each for each in reversed(told) if each.appointment_id in gone), None)
    if last is None or last.starts_at <= now:
        return None
    return OwedVisit(last.appointment_id, VisitChange.CANCELLED, last, withdrawn)


def _changed_at(facts: OwnerFacts, visit: OwedVisit, by_id: dict[int, AppointmentFacts]) -> datetime:
    appointments = [by_id[each] for each in {visit.appointment_id, *visit.withdrawn} if each in by_id]
    return max(each.scheduled_at if each.is_standing else each.closed_at or each.scheduled_at for each in appointments)


def _matters_until(visit: OwedVisit, by_id: dict[int, AppointmentFacts]) -> datetime:
    if visit.change is VisitChange.CANCELLED and visit.old is not None:
        return visit.old.starts_at
    return by_id[visit.appointment_id].starts_at


def _held(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    """The dates that wait for a consultation, said anew, all of them, whenever one of them has changed."""
    if facts.held is None or facts.held.until_at <= now:
        return
    dates = sorted(facts.held.appointments, key=lambda each: each.starts_at)
    yield _item(
        facts, now, MessageKind.DATES_HELD, (facts.owner.kind, facts.owner.id, facts.is_said_of),
        planned=max(each.scheduled_at for each in dates) + GRACE, useless_after=facts.held.until_at,
        visits=tuple(OwedVisit(each.id, VisitChange.NEW) for each in dates))


def _released(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    """Who heard that dates are held, and of no date since, is told that they are free again."""
    gone = [each for each in facts.appointments if each.is_withdrawn and each.closed_at is not None]
    if not facts.told_held or facts.held or facts.is_active or facts.told or not gone:
        return
    ended_at = max(each.closed_at for each in gone if each.closed_at is not None)
    last = sorted((each for each in gone if each.closed_at == ended_at), key=lambda each: each.starts_at)
    yield _item(
        facts, now, MessageKind.DATES_RELEASED, (facts.owner.kind, facts.owner.id, 0), planned=ended_at + GRACE,
        useless_after=last[-1].starts_at, visits=tuple(OwedVisit(each.id, VisitChange.CANCELLED) for each in last))


def _reminders(facts: OwnerFacts, appointment: AppointmentFacts, now: datetime) -> Iterator[OwedItem]:
    where = zone(appointment.zone)
    for kind, days in _REMINDERS:
        planned = instant(_date_of(appointment) - days * DAY, MORNING, where)
        if planned <= appointment.scheduled_at + NEWS_LASTS:
            continue
        if kind is MessageKind.REMINDER_7D:
            useless_after = instant(_date_of(appointment) - 2 * DAY, _minute_of(appointment), where)
        else:
            useless_after = appointment.starts_at - timedelta(hours=2)
        yield _about(facts, now, kind, appointment, planned, useless_after)


def _precare(facts: OwnerFacts, appointment: AppointmentFacts, now: datetime) -> Iterator[OwedItem]:
    session_facts = next(each for each in facts.sessions if each.id == appointment.treatment_session_id)
    if session_facts.precare_days is None or (session_facts.id, _date_of(appointment)) in facts.told_precare:
        return
    earlier = [each for each in facts.sessions if each.number < session_facts.number]
    if any(each.state not in _OVER for each in earlier):
        return
    days = session_facts.precare_days + _PRECARE_MARGIN_DAYS
    planned = instant(_date_of(appointment) - days * DAY, MORNING, zone(appointment.zone))
    over_at = [each.recorded_at for each in earlier if each.recorded_at is not None]
    planned = max(planned, max((appointment.scheduled_at, *over_at)) + GRACE)
    yield _about(facts, now, MessageKind.PRECARE, appointment, planned, appointment.starts_at)


def _aftercare(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    """What follows a treatment is owed whatever becomes of the course: it keeps the patient safe."""
    for each in facts.sessions:
        if each.state is not SessionState.COMPLETED or each.performed_at is None:
            continue
        key: tuple[SubjectKind, int, int] = ("treatment-session", each.id, 0)
        yield _item(facts, now, MessageKind.AFTERCARE, key, planned=each.performed_at,
                    useless_after=each.performed_at + timedelta(hours=72), at_any_hour=True)
        for kind, after in _CHECK_INS:
            planned = each.performed_at + after
            if planned > (each.recorded_at or each.performed_at):
                useless_after = next_allowed(planned, facts.quiet) + timedelta(hours=24)
                yield _item(facts, now, kind, key, planned=planned, useless_after=useless_after)


def _course_complete(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    """An hour after the last treatment was recorded, so that the aftercare comes first."""
    ends = [each.recorded_at or each.performed_at for each in facts.sessions]
    known = [end for end in ends if end is not None]
    if known:
        planned = max(known) + timedelta(hours=1)
        yield _item(facts, now, MessageKind.COURSE_COMPLETE, (facts.owner.kind, facts.owner.id, 0), planned=planned,
                    useless_after=next_allowed(planned, facts.quiet) + timedelta(days=30))


def _missed(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    """On the next day that the clinic is open, unless a new date was found for the session by then."""
    undated = {each.id for each in facts.sessions if each.state is SessionState.OWED}
    undated -= {each.treatment_session_id for each in facts.appointments if each.is_standing}
    for each in facts.appointments:
        if each.is_missed and each.closed_at is not None and each.treatment_session_id in undated:
            noted_on = day_of(each.closed_at, facts.quiet.zone)
            yield _item(facts, now, MessageKind.MISSED, ("appointment", each.id, each.revision),
                        planned=instant(facts.business.next_after(noted_on), MORNING, facts.quiet.zone),
                        useless_after=each.starts_at + MISSED_LASTS)


def _recalls(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    for each in facts.sessions:
        booked = any(item.is_standing for item in facts.appointments if item.treatment_session_id == each.id)
        if each.ask_on is None or each.latest_on is None or each.state is not SessionState.OWED or booked:
            continue
        planned = instant(max([each.ask_on, *_rests(facts, each)]), MORNING, facts.quiet.zone)
        useless_after = instant(each.latest_on, 1440, facts.quiet.zone)
        yield _item(facts, now, MessageKind.RECALL, ("treatment-session", each.id, 0), planned=planned,
                    useless_after=useless_after)


def _nudges(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    for each in nudges(facts):
        yield _item(facts, now, each.kind, ("treatment-session", each.treatment_session_id, each.revision),
                    planned=instant(each.on, MORNING, facts.quiet.zone),
                    useless_after=instant(each.until, MORNING, facts.quiet.zone))


def _rests(facts: OwnerFacts, session_facts: SessionFacts) -> Iterator[date]:
    for each in facts.appointments:
        if each.treatment_session_id == session_facts.id and each.closed_at is not None:
            yield day_of(each.closed_at, facts.quiet.zone) + RESTS


def _about(
    facts: OwnerFacts, now: datetime, kind: MessageKind, appointment: AppointmentFacts,
    planned: datetime, useless_after: datetime,
) -> OwedItem:
    return _item(
        facts, now, kind, ("appointment", appointment.id, appointment.revision), planned=planned,
        useless_after=useless_after, visits=(OwedVisit(appointment.id, VisitChange.KEPT),),
    )


def _item(
    facts: OwnerFacts, now: datetime, kind: MessageKind, key: tuple[SubjectKind, int, int], *,
    planned: datetime, useless_after: datetime, at_any_hour: bool = False, visits: tuple[OwedVisit, ...] = (),
) -> OwedItem:
    due_at = planned if at_any_hour else _allowed(facts, planned, now)
    withheld = why_unreachable(facts.patient)
    if due_at > useless_after:
        due_at, withheld = useless_after, withheld or "it would come too late to be of use"
    return OwedItem(kind, *key, due_at=due_at, useless_after=useless_after, visits=visits, withheld=withheld)


def _allowed(facts: OwnerFacts, planned: datetime, now: datetime) -> datetime:
    """Its time outside quiet hours; what is overdue in quiet hours waits for their end."""
    due_at = next_allowed(planned, facts.quiet)
    resumes_at = next_allowed(max(due_at, now), facts.quiet)
    return due_at if resumes_at <= now else resumes_at


def _date_of(appointment: AppointmentFacts) -> date:
    return appointment.local_start.date()


def _minute_of(appointment: AppointmentFacts) -> int:
    return appointment.local_start.hour * 60 + appointment.local_start.minute
