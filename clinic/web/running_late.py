"""Running late: one press sets a practitioner back, and the page says whom that touches, what clashes, whom to tell."""
from __future__ import annotations

from datetime import datetime

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.planning.local import local_of
from clinic.queries.running_late import PersonToday, ToCall, people_today
from clinic.services.running_late import MOST, note_told, say_late, say_on_time
from clinic.services.work import Refused
from clinic.web.addresses import safe_next
from clinic.web.appointments import found_appointment
from clinic.web.entry import allowed, here
from clinic.web.forms import Form, sent_instant
from clinic.web.kit import kit, now
from clinic.web.late_words import to_say
from clinic.web.once import done_once
from clinic.web.one_press import press
from clinic.web.pages import page
from clinic.web.words import clock, plural

running_late = Blueprint("running_late", __name__)

MINUTES = (5, 10, 15, 20, 30, 45)


@running_late.get("/running-late")
@allowed(Right.SEE_DIARY)
def index() -> Response:
    """Everybody who is here today; those who run late first, with what follows from it."""
    return _page(Form())


@running_late.post("/running-late/<int:practitioner_id>")
@allowed(Right.ARRIVE)
def late(practitioner_id: int) -> Response:
    """Sets a practitioner back by so many minutes."""
    form = Form(request.form)
    minutes = form.number("minutes", "The minutes", least=1, most=MOST)
    if minutes is None:
        return _page(form, practitioner_id)
    back = safe_next(url_for("running_late.index", _anchor=f"late-{practitioner_id}"))
    done = done_once(
        lambda work: say_late(work, practitioner_id, clinic_id=here().clinic_id, minutes=minutes), to=lambda _: back,
        otherwise=back, told=f"Noted: {plural(minutes, 'minute')} late. No appointment was moved, nothing was sent.")
    assert not isinstance(done, Refused)  # nothing stands in the way of being late
    return done


@running_late.post("/running-late/<int:practitioner_id>/on-time")
@allowed(Right.ARRIVE)
def on_time(practitioner_id: int) -> Response:
    """Says that a practitioner is on time again."""
    back = safe_next(url_for("running_late.index"))
    done = done_once(
        lambda work: say_on_time(work, practitioner_id, clinic_id=here().clinic_id), to=lambda _: back,
        otherwise=back, told="Noted: on time again.")
    assert not isinstance(done, Refused)
    return done


@running_late.post("/running-late/visits/<int:appointment_id>/told")
@allowed(Right.ARRIVE)
def told(appointment_id: int) -> Response:
    """Notes that a patient was told of the later time that the row shows."""
    found_appointment(appointment_id)  # 404 where the right is not held
    begins_at = sent_instant(request.form.get("begins_at", ""))
    return press(lambda work: note_told(work, appointment_id, begins_at=begins_at),
                 back=safe_next(url_for("running_late.index")), told="Noted: the patient knows.")


def _page(form: Form, wrong: int | None = None) -> Response:
    with kit().read() as db:
        people = people_today(db, here().clinic_id, where=here().clinic.zone, now=now())
    return page(
        "running_late/index.html", form.status, form=form, wrong=wrong, people=people, minutes=MINUTES, most=MOST,
        late=[each for each in people if each.late], clock=_clock, words=_words)


def _words(person: PersonToday, call: ToCall) -> tuple[str, str]:
    """What to say to that patient, and in which language it is."""
    return to_say(
        call.language, is_here=call.visit.is_here, name=call.given_name, clinic=here().clinic.name,
        practitioner=person.resource.name, old=clock(call.visit.local_start), new=_clock(call.visit.expected.begins_at)
        if call.visit.expected else "")


def _clock(at: datetime) -> str:
    return clock(local_of(at, here().clinic.zone))
