"""Taking a patient in, with one press from the day of whoever treats them."""
from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.services.taking_in import take_in
from clinic.web.addresses import safe_next
from clinic.web.appointments import appointments, found_appointment, home_of
from clinic.web.entry import allowed
from clinic.web.forms import Form
from clinic.web.one_press import one_press


@appointments.post("/appointments/<int:appointment_id>/take-in", endpoint="taken_in")
@allowed(Right.ARRIVE)
def taken_in(appointment_id: int) -> Response:
    """Notes that somebody begins with the patient; whatever speaks against it is said where the press was made."""
    found, form = found_appointment(appointment_id), Form(request.form)
    version, back = form.version(), safe_next(home_of(found))
    return one_press(found, form, lambda work: take_in(work, appointment_id, lock_version=version), back=back,
                     told=f"{found.patient.name} is in treatment.", title="Begin", wanted="In treatment")
