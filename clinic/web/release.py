"""Letting go of what waits since the clinic moved in."""
from __future__ import annotations

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.queries.held_back import held_back_page
from clinic.services.mail import let_go, mail_is_on
from clinic.web.entry import allowed, here
from clinic.web.kit import kit, now
from clinic.web.messages import messages
from clinic.web.pages import page
from clinic.web.words import plural


@messages.get("/messages/waiting")
@allowed(Right.RELEASE_MESSAGES)
def waiting() -> Response:
    """What would leave, and when, before anybody lets it."""
    with kit().read() as db:
        found = held_back_page(db, here().clinic_id, now())
        is_on = mail_is_on(db)
    if found is None:
        return redirect(url_for("messages.index"), 303)
    return page("messages/waiting.html", found=found, is_on=is_on, now=now())


@messages.post("/messages/waiting/release")
@allowed(Right.RELEASE_MESSAGES)
def release_all() -> Response:
    """Lets everything go at once."""
    with kit().work(here().actor) as work:
        done = let_go(work)
    if done is None:
        flash("Nothing was held back any more: somebody has released it already.", "info")
    else:
        told = f"Released {plural(done.released, 'message')}: what is due leaves within minutes."
        flash(told + (f" {plural(done.expired, 'message')} past use will not be sent." if done.expired else ""), "ok")
    return redirect(url_for("messages.index"), 303)
