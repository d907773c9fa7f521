"""A course that begins at a free time of the diary: the protocol, the screening, and its first session booked there.

The sessions after it wait for their dates; the page of a new course lays out all of them.
"""
from __future__ import annotations

from typing import Any

from flask import abort, request
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.screening import ScreeningAnswers
from clinic.planning.findings import Finding, Weight
from clinic.queries.course_asks import CourseRequest
from clinic.queries.course_here import first_session_here, protocols_here
from clinic.queries.new_course import ChosenProtocol, new_course_page
from clinic.queries.spots import Possible
from clinic.queries.visit_choice import VisitChoice, parse_choice
from clinic.services.courses import book_course
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.web.booking_region import Panel, onward, panel_at, shown
from clinic.web.booking_time import asked_time
from clinic.web.course_form import defaults
from clinic.web.diary import diary
from clinic.web.entry import allowed, here, today
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.numbers import number_of
from clinic.web.once import done_once
from clinic.web.screening_form import (
    contraindication_rows,
    grades,
    indications,
    place_findings,
    read_answers,
    read_sessions,
)


@diary.get("/diary/book/course")
@allowed(Right.BOOK)
def course_from() -> Response:
    """The protocols whose first session fits there; with one chosen, what is asked of the patient first."""
    panel = _panel()
    chosen = _chosen(panel, request.args.get("protocol", ""))
    if chosen is not None:
        initial = {name: value for name, value in defaults(chosen, today()).items() if name != "laxity"}
        return _screening(panel, chosen, Form(initial=initial))
    with kit().read() as db:
        found = protocols_here(db, panel.patient_id, panel.spot.spot, now=now())
    return shown(panel, Form(), "booking/protocols.html", protocols=found)


@diary.post("/diary/book/course", endpoint="course_begun")
@allowed(Right.BOOK)
def course_begun() -> Response:
    """Books the first session after the screening, or says what speaks against it."""
    panel, form = _panel(), Form(request.form)
    chosen = _chosen(panel, request.form.get("protocol", "")) or abort(404)
    choice, wanted, reasons = _read(panel, chosen, form)
    if choice is None or wanted is None:
        return _screening(panel, chosen, form)
    asked: tuple[CourseRequest, VisitChoice] = (wanted, choice)

    def act(work: UnitOfWork) -> Done[Any] | Refused:
        return book_course(work, asked[0], [asked[1]], overrides=reasons)

    outcome = done_once(act, to=lambda ident: panel.asked.diary(begun=ident), otherwise=panel.asked.diary(),
                        told="Booked. The sessions after it wait for their dates: see “To plan”.")
    if isinstance(outcome, Refused):
        _place(form, outcome.findings, chosen)
        return _screening(panel, chosen, form)
    return onward(outcome)


def _panel() -> Panel:
    patient_id = number_of(request.values, "patient")
    return panel_at(asked_time(), patient_id or abort(404))


def _chosen(panel: Panel, code: str) -> ChosenProtocol | None:
    if not code:
        return None
    with kit().read() as db:
        found = new_course_page(db, patient_id=panel.patient_id, protocol_code=code, clinic_id=here().clinic_id,
                                today=today())
    return found.chosen or abort(404)


def _read(
    panel: Panel, chosen: ChosenProtocol, form: Form
) -> tuple[VisitChoice | None, CourseRequest | None, dict[str, str]]:
    """What was answered and pressed; nothing to book where something is to be corrected first."""
    answers = read_answers(form, chosen.protocol, today=today(), may_override=here().may(Right.OVERRIDE_SCREENING))
    count = read_sessions(form, chosen.protocol)
    choice = form.choice("choice", "The time", parse_choice)
    if form.faults or count is None:
        return None, None, {}
    wanted = CourseRequest(
        patient_id=panel.patient_id, clinic_id=here().clinic_id, protocol_version_id=chosen.version_id,
        sessions=count, answers=answers, not_before_on=max(panel.asked.day, today()),
        practitioner_id=panel.practitioner_id)
    return choice, wanted, form.overrides()


def _place(form: Form, findings: tuple[Finding, ...], chosen: ChosenProtocol) -> None:
    """What blocks at its field; what only warns where a reason can be given for it."""
    place_findings(form, [each for each in findings if each.weight is Weight.BLOCKS], chosen.protocol)
    form.findings += [each for each in findings if each.weight is Weight.WARNS]


def _screening(panel: Panel, chosen: ChosenProtocol, form: Form) -> Response:
    may_override = here().may(Right.OVERRIDE_SCREENING)
    return shown(
        panel, form, "booking/screening.html", chosen=chosen, first=_first(panel, chosen),
        indications=indications(chosen.protocol), grades=grades(chosen.protocol),
        rows=contraindication_rows(chosen.protocol, may_override=may_override),
        warnings=[each for each in form.findings if each.weight is Weight.WARNS] if may_override else [])


def _first(panel: Panel, chosen: ChosenProtocol) -> Possible:
    """The first session there, whatever the patient answers: the answers are judged when it is booked."""
    wanted = CourseRequest(
        patient_id=panel.patient_id, clinic_id=here().clinic_id, protocol_version_id=chosen.version_id, sessions=1,
        answers=ScreeningAnswers(), not_before_on=today(), practitioner_id=panel.practitioner_id)
    with kit().read() as db:
        return first_session_here(db, wanted, panel.spot.spot, now=now())
