"""Practitioners in the set-up: listed, added, changed, put out of use."""
from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.parts import QUALIFICATIONS
from clinic.queries.absences import absences_of
from clinic.queries.effects import Effect, visits_met, visits_named
from clinic.queries.practitioners import PersonCard, clinic_choices, people_page, person_cards, person_page
from clinic.queries.qualified import stranded
from clinic.services import practitioners as service
from clinic.services.practitioners import PractitionerDetails
from clinic.services.work import Done, Refused, Stale, UnitOfWork
from clinic.web.effects import agreement, is_agreed
from clinic.web.entry import allowed, here, today
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.numbers import page_number
from clinic.web.once import done_once
from clinic.web.pages import page, stale_page
from clinic.web.people_form import (
    compared,
    field_choices,
    initial_of,
    initial_of_new,
    place_findings,
    read_details,
    read_week,
)
from clinic.web.rota_words import hours_of, week_words

people = Blueprint("people", __name__)


@people.get("/setup/people")
@allowed(Right.SET_UP)
def index() -> Response:
    """The practitioners in use, or those out of use."""
    in_use = request.args.get("show") != "out"
    with kit().read() as db:
        found = people_page(db, today=today(), in_use=in_use, number=page_number())
        clinics = {ident: name for ident, name, _ in clinic_choices(db)}
    return page("people/index.html", found=found, in_use=in_use, qualifications=QUALIFICATIONS,
                week_words=lambda rota: week_words(rota, clinics))


@people.get("/setup/people/<int:practitioner_id>")
@allowed(Right.SET_UP)
def show(practitioner_id: int) -> Response:
    """One practitioner: qualifications, certificates, rotas, absences."""
    with kit().read() as db:
        found = person_page(db, practitioner_id, today=today())
        if found is None:
            abort(404)
        clinics = {ident: name for ident, name, _ in clinic_choices(db)}
        absences = absences_of(db, [practitioner_id], since=now())
    return page("people/show.html", person=found, card=found.card, absences=absences, qualifications=QUALIFICATIONS,
                hours_of=lambda spans: hours_of(spans, clinics), week_words=lambda rota: week_words(rota, clinics))


@people.get("/setup/people/new")
@allowed(Right.SET_UP)
def new() -> Response:
    """The form of a new practitioner, with a usual week filled in."""
    return _new_page(Form(initial=initial_of_new(today(), here().clinic_id)))


@people.post("/setup/people")
@allowed(Right.SET_UP)
def add() -> Response:
    """Adds a practitioner with their usual week, or shows what to correct."""
    form, clinics = Form(request.form), _clinics()
    details, rota = read_details(form, today()), read_week(form, clinics)
    if form.faults:
        return _new_page(form)

    def act(work: UnitOfWork) -> Done[int] | Refused:
        return service.add_practitioner(work, details, rota=rota)

    outcome = done_once(act, to=lambda ident: url_for("people.show", practitioner_id=ident),
                        otherwise=url_for("people.index"), told="The practitioner was added.")
    if isinstance(outcome, Refused):
        place_findings(form, outcome.findings)
        return _new_page(form)
    return outcome


@people.get("/setup/people/<int:practitioner_id>/edit")
@allowed(Right.SET_UP)
def edit(practitioner_id: int) -> Response:
    """The form with what is kept about a practitioner."""
    card = found_card(practitioner_id)
    return _edit_page(card, Form(initial=initial_of(card)))


@people.post("/setup/people/<int:practitioner_id>/edit")
@allowed(Right.SET_UP)
def save(practitioner_id: int) -> Response:
    """Keeps the changes; first shows whose appointments an earlier expiry would strand."""
    card, form = found_card(practitioner_id), Form(request.form)
    details, version = read_details(form, today()), form.version()
    if form.faults:
        return _edit_page(card, form)
    effect = _stranded(card, details)
    if not is_agreed(effect):
        return _edit_page(card, form, effect)
    try:
        with kit().work(here().actor) as work:
            outcome = service.edit_practitioner(work, practitioner_id, details, lock_version=version)
    except Stale as error:
        return stale_page(error, title=f"Edit {card.name}", rows=compared(found_card(practitioner_id), details),
                          again=url_for("people.edit", practitioner_id=practitioner_id))
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _edit_page(card, form)
    flash("The changes were saved.", "ok")
    return redirect(url_for("people.show", practitioner_id=practitioner_id), 303)


@people.get("/setup/people/<int:practitioner_id>/out-of-use")
@allowed(Right.SET_UP)
def ask_out(practitioner_id: int) -> Response:
    """Shows whom it meets when a practitioner is no longer offered."""
    card = found_card(practitioner_id)
    with kit().read() as db:
        effect = visits_met(db, resource_ids=[practitioner_id], clinic_id=None, from_at=now(), to_at=None)
    return page("people/out.html", card=card, effect=effect)


@people.post("/setup/people/<int:practitioner_id>/use")
@allowed(Right.SET_UP)
def use(practitioner_id: int) -> Response:
    """Offers a practitioner for new appointments, or no longer."""
    in_use, form = request.form.get("in_use") == "yes", Form(request.form)
    address = url_for("people.show", practitioner_id=practitioner_id)
    card, version = found_card(practitioner_id), form.version()
    if form.faults:
        return redirect(address, 303)
    try:
        with kit().work(here().actor) as work:
            service.put_in_use(work, practitioner_id, in_use, lock_version=version)
    except Stale as error:
        rows = [("In use", "Yes" if card.active else "No", "Yes" if in_use else "No")]
        return stale_page(error, title=card.name, rows=rows, again=address)
    flash("In use again." if in_use else "Out of use: no longer offered for new appointments.", "ok")
    return redirect(address, 303)


def found_card(practitioner_id: int) -> PersonCard:
    """A practitioner by their id, or 404."""
    with kit().read() as db:
        card = person_cards(db, [practitioner_id], today=today()).get(practitioner_id)
    if card is None:
        abort(404)
    return card


def _clinics() -> tuple[tuple[int, str, str], ...]:
    with kit().read() as db:
        return clinic_choices(db)


def _stranded(card: PersonCard, wanted: PractitionerDetails) -> Effect:
    with kit().read() as db:
        ids = stranded(db, card.id, before=card.held, after=wanted.qualifications, now=now())
        return visits_named(db, ids)


def _new_page(form: Form) -> Response:
    return page("people/new.html", form.status, form=form, **field_choices(form, _clinics()))


def _edit_page(card: PersonCard, form: Form, effect: Effect | None = None) -> Response:
    return page("people/edit.html", 409 if effect else form.status, form=form, card=card, effect=effect,
                agreement=agreement(effect) if effect else "", **field_choices(form, ()))
