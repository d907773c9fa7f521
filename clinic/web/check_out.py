"""Check-out on one screen: the visit is closed, the aftercare is on its way or in hand, the next date is known."""
from __future__ import annotations

from flask import redirect, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.states import AppointmentState
from clinic.planning.local import day_of, zone
from clinic.queries.check_out import check_out as what_is_left
from clinic.queries.handover import unread_notes_of
from clinic.web import course_words
from clinic.web.addresses import safe_next
from clinic.web.appointments import appointments, found_appointment, session_words
from clinic.web.entry import allowed
from clinic.web.kit import kit, now
from clinic.web.pages import page
from clinic.web.repair import plan_key
from clinic.web.zones import zone_words

_OPEN = (AppointmentState.BOOKED, AppointmentState.ARRIVED)


@appointments.get("/appointments/<int:appointment_id>/check-out")
@allowed(Right.COMPLETE)
def check_out(appointment_id: int) -> Response:
    """What is left to do while the patient leaves; each of it one press, in any order."""
    found, back = found_appointment(appointment_id), safe_next(url_for("today.show"))
    visit, here = found.appointment, url_for("appointments.check_out", appointment_id=appointment_id, next=back)
    if found.treatment_session is None:
        return redirect(url_for("appointments.end", appointment_id=appointment_id, next=back), 303)
    with kit().read() as db:
        left = what_is_left(db, visit, found.treatment_session, now=now())
        notes = unread_notes_of(db, found.patient.id)
    return page(
        "appointments/check_out.html", found=found, left=left, notes=notes, late=left.late,
        is_open=visit.state in _OPEN,
        is_today=day_of(now(), zone(visit.zone)) == visit.local_start.date(), who=session_words(found),
        ended=course_words.CAUSES.get(visit.ended_cause or ""), words=course_words, undo=left.undo,
        plan_key=plan_key, here=here, back=back,
        zone_words=zone_words(zone(visit.zone)))
