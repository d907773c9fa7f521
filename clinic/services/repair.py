"""Putting a course right in one go, and taking that back: several appointments, one commit, one message."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from clinic.care.states import AppointmentState, CourseState, SessionState
from clinic.planning import Finding, Pin, Weight
from clinic.queries.last_change import SERIES
from clinic.queries.repair import judged_alone
from clinic.queries.rest_of_course import OPEN, REPAIRED, Rest, choice_of, last_repair, pin_of, rest_of_course, token_of
from clinic.queries.series import Place, Series, course_series, held_by
from clinic.queries.visit_choice import VisitChoice
from clinic.services.holding import (
    TAKEN,
    Taken,
    cancel,
    change_time,
    free,
    free_lapsed,
    new_appointment,
    purpose_of,
    refresh_windows,
)
from clinic.services.lapsing import lapse
from clinic.services.overrides import keep_reasons, unsettled
from clinic.services.reconcile import Owner, reconcile
from clinic.services.work import Done, Refused, Stale, UnitOfWork, record
from clinic.store.clinics import Clinic
from clinic.store.locks import lock_appointments, lock_course, lock_resources

LEFT_UNDATED = "left-undated"
"""Why an appointment was cancelled whose session is to get its date later."""
UNDONE = "repair-undone"


def repair_course(
    work: UnitOfWork, course_id: int, choices: Sequence[VisitChoice], undated: Iterable[int] = (), *, token: str,
    overrides: Mapping[str, str] | None = None, by_clinic: bool = False,
) -> Done[int] | Refused:
    """Gives sessions of a course the chosen times and takes the dates of others away: all of it, or nothing.

    `by_clinic`: the clinic is the cause, such as an absence, which the patient is told with an apology.
    `token` is what the course was when this was proposed: Stale where it has changed since. Each new time is judged
    among the others as they will be; a warning needs a reason.
    """
    series = _locked(work, course_id, token)
    wrong = _wrong(series, choices, undated)
    if wrong:
        return Refused(wrong)
    _lock_what_is_held(work, series, choices)
    rest = rest_of_course(work.db, series, now=work.now)
    dates = _dates(rest, choices, undated)
    judged = {choice.number: judged_alone(rest, choice.number, dates[choice.number], dates) for choice in choices}
    findings = tuple(finding for found in judged.values() for finding in found)
    standing = unsettled(findings, overrides or {})
    if standing:
        return Refused(standing)
    try:
        _lay(work, rest, choices, undated, by_clinic=by_clinic)
    except Taken:
        return Refused((TAKEN,))
    for number, found in judged.items():
        keep_reasons(work, course_id, found, overrides or {}, number)
    _settle(work, course_id, REPAIRED, rest.before)
    return Done(course_id, findings)


def undo_repair(work: UnitOfWork, course_id: int, *, token: str) -> Done[int] | Refused:
    """Gives every session back the time that it had before the last repair, if nothing has changed since.

    What stood before is put back as it stood, fitting or not. Refused where a time is past or somebody else's by now.
    """
    series = _locked(work, course_id, token)
    before = last_repair(work.db, series)
    if before is None:
        return Refused((Finding("nothing-to-undo", Weight.BLOCKS, "There is nothing to undo any more"),))
    _lock_what_is_held(work, series, before)
    rest = rest_of_course(work.db, series, now=work.now)
    choices = [choice for choice in before if rest.before.get(choice.number) != pin_of(choice)]
    if any(choice.starts_at <= work.now for choice in choices):
        return Refused((Finding("past", Weight.BLOCKS, "One of the old times has passed: it cannot be undone"),))
    undated = set(rest.before) - {choice.number for choice in before}
    try:
        _lay(work, rest, choices, undated)
    except Taken:
        return Refused((TAKEN,))
    _settle(work, course_id, UNDONE, {})
    return Done(course_id)


def _locked(work: UnitOfWork, course_id: int, token: str) -> Series:
    course = lock_course(work.db, course_id)
    # Compared as it was read: a hold that has run out is no date in either, cleared away or not.
    if token_of(course_series(work.db, course_id, now=work.now)) != token:
        raise Stale(SERIES, course_id, course.lock_version)
    lapse(work, Owner("course", course_id))
    return course_series(work.db, course_id, now=work.now)


def _wrong(series: Series, choices: Sequence[VisitChoice], undated: Iterable[int]) -> tuple[Finding, ...]:
    """What no page of ours would send."""
    if series.course.state != CourseState.ACTIVE:
        return (Finding("ended", Weight.BLOCKS, "This course is not active"),)
    numbers = [*(choice.number for choice in choices), *undated]
    open_ones = {place.row.number: place for place in series.places if place.row.state in OPEN}
    if not numbers or len(set(numbers)) != len(numbers) or not set(numbers) <= set(open_ones):
        return (Finding("visits", Weight.BLOCKS, "Choose how the course is to go on"),)
    if any(open_ones[number].appointment is None for number in undated):
        return (Finding("visits", Weight.BLOCKS, "A session without a date cannot lose it"),)
    if any(_has_begun(open_ones[number]) for number in numbers):
        return (Finding("arrived", Weight.BLOCKS, "The patient is here for one of these sessions: it cannot move"),)
    return ()


def _has_begun(place: Place) -> bool:
    return place.appointment is not None and place.appointment.state != AppointmentState.BOOKED


def _lock_what_is_held(work: UnitOfWork, series: Series, choices: Sequence[VisitChoice]) -> None:
    """Every resource that is freed or taken, in one go: two courses that are put right at once never wait in a ring."""
    ours = [place.appointment.id for place in series.places if place.appointment]
    held = held_by(work.db, ours)
    wanted = [
        series.course.patient_id, *(int(each) for resources in held.values() for each in resources),
        *(each for choice in choices for each in choice.resource_ids)]
    lock_resources(work.db, wanted)
    free_lapsed(work, wanted)
    lock_appointments(work.db, ours)


def _dates(rest: Rest, choices: Sequence[VisitChoice], undated: Iterable[int]) -> dict[int, Pin]:
    """The time of each open session as it will be."""
    dates = {number: pin for number, pin in rest.before.items() if number not in set(undated)}
    return {**dates, **{choice.number: pin_of(choice) for choice in choices}}


def _lay(
    work: UnitOfWork, rest: Rest, choices: Sequence[VisitChoice], undated: Iterable[int], *, by_clinic: bool = False
) -> None:
    """Writes the new times: first everything is freed that is given up, so that sessions may change places."""
    clinic = work.db.get_one(Clinic, rest.series.course.clinic_id)
    places = {place.row.number: place for place in rest.series.places}
    for number in sorted(undated):
        place = places[number]
        assert place.appointment is not None  # only what has a date is in `before`
        cancel(work, place.appointment, LEFT_UNDATED, by_clinic=by_clinic)
        _now(place, SessionState.OWED)
    moved = [(choice, places[choice.number]) for choice in choices]
    free(work, [place.appointment.id for _, place in moved if place.appointment])
    for choice, place in moved:
        if place.appointment is not None:
            change_time(work, clinic, place.appointment, place.step.parts, choice, by_clinic=by_clinic)
            place.appointment.lock_version += 1
        else:
            new_appointment(
                work, clinic, rest.series.course.patient_id, purpose_of(place.row, place.step), choice)
            _now(place, SessionState.BOOKED)


def _now(place: Place, state: SessionState) -> None:
    place.row.state = state
    place.row.lock_version += 1


def _settle(work: UnitOfWork, course_id: int, action: str, before: Mapping[int, Pin]) -> None:
    """Windows, audit with what is needed to take it back, messages, one commit."""
    work.db.flush()
    series = course_series(work.db, course_id, now=work.now)
    refresh_windows(series, series.windows())
    work.db.flush()
    record(
        work, action, "course", course_id, clinic_id=series.course.clinic_id, token=token_of(series),
        before=[str(choice_of(number, pin)) for number, pin in sorted(before.items())])
    reconcile(work, Owner("course", course_id))
    work.commit()
