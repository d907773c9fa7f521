"""What is heard of a patient while a course runs, and a course that rests and goes on."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.course_changes import Heard, contraindication
from clinic.care.guidance import Contraindication
from clinic.care.protocols import Protocol
from clinic.care.screening import DateAsked, date_asked
from clinic.queries.course_standing import CourseStanding, Reason, course_standing
from clinic.queries.courses import CoursePage
from clinic.queries.treatment_sessions import SessionLine
from clinic.services.contraindications import CONFIRM, note_contraindication
from clinic.services.resting import hold_course, resume_course
from clinic.services.work import Done, Refused, Stale, UnitOfWork
from clinic.web import course_words
from clinic.web.courses import courses, found_course
from clinic.web.entry import allowed, here
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.once import done_once
from clinic.web.pages import page, stale_page
from clinic.web.reasons import RESTING, read_reason
from clinic.web.screening_form import ContraindicationRow, contraindication_rows

MOST = 500

Act = Callable[[UnitOfWork], Done[Any] | Refused]


@courses.get("/courses/<int:course_id>/contraindication")
@allowed(Right.BOOK)
def contraindications(course_id: int) -> Response:
    """The protocol's list; with one chosen by its place in it, what is asked about it.

    An address names no condition: addresses are kept by browsers and by whatever stands between.
    """
    found = found_course(course_id)
    item = request.args.get("item", type=int) or 0
    known = found.protocol.contraindications
    if not 1 <= item <= len(known):
        return _list_page(found)
    chosen = known[item - 1]
    reason = next((each for each in _standing(found).reasons if each.about.code == chosen.code), None)
    return _contraindication_page(found, chosen, Form(initial={
        "lock_version": found.lock_version, "now": "applies", "on": reason.on if reason else None}))


@courses.post("/courses/<int:course_id>/contraindication", endpoint="noted")
@allowed(Right.BOOK)
def noted(course_id: int) -> Response:
    """Keeps what was heard; whatever cancels appointments is shown first."""
    found, form = found_course(course_id), Form(request.form)
    chosen = _chosen(found, request.form.get("code", ""))
    if chosen is None:
        form.fault("", "This protocol does not ask about that. Choose from the list.")
        return _list_page(found, form)
    what, version = _read_heard(form, chosen), form.version()
    reason = form.text("reason", "The reason", most=MOST, required=False)
    if form.faults:
        return _contraindication_page(found, chosen, form)
    confirmed = form.ticked("confirmed")
    told = "Noted: it is over." if what.over else f"Noted: {chosen.title}."
    return _acted(found, form, told, "Note a contraindication", lambda: _contraindication_page(found, chosen, form),
                  lambda work: note_contraindication(
                      work, course_id, what, lock_version=version, reason=reason, confirmed=confirmed))


@courses.get("/courses/<int:course_id>/hold")
@allowed(Right.BOOK)
def ask_hold(course_id: int) -> Response:
    """Asks why the course is to rest, and lists what is then cancelled."""
    found = found_course(course_id)
    return _hold_page(found, Form(initial={"lock_version": found.lock_version}))


@courses.post("/courses/<int:course_id>/hold", endpoint="held")
@allowed(Right.BOOK)
def held(course_id: int) -> Response:
    """Lets the course rest."""
    found, form = found_course(course_id), Form(request.form)
    reason, version = read_reason(form, RESTING), form.version()
    if form.faults:
        return _hold_page(found, form)
    return _acted(found, form, "The course is on hold.", "Put on hold", lambda: _hold_page(found, form),
                  lambda work: hold_course(work, course_id, reason=reason, lock_version=version))


@courses.get("/courses/<int:course_id>/resume")
@allowed(Right.BOOK)
def ask_resume(course_id: int) -> Response:
    """Asks again what speaks against the treatment."""
    found = found_course(course_id)
    return _resume_page(found, Form(initial={"lock_version": found.lock_version}))


@courses.post("/courses/<int:course_id>/resume", endpoint="resumed")
@allowed(Right.BOOK)
def resumed(course_id: int) -> Response:
    """Lets the course go on."""
    found, form = found_course(course_id), Form(request.form)
    standing, version, asked_again = _standing(found), form.version(), form.ticked("asked_again")
    over = {
        each.about.code: form.text(_over(each), "What you know", most=MOST, required=False)
        for each in standing.reasons}
    reasons = form.overrides()
    if not asked_again:
        form.fault("asked_again", "Ask the patient again, and tick that you have.")
    if form.faults:
        return _resume_page(found, form)
    return _acted(found, form, "The course goes on. Plan its sessions now.", "Go on",
                  lambda: _resume_page(found, form),
                  lambda work: resume_course(work, course_id, asked_again=asked_again, lock_version=version, over=over,
                                             reasons=reasons))


def _acted(found: CoursePage, form: Form, told: str, title: str, shown: Callable[[], Response], act: Act) -> Response:
    """What follows the form: the course's page, or the same page with what stands in the way."""
    back = url_for("courses.show", course_id=found.id)
    try:
        outcome = done_once(act, to=lambda _: back, otherwise=back, told=told)
    except Stale as error:
        return stale_page(error, title=title, again=back, rows=[("Course", course_words.STATES[found.state], title)])
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return shown()
    return outcome


