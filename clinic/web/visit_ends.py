"""How a visit ended: treated, in part, not at all, or the patient did not come; one page for all of it."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.outcomes import (
    CONTRAINDICATION_OF,
    NoShowCause,
    NotTreatedCause,
    PartlyTreated,
    VisitOutcome,
)
from clinic.planning.findings import Finding, Weight
from clinic.planning.local import day_of, instant, local_of, zone
from clinic.queries.appointments import AppointmentPage
from clinic.queries.consultations import CONSULTATION, HeldCourse, held_courses
from clinic.queries.forbidden import forbidden
from clinic.queries.series import course_series
from clinic.queries.visit_ends import VisitEnds, visit_ends
from clinic.services.attendance import end_untreated, mark_noshow
from clinic.services.completion import complete_appointment
from clinic.services.consultations import complete_visit
from clinic.services.work import Done, Refused, Stale, UnitOfWork
from clinic.web import course_words
from clinic.web.addresses import safe_next
from clinic.web.appointments import (
    appointments,
    found_appointment,
    home_of,
    now_and_wanted,
    session_words,
)
from clinic.web.entry import allowed, today
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.once import done_once
from clinic.web.pages import page, stale_page
from clinic.web.words import moment
from clinic.web.zones import zone_words

TITLE = "How did the visit end?"
TREATED, PARTLY = VisitOutcome.TREATED.value, VisitOutcome.PARTLY_TREATED.value
ENDINGS = {TREATED: "Treated", PARTLY: "Treated in part", **course_words.CAUSES}

Act = Callable[[UnitOfWork], Done[Any] | Refused]


@appointments.get("/appointments/<int:appointment_id>/end")
@allowed(Right.COMPLETE)
def end(appointment_id: int) -> Response:
    """Asks how the visit ended, and says what would follow."""
    found = found_appointment(appointment_id)
    here = local_of(now(), zone(found.appointment.zone))
    at = min(here, found.appointment.local_start)
    asked = request.args.get("ended", "")
    return _end_page(found, Form(initial={
        "lock_version": found.appointment.lock_version, "ended": asked if asked in _endings(found) else "",
        "performed": "now" if here.date() == found.appointment.local_start.date() else "at",
        "on": at.date(), "at": f"{at:%H:%M}"}))


@appointments.post("/appointments/<int:appointment_id>/end", endpoint="ended")
@allowed(Right.COMPLETE)
def ended(appointment_id: int) -> Response:
    """Notes how the visit ended; only a treatment completes its session."""
    return _ended(found_appointment(appointment_id), Form(request.form))


@appointments.post("/appointments/<int:appointment_id>/complete")
@allowed(Right.COMPLETE)
def complete(appointment_id: int) -> Response:
    """Notes with one press that the session was performed just now."""
    found, form = found_appointment(appointment_id), Form({**request.form, "ended": TREATED})
    return _ended(found, form)


def _ended(found: AppointmentPage, form: Form) -> Response:
    ending = form.one_of("ended", "How the visit ended", _endings(found))
    version, act = form.version(), _act(form, found, ending)
    follows = _follows(found, None if form.faults else _performed_at(form, found))
    _check_shown(form, follows, ending)
    if form.status != 200:
        return _end_page(found, form)
    told = _told(form, found, ending, follows)
    course = home_of(found)
    # Whoever was sent home for something that lasts: the course's page asks to note it.
    back = course if ending in CONTRAINDICATION_OF else safe_next(course)
    try:
        outcome = done_once(lambda work: act(work, found.appointment.id, version),
                            to=lambda _: back, otherwise=back, told=told)
    except Stale as error:
        return stale_page(error, title=TITLE, rows=now_and_wanted(found, ENDINGS[ending]), again=back)
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _end_page(found, form)
    return outcome


def _act(
    form: Form, found: AppointmentPage, ending: str
) -> Callable[[UnitOfWork, int, int], Done[Any] | Refused]:
    """What the form asks for, with its faults where it cannot be read."""
    if found.treatment_session is None and ending == TREATED:
        return lambda work, ident, version: complete_visit(work, ident, lock_version=version)
    if ending in (TREATED, PARTLY):
        at, partly = _performed_at(form, found), _partly(form) if ending == PARTLY else None
        return lambda work, ident, version: complete_appointment(
            work, ident, lock_version=version, performed_at=at, partly=partly)
    if ending in list(NotTreatedCause):
        details = form.text("details", "The details", most=300, required=False)
        return lambda work, ident, version: end_untreated(
            work, ident, cause=NotTreatedCause(ending), details=details, lock_version=version)
    return lambda work, ident, version: mark_noshow(work, ident, cause=NoShowCause(ending), lock_version=version)


def _check_shown(form: Form, follows: VisitEnds, ending: str) -> None:
    """Whether as many sessions would be added for a missed one as the page said that is being answered."""
    if ending in list(NoShowCause) and (effect := follows.noshow.get(NoShowCause(ending))):
        shown = form.number(f"shown-{ending}", "What was shown", least=0, most=1000, required=False)
        if shown not in (None, effect.added):
            form.add([Finding("shown", Weight.BLOCKS, "What follows has changed since this page was opened: look "
                              "at it again, then save.")])


def _told(form: Form, found: AppointmentPage, ending: str, follows: VisitEnds) -> str:
    """What the desk reads afterwards."""
    who, at = session_words(found), _performed_at(form, found)
    where = zone(found.appointment.zone)
    if found.treatment_session is None:
        return _told_of_visit(found, ending)
    if ending in (TREATED, PARTLY):
        more = f" It counts as session {follows.counts_as}, which was still owed." if follows.counts_as else ""
        more += f" {follows.late.text}" if follows.late else ""
        whole = f"{who} is completed." if ending == TREATED else (
            f"{who} is completed in part; a practitioner is asked about what was left out.")
        on = f" It counts from {moment(local_of(at, where))}." if at and (
            day_of(at, where) != found.appointment.local_start.date()) else ""
        return whole + on + more
    effect = follows.noshow.get(NoShowCause(ending)) if ending in list(NoShowCause) else None
    return f"Noted. {effect.text}" if effect else f"Noted. {who} stays owed."


def _endings(found: AppointmentPage) -> Mapping[str, str]:
    """The ways in which that visit can end."""
    if found.treatment_session is not None:
        return ENDINGS
    return {TREATED: "Took place", **{cause.value: words for cause, words in _not_seen(found).items()},
            **{cause.value: words for cause, words in course_words.NO_SHOW.items()}}


def _not_seen(found: AppointmentPage) -> Mapping[NotTreatedCause, str]:
    """Why a patient who came for a visit of no course leaves without what it was for."""
    is_consultation = found.appointment.kind == CONSULTATION
    return {
        NotTreatedCause.OTHER_HEALTH: "It took place: treatment is not suitable at present" if is_consultation
        else "A health reason",
        NotTreatedCause.CLINIC_REASON: course_words.NOT_TREATED[NotTreatedCause.CLINIC_REASON],
        NotTreatedCause.LEFT: course_words.NOT_TREATED[NotTreatedCause.LEFT],
    }


def _told_of_visit(found: AppointmentPage, ending: str) -> str:
    """What the desk reads after a visit of no course; dates that wait for a consultation are named."""
    waiting = _held_for(found)
    if ending != TREATED:
        more = " The dates that wait for a consultation stay held, and are not confirmed." if waiting else ""
        return f"Noted.{more}"
    stopped = {held.id for held in waiting if _is_forbidden(held)}
    confirmed = ", ".join(held.protocol for held in waiting if held.id not in stopped)
    kept = ", ".join(held.protocol for held in waiting if held.id in stopped)
    return f"{session_words(found)} took place." + (
        f" The dates of {confirmed} are confirmed." if confirmed else "") + (
        f" The dates of {kept} stay held and are not confirmed: something is noted against treatment." if kept else "")


def _held_for(found: AppointmentPage) -> tuple[HeldCourse, ...]:
    """The patient's courses whose dates wait for that visit."""
    if found.appointment.kind != CONSULTATION:
        return ()
    with kit().read() as db:
        return held_courses(db, found.patient.id, now=now())


