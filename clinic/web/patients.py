"""Patients: found, shown, added and changed."""
from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right, clinics_where
from clinic.interchange.bounce_words import in_words
from clinic.planning.words import times_words
from clinic.queries.merging import merged_into, undoable_merges
from clinic.queries.patient import PatientCard, patient_card, patient_page
from clinic.queries.patients import find_patients
from clinic.queries.time_line import time_line_of_patient
from clinic.services import bounces, links
from clinic.services import patients as service
from clinic.services.work import Done, Stale
from clinic.web.addresses import safe_next
from clinic.web.course_form import CARRIED, carried
from clinic.web.doubles import alike_to
from clinic.web.entry import allowed, here
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.numbers import page_number
from clinic.web.pages import page, stale_page
from clinic.web.patient_form import CHANNEL_WORDS, compared, field_choices, first_words, initial_of, read_details
from clinic.web.time_line import asked_stretch, asked_theme, time_line_view

patients = Blueprint("patients", __name__)

_LONGEST_SEARCH = 100


@patients.get("/patients")
@allowed(Right.SEE_PATIENTS)
def index() -> Response:
    """The patients whom a search finds."""
    search = request.args.get("q", "")[:_LONGEST_SEARCH]
    with kit().read() as db:
        found = find_patients(db, search, now=now(), number=page_number())
    return page("patients/index.html", found=found, search=search)


@patients.get("/patients/<int:patient_id>")
@allowed(Right.SEE_PATIENTS)
def show(patient_id: int) -> Response:
    """One patient; clinical notes only for those who may see them."""
    clinic_ids = clinics_where(here().grants, Right.SEE_PATIENTS)
    with kit().read() as db:
        found = patient_page(db, patient_id, clinic_ids=clinic_ids, now=now())
        if found is None and (kept_id := merged_into(db, patient_id)) is not None:
            return redirect(url_for("patients.show", patient_id=kept_id), 303)
        merges = undoable_merges(db, patient_id, now=now())
        told = time_line_of_patient(
            db, patient_id, clinic_ids=clinic_ids, theme=asked_theme(), stretch=asked_stretch(), now=now(),
            with_notes=here().may(Right.SEE_CLINICAL_NOTES))
    if found is None:
        abort(404)
    return page("patients/show.html", patient=found, card=found.card, merges=merges, channels=CHANNEL_WORDS,
                times_words=times_words, in_words=in_words,
                time_line=time_line_view(told, here().clinic.zone, (each.line for each in found.coming), now=now()))


@patients.get("/patients/new")
@allowed(Right.EDIT_PATIENTS)
def new() -> Response:
    """The form for a new patient, begun with what was searched for."""
    searched = request.args.get("name", "")[:_LONGEST_SEARCH].strip()
    return _new_page(Form(initial={
        **first_words(searched), "channel": "email", "language": "en", "service": "yes"}))


@patients.post("/patients/new", endpoint="new_for_course")
@allowed(Right.EDIT_PATIENTS)
def new_for_course() -> Response:
    """The same, begun from a course that is asked for already and waits for its patient; nothing is kept yet."""
    searched = request.form.get("q", "")[:_LONGEST_SEARCH].strip()
    return _new_page(Form(initial={
        **first_words(searched), "channel": "email", "language": "en", "service": "yes"}), carried(request.form))


@patients.post("/patients")
@allowed(Right.EDIT_PATIENTS)
def add() -> Response:
    """Adds a patient, or shows what to correct."""
    form = Form(request.form)
    details = read_details(form)
    if not form.faults:
        with kit().work(here().actor) as work:
            outcome = service.add_patient(work, details, is_another=form.ticked("is_another"))
        if isinstance(outcome, Done):
            flash("The patient was added.", "ok")
            if CARRIED in request.form:
                # The same form once more, so that what was asked for stands in no address.
                return redirect(f"{url_for('courses.plans')}?for={outcome.value}", 307)
            return redirect(_onward(outcome.value), 303)
        form.add(outcome.findings)
    return _new_page(form)


@patients.get("/patients/<int:patient_id>/edit")
@allowed(Right.EDIT_PATIENTS)
def edit(patient_id: int) -> Response:
    """The form with what is kept about a patient."""
    card = _card(patient_id)
    return _edit_page(card, Form(initial=initial_of(card)))


@patients.post("/patients/<int:patient_id>/edit")
@allowed(Right.EDIT_PATIENTS)
def save(patient_id: int) -> Response:
    """Keeps the changes, or shows what to correct, or what someone else made of it meanwhile."""
    card, form = _card(patient_id), Form(request.form)
    details, version = read_details(form), form.version()
    if not form.faults:
        try:
            with kit().work(here().actor) as work:
                outcome = service.edit_patient(work, patient_id, details, lock_version=version)
        except Stale as error:
            again = url_for("patients.edit", patient_id=patient_id)
            return stale_page(error, title=f"Edit {card.name}", rows=compared(_card(patient_id), details), again=again)
        if isinstance(outcome, Done):
            flash("The changes were saved.", "ok")
            return redirect(url_for("patients.show", patient_id=patient_id), 303)
        form.add(outcome.findings)
    return _edit_page(card, form)


@patients.post("/patients/<int:patient_id>/revoke-links")
@allowed(Right.EDIT_PATIENTS)
def revoke_links(patient_id: int) -> Response:
    """Ends every link that the patient was sent, and whoever is looking at their page."""
    _card(patient_id)
    with kit().work(here().actor) as work:
        links.revoke_links(work, patient_id)
    flash("The links were revoked: none of them opens any more.", "ok")
    return redirect(url_for("patients.show", patient_id=patient_id), 303)


@patients.post("/patients/<int:patient_id>/write-again")
@allowed(Right.EDIT_PATIENTS)
def write_again(patient_id: int) -> Response:
    """Lets messages go to the patient's address again, though some came back."""
    _card(patient_id)
    with kit().work(here().actor) as work:
        bounces.write_again(work, patient_id)
    flash("Messages go to this address again.", "ok")
    return redirect(url_for("patients.show", patient_id=patient_id), 303)


def _card(patient_id: int) -> PatientCard:
    with kit().read() as db:
        card = patient_card(db, patient_id)
    if card is None:
        abort(404)
    return card


def _new_page(form: Form, course: str = "") -> Response:
    found = alike_to(form.value("given_name"), form.value("family_name"), form.value("birth_on"), form.value("email"),
                     form.value("phone"))
    return page("patients/new.html", form.status, form=form, alike=found, next=_course_asked(),
                course=course or request.form.get(CARRIED, ""), **field_choices(form))


def _onward(patient_id: int) -> str:
    """Where a new patient leads: on with the course that they were added for, or to their own page."""
    course = _course_asked()
    if not course:
        return url_for("patients.show", patient_id=patient_id)
    return f"{course}{'&' if '?' in course else '?'}patient={patient_id}"


def _course_asked() -> str:
    """The address of the new course that waits for the patient, if one does."""
    asked = safe_next("")
    return asked if asked.partition("?")[0] == url_for("courses.new") else ""


def _edit_page(card: PatientCard, form: Form) -> Response:
    return page("patients/edit.html", form.status, form=form, card=card, **field_choices(form))
