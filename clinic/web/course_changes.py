"""What a course changes for itself: another interval, and appointments that the planner leaves alone."""
from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.course_changes import MOST_DAYS, SHORTER, IntervalChange, interval_words
from clinic.care.protocols import Interval
from clinic.queries.appointments import AppointmentPage
from clinic.queries.course_standing import OpenInterval, open_intervals
from clinic.queries.courses import CoursePage
from clinic.services.course_changes import change_interval
from clinic.services.pins import pin_appointment
from clinic.services.work import Done, Refused, Stale, UnitOfWork
from clinic.web import course_words
from clinic.web.addresses import safe_next
from clinic.web.appointments import appointments, course_address, found_appointment
from clinic.web.courses import courses, found_course
from clinic.web.entry import allowed
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.once import done_once
from clinic.web.pages import page, stale_page

_SHORTER_REASON = f"override-{SHORTER}"


@courses.get("/courses/<int:course_id>/interval")
@allowed(Right.OVERRIDE_SCREENING)
def interval(course_id: int) -> Response:
    """Asks for another interval, from which session on, and why."""
    found = found_course(course_id)
    opens = _open(course_id)
    first = opens[0].now if opens else None
    return _interval_page(found, opens, Form(initial={
        "lock_version": found.lock_version, "from_number": opens[0].number if opens else "",
        "shortest": first and first.shortest, "ideal": first and first.ideal, "longest": first and first.longest}))


@courses.post("/courses/<int:course_id>/interval", endpoint="interval_changed")
@allowed(Right.OVERRIDE_SCREENING)
def interval_changed(course_id: int) -> Response:
    """Gives the rest of the course its own interval."""
    found, form = found_course(course_id), Form(request.form)
    opens = _open(course_id)
    change, reasons = _read_change(form, opens), _read_unsafe(form)
    reason, version = form.text("reason", "The reason", most=500), form.version()
    if form.faults or change is None:
        return _interval_page(found, opens, form)
    back = url_for("courses.show", course_id=course_id)

    def act(work: UnitOfWork) -> Done[Any] | Refused:
        return change_interval(work, course_id, change, reason=reason, lock_version=version, overrides=reasons)

    try:
        outcome = done_once(act, to=lambda _: back, otherwise=back, told="The interval was changed.")
    except Stale as error:
        return stale_page(error, title="Change the interval", again=back, rows=[
            ("Course", course_words.STATES[found.state], ""), ("Interval", "", interval_words(change.interval))])
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _interval_page(found, opens, form)
    return outcome


@appointments.post("/appointments/<int:appointment_id>/pin", endpoint="pinned")
@allowed(Right.BOOK)
def pinned(appointment_id: int) -> Response:
    """Fixes an appointment, or lets it go again."""
    found, form = found_appointment(appointment_id), Form(request.form)
    wanted, version = form.ticked("pinned"), form.version()
    assert found.treatment_session is not None  # `found_appointment` answers 404 otherwise
    back = safe_next(course_address(found.treatment_session))
    told = "Fixed: the planner never moves it." if wanted else "Not fixed any more."
    try:
        outcome = done_once(
            lambda work: pin_appointment(work, appointment_id, pinned=wanted, lock_version=version),
            to=lambda _: back, otherwise=back, told=told)
    except Stale as error:
        return _not_fixed(error, found, wanted, back)
    if isinstance(outcome, Refused):
        flash(outcome.findings[0].text, "error")
        return redirect(back, 303)
    return outcome


def _not_fixed(error: Stale, found: AppointmentPage, wanted: bool, back: str) -> Response:
    return stale_page(error, title="Fix the appointment", again=back, rows=[
        ("State", course_words.APPOINTMENT_STATES[found.appointment.state], "Fixed" if wanted else "Not fixed")])


def _open(course_id: int) -> tuple[OpenInterval, ...]:
    with kit().read() as db:
        return open_intervals(db, course_id, now=now())


def _read_change(form: Form, opens: tuple[OpenInterval, ...]) -> IntervalChange | None:
    number = form.one_of("from_number", "The session", [str(each.number) for each in opens])
    days = [form.number(name, label, least=1, most=MOST_DAYS) for name, label in (
        ("shortest", "The shortest interval"), ("ideal", "The ideal interval"), ("longest", "The longest interval"))]
    shortest, ideal, longest = days
    if not number or shortest is None or ideal is None or longest is None:
        return None
    if shortest > ideal:
        form.fault("ideal", "The ideal interval cannot be shorter than the shortest.")
    elif ideal > longest:
        form.fault("longest", "The longest interval cannot be shorter than the ideal one.")
    else:
        return IntervalChange(int(number), Interval(shortest, ideal, longest))
    return None


def _read_unsafe(form: Form) -> dict[str, str]:
    """The reason for going below the protocol, which counts only with its own tick."""
    given = form.overrides()
    if given.get(SHORTER) and not form.ticked("unsafe"):
        form.fault("unsafe", "Tick that you have weighed the risk.")
    elif form.ticked("unsafe") and not given.get(SHORTER):
        form.fault(_SHORTER_REASON, "Say why fewer days are safe for this patient.")
    return given if form.ticked("unsafe") else {}


def _interval_page(found: CoursePage, opens: tuple[OpenInterval, ...], form: Form) -> Response:
    shorter = any(each.code == SHORTER for each in form.findings) or form.value("unsafe") or form.value(_SHORTER_REASON)
    return page(
        "courses/interval.html", form.status, course=found, form=form, opens=opens, shorter=bool(shorter),
        shorter_reason=_SHORTER_REASON, sessions=[(each.number, f"Session {each.number}") for each in opens],
        interval_words=interval_words)
