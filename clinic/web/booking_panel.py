"""Booking where one looks: from a free time of the diary to a patient, to what fits there, and one press that books it.

The same addresses are a panel beside the diary, fetched a region at a time, and plain pages where no script runs.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import abort, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.planning.findings import Finding, Weight
from clinic.planning.local import local_of
from clinic.queries.booking_here import booking_here
from clinic.queries.courses import patient_line
from clinic.queries.doubles import Alike, alike, person_of
from clinic.queries.free_spot import FreeSpot, free_spot
from clinic.queries.patients import PatientMatch, likely_patients
from clinic.services.patients import PatientDetails, add_patient
from clinic.services.taking_back import take_back
from clinic.services.work import Done, Refused, Stale
from clinic.web import course_words
from clinic.web.addresses import safe_next
from clinic.web.booking_done import may_take_back
from clinic.web.booking_form import number_of, read_wanted
from clinic.web.booking_time import AskedTime, asked_time
from clinic.web.diary import diary
from clinic.web.entry import allowed, here
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.once import done_once
from clinic.web.pages import bare_page, page
from clinic.web.repair import plan_key
from clinic.web.zones import zone_words

MOST_FOUND = 8
LEAST_TYPED = 2
_LONGEST = 100
_CHANGED = Finding("changed", Weight.BLOCKS, "Somebody has just changed this course: look at what fits now.")


@diary.get("/diary/book")
@allowed(Right.BOOK)
def book() -> Response:
    """The panel at a free time: who, then what fits there."""
    return _panel(asked_time(), Form())


@diary.post("/diary/book", endpoint="booked")
@allowed(Right.BOOK)
def booked() -> Response:
    """Books what was pressed, or says what stands in the way and what would fit now."""
    asked, form, patient_id = asked_time(), Form(request.form), number_of(request.form, "patient")
    wanted = read_wanted(form, patient_id or abort(404))
    if wanted is None:
        return _panel(asked, form)
    try:
        outcome = done_once(wanted.act, to=lambda ident: asked.diary(**{wanted.answer: ident}),
                            otherwise=asked.diary(), told="Booked.")
    except Stale:
        outcome = Refused((_CHANGED,))
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _panel(asked, form)
    return _onward(outcome)


@diary.get("/diary/book/patients")
@allowed(Right.BOOK)
def matching() -> Response:
    """The short list below the search, without anything around it."""
    asked, search = asked_time(), _search()
    return bare_page("booking/patients.html", 200, asked=asked, search=search, matches=_matches(search))


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
            return _onward(redirect(asked.address(patient=outcome.value), 303))
        form.add(outcome.findings)
    return _panel(asked, form, adding=True)


@diary.post("/diary/book/undo", endpoint="taken_back")
@allowed(Right.BOOK)
def taken_back() -> Response:
    """Takes back what was booked a moment ago, while nobody has heard of it."""
    form, ident = Form(request.form), number_of(request.form, "appointment")
    back, version = safe_next(url_for("diary.show")), form.version()
    if ident is None or may_take_back(ident) is None:
        return page("booking/not_undone.html", 409, findings=(_TOLD,), back=back)
    try:
        outcome = done_once(lambda work: take_back(work, ident, lock_version=version), to=lambda _: back,
                            otherwise=back, told="Taken back: nothing is booked, and nobody was told.")
    except Stale:
        outcome = Refused((_TOLD,))
    if isinstance(outcome, Refused):
        return page("booking/not_undone.html", 409, findings=outcome.findings, back=back)
    return outcome


_TOLD = Finding("told", Weight.BLOCKS, "It has changed since, or the patient may have heard of it: cancel or move the "
                                       "visit instead.")


def _panel(asked: AskedTime, form: Form, *, adding: bool = False) -> Response:
    """The panel as it stands: a search, the form of a new patient, or what fits for the one who was found."""
    patient_id, search = number_of(request.values, "patient"), _search()
    adding = adding or bool(request.args.get("new"))
    with kit().read() as db:
        spot = free_spot(db, here().clinic_id, asked.starts_at, asked.resource_id, where=here().clinic.zone, now=now())
        patient = patient_line(db, patient_id) if patient_id else None
        found = booking_here(db, patient.id, spot.spot, now=now()) if patient else None
    if patient_id and patient is None:
        abort(404)
    is_region = "X-Fragment" in request.headers
    answer = page(
        "booking/region.html" if is_region else "booking/panel.html", form.status, asked=asked, spot=spot,
        free=_free_words(spot), patient=patient, found=found, form=form, adding=adding and patient is None,
        search=search, matches=_matches(search) if patient is None and not adding else (),
        alike=_alike(form) if adding else (), first=_first_words(search), words=course_words, plan_key=plan_key,
        zone_words=zone_words(here().clinic.zone), may_add=here().may(Right.EDIT_PATIENTS))
    answer.vary.add("X-Fragment")
    return answer


def _free_words(spot: FreeSpot) -> dict[str, Any]:
    """When the resource is free, as readings of the clinic's clock."""
    where = here().clinic.zone
    spans = [(local_of(begins, where), local_of(ends, where)) for begins, ends in spot.free]
    return {"spans": spans, "until": local_of(spot.until_at, where) if spot.until_at else None}


def _onward(answer: Response) -> Response:
    """A redirect, or for the script that asked, the address alone: it decides whether the page or the panel follows."""
    if "X-Fragment" not in request.headers or answer.status_code != 303:
        return answer
    told = Response(status=204)
    told.headers["X-Onward"] = answer.headers["Location"]
    return told


def _search() -> str:
    return request.values.get("q", "")[:_LONGEST].strip()


def _matches(search: str) -> Sequence[PatientMatch]:
    """The first who are found, and one more where there are others."""
    if len(search) < LEAST_TYPED:
        return ()
    with kit().read() as db:
        return likely_patients(db, search, limit=MOST_FOUND + 1)


def _first_words(search: str) -> dict[str, str]:
    """What the form of a new patient begins with: what was looked for, in the field that it looks like."""
    if "@" in search:
        return {"email": search}
    if any(each.isdigit() for each in search):
        return {"phone": search}
    given, _, family = search.partition(" ")
    return {"given_name": given, "family_name": family}


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
