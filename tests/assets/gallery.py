"""The gallery of components, rendered by plain Jinja and served with the real style sheet and scripts."""
from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from clinic import paths

MONDAY = date(2027, 3, 1)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-src 'self'; font-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
MAIL = "<!doctype html><html lang=en><title>Mail</title><h1>Your dates</h1><p style='color:#333'>Dear Anna, …</p>"
TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
FLASHES = [("ok", "The course is booked."), ("warn", "She has no e-mail.")]
PATIENTS = ("Anna Nováková", "Anton Bruckner", "عائشة الزهراني")


def manifest() -> dict[str, str]:
    """What each asset is called."""
    names: dict[str, str] = json.loads((paths.assets() / "manifest.json").read_text())
    return names


@cache
def environment() -> Environment:
    """Jinja as the web room sets it up, with nothing of Flask."""
    names = manifest()
    loader = FileSystemLoader([paths.templates(), Path(__file__).parent / "pages"])
    made = Environment(loader=loader, undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made.globals["asset"] = lambda name: "/static/dist/" + names[name]
    made.globals["csrf_token"] = lambda: "a-token"
    made.globals["get_flashed_messages"] = lambda with_categories: FLASHES
    return made


def shell(theme: str = "") -> dict[str, Any]:
    """What every page of an account knows."""
    places = [
        ("Today", "/today", "today", "t", 0), ("Patients", "/gallery", "people", "p", 0),
        ("New course", "/courses/new", "course-add", "n", 0), ("Messages", "/messages", "mail", "m", 3),
        ("Protocols", "/protocols", "book", "r", 0), ("Tasks", "/tasks", "tasks", "k", 12),
    ]
    return {
        "business": "Lumen Clinics",
        "clinic": {"id": 1, "name": "Vinohrady"},
        "clinics": [{"id": 1, "name": "Vinohrady"}, {"id": 2, "name": "Kraków Stare Miasto, behind the market hall"}],
        "home_href": "/",
        "switch_clinic_href": "/clinic",
        "search_href": "/find",
        "search_text": "",
        "help": {"title": "Every component once", "text": ["What each looks like, with long names and without any."]},
        "help_href": "/help",
        "sign_out_href": "/sign-out",
        "account": {"name": "Ada Park", "role": "Practitioner, manager"},
        "nav": [
            {"label": label, "href": href, "icon": icon, "current": key == "p", "count": count, "key": key}
            for label, href, icon, key, count in places
        ],
        "account_links": [{"label": "Settings", "href": "/settings"}],
        "printed_at": "Mon 1 March 2027, 09:00",
        "theme": theme,
        "theme_href": "/theme",
    }


def page(path: str) -> str:
    """The page at a path of the little server."""
    made = environment()
    name, _, asked = path.partition("?")
    if name == "/sign-in":
        return made.get_template("gallery/sign_in.html").render(business="Lumen Clinics")
    if name in ("/patients", "/find"):
        typed = asked.removeprefix("q=")
        names = [one for one in PATIENTS if one.casefold().startswith(typed.casefold())]
        shown = "find.html" if name == "/find" else "search.html"
        return made.get_template(shown).render(shell=shell(), asked=typed, names=names)
    return made.get_template("gallery/index.html").render(shell=shell(asked.removeprefix("theme=")), today=MONDAY)


def messages(sent: int) -> str:
    """A page that says something new whenever it is asked for."""
    return environment().get_template("messages.html").render(shell=shell(), sent=sent)


class _Handler(BaseHTTPRequestHandler):
    posts: list[str] = []
    asked: list[str] = []

    def do_GET(self) -> None:
        if self.path.startswith("/static/dist/"):
            body = (paths.assets() / self.path.rsplit("/", 1)[1]).read_bytes()
            self._answer(body, TYPES[self.path.rsplit(".", 1)[1]], POLICY)
        elif self.path == "/mail.html":
            self._answer(MAIL.encode(), "text/html; charset=utf-8", MAIL_POLICY)
        elif self.path == "/messages":
            self.asked.append(self.path)
            self._answer(messages(len(self.asked)).encode(), "text/html; charset=utf-8", POLICY)
        else:
            self._answer(page(self.path).encode(), "text/html; charset=utf-8", POLICY)

    def do_POST(self) -> None:
        self.posts.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(204)
        self.end_headers()

    def _answer(self, body: bytes, kind: str, policy: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests look at the browser's own console."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the gallery is served, and what was posted to it."""

    url: str
    posts: list[str]


@contextmanager
def served() -> Iterator[Site]:
    """The gallery while it is served."""
    _Handler.posts.clear()
    _Handler.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Site(f"http://127.0.0.1:{server.server_port}", _Handler.posts)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
