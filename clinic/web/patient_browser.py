"""A patient's browser: its cookie, its row, and what it may see. It has nothing to do with an account's."""
from __future__ import annotations

from datetime import timedelta
from typing import cast

from flask import Flask, g, request
from werkzeug.wrappers import Response

from clinic.queries.links import MyBrowser, my_browser, whom_to_call
from clinic.services import links
from clinic.services.accounts import hash_of
from clinic.services.work import Actor
from clinic.web.browser import PATIENT, cookie_name
from clinic.web.kit import kit, now

ACTOR = Actor("patient")
"""Who acts on a patient's page."""
_GRAIN = timedelta(minutes=1)


def install(app: Flask) -> None:
    """Keeps a browser in that is being used."""
    app.after_request(_note_used)


def is_in() -> bool:
    """Whether the browser of this request came in by a link that still holds."""
    if "my_browser" not in g:
        secret = request.cookies.get(_name())
        found = None
        if secret:
            with kit().read() as db:
                found = my_browser(db, hash_of(secret), now=now())
        g.my_browser = found
    return g.my_browser is not None


def note_whom_to_call() -> None:
    """Keeps for the page that says no whom this browser may call, where that is known."""
    secret = request.cookies.get(_name())
    with kit().read() as db:
        g.my_clinic = whom_to_call(db, hash_of(secret) if secret else None)


def mine() -> MyBrowser:
    """The patient's browser of this request; LookupError where none is in."""
    if not is_in():
        raise LookupError("no patient's browser")
    return cast(MyBrowser, g.my_browser)


def give(response: Response, secret: str) -> None:
    """Hands the secret of a browser that just came in to it."""
    response.set_cookie(_name(), secret, path="/", secure=kit().settings.secure, httponly=True, samesite="Lax")


def take(response: Response) -> None:
    """Takes the secret away."""
    response.delete_cookie(_name(), path="/", secure=kit().settings.secure, httponly=True, samesite="Lax")


def _name() -> str:
    return cookie_name(PATIENT, secure=kit().settings.secure)


def _note_used(response: Response) -> Response:
    found = g.get("my_browser")
    if found is None or response.status_code >= 500 or "my_browser_closed" in g:
        return response
    if now() + links.IDLE_FOR - found.expires_at >= _GRAIN:
        with kit().work(ACTOR) as work:
            links.note_used(work, found.id_hash)
    return response
