"""The help, all of it on one page."""
from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from clinic.web.entry import signed_in
from clinic.web.help_topics import topics
from clinic.web.pages import page

help_pages = Blueprint("help", __name__)


@help_pages.get("/help")
@signed_in
def index() -> Response:
    """Every topic."""
    return page("help/index.html", topics=topics())
