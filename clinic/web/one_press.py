"""One press in a row of a list: done, or what speaks against it said in the same place."""
from __future__ import annotations

from flask import flash, redirect
from werkzeug.wrappers import Response

from clinic.queries.appointments import AppointmentPage
from clinic.services.work import Refused, Stale
from clinic.web.appointments import now_and_wanted
from clinic.web.forms import Form
from clinic.web.once import Act, done_once
from clinic.web.pages import stale_page


def one_press(
    found: AppointmentPage, form: Form, act: Act, *, back: str, told: str, title: str, wanted: str
) -> Response:
    """Acts on the visit once and leads back; `wanted` is the state that somebody else's change is told beside."""
    if form.faults:
        return _said(next(iter(form.faults.values())), back)
    try:
        outcome = done_once(act, to=lambda _: back, otherwise=back, told=told)
    except Stale as error:
        return stale_page(error, title=title, rows=now_and_wanted(found, wanted), again=back)
    return _said(outcome.findings[0].text, back) if isinstance(outcome, Refused) else outcome


def press(act: Act, *, back: str, told: str) -> Response:
    """The same for what is no visit: done once and led back, or what speaks against it."""
    outcome = done_once(act, to=lambda _: back, otherwise=back, told=told)
    return _said(outcome.findings[0].text, back) if isinstance(outcome, Refused) else outcome


def _said(text: str, back: str) -> Response:
    flash(text, "error")
    return redirect(back, 303)
