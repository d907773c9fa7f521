"""A Chromium and the gallery, started once for the tests of the design system."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.assets import gallery

Opened = Callable[..., Page]
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="package")
def gallery_site() -> Iterator[gallery.Site]:
    """The gallery, served."""
    with gallery.served() as site:
        yield site


@pytest.fixture
def opened(chromium: Browser, gallery_site: gallery.Site) -> Iterator[Opened]:
    """Opens a path of the gallery in a window of its own; nothing may be complained about or asked of another host."""
    gallery_site.posts.clear()
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def is_strange(url: str) -> bool:
        return not url.startswith((gallery_site.url, "data:"))

    def open_page(
        path: str, *, width: int = 1440, scheme: Scheme = "light", scripts: bool = True, free: bool = False
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts, bypass_csp=free
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: complaints.append(asked.url) if is_strange(asked.url) else None)
        page.goto(gallery_site.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
