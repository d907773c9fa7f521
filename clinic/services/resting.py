"""A course, or its upkeep, that rests: its coming appointments are given up, its sessions stay owed."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from clinic.care.course_changes import (
    Heard,
    about,
    contraindication,
    desk_may_clear,
    heard,
    open_ended,
)
from clinic.care.protocols import Protocol
from clinic.care.screening import (
    Screening,
    ScreeningAnswers,
    answers_document,
    findings_document,
    screen,
)
from clinic.care.states import (
    COURSE_MOVES,
    MAINTENANCE_MOVES,
    AppointmentState,
    CourseState,
    MaintenanceState,
    SessionState,
)
from clinic.planning import Finding, Weight
from clinic.planning.local import day_of, zone
from clinic.queries.course_changes import noted_at, screenings
from clinic.queries.series import (
    Place,
    Series,
    course_series,
    maintenance_series,
    series_again,
)
from clinic.services.holding import cancel, refresh_windows
from clinic.services.lapsing import lapse
from clinic.services.overrides import not_entitled
from clinic.services.reconcile import Owner, reconcile
from clinic.services.work import Done, Refused, UnitOfWork, check_version, record
from clinic.store.clinics import Clinic
from clinic.store.courses import CourseOverride, MaintenancePlan
from clinic.store.courses import Screening as ScreeningRow
from clinic.store.locks import lock_appointments, lock_course

RESTS = "course-on-hold"
"""Why an appointment was cancelled: its course rests."""
ON_HOLD = "on-hold"
"""The code under which it is kept why a course rests."""
ENDED = Finding("ended", Weight.BLOCKS, "This course has ended, and its upkeep too")


def hold_course(work: UnitOfWork, course_id: int, *, reason: str, lock_version: int) -> Done[int] | Refused:
    """Lets a course rest, or the upkeep of one that is completed: what is booked is cancelled, all stays owed."""
    series = opened(work, course_id, lock_version)
    if series is None or ON_HOLD not in moves(series):
        return Refused((ENDED if series is None else Finding("on-hold", Weight.BLOCKS, "This course rests already"),))
    refusal = not_now(series)
    if refusal:
        return Refused(refusal)
    put_on_hold(work, series, reason)
    settle(work, series, "course-held")
    return Done(course_id)


def resume_course(
    work: UnitOfWork, course_id: int, *, asked_again: bool, lock_version: int,
    over: Mapping[str, str] | None = None, reasons: Mapping[str, str] | None = None,
) -> Done[int] | Refused:
    """Lets a course that rests go on, once the patient was screened again and nothing forbids it.

    `over` says, by code, why a contraindication does not stand in the way any more; `reasons` why a practitioner goes
    on in spite of one. Days that still have to pass do not hinder: no session may be before they have.
    """
    series = opened(work, course_id, lock_version)
    if series is None or "active" not in moves(series):
        return Refused((ENDED if series is None else Finding("not-on-hold", Weight.BLOCKS, "This course goes on"),))
    if not asked_again:
        return Refused((Finding("asked-again", Weight.BLOCKS, "Ask the patient again whether anything speaks against "
                                "the treatment, and tick that you have.", "asked_again"),))
    asked = screenings(work.db, course_id)
    answers = asked[-1].answers if asked else ScreeningAnswers(none_apply=True)
    cleared = {code: words for code, words in _said(over).items() if code in answers.applies}
    reasons = _said(reasons)
    refusal = not_entitled(work, series.course.clinic_id, cleared_by_practitioners(series.protocol, cleared))
    if refusal:
        return Refused(refusal)
    for code, words in cleared.items():
        answers = heard(series.protocol, answers, Heard(code, over=words))
    screened = screen_now(work, series, answers)
    said = about(series.protocol, screened)
    passed = settled_before(work, course_id)
    weighed = [each for each in said if each.weight is Weight.WARNS and each.code not in passed]
    standing = (*open_ended(said), *(each for each in weighed if each.code not in reasons)) or not_entitled(
        work, series.course.clinic_id, weighed)
    if standing:
        return Refused(standing)
    keep_screening(work, series, answers, screened)
    for each in weighed:
        keep_override(work, course_id, each.code, each.text, reasons[each.code])
    _set_state(series, "active")
    settle(work, series, "course-resumed")
    return Done(course_id)


def opened(work: UnitOfWork, course_id: int, lock_version: int, *, if_held: bool = False) -> Series | None:
    """The course's sessions while it lives, its upkeep's once it is completed; none: both have ended. Locks it.

    A course whose dates are only held has not begun to live: it counts `if_held`.
    """
    course = lock_course(work.db, course_id)
    check_version("course", course, lock_version)
    lapse(work, Owner("course", course_id))
    if course.state in (CourseState.ACTIVE, CourseState.ON_HOLD) or (if_held and course.state == CourseState.DRAFT):
        return course_series(work.db, course_id, now=work.now)
    plan_id = work.db.scalar(sa.select(MaintenancePlan.id).where(
        MaintenancePlan.course_id == course_id, MaintenancePlan.state != MaintenanceState.REVOKED))
    if course.state != CourseState.COMPLETED or plan_id is None:
        return None
    return maintenance_series(work.db, plan_id, now=work.now)


def moves(series: Series) -> frozenset[str]:
    """The states that the course, or its upkeep, may now come to."""
    if series.plan is not None:
        return frozenset(MAINTENANCE_MOVES[MaintenanceState(series.plan.state)])
    return frozenset(COURSE_MOVES[CourseState(series.course.state)])


def not_now(series: Series) -> tuple[Finding, ...]:
    """Nothing is given up while the patient is here for it."""
    if any(place.appointment and place.appointment.state == AppointmentState.ARRIVED for place in series.places):
        return (Finding("arrived", Weight.BLOCKS, "The patient is here for a session: end that visit first"),)
    return ()


def coming(series: Series, now: datetime) -> tuple[Place, ...]:
    """The sessions whose appointment is not over; how one that is over ended is told of that visit itself."""
    return tuple(place for place in series.places if place.appointment and place.appointment.ends_at > now)


def put_on_hold(work: UnitOfWork, series: Series, reason: str) -> None:
    """Lets it rest: coming appointments are cancelled, their sessions owed. No commit."""
    places = coming(series, work.now)
    lock_appointments(work.db, [place.appointment.id for place in places if place.appointment])
    for place in places:
        if place.appointment is not None:
            cancel(work, place.appointment, RESTS)
            place.row.state = SessionState.OWED
            place.row.lock_version += 1
    _set_state(series, ON_HOLD)
    what = "The upkeep was put on hold" if series.plan else "The course was put on hold"
    keep_override(work, series.course.id, ON_HOLD, what, reason)


def settle(work: UnitOfWork, series: Series, action: str, **facts: str) -> Series:
    """What follows every change of a course: windows, audit, messages, one commit. The series as it then stands."""
    work.db.flush()
    after = series_again(work.db, series, now=work.now)
    refresh_windows(after, after.windows())
    course = series.course
    record(work, action, "course", course.id, clinic_id=course.clinic_id, **facts)
    reconcile(work, Owner("maintenance-plan", series.plan.id) if series.plan else Owner("course", course.id))
    work.commit()
    return after


def screen_now(work: UnitOfWork, series: Series, answers: ScreeningAnswers) -> Screening:
    """What the rules say today of those answers."""
    where = zone(work.db.get_one(Clinic, series.course.clinic_id).zone)
    return screen(series.protocol, answers, today=day_of(work.now, where))


def keep_screening(work: UnitOfWork, series: Series, answers: ScreeningAnswers, screened: Screening) -> None:
    """Puts on record what was answered and what the rules said of it. No commit."""
    work.db.add(ScreeningRow(
        course_id=series.course.id, answered_at=work.now, answered_by=work.actor.account_id,
        answers=answers_document(answers), findings=findings_document(about(series.protocol, screened))))


def keep_override(work: UnitOfWork, course_id: int, code: str, what: str, reason: str, **value: int) -> None:
    """Puts on record where the course departs from its protocol, why and by whom. No commit."""
    work.db.add(CourseOverride(
        course_id=course_id, code=code, value={"finding": what, **value}, reason=reason, made_at=work.now,
        made_by=work.actor.account_id))


def settled_before(work: UnitOfWork, course_id: int) -> frozenset[str]:
    """The codes that a practitioner has gone past since they were last heard of."""
    since = noted_at(screenings(work.db, course_id))
    rows = work.db.execute(
        sa.select(CourseOverride.code, CourseOverride.made_at).where(CourseOverride.course_id == course_id))
    return frozenset(row.code for row in rows if row.code in since and row.made_at >= since[row.code].at)


def cleared_by_practitioners(protocol: Protocol, over: Mapping[str, str]) -> tuple[Finding, ...]:
    """Those that only a practitioner may call over, as findings."""
    reasons = [contraindication(protocol, code) for code in over]
    return tuple(
        Finding(each.code, Weight.WARNS, f"{each.title}: this is not for the desk to call over.", f"over-{each.code}")
        for each in reasons if not desk_may_clear(each))


def _said(words: Mapping[str, str] | None) -> dict[str, str]:
    return {code: each.strip() for code, each in (words or {}).items() if each.strip()}


def _set_state(series: Series, state: str) -> None:
    if series.plan is not None:
        series.plan.state = state
        series.plan.lock_version += 1
    else:
        series.course.state = state
