"""Whether we answer."""
from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from clinic.queries.shell import business_name
from clinic.web.entry import public
from clinic.web.kit import kit

health = Blueprint("health", __name__)


@health.get("/health")
@public
def show() -> Response:
    """Says that pages are answered and the database can be read; an error page otherwise. It tells no data."""
    with kit().read() as db:
        business_name(db)
    return Response("ok\n", content_type="text/plain; charset=utf-8")
