"""Notes for the next visit of a patient: left and ticked wherever they are shown."""
from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.services.handover import LONGEST, leave_note, mark_read
from clinic.services.work import Refused
from clinic.web.addresses import safe_next
from clinic.web.entry import allowed, here
from clinic.web.forms import Form
from clinic.web.kit import kit
from clinic.web.once import done_once

handover = Blueprint("handover", __name__)


@handover.post("/patients/<int:patient_id>/handover")
@allowed(Right.ARRIVE)
def leave(patient_id: int) -> Response:
    """Leaves a note, and leads back to where it was written."""
    form, back = Form(request.form), safe_next(url_for("patients.show", patient_id=patient_id))
    text = form.text("note", "The note", most=LONGEST, lines=True)
    course_id = form.number("course_id", "The course", least=1, most=2**31 - 1, required=False)
    if form.faults:
        flash(next(iter(form.faults.values())), "error")
        return redirect(back, 303)
    done = done_once(lambda work: leave_note(work, patient_id, text=text, course_id=course_id), to=lambda _: back,
                     otherwise=back, told="Noted for the next visit.")
    assert not isinstance(done, Refused)  # nothing stands in the way of a note
    return done


@handover.post("/handover/<int:note_id>/read")
@allowed(Right.ARRIVE)
def read(note_id: int) -> Response:
    """Ticks a note: who read it, and when, stays with it."""
    with kit().work(here().actor) as work:
        mark_read(work, note_id)
    flash("Ticked: you have read it.", "ok")
    return redirect(safe_next(url_for("today.show")), 303)
