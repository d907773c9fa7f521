"""One course: its page, and stopping it early."""
from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.states import CourseState
from clinic.planning.local import zone
from clinic.queries.consultations import held_dates
from clinic.queries.course_standing import course_standing
from clinic.queries.courses import CoursePage, clinic_of_course, course_page
from clinic.queries.handover import unread_notes_of
from clinic.queries.just_moved import just_moved
from clinic.queries.links import as_its_patient
from clinic.queries.rest_of_course import undo_token
from clinic.queries.time_line import time_line_of_course
from clinic.services.courses import stop_course
from clinic.services.my_page import my_page
from clinic.services.work import Done, Refused, Stale, UnitOfWork
from clinic.web import course_words
from clinic.web.entry import allowed, check_clinic, here
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.my import map_address
from clinic.web.my_pages import my_own_page
from clinic.web.numbers import number_of
from clinic.web.once import done_once
from clinic.web.pages import page, stale_page
from clinic.web.reasons import STOPPING, read_reason, reason_words
from clinic.web.time_line import asked_stretch, asked_theme, time_line_view
from clinic.web.words import plural
from clinic.web.zones import zone_words

courses = Blueprint("courses", __name__)


@courses.get("/courses/<int:course_id>")
@allowed(Right.SEE_DIARY)
def show(course_id: int) -> Response:
    """The course with its sessions and its time line."""
    found = found_course(course_id)
    with kit().read() as db:
        undo = undo_token(db, course_id, now=now()) if found.state is CourseState.ACTIVE else None
        standing = course_standing(db, course_id, now=now())
        notes = unread_notes_of(db, found.patient.id)
        held = held_dates(db, course_id, now=now()) if found.state is CourseState.DRAFT else None
        moved = just_moved(db, _just_moved_here(found), now=now())
        told = time_line_of_course(
            db, course_id, found.patient.id, theme=asked_theme(), stretch=asked_stretch(), now=now())
    where = zone(found.zone)
    return page("courses/show.html", course=found, words=course_words, reason_words=reason_words, undo=undo, held=held,
                moved=moved, standing=standing, notes=notes, on_hold=course_words.is_on_hold(found),
                lives=course_words.lives(found), off_track=course_words.off_track(found.treatment_sessions),
                zone_words=zone_words(where), time_line=time_line_view(
                    told, where, (each.appointment for each in found.all_sessions), now=now(), of_one_course=True))


@courses.get("/courses/<int:course_id>/as-patient")
@allowed(Right.SEE_DIARY)
def as_patient(course_id: int) -> Response:
    """The patient's own page of the course as it is now, to speak about with them: nothing on it acts."""
    found = found_course(course_id)
    with kit().read() as db:
        browser = as_its_patient(db, course_id, now=now())
        assert browser is not None  # the course was found
        seen = my_page(db, browser, now=now())
    back = url_for("courses.show", course_id=course_id)
    return my_own_page("my/show.html", language=seen.language, page=seen, told="", map_href=map_address(seen),
                       preview_of=found.patient.name, back=back, url_for=lambda *_, **__: "#content")


@courses.get("/courses/<int:course_id>/stop")
@allowed(Right.BOOK)
def ask_stop(course_id: int) -> Response:
    """Asks why the course ends early."""
    found = found_course(course_id)
    return _stop_page(found, Form(initial={"lock_version": found.lock_version}))


@courses.post("/courses/<int:course_id>/stop")
@allowed(Right.BOOK)
def stop(course_id: int) -> Response:
    """Ends the course early: what is booked is cancelled, what is owed will not be done."""
    found, form = found_course(course_id), Form(request.form)
    reason, version = read_reason(form, STOPPING), form.version()
    if form.faults:
        return _stop_page(found, form)

    def act(work: UnitOfWork) -> Done[Any] | Refused:
        return stop_course(work, course_id, reason=reason, lock_version=version)

    back = url_for("courses.show", course_id=course_id)
    try:
        outcome = done_once(act, to=lambda _: back, otherwise=back, told="The course was stopped.")
    except Stale as error:
        return stale_page(error, title="Stop the course", rows=_now_and_wanted(found, reason), again=back)
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _stop_page(found, form)
    return outcome


def _just_moved_here(found: CoursePage) -> int:
    """The visit of this course that the address says was just moved; 0 for none."""
    ident = number_of(request.args, "moved")
    visits = {line.appointment.id for line in found.treatment_sessions if line.appointment}
    return ident if ident in visits and here().may(Right.BOOK) else 0


def found_course(course_id: int) -> CoursePage:
    """The page of a course, at a clinic where the view's right is held; 404 otherwise."""
    with kit().read() as db:
        check_clinic(clinic_of_course(db, course_id))
        found = course_page(db, course_id)
    if found is None:
        abort(404)
    return found


def _stop_page(found: CoursePage, form: Form) -> Response:
    return page("courses/stop.html", form.status, course=found, form=form, reasons=[(each, each) for each in STOPPING])


def _now_and_wanted(found: CoursePage, reason: str) -> list[tuple[str, str, str]]:
    state = course_words.STATES[found.state]
    booked = plural(sum(course_words.may_move(line) for line in found.treatment_sessions), "session")
    return [("Course", state, "Stopped early"), ("Booked", booked, "none"), ("Reason", "", reason)]
