"""Booking where one looks: from a free time of the diary to a patient, to what fits there, and one press that books it.

The same addresses are a panel beside the diary, fetched a region at a time, and plain pages where no script runs.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import abort, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.planning.findings import Finding, Weight
from clinic.queries.booking_here import booking_here
from clinic.queries.doubles import Alike, alike, person_of
from clinic.queries.patients import PatientMatch, likely_patients
from clinic.services.patients import PatientDetails, add_patient
from clinic.services.taking_back import take_back, take_back_course
from clinic.services.work import Done, Refused, Stale, UnitOfWork
from clinic.web.addresses import safe_next
from clinic.web.booking_done import may_take_back, may_take_back_course
from clinic.web.booking_form import read_wanted
from clinic.web.booking_region import onward, panel_at, shown
from clinic.web.booking_time import AskedTime, asked_time
from clinic.web.diary import diary
from clinic.web.entry import allowed, here
from clinic.web.faster import who_was_faster
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.numbers import number_of
from clinic.web.once import done_once
from clinic.web.pages import bare_page, page
from clinic.web.patient_form import first_words
from clinic.web.repair import plan_key

MOST_FOUND = 8
LEAST_TYPED = 2
_LONGEST = 100


def _changed(error: Stale) -> Finding:
    return Finding("changed", Weight.BLOCKS, f"{who_was_faster(error)[1]} Look at what fits now.")


@diary.get("/diary/book")
@allowed(Right.BOOK)
def book() -> Response:
    """The panel at a free time: who, then what fits there."""
    return _shown(asked_time(), Form())


@diary.post("/diary/book", endpoint="booked")
@allowed(Right.BOOK)
def booked() -> Response:
    """Books what was pressed, or says what stands in the way and what would fit now."""
    asked, form, patient_id = asked_time(), Form(request.form), number_of(request.form, "patient")
    wanted = read_wanted(form, patient_id or abort(404))
    if wanted is None:
        return _shown(asked, form)
    try:
        outcome = done_once(wanted.act, to=lambda ident: asked.diary(**{wanted.answer: ident}),
                            otherwise=asked.diary(), told="Booked.")
    except Stale as error:
        outcome = Refused((_changed(error),))
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _shown(asked, form)
    return onward(outcome)


@diary.get("/diary/book/patients")
@allowed(Right.BOOK)
def matching() -> Response:
    """The short list below the search, without anything around it."""
    asked, search = asked_time(), asked_search()
    return bare_page("booking/patients.html", 200, asked=asked, search=search, matches=matches(search))


@diary.get("/diary/book/alike")
@allowed(Right.EDIT_PATIENTS)
def alike_here() -> Response:
    """Who is there already that may be the person who is being typed."""
    return bare_page("booking/alike.html", 200, asked=asked_time(), alike=_alike(Form(request.args)))


@diary.post("/diary/book/patient")
@allowed(Right.EDIT_PATIENTS)
def add() -> Response:
    """Adds a patient with a name and one way to reach them, and goes on with what fits."""
    asked, form = asked_time(), Form(request.form)
    details = _details(form)
    if not form.faults:
        with kit().work(here().actor) as work:
            outcome = add_patient(work, details, is_another=form.ticked("is_another"))
        if isinstance(outcome, Done):
            return onward(redirect(asked.address(patient=outcome.value), 303))
        form.add(outcome.findings)
    return _shown(asked, form, adding=True)


@diary.post("/diary/book/undo", endpoint="taken_back")
@allowed(Right.BOOK)
def taken_back() -> Response:
    """Takes back what was booked a moment ago, while nobody has heard of it."""
    form, back = Form(request.form), safe_next(url_for("diary.show"))
    act = _taking_back(form)
    if act is None:
        return _not_undone((_TOLD,), back)
    try:
        outcome = done_once(act, to=lambda _: back, otherwise=back,
                            told="Taken back: nothing is booked, and nobody was told.")
    except Stale:
        outcome = Refused((_TOLD,))
    return _not_undone(outcome.findings, back) if isinstance(outcome, Refused) else outcome


def _taking_back(form: Form) -> Callable[[UnitOfWork], Done[Any] | Refused] | None:
    """What the form is about: a visit or two, or a course that was begun; none where it cannot be taken back."""
    version, course_id = form.version(), number_of(request.form, "course")
    if course_id is not None and may_take_back_course(course_id):
        return lambda work: take_back_course(work, course_id, lock_version=version)
    visits = {number_of(request.form, "appointment"): version}
    if "also" in request.form:
        visits[number_of(request.form, "also")] = number_of(request.form, "also_version") or 0
    known = {ident: at for ident, at in visits.items() if ident is not None and may_take_back(ident)}
    return (lambda work: take_back(work, known)) if len(known) == len(visits) else None


def _not_undone(findings: tuple[Finding, ...], back: str) -> Response:
    return page("booking/not_undone.html", 409, findings=findings, back=back)


_TOLD = Finding("told", Weight.BLOCKS, "It has changed since, or the patient may have heard of it: cancel or move the "
                                       "visit instead.")


def _shown(asked: AskedTime, form: Form, *, adding: bool = False) -> Response:
    """The panel as it stands: a search, the form of a new patient, or what fits for the one who was found."""
    panel, search = panel_at(asked, number_of(request.values, "patient")), asked_search()
    if panel.patient is not None:
        with kit().read() as db:
            found = booking_here(db, panel.patient.id, panel.spot.spot, now=now())
        return shown(panel, form, "booking/offers.html", found=found, plan_key=plan_key)
    if adding or request.args.get("new"):
        return shown(panel, form, "booking/new.html", first=first_words(search), alike=_alike(form))
    return shown(panel, form, "booking/find.html", search=search, matches=matches(search), action=url_for("diary.book"))


def asked_search() -> str:
    return request.values.get("q", "")[:_LONGEST].strip()


def matches(search: str) -> Sequence[PatientMatch]:
    """The first who are found, and one more where there are others."""
    if len(search) < LEAST_TYPED:
        return ()
    with kit().read() as db:
        return likely_patients(db, search, limit=MOST_FOUND + 1)


def _details(form: Form) -> PatientDetails:
    email = form.text("email", "The e-mail address", most=254, required=False) or None
    phone = form.text("phone", "The phone number", most=40, required=False) or None
    if not email and not phone:
        form.fault("phone", "Enter a phone number or an e-mail address.")
    return PatientDetails(
        given_name=form.text("given_name", "The first name", most=100),
        family_name=form.text("family_name", "The family name", most=100),
        email=email, phone=phone, channel="email" if email else "phone")


def _alike(form: Form) -> tuple[Alike, ...]:
    typed = [str(form.value(name))[:_LONGEST] for name in ("given_name", "family_name", "email", "phone")]
    with kit().read() as db:
        return alike(db, person_of(typed[0], typed[1], None, typed[2] or None, typed[3] or None))
