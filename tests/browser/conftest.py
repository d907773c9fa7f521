"""A Chromium and a whole clinic, started once; every page is watched for complaints and foreign requests."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, StorageState

from tests.browser.desk import Walker
from tests.browser.site import Site, served
from tests.databases import SQLiteFiles

Scheme = Literal["light", "dark"]
Enter = Callable[..., Walker]


@pytest.fixture(scope="package")
def site(sqlite_files: SQLiteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The clinic, served."""
    with served(sqlite_files.migrated(), tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def window(chromium: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Opens a window; at the end no page may have complained in its console or asked anything of another host."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((site.url, "data:", "about:")):
            complaints.append(f"asks {request.url}")

    def open_window(
        *, width: int = 1440, scheme: Scheme = "light", scripts: bool = True, touch: bool = False,
        kept: StorageState | None = None,
    ) -> Page:
        context = chromium.new_context(
            base_url=site.url, viewport={"width": width, "height": 900}, color_scheme=scheme,
            java_script_enabled=scripts, has_touch=touch, locale="en-GB", storage_state=kept)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if _is_bad(said.type, said.text) else None)
        page.on("pageerror", lambda error: complaints.append(f"fails {error}"))
        page.on("request", note)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="package")
def signed_in() -> dict[str, StorageState]:
    """The cookies of each role that has signed in once: the door has tests of its own."""
    return {}


@pytest.fixture
def enter(window: Callable[..., Page], shots: Path | None, signed_in: dict[str, StorageState]) -> Enter:
    """Opens a window, signed in at the front page."""

    def open_signed_in(role: str = "receptionist", **how: object) -> Walker:
        walker = Walker(window(kept=signed_in.get(role), **how), shots)
        if role in signed_in:
            walker.page.goto("/sign-in")  # leads on to the first place that the role may see
        else:
            walker.sign_in(f"{role}@harbour.example")
            signed_in[role] = walker.page.context.storage_state()
        return walker

    return open_signed_in


@pytest.fixture(scope="session")
def shots() -> Path | None:
    """Where pictures are kept, if the run was asked for any by TEST_SHOTS."""
    asked = os.environ.get("TEST_SHOTS")
    if not asked:
        return None
    folder = Path(asked)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _is_bad(kind: str, text: str) -> bool:
    # A refusal is answered with 409 or 422, a link that has ended with 410, a page that has closed with 401; Chromium
    # notes every such answer in the console by itself.
    kindly = any(code in text for code in ("401", "409", "410", "422"))
    return kind in ("error", "warning") and not ("Failed to load resource" in text and kindly)
