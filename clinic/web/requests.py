"""Requests from patients: each row one press from done, as they wish, or answered and why."""
from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.planning.local import local_of, zone
from clinic.queries.appointments import AppointmentPage
from clinic.queries.requests import requests_page, wished_offer
from clinic.queries.tasks import request_of
from clinic.queries.visit_choice import parse_choice
from clinic.services import requests as service
from clinic.web.appointments import found_appointment
from clinic.web.entry import allowed, check_clinic, here
from clinic.web.forms import Form, sent_instant
from clinic.web.kit import kit, now
from clinic.web.my_words import my_languages
from clinic.web.once import Act
from clinic.web.one_press import one_press, press
from clinic.web.pages import page
from clinic.web.words import moment

requests = Blueprint("requests", __name__)


@requests.get("/requests")
@allowed(Right.SETTLE_TASKS)
def index() -> Response:
    """What patients ask for, signs of danger first."""
    return _page(Form())


@requests.post("/requests/<int:task_id>/move")
@allowed(Right.BOOK)
def move(task_id: int) -> Response:
    """Moves the visit to a time that its patient wishes for; if it is taken, or moves others too, the desk looks."""
    found, form = _visit(task_id), Form(request.form)
    visit, at, version = found.appointment, sent_instant(form.value("at")), form.version()
    local = local_of(at, zone(visit.zone))
    with kit().read() as db:
        offer = wished_offer(db, visit.id, at, now=now())
    if offer is None or offer.moves_others:
        flash(f"{moment(local)} is not free any more: these times are." if offer is None else
              f"{moment(local)} moves later sessions too: choose it here to see which.", "error")
        day = {"from": local.date().isoformat()}
        return redirect(f"{url_for('appointments.move', appointment_id=visit.id)}?{urlencode(day)}", 303)
    choice = parse_choice(offer.choice)
    return _pressed(found, form, lambda work: service.move_as_wished(work, task_id, choice, lock_version=version),
                    told=f"Moved to {moment(local)}. The patient will be told.", wanted=moment(local))


@requests.post("/requests/<int:task_id>/cancel")
@allowed(Right.BOOK)
def cancel(task_id: int) -> Response:
    """Cancels the visit, as its patient asks."""
    found, form = _visit(task_id), Form(request.form)
    version = form.version()
    return _pressed(found, form, lambda work: service.cancel_as_wished(work, task_id, lock_version=version),
                    told="Cancelled. The patient will be told.", wanted="Cancelled")


@requests.post("/requests/<int:task_id>/answer")
@allowed(Right.SETTLE_TASKS)
def answer(task_id: int) -> Response:
    """Settles it with the answer that the patient reads on their page."""
    _clinic_of(task_id)
    form = Form(request.form)
    reply = form.text("reply", "The answer", most=service.LONGEST_REPLY, required=False)
    if form.faults:
        return _page(form, task_id)
    back = url_for("requests.index")
    return press(lambda work: service.answer_request(work, task_id, reply=reply), back=back,
                 told="The request is done.")


def _page(form: Form, wrong: int | None = None) -> Response:
    """The list; `wrong` is the request whose answer has to be typed again."""
    with kit().read() as db:
        found = requests_page(db, here().clinic_id, where=here().clinic.zone, now=now())
    return page("requests/index.html", form.status, found=found, form=form, wrong=wrong,
                longest_reply=service.LONGEST_REPLY, languages=my_languages())


def _clinic_of(task_id: int) -> int | None:
    """The visit that a request is about; 404 for what is no request, or of a clinic where the right is not held."""
    with kit().read() as db:
        found = request_of(db, task_id)
    check_clinic(found.clinic_id if found else None)
    return found.appointment_id if found else None


def _visit(task_id: int) -> AppointmentPage:
    appointment_id = _clinic_of(task_id)
    if appointment_id is None:
        abort(404)
    return found_appointment(appointment_id)


def _pressed(found: AppointmentPage, form: Form, act: Act, *, told: str, wanted: str) -> Response:
    return one_press(found, form, act, back=url_for("requests.index"), told=told, title="Request", wanted=wanted)
