"""How long the demo's pages take at the server: `python -m tests.benchmarks.pages`.

The demo is built as `clinic demo` builds it, on SQLite and on PostgreSQL, and asked through the app itself: everything
is counted from the request to the answer, the reading of the diary included. Statements are counted beside.
"""
from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from statistics import median

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from clinic.app import Kit
from clinic.clock import system_clock
from clinic.demo.build import build
from clinic.demo.people import ACCOUNTS, PASSWORD
from clinic.messages.mailbox import MailboxTransport
from clinic.settings import Settings
from clinic.store.engine import open_engine
from clinic.store.migrate import upgrade
from clinic.web import create_app
from tests.postgres import Postgres

TIMES = 15
TARGETS = {"new course: the plans": 150.0, "repair after a move": 200.0}


class Demo:
    """The demo's app with reception signed in."""

    def __init__(self, url: str, folder: str) -> None:
        self.engine = open_engine(url, durable=False)
        upgrade(self.engine)
        build(self.engine, now=system_clock())
        if self.engine.dialect.name == "postgresql":
            # The server for tests does by hand what a real one does by itself.
            with self.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").execute(sa.text("VACUUM ANALYZE"))
        settings = Settings.from_env({"CLINIC_DATA_DIR": folder, "CLINIC_DATABASE_URL": url})
        self.browser: FlaskClient = create_app(Kit(settings, self.engine, system_clock, MailboxTransport)).test_client()
        self.token = _token(self.get("/sign-in"))
        self.post("/sign-in", {"email": ACCOUNTS[0][0], "password": PASSWORD})
        self.token = _token(self.get("/"))

    def get(self, address: str) -> TestResponse:
        """The page, which must answer."""
        answer = self.browser.get(address, follow_redirects=True)
        assert answer.status_code == 200, (address, answer.status_code)
        return answer

    def post(self, address: str, fields: dict[str, str]) -> TestResponse:
        """What answers a form."""
        return self.browser.post(address, data={"csrf_token": self.token, **fields})


def _token(page: TestResponse) -> str:
    return _found(r'name="csrf_token" value="([^"]+)"', page)


def main() -> None:
    """Prints a line for each page and database; ends with status 1 where a target is missed."""
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, url in _databases(Path(folder)):
            demo = Demo(url, folder)
            sys.stdout.write(f"\n{name}\n")
            for label, ask in _pages(demo):
                milliseconds, statements = _measured(demo.engine, ask)
                target = TARGETS.get(label)
                said = ""
                if target is not None:
                    missed += milliseconds > target
                    said = f"  target {target:.0f}: {'met' if milliseconds <= target else 'MISSED'}"
                sys.stdout.write(f"  {label:<28}{milliseconds:8.1f} ms {statements:4} statements{said}\n")
                sys.stdout.flush()
            demo.engine.dispose()
    sys.exit(1 if missed else 0)


def _databases(folder: Path) -> Iterator[tuple[str, str]]:
    yield "SQLite", f"sqlite:///{folder / 'demo.sqlite3'}"
    server = Postgres()
    try:
        yield "PostgreSQL", server.create("demo")
    finally:
        server.stop()


def _pages(demo: Demo) -> Iterator[tuple[str, Callable[[], TestResponse]]]:
    yield "today", lambda: demo.get("/")
    yield "patients", lambda: demo.get("/patients")
    patient = _found(r'href="/patients/(\d+)"', demo.get("/patients"))
    asked = f"/courses/new?patient={patient}&protocol=mn_rejuvenation"
    yield "new course: the questions", lambda: demo.get(asked)
    page = demo.get(asked)
    fields = {
        "patient": patient, "protocol": "mn_rejuvenation", "version": _found(r'name="version" value="(\d+)"', page),
        "indication": "fine_lines", "laxity": "none", "none_apply": "yes", "sessions": "4", "practitioner": "",
        "not_before": _found(r'name="not_before"[^>]*value="([^"]+)"', page)}
    yield "new course: the plans", lambda: demo.post("/courses/new/plans", fields)
    course, move = _course_with_moves(demo)
    yield "course", lambda: demo.get(course)
    yield "other times, a week", lambda: demo.get(move)
    follows = _a_time_that_others_follow(demo, move)
    yield "repair after a move", lambda: demo.get(follows)


def _course_with_moves(demo: Demo) -> tuple[str, str]:
    for number in range(1, 200):
        answer = demo.browser.get(f"/courses/{number}")
        moves = re.findall(r'href="(/appointments/\d+/move)"', answer.get_data(as_text=True))
        if len(moves) >= 3:
            return f"/courses/{number}", moves[0]
    raise LookupError("no course of the demo has three sessions to come")


def _a_time_that_others_follow(demo: Demo, move: str) -> str:
    address = move
    for _ in range(12):
        html = demo.get(address).get_data(as_text=True)
        times = re.findall(r'class="time time-moves" href="([^"]+)"', html)
        if times:
            return demo.browser.get(unescape(times[0])).headers["Location"]
        address = unescape(_found(r'href="([^"]+)"[^>]*><span>1 week later', html))
    raise LookupError("no time of the demo moves others")


def _measured(engine: Engine, ask: Callable[[], TestResponse]) -> tuple[float, int]:
    ask()
    taken = []
    with _counting(engine) as statements:
        for _ in range(TIMES):
            begun = time.perf_counter()
            ask()
            taken.append((time.perf_counter() - begun) * 1000)
    return median(taken), len(statements) // TIMES


@contextmanager
def _counting(engine: Engine) -> Iterator[list[str]]:
    said: list[str] = []

    def watch(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.append(statement)

    sa.event.listen(engine, "before_cursor_execute", watch)
    try:
        yield said
    finally:
        sa.event.remove(engine, "before_cursor_execute", watch)


def _found(pattern: str, page: TestResponse | str) -> str:
    found = re.search(pattern, page if isinstance(page, str) else page.get_data(as_text=True))
    assert found is not None, pattern
    return unescape(found[1])


if __name__ == "__main__":
    os.environ.pop("FLASK_DEBUG", None)
    main()
