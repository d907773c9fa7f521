"""Who has not said yet that they come: one row a visit, one press once they have."""
from __future__ import annotations

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.queries.unconfirmed import unconfirmed as whom_to_call
from clinic.services.confirming import note_confirmed
from clinic.web.addresses import safe_next
from clinic.web.appointments import found_appointment
from clinic.web.entry import allowed, here
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.one_press import one_press
from clinic.web.pages import page

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
    return one_press(found, form, lambda work: note_confirmed(work, appointment_id, lock_version=version), back=back,
                     told=f"Noted: {found.patient.name} comes.", title="Confirmed", wanted="Confirmed")