def _standing(found: CoursePage) -> CourseStanding:
    with kit().read() as db:
        return course_standing(db, found.id, now=now())


def _chosen(found: CoursePage, code: str) -> Contraindication | None:
    try:
        return contraindication(found.protocol, code)
    except KeyError:
        return None


def _read_heard(form: Form, chosen: Contraindication) -> Heard:
    if form.value("now") == "over":
        return Heard(chosen.code, over=form.text("over", "What you know", most=MOST))
    asked = date_asked(chosen)
    return Heard(chosen.code, form.date("on", "The date", required=False) if asked is not DateAsked.NO else None)


def _list_page(found: CoursePage, form: Form | None = None) -> Response:
    form = form or Form()
    return page("courses/contraindications.html", form.status, course=found, form=form, rows=_rows(found.protocol),
                standing=_standing(found), item_of=course_words.item_of)


def _rows(protocol: Protocol) -> tuple[ContraindicationRow, ...]:
    return contraindication_rows(protocol, may_override=_may_decide())


def _contraindication_page(found: CoursePage, chosen: Contraindication, form: Form) -> Response:
    standing = _standing(found)
    to_confirm = any(each.code == CONFIRM for each in form.findings)
    return page(
        "courses/contraindication.html", form.status, course=found, chosen=chosen, form=form,
        row=next(row for row in _rows(found.protocol) if row.code == chosen.code), to_confirm=to_confirm,
        reason=next((each for each in standing.reasons if each.about.code == chosen.code), None),
        may_decide=_may_decide(found), coming=_coming(found), asks_date=date_asked(chosen) is not DateAsked.NO)


def _hold_page(found: CoursePage, form: Form) -> Response:
    return page("courses/hold.html", form.status, course=found, form=form, coming=_coming(found),
                reasons=[(each, each) for each in RESTING])


def _resume_page(found: CoursePage, form: Form) -> Response:
    return page("courses/resume.html", form.status, course=found, form=form, standing=_standing(found), over=_over,
                may_decide=_may_decide(found))


def _over(reason: Reason) -> str:
    """The field in which a reason is called over."""
    return f"over-{reason.about.code}"


def _may_decide(found: CoursePage | None = None) -> bool:
    return here().may(Right.OVERRIDE_SCREENING, found.clinic_id if found else None)


def _coming(found: CoursePage) -> tuple[SessionLine, ...]:
    """The sessions whose appointments would be cancelled."""
    lines = (*found.treatment_sessions, *(found.maintenance.treatment_sessions if found.maintenance else ()))
    return tuple(line for line in lines if line.appointment is not None and course_words.may_move(line)
                 and line.appointment.local_end > now())
