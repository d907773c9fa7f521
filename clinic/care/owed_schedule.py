"""What is owed about dates: the difference between what the patient was told and what is now true.

So a change that is taken back before it was told is never mentioned. What may not have reached the patient is no reason
to write, for it is repeated, or left to staff; but where there is news, it is told once more with it.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from clinic.care.message_kinds import MessageKind
from clinic.care.owed_items import GRACE, OwedItem, OwedVisit, VisitChange, owed_item
from clinic.care.owner_facts import AppointmentFacts, OwnerFacts, SessionFacts, Told

_BY_ID = dict[int, AppointmentFacts]


def schedule(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    """One message for all dates that are not as the patient knows them, with those that stay.

    Of a date in an absence it is not said that it stays.
    """
    if not _changed(_visits(facts, now)):
        return
    visits = _visits(facts, now, is_sure_only=True)
    changed = _changed(visits)
    by_id = {appointment.id: appointment for appointment in facts.appointments}
    yield owed_item(
        facts, now, _kind_of(visits, by_id), (facts.owner.kind, facts.owner.id, facts.is_said_of),
        planned=max(_changed_at(visit, by_id) for visit in changed) + GRACE,
        useless_after=max(_matters_until(visit, by_id) for visit in changed),
        visits=tuple(visit for visit in visits if visit in changed or visit.withdrawn
                     or not facts.is_in_absence(visit.appointment_id)),
    )


def held(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    """The dates that wait for a consultation, said anew, all of them, whenever one of them has changed."""
    if facts.held is None or facts.held.until_at <= now:
        return
    dates = sorted(facts.held.appointments, key=lambda each: each.starts_at)
    yield owed_item(
        facts, now, MessageKind.DATES_HELD, (facts.owner.kind, facts.owner.id, facts.is_said_of),
        planned=max(each.scheduled_at for each in dates) + GRACE, useless_after=facts.held.until_at,
        visits=tuple(OwedVisit(each.id, VisitChange.NEW) for each in dates))


def released(facts: OwnerFacts, now: datetime) -> Iterator[OwedItem]:
    """Who heard that dates are held, and of no date since, is told that they are free again."""
    gone = [each for each in facts.appointments if each.is_withdrawn and each.closed_at is not None]
    if not facts.told_held or facts.held or facts.is_active or facts.told or not gone:
        return
    ended_at = max(each.closed_at for each in gone if each.closed_at is not None)
    last = sorted((each for each in gone if each.closed_at == ended_at), key=lambda each: each.starts_at)
    yield owed_item(
        facts, now, MessageKind.DATES_RELEASED, (facts.owner.kind, facts.owner.id, 0), planned=ended_at + GRACE,
        useless_after=last[-1].starts_at, visits=tuple(OwedVisit(each.id, VisitChange.CANCELLED) for each in last))


def _kind_of(visits: tuple[OwedVisit, ...], by_id: _BY_ID) -> MessageKind:
    changes = {visit.change for visit in visits}
    if changes == {VisitChange.NEW}:
        return MessageKind.CONFIRMATION
    if changes <= {VisitChange.CANCELLED, VisitChange.KEPT}:
        return MessageKind.CANCELLATION
    changed = [by_id[visit.appointment_id] for visit in visits
               if visit.change is not VisitChange.KEPT and visit.appointment_id in by_id]
    return MessageKind.CLINIC_CHANGE if all(each.by_clinic for each in changed) else MessageKind.CHANGE


def _changed(visits: tuple[OwedVisit, ...]) -> tuple[OwedVisit, ...]:
    return tuple(visit for visit in visits if visit.change is not VisitChange.KEPT)


def _visits(facts: OwnerFacts, now: datetime, *, is_sure_only: bool = False) -> tuple[OwedVisit, ...]:
    """Each session's date against what was told of it, in order of sessions; what is past is no news, and what a course
    that rests has to say is only what is off.

    With `is_sure_only` a date is as the patient knows it only where that is sure.
    """
    standing = {each.treatment_session_id: each for each in facts.appointments if each.is_standing}
    # A visit may be for another session now than it was told for: see `care.counting`.
    now_for = {each.id: each.treatment_session_id for each in facts.appointments}
    surely = tuple(each.surely for each in facts.told if each.surely is not None)
    found = []
    for session_facts in sorted(facts.sessions, key=lambda each: each.number):
        present = standing.get(session_facts.id)
        visit = _visit(facts, now, present, _told_of(facts.told, now_for, session_facts.id), session_facts)
        if is_sure_only and (visit is None or visit.change is VisitChange.KEPT):
            visit = _visit(facts, now, present, _told_of(surely, now_for, session_facts.id), session_facts) or visit
        if visit is not None and (facts.is_active or visit.change is VisitChange.CANCELLED):
            found.append(visit)
    return tuple(found)


def _told_of(told: tuple[Told, ...], now_for: Mapping[int, int], treatment_session_id: int) -> tuple[Told, ...]:
    return tuple(sorted(
        (each for each in told if not each.cancelled
         and now_for.get(each.appointment_id, each.treatment_session_id) == treatment_session_id),
        key=lambda each: each.appointment_id,
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
        expected = sorted((each for each in told if each.appointment_id in gone or each.appointment_id == present.id),
                          key=lambda each: each.appointment_id == present.id)
        if not expected:
            return OwedVisit(present.id, VisitChange.NEW)
        if expected[-1].agrees_with(present):
            return OwedVisit(present.id, VisitChange.KEPT, expected[-1], withdrawn)
        return OwedVisit(present.id, VisitChange.MOVED, expected[-1], withdrawn)
    last = next((each for each in reversed(told) if each.appointment_id in gone), None)
    if last is None or last.starts_at <= now:
        return None
    return OwedVisit(last.appointment_id, VisitChange.CANCELLED, last, withdrawn)


def _changed_at(visit: OwedVisit, by_id: _BY_ID) -> datetime:
    appointments = [by_id[each] for each in {visit.appointment_id, *visit.withdrawn} if each in by_id]
    return max(each.scheduled_at if each.is_standing else each.closed_at or each.scheduled_at for each in appointments)


def _matters_until(visit: OwedVisit, by_id: _BY_ID) -> datetime:
    if visit.change is VisitChange.CANCELLED and visit.old is not None:
        return visit.old.starts_at
    return by_id[visit.appointment_id].starts_at
