"""A new course: whose, by which protocol, with which answers; then the plans, and one of them booked."""
from __future__ import annotations

from typing import Any

from flask import abort, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.planning.findings import Finding, Weight
from clinic.queries.new_course import NewCoursePage, new_course_page
from clinic.queries.offers import CourseRequest, Offers, offer_course
from clinic.queries.patients import PatientRow, find_patients
from clinic.services.courses import book_course
from clinic.services.referrals import refer_to_consultation
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.web.course_form import AskedCourse, carried, defaults, parse_visits, read_request
from clinic.web.course_words import protocol_facts
from clinic.web.courses import courses
from clinic.web.days import asked_slot
from clinic.web.entry import allowed, here, today
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.once import done_once
from clinic.web.pages import page
from clinic.web.plan_cards import plan_cards
from clinic.web.screening_form import contraindication_rows, grades, indications, place_findings
from clinic.web.words import plural
from clinic.web.zones import zone_words

MOST_FOUND = 8


@courses.get("/courses/new")
@allowed(Right.BOOK)
def new() -> Response:
    """The page that begins a course; what is not chosen yet is asked for first."""
    found = _found(request.args.get("patient", type=int), request.args.get("protocol"))
    initial = {}
    if found.chosen:
        initial = {**defaults(found.chosen, today()), **asked_slot().wishes(found.chosen.practitioners)}
    return _form_page(found, Form(initial=initial))


@courses.get("/courses/new/plans")
@allowed(Right.BOOK)
def plans_again() -> Response:
    """Plans are the answer to a form; who comes here without one begins with the form."""
    return redirect(url_for("courses.new"), 303)


@courses.post("/courses/new/plans")
@allowed(Right.BOOK)
def plans() -> Response:
    """The plans that fit what was asked for, or what stands in the way, beside what was typed."""
    return _plans_page(_asked())


@courses.post("/courses")
@allowed(Right.BOOK)
def book() -> Response:
    """Books the chosen plan, all of it or nothing."""
    asked = _asked()
    visits = asked.form.choice("plan", "The plan", parse_visits)
    wanted, reasons = asked.request, asked.form.overrides()
    until = asked.form.date("hold_until", "The day", earliest=today()) if "hold_until" in request.form else None
    if wanted is None or visits is None or asked.form.faults:
        return _plans_page(asked)

    def act(work: UnitOfWork) -> Done[Any] | Refused:
        return book_course(work, wanted, visits, overrides=reasons, hold_until=until)

    outcome = done_once(
        act, to=lambda ident: url_for("courses.show", course_id=ident),
        otherwise=url_for("patients.show", patient_id=wanted.patient_id),
        told=f"{'Held' if until else 'Booked'}: {plural(len(visits), 'session')}.")
    return _plans_page(asked, outcome.findings) if isinstance(outcome, Refused) else outcome


def _found(patient_id: int | None, protocol_code: str | None) -> NewCoursePage:
    with kit().read() as db:
        found = new_course_page(
            db, patient_id=patient_id, protocol_code=protocol_code, clinic_id=here().clinic_id, today=today())
    if patient_id is not None and found.patient is None:
        abort(404)
    return found


def _asked() -> AskedCourse:
    """The form that was sent; 404 where it is about no patient or protocol of ours."""
    found = _found(request.form.get("patient", type=int), request.form.get("protocol"))
    if found.patient is None or found.chosen is None:
        abort(404)
    form = Form(request.form)
    if request.form.get("version") != str(found.chosen.version_id):
        form.fault("", "A newer version of this protocol was approved meanwhile. Check the answers and go on.")
    wanted = read_request(
        form, found.chosen, patient_id=found.patient.id, clinic_id=here().clinic_id, today=today(),
        may_override=here().may(Right.OVERRIDE_SCREENING))
    return AskedCourse(found, form, wanted)


def _plans_page(asked: AskedCourse, refused: tuple[Finding, ...] = ()) -> Response:
    """The plans for what was asked, with what was found against it; only the form where nothing fits."""
    if asked.request is None or asked.found.chosen is None:
        return _form_page(asked.found, asked.form)
    with kit().read() as db:
        offers = offer_course(db, asked.request, now=now())
    if not offers.offers:
        stopping = [each for each in offers.findings if each.weight is Weight.BLOCKS and each.until is None]
        place_findings(asked.form, stopping, asked.found.chosen.protocol)
        return _form_page(asked.found, asked.form, offers=offers, referral=_referral(asked.request), status=409)
    warnings = tuple(each for each in offers.findings if each.weight is Weight.WARNS)
    known = {each.code for each in warnings}
    return page(
        "courses/plans.html", 409 if refused else asked.form.status, found=asked.found, chosen=asked.found.chosen,
        form=asked.form, wanted=asked.request, offers=offers, cards=plan_cards(offers.offers), warnings=warnings,
        waits=[each for each in offers.findings if each.weight is Weight.BLOCKS],
        refused=[each for each in refused if each.code not in known], zone_words=zone_words(here().clinic.zone),
        may_override=here().may(Right.OVERRIDE_SCREENING), carried=carried(request.form.items(multi=True)),
        **_questions(asked.found),
    )


def _form_page(
    found: NewCoursePage, form: Form, *, offers: Offers | None = None, referral: str = "", status: int | None = None
) -> Response:
    search = request.args.get("q", "")[:100]
    patients = _patients(search) if found.patient is None else ()
    return page(
        "courses/new.html", status or form.status, found=found, chosen=found.chosen, form=form, offers=offers,
        referral=referral, search=search, patients=patients, slot=asked_slot().address(), **_questions(found))


def _referral(wanted: CourseRequest) -> str:
    """What has to be arranged instead of the course; the task for it is open by then."""
    with kit().work(here().actor) as work:
        return refer_to_consultation(work, wanted)


def _patients(search: str) -> tuple[PatientRow, ...]:
    """The first patients that the search finds; without a search the page asks for one."""
    if not search.strip():
        return ()
    with kit().read() as db:
        return find_patients(db, search, now=now(), limit=MOST_FOUND).rows


def _questions(found: NewCoursePage) -> dict[str, Any]:
    if found.chosen is None:
        return {}
    protocol, may_override = found.chosen.protocol, here().may(Right.OVERRIDE_SCREENING)
    return {
        "indications": indications(protocol), "grades": grades(protocol),
        "rows": contraindication_rows(protocol, may_override=may_override),
        "protocol_facts": protocol_facts(protocol),
    }
