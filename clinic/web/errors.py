"""What is shown when something is not possible: in plain words, with what to do, and a number to ask about."""
from __future__ import annotations

from typing import cast

from flask import Flask, current_app, g
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from clinic.services.idempotency import KeyReused
from clinic.services.work import NotFound, Stale, is_busy
from clinic.web import logs
from clinic.web.browser import is_signed_in
from clinic.web.csrf import ForeignForm
from clinic.web.faster import who_was_faster
from clinic.web.my_pages import sorry
from clinic.web.pages import bare_page

WORDS = {
    400: ("This request cannot be read", "Nothing was changed. Go back, reload the page and try again."),
    401: ("You are signed out", "Nothing was changed. Sign in and do it again."),
    403: ("This is not yours to see or do",
          "Your role at this clinic does not include it. Ask a manager if it should."),
    404: ("There is nothing here",
          "The address may be mistyped, or it belongs to another clinic. Search for the patient, or begin at the front "
          "page."),
    405: ("This address cannot be used that way", "Go back and use the buttons of the page."),
    409: ("Someone else was faster",
          "This was changed after you opened it, so nothing of yours was saved. Open it again to see how it is now."),
    413: ("That is too much at once", "The form is larger than we take. Shorten the text and send it again."),
    429: ("Too many requests", "Wait a minute and try again."),
    503: ("The clinic's data are in use",
          "Nothing of yours was saved: a whole clinic may be moving in. Try again in a few minutes."),
    500: ("Something went wrong on our side",
          "Nothing was changed. Try again; if it happens again, tell us the number below."),
}


def install(app: Flask) -> None:
    """Answers every error with a page of ours."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(NotFound, lambda _error: _answer(404))
    app.register_error_handler(Stale, _stale)
    app.register_error_handler(KeyReused, lambda _error: _answer(409, _REUSED))
    app.register_error_handler(Exception, _bug)


_REUSED = ("This form was already sent with other content, and what was sent first was done. Open it again to see how "
           "things are now.")


def _stale(error: Stale) -> Response:
    """Only staff are told who it was."""
    if "for_patients" in g or not is_signed_in():
        return _answer(409)
    heading, who = who_was_faster(error)
    return _answer(409, f"{who} So nothing was saved from here. Open it again to see how it is now.", heading=heading)


def _http(error: HTTPException) -> Response:
    if error.response is not None:
        return cast(Response, error.response)
    code = error.code or 500
    return _answer(code, str(error.description) if isinstance(error, ForeignForm) else None, headers=_kept(error))


def _bug(error: Exception) -> Response:
    if is_busy(error):
        return _answer(503, headers={"Retry-After": "120"})
    if current_app.config["PROPAGATE_EXCEPTIONS"]:
        raise error
    g.failed_with = error
    return _answer(500)


def _kept(error: HTTPException) -> dict[str, str]:
    return {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}


def _answer(
    code: int, text: str | None = None, headers: dict[str, str] | None = None, *, heading: str = ""
) -> Response:
    if "for_patients" in g:
        return sorry(code, headers or {})
    known, usual = WORDS.get(code, WORDS[400] if code < 500 else WORDS[500])
    response = bare_page("errors/error.html", code, heading=heading or known, text=text or usual, code=code,
                         request_id=logs.request_id())
    response.headers.update(headers or {})
    return response

