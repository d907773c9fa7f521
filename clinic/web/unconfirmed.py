"""Who has not said yet that they come: one row a visit, one press once they have."""
from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.queries.unconfirmed import unconfirmed as whom_to_call
from clinic.services.confirming import note_confirmed
from clinic.services.work import Refused, Stale
from clinic.web.addresses import safe_next
from clinic.web.appointments import found_appointment, now_and_wanted
from clinic.web.entry import allowed, here
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.once import done_once
from clinic.web.pages import page, stale_page

unconfirmed = Blueprint("unconfirmed", __name__)


@unconfirmed.get("/unconfirmed")
@allowed(Right.SEE_DIARY)
def index() -> Response:
    """Whom to call in the next days."""
    with kit().read() as db:
        found = whom_to_call(db, here().clinic_id, where=here().clinic.zone, now=now())
    return page("today/unconfirmed.html", found=found)


@unconfirmed.post("/appointments/<int:appointment_id>/confirmed")
@allowed(Right.ARRIVE)
def confirmed(appointment_id: int) -> Response:
    """Notes that a patient comes; whatever speaks against it is said where the press was made."""
    found, form = found_appointment(appointment_id), Form(request.form)
    version, back = form.version(), safe_next(url_for("unconfirmed.index"))
    if form.faults:
        flash(next(iter(form.faults.values())), "error")
        return redirect(back, 303)
    try:
        outcome = done_once(lambda work: note_confirmed(work, appointment_id, lock_version=version), to=lambda _: back,
                            otherwise=back, told=f"Noted: {found.patient.name} comes.")
    except Stale:
        return stale_page(title="Confirmed", rows=now_and_wanted(found, "Confirmed"), again=back)
    if isinstance(outcome, Refused):
        flash(outcome.findings[0].text, "error")
        return redirect(back, 303)
    return outcome
