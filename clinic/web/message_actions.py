"""What a person does about one message: skip it, tell it themselves, let it go sooner or once more, add a line."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.services import decisions, sending
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.web.entry import allowed, here
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.messages import check_message, message_shown, messages
from clinic.web.words import local, moment


@messages.post("/messages/<int:message_id>/skip")
@allowed(Right.RELEASE_MESSAGES)
def skip(message_id: int) -> Response:
    """Keeps a waiting message from going."""
    return _acted(message_id, Form(request.form), lambda work: decisions.skip(work, message_id),
                  lambda _: "Skipped: it will not be sent. You can take that back while it is of use.")


@messages.post("/messages/<int:message_id>/take-over")
@allowed(Right.RELEASE_MESSAGES)
def take_over(message_id: int) -> Response:
    """Stops a waiting message because a person tells the patient."""
    return _acted(message_id, Form(request.form), lambda work: decisions.take_over(work, message_id),
                  lambda _: "It will not be sent: it waits among the people to tell.")


@messages.post("/messages/<int:message_id>/take-back")
@allowed(Right.RELEASE_MESSAGES)
def take_back(message_id: int) -> Response:
    """Lets a message that was skipped or taken over go its way."""
    return _acted(message_id, Form(request.form), lambda work: decisions.take_back(work, message_id),
                  lambda _: "Taken back: the message goes its way.")


@messages.post("/messages/<int:message_id>/send-now")
@allowed(Right.RELEASE_MESSAGES)
def send_now(message_id: int) -> Response:
    """Lets a message go before its time, never in quiet hours."""
    def told(goes_at: Any) -> str:
        if goes_at <= now():
            return "The message goes now."
        return f"It is quiet hours: the message goes when they end, {moment(local(goes_at))}."

    return _acted(message_id, Form(request.form), lambda work: sending.send_now(work, message_id), told)


@messages.post("/messages/<int:message_id>/send-again")
@allowed(Right.RELEASE_MESSAGES)
def send_again(message_id: int) -> Response:
    """Says the same once more in a new message; asks twice where the patient may have it."""
    form = Form(request.form)
    return _acted(message_id, form, lambda work: sending.send_again(work, message_id, sure=form.ticked("sure")),
                  lambda _: "A new message says it once more.", to=lambda ident: int(ident))


@messages.post("/messages/<int:message_id>/note")
@allowed(Right.RELEASE_MESSAGES)
def note(message_id: int) -> Response:
    """Adds a personal line, or changes it."""
    form = Form(request.form)
    check_message(message_id)
    words = form.text("note", "The note", most=sending.LONGEST_NOTE, required=False, lines=True)
    if form.faults:
        return message_shown(message_id, form)
    return _acted(message_id, form, lambda work: sending.set_note(work, message_id, words),
                  lambda _: "The note is in the message." if words else "The note is taken out.")


def _acted(
    message_id: int, form: Form, act: Callable[[UnitOfWork], Done[Any] | Refused], told: Callable[[Any], str], *,
    to: Callable[[Any], int] | None = None,
) -> Response:
    check_message(message_id)
    with kit().work(here().actor) as work:
        outcome = act(work)
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return message_shown(message_id, form)
    flash(told(outcome.value), "ok")
    for finding in outcome.findings:
        flash(finding.text, "warn")
    return redirect(url_for("messages.show", message_id=to(outcome.value) if to else message_id), 303)
