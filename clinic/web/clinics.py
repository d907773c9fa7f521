"""Clinics in the set-up: listed, opened, changed, and the ways between them."""
from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right, clinics_where
from clinic.queries.clinics import ClinicLine, clinic_lines, met_by_hours, travel_minutes
from clinic.queries.effects import Effect
from clinic.queries.shell import business_name
from clinic.services import clinics as service
from clinic.services.clinics import ClinicDetails
from clinic.services.work import Done, Stale
from clinic.web.clinic_form import (
    PATIENTS_MAY,
    START_STEPS,
    USUAL,
    compared,
    hours_fields,
    hours_rows,
    hours_words,
    initial_of,
    read_clinic,
    spans_of,
    zone_choices,
)
from clinic.web.effects import agreement, is_agreed
from clinic.web.entry import allowed, check_clinic, here
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.once import done_once
from clinic.web.pages import page, stale_page

clinics = Blueprint("clinics", __name__)


@clinics.get("/setup/clinics")
@allowed(Right.SET_UP)
def index() -> Response:
    """The clinics that this account sets up."""
    return _index_page(Form(initial={"business": _business()}))


@clinics.post("/setup/clinics/business")
@allowed(Right.SET_UP)
def name() -> Response:
    """Names the business."""
    form = Form(request.form)
    named = form.text("business", "The name of the business")
    if form.faults:
        return _index_page(form)
    with kit().work(here().actor) as work:
        service.name_business(work, named)
    flash(f"The business is called {named} now.", "ok")
    return redirect(url_for("clinics.index"), 303)


@clinics.get("/setup/clinics/new")
@allowed(Right.SET_UP)
def new() -> Response:
    """The form of a new clinic, begun with what it shares with this one."""
    current = found_clinic(here().clinic_id)
    shared = ("zone", "sender_name", "sender_email", "booking_horizon_days", "start_step_minutes", "quiet_from",
              "quiet_to", "emergency_phone", "notice_hours")
    initial = {name: value for name, value in initial_of(current).items() if name in shared}
    return _new_page(Form(initial=initial | hours_fields(USUAL)))


@clinics.post("/setup/clinics")
@allowed(Right.SET_UP)
def add() -> Response:
    """Opens a clinic, at which its maker has the roles that they have here."""
    form = Form(request.form)
    details = read_clinic(form)
    if not form.faults:
        outcome = done_once(
            lambda work: service.open_clinic(work, details), to=lambda _: url_for("clinics.index"),
            otherwise=url_for("clinics.index"),
            told=f"{details.name} was opened. Choose it at the top of the page to arrange its rooms and devices.")
        if isinstance(outcome, Response):
            return outcome
        form.add(outcome.findings)
    return _new_page(form)


@clinics.get("/setup/clinics/<int:clinic_id>/edit")
@allowed(Right.SET_UP)
def edit(clinic_id: int) -> Response:
    """The form of a clinic."""
    clinic = found_clinic(clinic_id)
    return _edit_page(clinic, Form(initial=initial_of(clinic)))


@clinics.post("/setup/clinics/<int:clinic_id>/edit")
@allowed(Right.SET_UP)
def save(clinic_id: int) -> Response:
    """Changes a clinic, once what other hours would meet was seen; or shows what to correct."""
    clinic, form = found_clinic(clinic_id), Form(request.form)
    details, version = read_clinic(form), form.version()
    effect = Effect() if form.faults else _met(clinic, details)
    if form.faults or not is_agreed(effect):
        return _edit_page(clinic, form, effect)
    try:
        with kit().work(here().actor) as work:
            outcome = service.change_clinic(work, clinic_id, details, lock_version=version)
    except Stale as error:
        again = url_for("clinics.edit", clinic_id=clinic_id)
        rows = compared(found_clinic(clinic_id), details)
        return stale_page(error, title=f"Change {clinic.name}", rows=rows, again=again)
    if isinstance(outcome, Done):
        flash(f"{details.name} was changed.", "ok")
        return redirect(url_for("clinics.index"), 303)
    form.add(outcome.findings)
    return _edit_page(clinic, form)


@clinics.get("/setup/clinics/<int:clinic_id>/travel")
@allowed(Right.SET_UP)
def travel(clinic_id: int) -> Response:
    """How long the ways from one clinic to the others are."""
    return _travel_page(found_clinic(clinic_id), None)


@clinics.post("/setup/clinics/<int:clinic_id>/travel")
@allowed(Right.SET_UP)
def save_travel(clinic_id: int) -> Response:
    """Keeps the ways; an empty field is no way at all, so practitioners are not kept from booking."""
    clinic, form = found_clinic(clinic_id), Form(request.form)
    with kit().read() as db:
        others = travel_minutes(db, clinic_id)
    typed = {ident: form.number(f"way-{ident}", "The way", least=0, most=1440, required=False) for ident in others}
    if form.faults:
        return _travel_page(clinic, form)
    with kit().work(here().actor) as work:
        service.set_travel_times(work, clinic_id, {ident: minutes or 0 for ident, minutes in typed.items()})
    flash("The ways were saved.", "ok")
    return redirect(url_for("clinics.index"), 303)


def found_clinic(clinic_id: int) -> ClinicLine:
    """A clinic that this account sets up; 404 for any other."""
    check_clinic(clinic_id)
    with kit().read() as db:
        found = clinic_lines(db, [clinic_id], now=now())
    if not found:
        abort(404)
    return found[0]


def _met(clinic: ClinicLine, details: ClinicDetails) -> Effect:
    """Whom other hours meet; no other zone: that one is refused where anybody is booked."""
    if spans_of(details) == tuple(sorted(clinic.hours)) or details.zone != clinic.zone:
        return Effect()
    with kit().read() as db:
        return met_by_hours(db, clinic.id, spans_of(details), now=now())


def _business() -> str:
    with kit().read() as db:
        return business_name(db)


def _index_page(form: Form) -> Response:
    with kit().read() as db:
        found = clinic_lines(db, clinics_where(here().grants, Right.SET_UP), now=now())
    return page("clinics/index.html", form.status, found=found, form=form, hours_words=hours_words)


def _new_page(form: Form) -> Response:
    return page("clinics/new.html", form.status, form=form, **_choices(form))


def _edit_page(clinic: ClinicLine, form: Form, effect: Effect | None = None) -> Response:
    status = 409 if effect and effect.appointments else form.status
    return page("clinics/edit.html", status, form=form, clinic=clinic, effect=effect,
                agreement=agreement(effect) if effect else "", **_choices(form))


def _choices(form: Form) -> dict[str, object]:
    return {"zones": zone_choices(form.value("zone")), "hours": hours_rows(form), "start_steps": START_STEPS,
            "patients_may": PATIENTS_MAY}


def _travel_page(clinic: ClinicLine, form: Form | None) -> Response:
    with kit().read() as db:
        others = travel_minutes(db, clinic.id)
    shown = form or Form(initial={f"way-{ident}": minutes for ident, (_, minutes) in others.items()})
    return page("clinics/travel.html", shown.status, form=shown, clinic=clinic, others=others)
