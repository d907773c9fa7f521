"""Booking a visit that belongs to no course: which kind it is to be."""
from __future__ import annotations

from flask import abort
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.queries.courses import patient_line
from clinic.queries.other_visits import visit_types
from clinic.web.appointments import appointments
from clinic.web.entry import allowed
from clinic.web.kit import kit
from clinic.web.pages import page


@appointments.get("/patients/<int:patient_id>/visits")
@allowed(Right.BOOK)
def new_other(patient_id: int) -> Response:
    """The kinds of visit that can be booked by themselves."""
    with kit().read() as db:
        patient, kinds = patient_line(db, patient_id), visit_types(db)
    if patient is None:
        abort(404)
    return page("appointments/kinds.html", patient=patient, kinds=kinds)
