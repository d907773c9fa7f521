"""Taking a patient in, with one press from the day of whoever treats them."""
from __future__ import annotations

from flask import flash, redirect, request
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.services.taking_in import take_in
from clinic.services.work import Refused, Stale
from clinic.web.addresses import safe_next
from clinic.web.appointments import appointments, found_appointment, home_of, now_and_wanted
from clinic.web.entry import allowed
from clinic.web.forms import Form
from clinic.web.once import done_once
from clinic.web.pages import stale_page


@appointments.post("/appointments/<int:appointment_id>/take-in", endpoint="taken_in")
@allowed(Right.ARRIVE)
def taken_in(appointment_id: int) -> Response:
    """Notes that somebody begins with the patient; whatever speaks against it is said where the press was made."""
    found, form = found_appointment(appointment_id), Form(request.form)
    version, back = form.version(), safe_next(home_of(found))
    if form.faults:
        flash(next(iter(form.faults.values())), "error")
        return redirect(back, 303)
    try:
        outcome = done_once(lambda work: take_in(work, appointment_id, lock_version=version), to=lambda _: back,
                            otherwise=back, told=f"{found.patient.name} is in treatment.")
    except Stale:
        return stale_page(title="Begin", rows=now_and_wanted(found, "In treatment"), again=back)
    if isinstance(outcome, Refused):
        flash(outcome.findings[0].text, "error")
        return redirect(back, 303)
    return outcome
