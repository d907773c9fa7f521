"""Every message on a narrow phone, in light and dark: nothing is wider than it, and everything can be read."""
from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.soundness import NARROW
from tests.messages.everything import everything

pytestmark = pytest.mark.browser

_RULES = {"runOnly": ["color-contrast", "link-name", "list", "listitem", "empty-heading", "target-size"]}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_message_is_sound_on_a_narrow_phone(scheme: str, chromium: Browser, shots: Path | None) -> None:
    page = chromium.new_page(viewport={"width": NARROW, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.set_content(_below_each_other())
    wide = page.evaluate("[...document.querySelectorAll('section')].filter(each => each.scrollWidth > innerWidth)"
                         ".map(each => each.id)")
    told = Axe().run(page, context=".judged", options=_RULES).response
    if shots:
        _shoot(page, shots, scheme)
    page.close()

    assert told["passes"]  # otherwise it did not look
    found = [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in told["violations"]]
    assert (wide, found, asked) == ([], [], [])


def _below_each_other() -> str:
    """All messages on one page, each as wide as the phone; axe judges as many as it takes to see every look."""
    pages = {name: rendered.html for name, rendered in everything().items()}
    head = next(iter(pages.values())).partition("<body")[0]
    sections, seen = [], set[tuple[str, str]]()
    for name, html in pages.items():
        looks = set(re.findall(r'<([a-z0-9]+)[^>]* class="([^"]*)"', html))
        sections.append(f"<section id='{name}' class='{'judged' if looks - seen else ''}'>{_body(html)}</section>")
        seen |= looks
    return f"{head}<body style='margin:0'>{''.join(sections)}"


def _body(html: str) -> str:
    """What stands in the body, on its background."""
    found = re.search(r'<body[^>]* style="([^"]*)">(.*)</body>', html, re.DOTALL)
    assert found is not None
    return f'<div class="page" style="{found[1]}">{found[2]}</div>'


def _shoot(page: Page, shots: Path, scheme: str) -> None:
    for name in everything():
        page.locator(f"section[id='{name}']").screenshot(path=shots / f"mail-{scheme}-{name.replace('/', '-')}.png")
