"""Another room or device for one visit: one press opens what is free, a second takes it, and nothing is sent."""
from __future__ import annotations

from flask import request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.planning.local import zone
from clinic.queries.appointments import AppointmentPage
from clinic.queries.swaps import SWAPPABLE, swaps
from clinic.services.swaps import swap_resource
from clinic.services.work import Refused, Stale
from clinic.web.addresses import safe_next
from clinic.web.appointments import appointments, found_appointment, home_of, now_and_wanted
from clinic.web.entry import allowed
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.once import done_once
from clinic.web.pages import page, stale_page
from clinic.web.zones import zone_words

TITLE = "Another room or device"


@appointments.get("/appointments/<int:appointment_id>/swap")
@allowed(Right.BOOK)
def swap(appointment_id: int) -> Response:
    """The rooms and devices that are free at the visit's time and fit for it."""
    return _swap_page(found_appointment(appointment_id), Form())


@appointments.post("/appointments/<int:appointment_id>/swap", endpoint="swapped")
@allowed(Right.BOOK)
def swapped(appointment_id: int) -> Response:
    """Takes one of them."""
    found, form, back = found_appointment(appointment_id), Form(request.form), safe_next(url_for("today.show"))
    version = form.version()
    old, new = (form.number(name, "The room or device", least=1, most=2**31 - 1) for name in ("instead_of", "take"))
    if old is None or new is None or form.faults:
        return _swap_page(found, form)
    try:
        outcome = done_once(
            lambda work: swap_resource(work, appointment_id, instead_of=old, take=new, lock_version=version),
            to=lambda _: back, otherwise=back, told="Changed. Nothing is sent: the time stays.")
    except Stale as error:
        return stale_page(error, title=TITLE, rows=now_and_wanted(found, "As it is"), again=back)
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _swap_page(found, form)
    return outcome


def _swap_page(found: AppointmentPage, form: Form) -> Response:
    with kit().read() as db:
        offered = swaps(db, found.appointment.id, now=now())
    return page(
        "appointments/swap.html", form.status, title=TITLE, found=found, form=form, offered=offered,
        is_open=found.appointment.state in SWAPPABLE, next=safe_next(""), back=safe_next(home_of(found)),
        zone_words=zone_words(zone(found.appointment.zone)))
