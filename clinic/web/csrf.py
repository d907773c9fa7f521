"""A form counts only if one of our pages gave it to this very browser."""
from __future__ import annotations

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from flask import Flask, g, request
from werkzeug.exceptions import BadRequest

from clinic.web.browser import csrf_secret, give_visitor
from clinic.web.kit import kit

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_WITHOUT_TOKEN = frozenset({"signup.stop"})
"""Views that anybody's program may ask: all that they can do is to stop the newsletter for the holder of a secret."""


class ForeignForm(BadRequest):
    """A form that none of our pages gave to this browser; its description is fit for staff."""


def install(app: Flask) -> None:
    """Checks every request that may change something, before any view sees it."""
    app.before_request(_check)
    app.after_request(give_visitor)
    app.jinja_env.globals["csrf_token"] = token


def token() -> str:
    """A token for the forms of this browser: another one on each page, so that compressed pages do not give it away."""
    if "csrf_token" not in g:
        salt = secrets.token_hex(8)
        g.csrf_token = f"{salt}.{_signature(salt)}"
    return str(g.csrf_token)


def _check() -> None:
    if request.method in _SAFE or request.routing_exception is not None or request.endpoint in _WITHOUT_TOKEN:
        return
    if not _comes_from_us():
        raise ForeignForm("The form came from another site, so nothing was changed.")
    salt, _, signature = request.form.get("csrf_token", "").partition(".")
    if not salt or not hmac.compare_digest(signature.encode(), _signature(salt).encode()):
        raise ForeignForm("The form is from before you signed in or out, so nothing was changed. Go back, reload the "
                          "page and send it again.")


def _comes_from_us() -> bool:
    """What the browser itself says of where the request began; old browsers say nothing, and the token decides."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    # A page that sends no referrer, as patients' pages do, sends no origin either: where the browser does not say
    # that the form is our own, its token decides.
    if origin is None or (origin == "null" and "for_patients" in g):
        return True
    return origin == kit().settings.base_url or urlsplit(origin).netloc == request.host


def _signature(salt: str) -> str:
    key = kit().settings.secret_key.encode()
    return hmac.new(key, f"csrf|{salt}|{csrf_secret()}".encode(), hashlib.sha256).hexdigest()
