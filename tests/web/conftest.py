"""The app over a database of the test's own, and browsers that are signed in."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from weakref import WeakKeyDictionary

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from clinic.access import Role
from clinic.app import Kit
from clinic.services import passwords
from clinic.settings import Settings
from clinic.store.engine import for_writing
from clinic.web import csrf
from tests.engines import lent_engine
from tests.web import seed
from tests.web.apps import kept_app, new_app


class FixedClock:
    """Stands at Monday 1 March 2027, 09:00, until it is moved."""

    def __init__(self) -> None:
        self.now = seed.NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        """Moves on."""
        self.now += by


@dataclass
class World:
    """Two clinics of one business: what tests of pages begin with."""

    harbour: int
    hill: int
    accounts: dict[str, int] = field(default_factory=dict)
    patient: int = 0
    version: int = 0
    course: int = 0
    due: int = 0


_TOKENS: WeakKeyDictionary[FlaskClient, dict[tuple[str | None, ...], str]] = WeakKeyDictionary()
SignedIn = Callable[..., FlaskClient]
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture(scope="module", autouse=True)
def _hasty_passwords() -> Iterator[None]:
    """Signing in takes no time: how passwords are kept has tests of its own."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(passwords, "_HASHER", seed.HASTY)
        yield


@pytest.fixture
def clock() -> FixedClock:
    """The time of the test."""
    return FixedClock()


@pytest.fixture
def kit(database_url: str, clock: FixedClock, tmp_path: Path) -> Iterator[Kit]:
    """A kit over the test's database."""
    settings = Settings(tmp_path, database_url, "k" * 64, "http://localhost")
    with lent_engine(database_url) as engine:
        yield Kit(settings, engine, clock, None)


@pytest.fixture
def alone() -> bool:
    """Whether the test needs an app of its own, as those do that add a view to it."""
    return False


@pytest.fixture
def app(kit: Kit, alone: bool) -> Flask:
    """The app, which lets bugs through to the test."""
    return new_app(kit) if alone else kept_app(kit)


@pytest.fixture
def client(app: Flask, world: World) -> FlaskClient:
    """A browser that nobody has signed in with."""
    return app.test_client()


@pytest.fixture
def rows(kit: Kit) -> Callable[[], Session]:
    """Opens a database session for what a test prepares or looks up."""
    return lambda: Session(for_writing(kit.engine), expire_on_commit=False)


@pytest.fixture
def world(rows: Callable[[], Session]) -> World:
    """Two clinics, and an account without a role: the first run is over."""
    with rows() as db:
        found = World(seed.add_clinic(db), seed.add_clinic(db, "Hill Clinic", "Europe/Lisbon"))
        seed.add_account(db, "owner@example.org", {})
        db.commit()
    return found


@pytest.fixture
def signed_in(app: Flask, world: World, rows: Callable[[], Session]) -> SignedIn:
    """Signs in with a new browser as an account that has one role at the first clinic, or at those given."""

    def enter(role: Role = Role.RECEPTIONIST, *, clinics: tuple[int, ...] = ()) -> FlaskClient:
        email = f"{role}-{len(world.accounts)}@example.org"
        with rows() as db:
            world.accounts[email] = seed.add_account(db, email, dict.fromkeys(clinics or (world.harbour,), role))
            db.commit()
        browser = app.test_client()
        answer = sign_in(browser, email)
        assert answer.status_code == 303
        return browser

    return enter


def sign_in(browser: FlaskClient, email: str, password: str = seed.PASSWORD, **more: str) -> TestResponse:
    """Fills in the sign-in form, as it is shown now: the browser may have been signed out since it saw another one."""
    _TOKENS.pop(browser, None)
    return post(browser, "/sign-in", {"email": email, "password": password, **more})


def token(browser: FlaskClient, page: str = "") -> str:
    """The CSRF token of that page; without one, a token such as any page of staff would give this browser."""
    if page:
        found = TOKEN.search(page)
        assert found is not None, page[:500]
        return found[1]
    known = {name: found.value for name in ("browser", "visitor") if (found := browser.get_cookie(name))}
    cookies = "; ".join(f"{name}={value}" for name, value in known.items())
    with browser.application.test_request_context(headers={"Cookie": cookies}):
        made = csrf.token()
        if "visitor" in g:
            browser.set_cookie("visitor", g.visitor)
    return made


def post(browser: FlaskClient, url: str, data: Mapping[str, object] | None = None, **more: object) -> TestResponse:
    """Sends a form as one of our pages would."""
    cookies = tuple(found.value if (found := browser.get_cookie(name)) else None for name in ("browser", "visitor"))
    known = _TOKENS.setdefault(browser, {})
    if cookies not in known:
        known[cookies] = token(browser)
    return browser.post(url, data={"csrf_token": known[cookies], **(data or {})}, **more)
