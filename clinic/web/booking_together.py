"""Two people's visits together: somebody else is found, both say what they come for, and one press books both."""
from __future__ import annotations

from typing import Any

from flask import abort, request
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.planning import UNWILLING
from clinic.planning.together import Order
from clinic.queries.courses import patient_line
from clinic.queries.together import Together, Want, both_together, wants
from clinic.queries.visit_choice import parse_choice
from clinic.services.together import Wanted, book_together
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.web.booking_panel import asked_search, matches
from clinic.web.booking_region import Panel, onward, panel_at, shown
from clinic.web.booking_time import asked_time
from clinic.web.diary import diary
from clinic.web.entry import allowed, here
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.numbers import number_of
from clinic.web.once import done_once

ORDERS = ((Order.SAME, "At the same time"), (Order.AFTER, "One after the other"), (Order.ANY, "On the same day"))


@diary.get("/diary/book/together")
@allowed(Right.BOOK)
def together() -> Response:
    """Somebody else to come with the patient; then the times at which both fit."""
    return _shown(_panel(), Form())


@diary.post("/diary/book/together", endpoint="booked_together")
@allowed(Right.BOOK)
def booked_together() -> Response:
    """Books both, or neither and says why."""
    panel, form, second = _panel(), Form(request.form), number_of(request.form, "second")
    one, other = _want(panel.patient_id, "what"), _want(second or abort(404), "what2")
    first, then = (form.choice(name, "The time", parse_choice) for name in ("choice", "choice2"))
    if one is None or other is None or first is None or then is None:
        return _shown(panel, form)
    wanted = Wanted(one, first, form.overrides()), Wanted(other, then, form.overrides("override2-"))

    def act(work: UnitOfWork) -> Done[Any] | Refused:
        return book_together(work, *wanted)

    outcome = done_once(act, to=lambda both: panel.asked.diary(booked=both[0], also=both[1]),
                        otherwise=panel.asked.diary(), told="Both are booked.")
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _shown(panel, form, asking=any(each.code == UNWILLING for each in outcome.findings))
    return onward(outcome)


def _panel() -> Panel:
    return panel_at(asked_time(), number_of(request.values, "patient") or abort(404))


def _shown(panel: Panel, form: Form, *, asking: bool = False) -> Response:
    """The search for the second of them, or what both come for and when that fits; `asking`: also where one of them
    has to agree."""
    asking = asking or bool(request.values.get("asking"))
    second_id, search = number_of(request.values, "second"), asked_search()
    with kit().read() as db:
        second = patient_line(db, second_id) if second_id else None
        if second is None:
            return shown(panel, form, "booking/together.html", second=None, search=search, matches=matches(search))
        choices = [wants(db, each, here().clinic_id, now=now()) for each in (panel.patient_id, second.id)]
        asked = [_asked(name, offered) for name, offered in zip(("what", "what2"), choices, strict=True)]
        order = next((each for each, _ in ORDERS if each == request.values.get("order")), Order.SAME)
        one, other = _want(panel.patient_id, "what", asked[0]), _want(second.id, "what2", asked[1])
        found = both_together(db, one, other, panel.spot.spot, order, now=now(), asking=asking) if (
            one and other) else Together(())
    return shown(panel, form, "booking/together.html", second=second, choices=choices, asked_for=asked, order=order,
                 orders=ORDERS, both=found, asking=asking)


def _asked(name: str, offered: tuple[tuple[str, str], ...]) -> str:
    """What was chosen of what is offered; else the first of it."""
    given = request.values.get(name, "")
    known = [key for key, _ in offered]
    return given if given in known else next(iter(known), "")


def _want(patient_id: int, name: str, given: str | None = None) -> Want | None:
    kind, _, about = (request.form.get(name, "") if given is None else given).partition(":")
    if kind == "visit" and about:
        return Want(patient_id, here().clinic_id, code=about)
    ident = number_of({"id": about}, "id") if kind == "session" else None
    return Want(patient_id, here().clinic_id, ident) if ident else None
