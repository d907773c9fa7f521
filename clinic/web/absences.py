"""Absences of practitioners and downtime of rooms and devices: listed, noted, taken back.

The desk notes and takes back absences of practitioners; downtime is for those who set the clinic up, and so is why
somebody is away.
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right, clinics_where
from clinic.planning.local import instant
from clinic.queries.absences import Absentee, absence, absence_page, absentees, messages_waiting
from clinic.queries.effects import Effect, visits_met
from clinic.services import absences as service
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.web.addresses import safe_next
from clinic.web.effects import agreement, is_agreed
from clinic.web.entry import allowed, check_clinic, here, today
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.numbers import number_of, page_number
from clinic.web.once import done_once
from clinic.web.pages import page
from clinic.web.zones import zone_words

absences = Blueprint("absences", __name__)

PRACTITIONER = "practitioner"
KINDS = ((PRACTITIONER, "Practitioners"), ("room", "Rooms"), ("device", "Devices"))


@dataclass(frozen=True, slots=True)
class Away:
    """An absence as it was typed."""

    resource_id: int
    starts_at: datetime
    ends_at: datetime
    reason: str


@absences.get("/setup/absences")
@allowed(Right.NOTE_ABSENCES)
def index() -> Response:
    """Everybody's absences and everything's downtime at the current clinic that is not over."""
    with kit().read() as db:
        found = absence_page(db, clinic_id=here().clinic_id, since=now(),
                             number=page_number())
    return page("absences/index.html", found=found)


@absences.get("/setup/absences/new")
@allowed(Right.NOTE_ABSENCES)
def new() -> Response:
    """The form of an absence, begun with whom it was asked for."""
    return _form_page(Form(initial={"of": number_of(request.args, "of") or "", "from_on": today()}))


@absences.post("/setup/absences")
@allowed(Right.NOTE_ABSENCES)
def add() -> Response:
    """Notes an absence; first shows whose appointments it meets."""
    form = Form(request.form)
    away = _read(form)
    if away is None or form.faults:
        return _form_page(form)
    with kit().read() as db:
        effect = visits_met(db, resource_ids=[away.resource_id], clinic_id=None,
                            from_at=max(away.starts_at, now()), to_at=away.ends_at,
                            named_at=clinics_where(here().grants, Right.NOTE_ABSENCES))
    if not is_agreed(effect):
        return _form_page(form, effect)

    def act(work: UnitOfWork) -> Done[int] | Refused:
        return service.add_absence(
            work, away.resource_id, starts_at=away.starts_at, ends_at=away.ends_at, reason=away.reason)

    back = safe_next(url_for("absences.index"))
    may_move = effect.appointments and here().may(Right.BOOK)
    outcome = done_once(act, to=lambda ident: url_for("absences.visits", absence_id=ident) if may_move else back,
                        otherwise=back, told="The absence was noted.")
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _form_page(form)
    return outcome


@absences.get("/absences/<int:absence_id>/visits")
@allowed(Right.BOOK)
def visits(absence_id: int) -> Response:
    """The visits of the current clinic that still stand in an absence, for the desk to move one after the other."""
    with kit().read() as db:
        found = absence(db, absence_id)
        if found is None:
            abort(404)
        if found.clinic_id is not None:
            check_clinic(found.clinic_id)
        met = visits_met(db, resource_ids=[found.resource_id], clinic_id=here().clinic_id,
                         from_at=max(found.starts_at, now()), to_at=found.ends_at)
        met_ids = [each.appointment_id for each in met.rows] if found.source is None else []
        waiting = messages_waiting(db, met_ids, now=now())
    return page("absences/visits.html", absence=found, met=met, waiting=waiting)


@absences.post("/setup/absences/<int:absence_id>/remove")
@allowed(Right.NOTE_ABSENCES)
def remove(absence_id: int) -> Response:
    """Takes an absence back."""
    with kit().read() as db:
        found = absence(db, absence_id)
    if found is None or not _may_note(found.kind):
        abort(404)
    if found.clinic_id is not None:
        check_clinic(found.clinic_id)
    with kit().work(here().actor) as work:
        outcome = service.remove_absence(work, absence_id)
    if isinstance(outcome, Refused):
        flash(outcome.findings[0].text, "error")
    else:
        flash("The absence was removed: its time can be booked again.", "ok")
    return redirect(safe_next(url_for("absences.index")), 303)


def _read(form: Form) -> Away | None:
    """What was typed, in the time of the current clinic: whole days unless times are given."""
    known = {str(each.id) for each in _absentees()}
    of = form.one_of("of", "Who or what", known)
    first = form.date("from_on", "The first day")
    last = form.date("to_on", "The last day", required=False) or first
    begins = form.time("from_at", "The beginning", required=False)
    ends = form.time("to_at", "The end", required=False)
    reason = form.text("reason", "The reason", most=service.LONGEST_REASON)
    if not of or first is None or last is None or form.faults:
        return None
    where = here().clinic.zone
    starts_at = instant(first, begins or 0, where)
    ends_at = instant(last, 1440 if ends is None else ends, where, last=True)
    if ends_at <= starts_at:
        form.fault("to_at" if last == first and ends is not None else "to_on",
                   "The end must be after the beginning.")
        return None
    return Away(int(of), starts_at, ends_at, reason)


def _absentees() -> tuple[Absentee, ...]:
    with kit().read() as db:
        return tuple(each for each in absentees(db, clinic_id=here().clinic_id) if _may_note(each.kind))


def _may_note(kind: str) -> bool:
    """Whether this account may say that one of that kind is not there."""
    return kind == PRACTITIONER or here().may(Right.SET_UP)


def _form_page(form: Form, effect: Effect | None = None) -> Response:
    known = _absentees()
    choices = [(words, [(each.id, each.name) for each in known if each.kind == kind]) for kind, words in KINDS]
    return page(
        "absences/new.html", 409 if effect else form.status, form=form, effect=effect,
        agreement=agreement(effect) if effect else "", choices=[each for each in choices if each[1]],
        zone_words=zone_words(here().clinic.zone), back=safe_next(url_for("absences.index")))
