"""Windows of the browser: every page in them is watched for complaints and for what it asks of another host."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Request, StorageState, StorageStateCookie
from werkzeug.test import Cookie

from tests.browser.desk import Walker
from tests.web.conftest import sign_in

Scheme = Literal["light", "dark"]
SignedIn = Callable[[str], StorageState]


class Windows:
    """Opens windows, and keeps what their pages complain of in their console or ask of another host."""

    def __init__(self, chromium: Browser, url: str) -> None:
        self.complaints: list[str] = []
        self._chromium, self._url = chromium, url
        self._contexts: list[BrowserContext] = []

    def open(
        self, *, width: int = 1440, scheme: Scheme = "light", scripts: bool = True, touch: bool = False,
        kept: StorageState | None = None,
    ) -> Page:
        """Opens a window of somebody else, or of whoever has these cookies."""
        context = self._chromium.new_context(
            base_url=self._url, viewport={"width": width, "height": 900}, color_scheme=scheme,
            java_script_enabled=scripts, has_touch=touch, locale="en-GB", storage_state=kept)
        context.set_default_timeout(15_000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: self._note(said.text) if _is_bad(said.type, said.text) else None)
        page.on("pageerror", lambda error: self._note(f"fails {error}"))
        page.on("request", self._note_stranger)
        return page

    def close(self) -> None:
        """Closes all of them."""
        for context in self._contexts:
            context.close()

    def _note(self, complaint: str) -> None:
        self.complaints.append(complaint)

    def _note_stranger(self, request: Request) -> None:
        if not request.url.startswith((self._url, "data:", "about:")):
            self._note(f"asks {request.url}")


class Seats:
    """A window of each role that goes on from one screen to the next."""

    def __init__(self, windows: Windows, signed_in: SignedIn, shots: Path | None) -> None:
        self.windows = windows
        self._signed_in, self._shots = signed_in, shots
        self._taken: dict[str, Walker] = {}

    def of(self, role: str) -> Walker:
        """The one of that role."""
        if role not in self._taken:
            self._taken[role] = Walker(self.windows.open(kept=self._signed_in(role)), self._shots)
        return self._taken[role]


def cookies_of(app: Flask, email: str, password: str) -> StorageState:
    """What a browser of that account keeps once it has signed in."""
    door = app.test_client()
    assert sign_in(door, email, password).status_code == 303
    return {"cookies": [_kept(cookie) for name in ("browser", "visitor") if (cookie := door.get_cookie(name))]}


def _kept(cookie: Cookie) -> StorageStateCookie:
    return {"name": cookie.key, "value": cookie.value, "domain": "127.0.0.1", "path": "/", "expires": -1,
            "httpOnly": True, "secure": False, "sameSite": "Lax"}


def _is_bad(kind: str, text: str) -> bool:
    # A refusal is answered with 409 or 422, a link that has ended with 410, a page that has closed with 401; Chromium
    # notes every such answer in the console by itself.
    kindly = any(code in text for code in ("401", "409", "410", "422"))
    return kind in ("error", "warning") and not ("Failed to load resource" in text and kindly)
