"""Closures of a clinic: listed, added once what they meet was seen, taken back, and holidays from a file."""
from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.queries.clinics import (
    ClinicLine,
    closed_already,
    closure_of,
    closures_page,
    met_by_closure,
    met_by_holidays,
)
from clinic.queries.effects import Effect
from clinic.services import closures as service
from clinic.services.closures import MOST_AT_ONCE, ClosedDays
from clinic.services.work import Done, Refused
from clinic.web.clinics import found_clinic
from clinic.web.effects import agreement, is_agreed
from clinic.web.entry import allowed, here, today
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.numbers import page_number
from clinic.web.once import done_once
from clinic.web.pages import page

closures = Blueprint("closures", __name__)

_FARTHEST = timedelta(days=3660)


@closures.get("/setup/clinics/<int:clinic_id>/closures")
@allowed(Right.SET_UP)
def index(clinic_id: int) -> Response:
    """When a clinic is closed, and the form for further dates."""
    return _page(found_clinic(clinic_id), Form())


@closures.post("/setup/clinics/<int:clinic_id>/closures")
@allowed(Right.SET_UP)
def add(clinic_id: int) -> Response:
    """Closes a clinic, once what that meets was seen."""
    clinic, form = found_clinic(clinic_id), Form(request.form)
    days = _read(form)
    if days is None:
        return _page(clinic, form)
    with kit().read() as db:
        effect = met_by_closure(db, clinic_id, days.from_on, days.to_on, now=now())
    if not is_agreed(effect):
        return _page(clinic, form, effect)
    back = url_for("closures.index", clinic_id=clinic_id)
    outcome = done_once(
        lambda work: service.close_clinic(
            work, clinic_id, from_on=days.from_on, to_on=days.to_on, reason=days.reason),
        to=lambda _: back, otherwise=back, told="The closure was added.")
    if isinstance(outcome, Response):
        return outcome
    form.add(outcome.findings)
    return _page(clinic, form)


@closures.post("/setup/clinics/<int:clinic_id>/closures/<int:closure_id>/remove")
@allowed(Right.SET_UP)
def remove(clinic_id: int, closure_id: int) -> Response:
    """Takes a closure back."""
    found_clinic(clinic_id)
    with kit().read() as db:
        if closure_of(db, clinic_id, closure_id) is None:
            abort(404)
    with kit().work(here().actor) as work:
        service.open_again(work, closure_id)
    flash("The clinic is open on those dates again.", "ok")
    return redirect(url_for("closures.index", clinic_id=clinic_id), 303)


@closures.get("/setup/clinics/<int:clinic_id>/holidays")
@allowed(Right.SET_UP)
def holidays(clinic_id: int) -> Response:
    """Asks for a file of public holidays."""
    return _holidays_page(found_clinic(clinic_id), Form())


@closures.post("/setup/clinics/<int:clinic_id>/holidays")
@allowed(Right.SET_UP)
def read(clinic_id: int) -> Response:
    """Shows what a file would close, and whom that meets; nothing is saved yet."""
    clinic, form = found_clinic(clinic_id), Form(request.form)
    given = request.files.get("file")
    if given is None or not given.filename:
        form.fault("file", "Choose a file.")
        return _holidays_page(clinic, form)
    found = service.holidays_in(given.read(), today=today())
    if isinstance(found, Refused):
        form.fault("file", found.findings[0].text)
        return _holidays_page(clinic, form)
    return _holidays_page(clinic, form, found)


@closures.post("/setup/clinics/<int:clinic_id>/holidays/add")
@allowed(Right.SET_UP)
def add_holidays(clinic_id: int) -> Response:
    """Closes a clinic on the dates that are ticked."""
    found_clinic(clinic_id)
    form = Form(request.form)
    days = [each for told in form.values("days")[:MOST_AT_ONCE + 1] if (each := _parse(str(told))) is not None]
    with kit().work(here().actor) as work:
        outcome = service.add_holidays(work, clinic_id, days)
    if isinstance(outcome, Done):
        count = "1 closure was" if outcome.value == 1 else f"{outcome.value} closures were"
        flash(f"{count} added.", "ok")
    else:
        flash(" ".join(finding.text for finding in outcome.findings), "error")
    return redirect(url_for("closures.index", clinic_id=clinic_id), 303)


def _read(form: Form) -> ClosedDays | None:
    first = form.date("from_on", "The first day", earliest=today(), latest=today() + _FARTHEST)
    last = form.date("to_on", "The last day", required=False, latest=today() + _FARTHEST) or first
    reason = form.text("reason", "The reason")
    if first is None or last is None or form.faults:
        return None
    days = ClosedDays(first, last, reason)
    form.add(service.judge_closure(days))
    return None if form.faults else days


def _parse(told: str) -> ClosedDays | None:
    """What the preview's tick says: two dates and a name; nothing where it says something else."""
    first, _, rest = told.partition("/")
    last, _, name = rest.partition("/")
    try:
        return ClosedDays(date.fromisoformat(first), date.fromisoformat(last), name[:200])
    except ValueError:
        return None


def _page(clinic: ClinicLine, form: Form, effect: Effect | None = None) -> Response:
    with kit().read() as db:
        found = closures_page(db, clinic.id, today=today(), number=page_number())
    status = 409 if effect and effect.appointments else form.status
    return page("clinics/closures.html", status, clinic=clinic, form=form, found=found, effect=effect,
                agreement=agreement(effect) if effect else "")


def _holidays_page(clinic: ClinicLine, form: Form, found: tuple[ClosedDays, ...] = ()) -> Response:
    coming = [each for each in found if each.to_on >= today()]
    with kit().read() as db:
        closed = closed_already(db, clinic.id, today=today()) if coming else ()
        new = [each for each in coming
               if not any(first <= each.from_on and each.to_on <= last for first, last in closed)]
        effect = met_by_holidays(db, clinic.id, [(each.from_on, each.to_on) for each in new], now=now())
    return page("clinics/holidays.html", form.status, clinic=clinic, form=form, new=new, effect=effect,
                passed=len(found) - len(coming), closed=len(coming) - len(new), is_read=bool(found))
