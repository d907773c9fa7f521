"""A course departs from its protocol: another interval from one of its sessions on."""
from __future__ import annotations

from collections.abc import Mapping

from clinic.care.course_changes import SHORTER, IntervalChange, judge_interval
from clinic.care.states import CourseState, SessionState
from clinic.planning import Finding, Weight
from clinic.planning.words import day_words
from clinic.queries.course_changes import INTERVAL
from clinic.queries.series import Series, course_series
from clinic.services.overrides import keep_reasons, may_decide, unsettled
from clinic.services.resting import keep_override, settle
from clinic.services.work import Done, Refused, UnitOfWork, check_version
from clinic.store.locks import lock_course

_OPEN = (SessionState.OWED, SessionState.BOOKED)


def change_interval(
    work: UnitOfWork, course_id: int, change: IntervalChange, *, reason: str, lock_version: int,
    overrides: Mapping[str, str] | None = None,
) -> Done[int] | Refused:
    """Gives a running course another interval from a session on, as a practitioner decides for this patient.

    Windows, times and booking follow it from now on. Shorter than the protocol allows needs a reason of its own, by
    the code of that warning. The findings of what was done name the appointments that now lie outside their windows.
    """
    course = lock_course(work.db, course_id)
    check_version("course", course, lock_version)
    refusal = _not_changeable(work, course.state, course.clinic_id, reason)
    if refusal:
        return Refused(refusal)
    series = course_series(work.db, course_id, now=work.now)
    open_numbers = {place.row.number for place in series.places if place.row.state in _OPEN}
    findings = judge_interval(series.protocol, [place.step for place in series.places], open_numbers, change)
    standing = unsettled(findings, overrides or {})
    if standing:
        return Refused(standing)
    usual = series.places[change.from_number - 1].interval
    before = f"; it was {usual.shortest} to {usual.longest}, ideally {usual.ideal}" if usual else ""
    keep_override(work, course_id, INTERVAL, f"{change.words}{before}", reason.strip(), **change.document())
    keep_reasons(work, course_id, findings, overrides or {})
    unsafe = {"unsafe": SHORTER} if findings else {}
    after = settle(work, series, "interval-changed", **unsafe)
    return Done(course_id, outside(after))


def outside(series: Series) -> tuple[Finding, ...]:
    """The appointments that lie outside their windows as those now are."""
    found = []
    for place, window in zip(series.places, series.windows(), strict=True):
        if place.appointment is None or window is None:
            continue
        on = place.appointment.local_start.date()
        if not window.earliest_on <= on <= window.latest_on:
            found.append(Finding(
                "outside", Weight.WARNS, f"Session {place.row.number} on {day_words(on)} lies outside its window, "
                f"{day_words(window.earliest_on)} to {day_words(window.latest_on)}: move it."))
    return tuple(found)


def _not_changeable(work: UnitOfWork, state: str, clinic_id: int, reason: str) -> tuple[Finding, ...]:
    if state not in (CourseState.ACTIVE, CourseState.ON_HOLD):
        return (Finding("ended", Weight.BLOCKS, "This course has already ended"),)
    if not may_decide(work, clinic_id):
        return (Finding("practitioner-needed", Weight.BLOCKS, "Only a practitioner changes the interval of a course."),)
    if not reason.strip():
        return (Finding("reason", Weight.BLOCKS, "Say why this patient's interval is another one.", "reason"),)
    return ()
