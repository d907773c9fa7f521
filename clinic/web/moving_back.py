"""Undo right after a move: the visit is back where it was, and nobody heard of either."""
from __future__ import annotations

from flask import request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.services.moving_back import TOO_LATE, move_back
from clinic.services.work import Refused, Stale
from clinic.web.addresses import safe_next
from clinic.web.appointments import appointments, found_appointment
from clinic.web.entry import allowed
from clinic.web.forms import Form
from clinic.web.once import done_once
from clinic.web.pages import page


@appointments.post("/appointments/<int:appointment_id>/move-back", endpoint="moved_back")
@allowed(Right.BOOK)
def moved_back(appointment_id: int) -> Response:
    """Gives the appointment the time back that it had before its last move."""
    found_appointment(appointment_id)
    form, back = Form(request.form), safe_next(url_for("diary.show"))
    version = form.version()
    if form.faults:
        return page("booking/not_undone.html", 409, findings=(TOO_LATE,), back=back)
    try:
        outcome = done_once(lambda work: move_back(work, appointment_id, lock_version=version), to=lambda _: back,
                            otherwise=back, told="Undone: it is where it was, and nobody was told.")
    except Stale:
        outcome = Refused((TOO_LATE,))
    if isinstance(outcome, Refused):
        return page("booking/not_undone.html", 409, findings=outcome.findings, back=back)
    return outcome
