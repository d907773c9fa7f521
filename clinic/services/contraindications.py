"""What is heard of a patient's contraindications while a course runs: kept, weighed, and followed by what it asks."""
from __future__ import annotations

from datetime import date, timedelta

from clinic.care.course_changes import MOST_DAYS, Heard, about, contraindication, heard, open_ended
from clinic.care.guidance import Contraindication
from clinic.care.screening import DateAsked, ScreeningAnswers, date_asked
from clinic.planning import Finding, Weight
from clinic.planning.local import day_of, zone
from clinic.planning.words import date_words, day_words
from clinic.queries.course_changes import screenings
from clinic.queries.forbidden import too_early
from clinic.queries.series import Series
from clinic.services.overrides import not_entitled
from clinic.services.resting import (
    ENDED,
    ON_HOLD,
    cleared_by_practitioners,
    coming,
    keep_override,
    keep_screening,
    moves,
    not_now,
    opened,
    put_on_hold,
    screen_now,
    settle,
)
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.store.accounts import Task
from clinic.store.clinics import Clinic

CONFIRM = "goes-on-hold"
"""The code of what has to be confirmed: the course will rest, and its coming appointments are cancelled."""
DECIDE_WITHIN = timedelta(days=1)
"""A practitioner is to decide within this time, or before the next visit if that is sooner. Our default."""


def note_contraindication(
    work: UnitOfWork, course_id: int, what: Heard, *, lock_version: int, reason: str = "", confirmed: bool = False
) -> Done[int] | Refused:
    """Keeps what was heard and screens again; anybody at the desk may, and must not wait with it.

    One that ends on a date lets no open session be before it. One that forbids treatment without an end puts the
    course on hold: `confirmed`, where appointments are cancelled by that. One that a practitioner has to weigh opens
    a task, unless a practitioner gives the `reason` why the course may go on. Dates that are only held for now are not
    confirmed while it stands. Calling one over asks for whoever may
    do so at booking. The findings of what was done name the appointments that have to move.
    """
    series = opened(work, course_id, lock_version, if_held=True)
    if series is None:
        return Refused((ENDED,))
    asked = screenings(work.db, course_id)
    before = asked[-1].answers if asked else ScreeningAnswers(none_apply=True)
    wrong = _not_heard_so(work, series, before, what)
    if wrong:
        return Refused(wrong)
    answers = heard(series.protocol, before, what)
    screened = screen_now(work, series, answers)
    own = tuple(each for each in about(series.protocol, screened) if each.code == what.code)
    weighed = tuple(each for each in own if each.weight is Weight.WARNS)
    refusal = not_entitled(work, series.course.clinic_id, weighed) if reason else ()
    rests = open_ended(own) if ON_HOLD in moves(series) else ()
    refusal = refusal or (not_now(series) or _to_confirm(work, series, rests, confirmed) if rests else ())
    if refusal:
        return Refused(refusal)
    keep_screening(work, series, answers, screened)
    _decide(work, series, weighed, reason)
    if rests:
        put_on_hold(work, series, contraindication(series.protocol, what.code).title)
    after = settle(work, series, "contraindication-over" if what.over else "contraindication-noted", code=what.code)
    return Done(course_id, too_early(after))


def _not_heard_so(
    work: UnitOfWork, series: Series, before: ScreeningAnswers, what: Heard
) -> tuple[Finding, ...]:
    """Why that cannot be kept as it was said."""
    try:
        reason = contraindication(series.protocol, what.code)
    except KeyError:
        return (Finding("unknown-answer", Weight.BLOCKS, "This protocol does not ask about that: choose from its list.",
                        "code"),)
    if what.over:
        if what.code not in before.applies:
            return (Finding("not-noted", Weight.BLOCKS, f"{reason.title} is not noted of this patient.", "over"),)
        return not_entitled(work, series.course.clinic_id, cleared_by_practitioners(series.protocol, {what.code: ""}))
    today = day_of(work.now, zone(work.db.get_one(Clinic, series.course.clinic_id).zone))
    return _date_is_wrong(reason, what.on, today)


def _date_is_wrong(reason: Contraindication, on: date | None, today: date) -> tuple[Finding, ...]:
    asked = date_asked(reason)
    if on is not None and asked is DateAsked.SINCE and on > today:
        return (Finding("date", Weight.BLOCKS, "Since when it applies cannot be after today.", "on"),)
    if on is not None and asked is DateAsked.UNTIL and on <= today:
        return (Finding("date", Weight.BLOCKS, "Until when it applies must be after today; leave it empty where nobody "
                        "knows.", "on"),)
    furthest = today + timedelta(days=MOST_DAYS)
    if on is not None and on > furthest:
        return (Finding("date", Weight.BLOCKS, f"Until when it applies cannot be after {date_words(furthest)}.", "on"),)
    if on is not None and asked is DateAsked.NO:
        return (Finding("date", Weight.BLOCKS, f"{reason.title} has no date: leave it empty.", "on"),)
    return ()


def _to_confirm(
    work: UnitOfWork, series: Series, rests: tuple[Finding, ...], confirmed: bool
) -> tuple[Finding, ...]:
    places = coming(series, work.now)
    if confirmed or not places:
        return ()
    dates = ", ".join(day_words(place.appointment.local_start.date()) for place in places if place.appointment)
    return (Finding(CONFIRM, Weight.WARNS, f"{rests[0].text} The course goes on hold, and what is booked is cancelled: "
                    f"{dates}.", "confirmed"),)


def _decide(work: UnitOfWork, series: Series, weighed: tuple[Finding, ...], reason: str) -> None:
    """Keeps a practitioner's reason, or asks for one with a task."""
    for each in weighed:
        if reason:
            keep_override(work, series.course.id, each.code, each.text, reason)
            continue
        today = day_of(work.now, zone(work.db.get_one(Clinic, series.course.clinic_id).zone))
        visits = [place.appointment.local_start.date() for place in series.places if place.appointment]
        work.db.add(Task(
            clinic_id=series.course.clinic_id, patient_id=series.course.patient_id, kind="other",
            text=f"A practitioner has to decide whether the course goes on ({series.protocol.name}): {each.text}",
            due_on=max(today, min([today + DECIDE_WITHIN, *visits])), created_at=work.now,
            created_by=work.actor.account_id))
