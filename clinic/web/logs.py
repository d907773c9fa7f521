"""One line of JSON for each request: what was asked, by which account, and how it ended; never a name."""
from __future__ import annotations

import logging
import secrets
import time
from typing import Any, cast

from flask import Flask, g, request
from werkzeug.wrappers import Response

from clinic.logs import told
from clinic.web import browser

_LOG = logging.getLogger("clinic.web")


def install(app: Flask) -> None:
    """Logs every request."""
    app.before_request(_begin)
    app.after_request(_end)


def request_id() -> str:
    """The number by which this request is found in the log."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(6)
    return cast(str, g.request_id)


def _ids() -> dict[str, Any]:
    """What the address names; the secret of a patient's link opens their page, and is never written down."""
    return {name: "masked" if name == "secret" else value for name, value in (request.view_args or {}).items()}


def _begin() -> None:
    g.begun = time.perf_counter()


def _end(response: Response) -> Response:
    facts: dict[str, Any] = {
        "request": request_id(), "method": request.method, "endpoint": request.endpoint or "-",
        "ids": _ids(), "asked": sorted(request.args), "status": response.status_code,
        "ms": round((time.perf_counter() - g.get("begun", time.perf_counter())) * 1000, 1),
    }
    if "_login_user" in g and browser.is_signed_in():
        facts["account"] = browser.signed_in_account().account_id
    if "failed_with" in g:
        facts["error"] = told(g.failed_with)
    level = logging.ERROR if response.status_code >= 500 else logging.INFO
    _LOG.log(level, "request", extra={"facts": facts})
    response.headers["X-Request-Id"] = request_id()
    return response
