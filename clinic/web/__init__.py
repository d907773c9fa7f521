"""Pages: they parse what was asked, ask a query or a service, and render. `create_app` puts them together."""
from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from clinic import paths
from clinic.web import (
    browser,
    csrf,
    entry,
    errors,
    headers,
    kit,
    logs,
    my_pages,
    numbers,
    pages,
    patient_browser,
    uploads,
)
from clinic.web.blueprints import BLUEPRINTS

MOST_BYTES = 256 * 1024
MOST_FIELDS = 2_000


def create_app(given: kit.Kit) -> Flask:
    """The app of this installation; nothing is kept in its memory that another process must know."""
    settings = given.settings
    app = Flask("clinic.web", template_folder=str(paths.templates()), static_folder=None)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        TRUSTED_HOSTS=list(settings.hosts),
        MAX_CONTENT_LENGTH=MOST_BYTES, MAX_FORM_MEMORY_SIZE=MOST_BYTES, MAX_FORM_PARTS=MOST_FIELDS,
        # Flask's own signed cookie carries what is told once after a redirect, and nothing else.
        SESSION_COOKIE_NAME=browser.cookie_name("told", secure=settings.secure),
        SESSION_COOKIE_SECURE=settings.secure, SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
    )
    kit.keep(app, given)
    numbers.install(app)
    # Checks before a request run in this order, headers and logs after it in the reverse.
    for part in (logs, headers, browser, patient_browser, entry, uploads, csrf, pages, my_pages, errors):
        part.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app
