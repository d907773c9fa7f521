"""A new course on one page: for whom, by which protocol, with which answers and wishes; its plans, and one booked."""
from __future__ import annotations

from typing import Any

from flask import abort, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.planning.findings import Finding, Weight, blocks
from clinic.queries.course_asks import CourseRequest
from clinic.queries.new_course import NewCoursePage, new_course_page
from clinic.queries.offers import Offers
from clinic.services.courses import book_course
from clinic.services.referrals import refer_to_consultation
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.web.course_form import (
    CARRIED,
    PRESSED,
    AskedCourse,
    agreed,
    beginning,
    carried_on,
    defaults,
    fingerprint,
    of_another_protocol,
    parse_visits,
    read_request,
)
from clinic.web.course_plans import offers_for, patients_found, questions, shown_plans
from clinic.web.courses import courses
from clinic.web.entry import allowed, here, today
from clinic.web.forms import Form
from clinic.web.kit import kit
from clinic.web.numbers import number_of
from clinic.web.once import done_once
from clinic.web.pages import bare_page, page
from clinic.web.screening_form import place_findings
from clinic.web.words import plural

CHANGED = Finding("changed", Weight.BLOCKS, "What is asked for was changed after these plans were shown. These are the "
                  "plans for what it says now: look at them once more, and book.")

MOST_SECONDS = 0.4
"""How long it is looked for why nothing fits, while somebody types: the button looks as long as it takes."""


@courses.get("/courses/new")
@allowed(Right.BOOK)
def new() -> Response:
    """The page that begins a course; what is not chosen yet is asked for first."""
    found = _found(number_of(request.args, "patient"), request.args.get("protocol"))
    form = Form(initial=defaults(found.chosen, today()) if found.chosen else {})
    return _page(AskedCourse(found, form, None, is_screened=False), search=request.args.get("q", "")[:100])


@courses.get("/courses/new/plans")
@allowed(Right.BOOK)
def plans_again() -> Response:
    """Plans are the answer to a form; who comes here without one begins with the form."""
    return redirect(url_for("courses.new"), 303)


@courses.post("/courses/new/plans")
@allowed(Right.BOOK)
def plans() -> Response:
    """The plans that fit what was asked for, or what stands in the way, beside what was typed."""
    asked = _asked(is_patient_asked=not any(name in request.form for name in (*PRESSED, CARRIED)))
    offers = offers_for(asked)
    return _page(asked, offers) if offers is None or offers.offers else _nothing_page(asked, offers)


@courses.post("/courses/new/look")
@allowed(Right.BOOK)
def look() -> Response:
    """What is beside the form, for what is typed as far as it goes; nothing is kept of it."""
    asked = _asked(is_patient_asked=False)
    offers = offers_for(asked, reason_within=MOST_SECONDS)
    return bare_page("courses/look.html", 200, **shown_plans(asked, offers),
                     **patients_found(asked.found, request.form.get("q", "")[:100]), found=asked.found, form=asked.form)


@courses.post("/courses")
@allowed(Right.BOOK)
def book() -> Response:
    """Books the chosen plan, all of it or nothing."""
    asked = _asked()
    wanted, reasons = asked.request, asked.form.overrides()
    asked.form.choice("plan", "The plan", parse_visits)
    until = asked.form.date("hold_until", "The day", earliest=today()) if "hold_until" in request.form else None
    if asked.found.patient is None:
        asked.form.fault("q", "Choose whom the course is for.")
    if not isinstance(wanted, CourseRequest) or asked.form.faults:
        return _page(asked, offers_for(asked))
    if request.form.get("seen", "") not in ("", fingerprint(asked.form)):
        return _page(asked, offers_for(asked), refused=(CHANGED,))

    def act(work: UnitOfWork) -> Done[Any] | Refused:
        return book_course(work, wanted, asked.visits, overrides=reasons, hold_until=until)

    outcome = done_once(
        act, to=lambda ident: url_for("courses.show", course_id=ident),
        otherwise=url_for("patients.show", patient_id=wanted.patient_id),
        told=f"{'Held' if until else 'Booked'}: {plural(len(asked.visits), 'session')}.")
    return _refused(asked, outcome.findings) if isinstance(outcome, Refused) else outcome


