"""One line of JSON for each request: what was asked, by which account, and how it ended; never a name."""
from __future__ import annotations

import json
import logging
import secrets
import time
import traceback
from datetime import UTC, datetime
from typing import Any, cast

from flask import Flask, g, request
from werkzeug.wrappers import Response

from clinic.web import browser

_LOG = logging.getLogger("clinic.web")


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON; what a program logs as `extra={"facts": {...}}` becomes its fields."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "from": record.name,
                                "action": record.getMessage(), **getattr(record, "facts", {})}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = told(record.exc_info[1])
        return json.dumps(line, ensure_ascii=True, default=str)


def install(app: Flask) -> None:
    """Logs every request."""
    app.before_request(_begin)
    app.after_request(_end)


def request_id() -> str:
    """The number by which this request is found in the log."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(6)
    return cast(str, g.request_id)


def told(error: BaseException) -> dict[str, Any]:
    """An error as a log may keep it: its kind and its places. Its words may quote what a patient told us."""
    frames = traceback.extract_tb(error.__traceback__)
    return {"kind": type(error).__qualname__,
            "at": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}:{frame.name}" for frame in frames[-12:]]}


def _begin() -> None:
    g.begun = time.perf_counter()


def _end(response: Response) -> Response:
    facts: dict[str, Any] = {
        "request": request_id(), "method": request.method, "endpoint": request.endpoint or "-",
        "ids": request.view_args or {}, "asked": sorted(request.args), "status": response.status_code,
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
