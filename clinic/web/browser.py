"""One browser, signed in or not: its cookie, its row, and Flask-Login, which this module wraps."""
from __future__ import annotations

import secrets
from datetime import timedelta
from typing import cast

from flask import Flask, g, request
from flask_login import LoginManager, UserMixin, current_user
from werkzeug.wrappers import Request, Response

from clinic.queries.accounts import SignedIn, account_of_browser
from clinic.services import accounts
from clinic.services.work import Actor
from clinic.web.kit import kit, now

PATIENT = "patient"
"""The cookie of a browser that is on a patient's page; see `patient_browser`."""
SEEN_EVERY = timedelta(minutes=1)
"""How often a browser that is being used is noted: the grain of the idle limit."""


class _Person(UserMixin):  # type: ignore[misc]
    """What Flask-Login knows of an account."""

    def __init__(self, account: SignedIn) -> None:
        self.account = account
        self.id = str(account.account_id)


def install(app: Flask) -> None:
    """Loads the account of each request from its server-side browser session."""
    manager = LoginManager(app, add_context_processor=False)
    manager.session_protection = None
    manager.request_loader(_load)
    app.after_request(_note_seen)


def is_signed_in() -> bool:
    """Whether the request comes from a signed-in browser."""
    return bool(current_user.is_authenticated)


def signed_in_account() -> SignedIn:
    """The account of the request's browser; LookupError where none is signed in."""
    if not is_signed_in():
        raise LookupError("nobody is signed in")
    return cast(_Person, current_user._get_current_object()).account


def secret() -> str | None:
    """The secret of a signed-in browser, as its cookie tells it."""
    return request.cookies.get(_name("browser"))


def give(response: Response, browser_secret: str) -> None:
    """Hands the secret of a new browser session to the browser, and takes the visitor's away."""
    _set(response, "browser", browser_secret)
    response.delete_cookie(_name("visitor"), path="/", secure=_secure(), httponly=True, samesite="Lax")


def take(response: Response) -> None:
    """Takes the secret from the browser."""
    response.delete_cookie(_name("browser"), path="/", secure=_secure(), httponly=True, samesite="Lax")


def csrf_secret() -> str:
    """What a form of this browser is bound to: its session when signed in, else a cookie made for its visit.

    On patients' pages an account that happens to be signed in counts for nothing.
    """
    if "for_patients" in g:
        if inside := request.cookies.get(_name(PATIENT)):
            return inside
    elif is_signed_in():
        return cast(str, secret())
    known = request.cookies.get(_name("visitor"), "")
    if len(known) >= 43:
        return known
    if "visitor" not in g:
        g.visitor = secrets.token_urlsafe(32)
    return cast(str, g.visitor)


def give_visitor(response: Response) -> Response:
    """Hands out the visitor's secret where a form was made with a new one."""
    if "visitor" in g and ("for_patients" in g or not is_signed_in()):
        _set(response, "visitor", g.visitor)
    return response


def cookie_name(name: str, *, secure: bool) -> str:
    """A name that browsers accept only from this host, over https, for every path, where that can be promised."""
    return f"__Host-{name}" if secure else name


def _name(name: str) -> str:
    return cookie_name(name, secure=_secure())


def _secure() -> bool:
    return kit().settings.secure


def _set(response: Response, name: str, value: str) -> None:
    response.set_cookie(_name(name), value, path="/", secure=_secure(), httponly=True, samesite="Lax")


def _load(_request: Request) -> _Person | None:
    known = secret()
    if not known:
        return None
    with kit().read() as db:
        account = account_of_browser(db, accounts.hash_of(known), now=now())
    return _Person(account) if account else None


def _note_seen(response: Response) -> Response:
    # A page that asks again by itself is nobody at the keyboard: it does not keep the browser signed in.
    asked_by_itself = "X-Fragment" in request.headers
    if asked_by_itself or "_login_user" not in g or not is_signed_in():
        return response
    account = signed_in_account()
    if now() - account.seen_at >= SEEN_EVERY and response.status_code < 500:
        with kit().work(Actor("account", account.account_id)) as work:
            accounts.note_seen(work, account.id_hash)
    return response
