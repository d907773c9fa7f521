"""Treatments: what each kind of visit holds, and for how long."""
from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.other_visits import OTHER_KINDS, SESSION
from clinic.care.visit_parts import SKILLS
from clinic.queries.treatments import TreatmentCard, treatment_card, treatment_cards
from clinic.services import treatments as service
from clinic.services.treatments import LONGEST_NAME, TreatmentDetails
from clinic.services.work import Done, Stale
from clinic.web import parts_form
from clinic.web.entry import allowed, here
from clinic.web.forms import Form
from clinic.web.kit import kit
from clinic.web.pages import page, stale_page
from clinic.web.words import APPOINTMENT_KINDS

treatments = Blueprint("treatments", __name__)

PREFIX = "part"
_KINDS = [(kind, APPOINTMENT_KINDS[kind]) for kind in OTHER_KINDS]


@treatments.get("/setup/treatments")
@allowed(Right.SET_UP)
def index() -> Response:
    """Every treatment, with what it holds."""
    with kit().read() as db:
        rows = treatment_cards(db)
    return page("treatments/index.html", skills=_skills(), groups=[
        ("Other visits", [row for row in rows if row.kind != SESSION]),
        ("Sessions of courses", [row for row in rows if row.kind == SESSION])])


@treatments.get("/setup/treatments/new")
@allowed(Right.SET_UP)
def new() -> Response:
    """The form for a new treatment, held by any practitioner in any room until something else is chosen."""
    return _new_page(Form(initial={"kind": OTHER_KINDS[0], "active": "yes", f"{PREFIX}-0-name": "visit",
                                   f"{PREFIX}-0-practitioner": "any", f"{PREFIX}-0-room": "any"}))


@treatments.post("/setup/treatments")
@allowed(Right.SET_UP)
def add() -> Response:
    """Adds a treatment, or shows what to correct."""
    form = Form(request.form)
    kind = form.one_of("kind", "What kind of visit it is", OTHER_KINDS)
    details = _read(form, None)
    if not form.faults:
        with kit().work(here().actor) as work:
            outcome = service.add_treatment(work, kind, details)
        if isinstance(outcome, Done):
            flash("The treatment was added.", "ok")
            return redirect(url_for("treatments.index"), 303)
        form.add(outcome.findings)
    return _new_page(form)


@treatments.get("/setup/treatments/<int:treatment_id>")
@allowed(Right.SET_UP)
def show(treatment_id: int) -> Response:
    """One treatment: to be changed, or, where it belongs to protocols, with the way to them."""
    card = _card(treatment_id)
    return _show_page(card, Form(initial={
        "name": card.name, "active": "yes" if card.active else "", "lock_version": card.lock_version,
        **parts_form.initial_of(PREFIX, card.parts)}))


@treatments.post("/setup/treatments/<int:treatment_id>")
@allowed(Right.SET_UP)
def save(treatment_id: int) -> Response:
    """Keeps the changes, or shows what to correct, or what someone else made of it meanwhile."""
    card, form = _card(treatment_id), Form(request.form)
    details, version = _read(form, card), form.version()
    if not form.faults:
        try:
            with kit().work(here().actor) as work:
                outcome = service.edit_treatment(work, treatment_id, details, lock_version=version)
        except Stale as error:
            again = url_for("treatments.show", treatment_id=treatment_id)
            return stale_page(error, title=card.name, rows=_compared(_card(treatment_id), details), again=again)
        if isinstance(outcome, Done):
            flash("The changes were saved. What is booked already keeps its length.", "ok")
            return redirect(url_for("treatments.index"), 303)
        form.add(outcome.findings)
    return _show_page(card, form)


def _read(form: Form, card: TreatmentCard | None) -> TreatmentDetails:
    return TreatmentDetails(
        name=form.text("name", "The name", most=LONGEST_NAME),
        parts=parts_form.read_parts(form, PREFIX, card.parts if card else ()), active=form.ticked("active"))


def _card(treatment_id: int) -> TreatmentCard:
    with kit().read() as db:
        card = treatment_card(db, treatment_id)
    if card is None:
        abort(404)
    return card


def _new_page(form: Form) -> Response:
    table = parts_form.table_of(form, PREFIX, ())
    return page("treatments/new.html", form.status, form=form, kinds=_KINDS, table=table)


def _show_page(card: TreatmentCard, form: Form) -> Response:
    template = "treatments/of_protocols.html" if card.kind == SESSION else "treatments/show.html"
    return page(template, form.status, form=form, card=card, skills=_skills(),
                table=parts_form.table_of(form, PREFIX, card.parts))


def _compared(card: TreatmentCard, wanted: TreatmentDetails) -> list[tuple[str, str, str]]:
    return [("Name", card.name, wanted.name), ("Parts", _words(card.parts), _words(wanted.parts)),
            ("In use", "Yes" if card.active else "No", "Yes" if wanted.active else "No")]


def _words(parts: Any) -> str:
    return ", ".join(f"{part.name} {part.offset}–{part.ends}" for part in parts)


def _skills() -> dict[str, str]:
    return {code: words for known in SKILLS.values() for code, words in known.items()}
