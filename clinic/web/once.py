"""Doing what a form asks for, once: a second click gets the answer of the first."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, request
from werkzeug.wrappers import Response

from clinic.services import idempotency
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.web.entry import here
from clinic.web.forms import request_sha256
from clinic.web.kit import kit

Act = Callable[[UnitOfWork], Done[Any] | Refused]


def done_once(act: Act, *, to: Callable[[Any], str], otherwise: str, told: str) -> Response | Refused:
    """Acts and leads on to where `to` says of what was done, or answers what stands in the way.

    `otherwise` is where a repeated form leads whose first sending left no answer.
    """
    key = request.form.get("form_key", "")
    with kit().work(here().actor) as work:
        earlier = idempotency.once(work, key, request_sha256())
        if earlier is not None:
            return redirect(earlier.get("to", otherwise), 303)
        outcome = act(work)
        if isinstance(outcome, Refused):
            return outcome
        address = to(outcome.value)
        idempotency.answered(work, key, {"to": address})
    flash(told, "ok")
    return redirect(address, 303)
