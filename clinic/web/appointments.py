"""One appointment at the desk: arrived, completed, cancelled, not come."""
from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.planning.local import instant, local_of, zone
from clinic.queries.appointments import AppointmentPage, SessionPage, appointment_page, clinic_of_appointment
from clinic.services.appointments import cancel_appointment, mark_arrived, mark_noshow
from clinic.services.completion import complete_appointment
from clinic.services.work import Done, Refused, Stale, UnitOfWork
from clinic.web import course_words
from clinic.web.addresses import safe_next
from clinic.web.entry import allowed, check_clinic
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.once import done_once
from clinic.web.pages import page, stale_page
from clinic.web.reasons import CANCELLATION, read_reason
from clinic.web.words import moment
from clinic.web.zones import zone_words

appointments = Blueprint("appointments", __name__)


@appointments.post("/appointments/<int:appointment_id>/arrive")
@allowed(Right.ARRIVE)
def arrive(appointment_id: int) -> Response:
    """Notes that the patient is here."""
    found, form = found_appointment(appointment_id), Form(request.form)
    version = form.version()
    return _acted(found, form, "arrive", f"{found.patient.name} is here.",
                  lambda work: mark_arrived(work, appointment_id, lock_version=version))


@appointments.get("/appointments/<int:appointment_id>/complete")
@allowed(Right.COMPLETE)
def ask_complete(appointment_id: int) -> Response:
    """Asks when the session was performed."""
    found = found_appointment(appointment_id)
    at = min(local_of(now(), zone(found.appointment.zone)), found.appointment.local_start)
    return _action_page("complete", found, Form(initial={
        "lock_version": found.appointment.lock_version, "performed": "now", "on": at.date(), "at": f"{at:%H:%M}"}))


@appointments.post("/appointments/<int:appointment_id>/complete")
@allowed(Right.COMPLETE)
def complete(appointment_id: int) -> Response:
    """Notes that the session was performed, now or at the time that is given."""
    found, form = found_appointment(appointment_id), Form(request.form)
    version, at = form.version(), _performed_at(form, found)
    return _acted(found, form, "complete", f"{_session_words(found)} is completed.",
                  lambda work: complete_appointment(work, appointment_id, lock_version=version, performed_at=at))


@appointments.get("/appointments/<int:appointment_id>/cancel")
@allowed(Right.BOOK)
def ask_cancel(appointment_id: int) -> Response:
    """Asks why the appointment is cancelled."""
    found = found_appointment(appointment_id)
    return _action_page("cancel", found, Form(initial={"lock_version": found.appointment.lock_version}))


@appointments.post("/appointments/<int:appointment_id>/cancel")
@allowed(Right.BOOK)
def cancel(appointment_id: int) -> Response:
    """Cancels the appointment; its session stays owed."""
    found, form = found_appointment(appointment_id), Form(request.form)
    reason, version = read_reason(form, CANCELLATION), form.version()
    return _acted(found, form, "cancel", f"Cancelled. {_session_words(found)} stays owed.",
                  lambda work: cancel_appointment(work, appointment_id, reason=reason, lock_version=version))


@appointments.get("/appointments/<int:appointment_id>/no-show")
@allowed(Right.ARRIVE)
def ask_noshow(appointment_id: int) -> Response:
    """Asks once more before it is noted that the patient did not come."""
    found = found_appointment(appointment_id)
    return _action_page("noshow", found, Form(initial={"lock_version": found.appointment.lock_version}))


@appointments.post("/appointments/<int:appointment_id>/no-show")
@allowed(Right.ARRIVE)
def noshow(appointment_id: int) -> Response:
    """Notes that the patient did not come; the session stays owed."""
    found, form = found_appointment(appointment_id), Form(request.form)
    version = form.version()
    return _acted(found, form, "noshow", f"Noted. {_session_words(found)} stays owed.",
                  lambda work: mark_noshow(work, appointment_id, lock_version=version))


def found_appointment(appointment_id: int) -> AppointmentPage:
    """The appointment of a session, at a clinic where the view's right is held; 404 otherwise."""
    with kit().read() as db:
        check_clinic(clinic_of_appointment(db, appointment_id))
        found = appointment_page(db, appointment_id)
    if found is None or found.treatment_session is None:
        abort(404)
    return found


def course_address(found: SessionPage) -> str:
    """The page of the course that the session belongs to."""
    return url_for("courses.show", course_id=found.course_id)


def _acted(
    found: AppointmentPage, form: Form, action: str, told: str, act: Callable[[UnitOfWork], Done[Any] | Refused]
) -> Response:
    """What follows the form: back to where it was asked, or the same page with what stands in the way."""
    if form.faults:
        return _action_page(action, found, form)
    back = safe_next(course_address(_subject(found)))
    try:
        outcome = done_once(act, to=lambda _: back, otherwise=back, told=told)
    except Stale:
        return stale_page(title=_TITLES[action], rows=_now_and_wanted(found, action), again=back)
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _action_page(action, found, form)
    return outcome


_TITLES = {
    "arrive": "The patient is here", "complete": "Complete the session", "cancel": "Cancel the appointment",
    "noshow": "The patient did not come",
}
_WANTED = {"arrive": "Arrived", "complete": "Done", "cancel": "Cancelled", "noshow": "Did not come"}


def _action_page(action: str, found: AppointmentPage, form: Form) -> Response:
    return page(
        f"appointments/{action}.html", form.status, title=_TITLES[action], found=found, form=form,
        reasons=[(each, each) for each in CANCELLATION], back=safe_next(course_address(_subject(found))),
        next=safe_next(""), zone_words=zone_words(zone(found.appointment.zone)))


def _now_and_wanted(found: AppointmentPage, action: str) -> list[tuple[str, str, str]]:
    when = moment(found.appointment.local_start)
    return [("When", when, when), ("State", course_words.APPOINTMENT_STATES[found.appointment.state], _WANTED[action])]


def _performed_at(form: Form, found: AppointmentPage) -> datetime | None:
    """The instant that the form tells; none means now."""
    if form.value("performed") in ("", "now"):
        return None
    on, minute = form.date("on", "The date"), form.time("at", "The time")
    return None if on is None or minute is None else instant(on, minute, zone(found.appointment.zone))


def _subject(found: AppointmentPage) -> SessionPage:
    assert found.treatment_session is not None  # `found_appointment` answers 404 otherwise
    return found.treatment_session


def _session_words(found: AppointmentPage) -> str:
    subject = _subject(found)
    return f"{'Maintenance session' if subject.of_maintenance else 'Session'} {subject.line.number}"
