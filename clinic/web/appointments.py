"""One appointment at the desk: arrived, or cancelled. How its visit ends has a page of its own."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.planning.local import zone
from clinic.queries.appointments import (
    AppointmentPage,
    SessionPage,
    VisitSubject,
    appointment_page,
)
from clinic.services.appointments import cancel_appointment
from clinic.services.attendance import mark_arrived
from clinic.services.work import Done, Refused, Stale, UnitOfWork
from clinic.web import course_words
from clinic.web.addresses import safe_next
from clinic.web.entry import allowed, check_clinic
from clinic.web.forms import Form
from clinic.web.kit import kit
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


@appointments.get("/appointments/<int:appointment_id>/cancel")
@allowed(Right.BOOK)
def ask_cancel(appointment_id: int) -> Response:
    """Asks why the appointment is cancelled."""
    found = found_appointment(appointment_id)
    version, ours = found.appointment.lock_version, bool(found.appointment.away)
    return _action_page("cancel", found, Form(initial={"lock_version": version, "by_clinic": ours}))


@appointments.post("/appointments/<int:appointment_id>/cancel")
@allowed(Right.BOOK)
def cancel(appointment_id: int) -> Response:
    """Cancels the appointment; its session stays owed."""
    found, form = found_appointment(appointment_id), Form(request.form)
    reason, version, ours = read_reason(form, CANCELLATION), form.version(), form.ticked("by_clinic")
    told = f"Cancelled. {session_words(found)} stays owed." if found.treatment_session else "Cancelled."
    return _acted(found, form, "cancel", told,
                  lambda work: cancel_appointment(
                      work, appointment_id, reason=reason, lock_version=version, by_clinic=ours))


def found_appointment(appointment_id: int) -> AppointmentPage:
    """The appointment, at a clinic where the view's right is held; 404 otherwise."""
    with kit().read() as db:
        found = appointment_page(db, appointment_id)
    if found is None:
        abort(404)
    check_clinic(found.subject.clinic_id)
    return found


def course_address(found: SessionPage) -> str:
    """The page of the course that the session belongs to."""
    return url_for("courses.show", course_id=found.course_id)


def now_and_wanted(found: AppointmentPage, wanted: str) -> list[tuple[str, str, str]]:
    """What the appointment is now, and what the second of two people wanted."""
    when = moment(found.appointment.local_start)
    return [("When", when, when), ("State", course_words.APPOINTMENT_STATES[found.appointment.state], wanted)]


def home_of(found: AppointmentPage) -> str:
    """The page that the appointment belongs to: its course, or its patient where it is of no course."""
    if found.treatment_session is None:
        return url_for("patients.show", patient_id=found.patient.id)
    return course_address(found.treatment_session)


def session_words(found: AppointmentPage) -> str:
    """What the appointment is for, at the head of a sentence."""
    subject = found.subject
    if isinstance(subject, VisitSubject):
        return f"The {subject.what.lower()}"
    return f"{'Maintenance session' if subject.of_maintenance else 'Session'} {subject.line.number}"


def _acted(
    found: AppointmentPage, form: Form, action: str, told: str, act: Callable[[UnitOfWork], Done[Any] | Refused]
) -> Response:
    """What follows the form: back to where it was asked, or the same page with what stands in the way."""
    if form.faults:
        return _action_page(action, found, form)
    back = safe_next(home_of(found))
    try:
        outcome = done_once(act, to=lambda _: back, otherwise=back, told=told)
    except Stale as error:
        return stale_page(error, title=_TITLES[action], rows=now_and_wanted(found, _WANTED[action]), again=back)
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _action_page(action, found, form)
    return outcome


_TITLES = {"arrive": "The patient is here", "cancel": "Cancel the appointment"}
_WANTED = {"arrive": "Arrived", "cancel": "Cancelled"}


def _action_page(action: str, found: AppointmentPage, form: Form) -> Response:
    return page(
        f"appointments/{action}.html", form.status, title=_TITLES[action], found=found, form=form,
        reasons=[(each, each) for each in CANCELLATION], back=safe_next(home_of(found)),
        next=safe_next(""), zone_words=zone_words(zone(found.appointment.zone)))
