"""The front page."""
from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.web.entry import allowed
from clinic.web.pages import page

today = Blueprint("today", __name__)


@today.get("/")
@allowed(Right.SEE_DIARY)
def show() -> Response:
    """The day at the current clinic."""
    return page("today/day.html")