def _is_forbidden(held: HeldCourse) -> bool:
    """Whether something is noted that keeps a consultation from confirming these dates."""
    with kit().read() as db:
        series = course_series(db, held.id, now=now())
        return bool(forbidden(db, series, today=today()))


def _follows(found: AppointmentPage, at: datetime | None = None) -> VisitEnds:
    on = day_of(at, zone(found.appointment.zone)) if at else None
    with kit().read() as db:
        return visit_ends(db, found.appointment.id, now=now(), performed_on=on)


def _partly(form: Form) -> PartlyTreated | None:
    treated = form.text("areas_treated", "The areas treated", most=200)
    left = form.text("areas_left", "The areas left out", most=200)
    return PartlyTreated(treated, left) if treated and left else None


def _performed_at(form: Form, found: AppointmentPage) -> datetime | None:
    """The instant that the form tells; none means now."""
    if form.value("performed") in ("", "now"):
        return None
    on, minute = form.date("on", "The date"), form.time("at", "The time")
    return None if on is None or minute is None else instant(on, minute, zone(found.appointment.zone))


def _end_page(found: AppointmentPage, form: Form) -> Response:
    follows = _follows(found)
    is_its_day = local_of(now(), zone(found.appointment.zone)).date() >= found.appointment.local_start.date()
    of_session = found.treatment_session is not None
    causes = course_words.NOT_TREATED if of_session else _not_seen(found)
    return page(
        "appointments/end.html", form.status, title=TITLE, found=found, form=form, of_session=of_session,
        held=_held_for(found), treated=_treated_choices(found, follows),
        not_treated=[(cause.value, words) for cause, words in causes.items() if is_its_day],
        missed=[(cause.value, words, follows.noshow[cause].text) for cause, words in course_words.NO_SHOW.items()
                if cause in follows.noshow],
        shown={f"shown-{cause.value}": effect.added for cause, effect in follows.noshow.items()},
        back=safe_next(home_of(found)), next=safe_next(""), zone_words=zone_words(zone(found.appointment.zone)))


def _treated_choices(found: AppointmentPage, follows: VisitEnds) -> list[tuple[str, str, str]]:
    if found.treatment_session is not None:
        hint = " ".join(filter(None, (
            course_words.counts_as_words(follows.counts_as) if follows.counts_as else "",
            follows.late.text if follows.late else "")))
        return [(TREATED, "Treated", hint), (PARTLY, "Treated in part", "")]
    return [(TREATED, "Took place: nothing speaks against treatment" if found.appointment.kind == CONSULTATION
             else "Took place", "")]