def _found(patient_id: int | None, protocol_code: str | None) -> NewCoursePage:
    with kit().read() as db:
        found = new_course_page(
            db, patient_id=patient_id, protocol_code=protocol_code, clinic_id=here().clinic_id, today=today())
    if patient_id is not None and found.patient is None:
        abort(404)
    return found


def _asked(*, is_patient_asked: bool = True) -> AskedCourse:
    """The form that was sent; 404 where it is about no patient or protocol of ours."""
    waits = request.form.get(CARRIED)
    typed: MultiDict[str, str] = MultiDict(request.form) if waits is None else carried_on(waits)
    # Whoever was just added for this course is named by the address that leads on with it.
    patient_id = number_of(request.args, "for") or number_of(typed, "for") or number_of(typed, "patient")
    found = _found(patient_id, typed.get("other") or typed.get("protocol"))
    if found.chosen is None:
        abort(404)
    if "other" in typed:
        typed = of_another_protocol(typed, found.chosen, today())
    form = Form(typed)
    if typed.get("version") != str(found.chosen.version_id):
        form.fault("", "A newer version of this protocol was approved meanwhile. Check the answers and go on.")
    wanted = read_request(
        form, found.chosen, patient_id=found.patient.id if found.patient else None, clinic_id=here().clinic_id,
        today=today(), may_override=here().may(Right.OVERRIDE_SCREENING),
        is_patient_asked=is_patient_asked and found.patient is not None)
    visits = form.choice("plan", "The plan", parse_visits, required=False) or ()
    if wanted is not None:
        wanted = agreed(wanted, visits, form)
    screened = found.patient is not None and bool(form.ticked("none_apply") or form.values("applies"))
    return AskedCourse(found, form, wanted if not form.faults else None, visits, screened)


def _refused(asked: AskedCourse, findings: tuple[Finding, ...]) -> Response:
    """What stands in the way, and plans that keep those dates of the chosen one that are still free."""
    for finding in findings:
        if finding.weight is Weight.WARNS:
            asked.form.fault(f"override-{finding.code}", f"{finding.text} Give a reason to book it all the same.")
    if blocks(findings):
        asked = asked.keeping(asked.visits)
    offers = offers_for(asked)
    if offers is not None and not offers.offers:
        return _nothing_page(asked, offers)
    return _page(asked, offers, refused=findings)


def _nothing_page(asked: AskedCourse, offers: Offers) -> Response:
    """The form where nothing fits, with what stops the course at its fields."""
    assert asked.found.chosen is not None
    stopping = [each for each in offers.findings if each.weight is Weight.BLOCKS and each.until is None]
    place_findings(asked.form, stopping, asked.found.chosen.protocol)
    return _page(asked, offers, status=409, referral=_referral(asked.request))


def _page(
    asked: AskedCourse, offers: Offers | None = None, *, refused: tuple[Finding, ...] = (), referral: str = "",
    status: int | None = None, search: str | None = None,
) -> Response:
    found, form = asked.found, asked.form
    sought = request.form.get("q", "")[:100] if search is None else search
    return page(
        "courses/new.html", status or (409 if refused else form.status), found=found, form=form, referral=referral,
        slot=beginning(), **patients_found(found, sought), **questions(found, form),
        **shown_plans(asked, offers, refused=refused))


def _referral(wanted: Any) -> str:
    """What has to be arranged instead of the course; the task for it is open by then."""
    if not isinstance(wanted, CourseRequest):
        return ""
    with kit().work(here().actor) as work:
        return refer_to_consultation(work, wanted)
