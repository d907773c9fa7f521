"""The gallery in a real browser: reachable by everyone, quiet, and never wider than the screen."""
from __future__ import annotations

from importlib.util import find_spec
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.assets.conftest import Opened

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCREENS = [*product(["/gallery", "/sign-in"], [1440, 360], ["light", "dark"]), ("/patients?q=", 820, "light")]
WIDTHS = (320, 360, 414, 640, 641, 768, 1024, 1120, 1280, 1920)
SHOTS = Path(__file__).parent.parent / "shots"


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds wrong: the rule and the places."""
    spec = find_spec("axe_playwright_python")
    assert spec is not None and spec.origin is not None
    page.add_script_tag(path=Path(spec.origin).parent / "axe.min.js")
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, iframes: false, resultTypes: ['violations']})", RULES)
    assert len(found["passes"]) > 10
    return [(one["id"], [str(node["target"]) for node in one["nodes"]]) for one in found["violations"]]


@pytest.mark.parametrize(("path", "width", "scheme"), SCREENS)
def test_axe_finds_nothing_wrong(opened: Opened, path: str, width: int, scheme: str) -> None:
    page = opened(path, width=width, scheme=scheme, free=True)

    found = violations(page)

    assert found == []
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{path.strip('/').partition('?')[0]}-{width}-{scheme}.png", full_page=True)


def test_axe_finds_nothing_wrong_in_what_opens(opened: Opened) -> None:
    page = opened("/gallery", free=True)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")

    found = violations(page)

    assert found == []


@pytest.mark.parametrize(("theme", "scheme"), [("dark", "light"), ("light", "dark")])
def test_a_chosen_theme_wins_over_the_device(opened: Opened, theme: str, scheme: str) -> None:
    chosen = opened(f"/gallery?theme={theme}", scheme=scheme)
    of_device = opened("/gallery", scheme=theme)

    colours = [page.evaluate("getComputedStyle(document.documentElement).backgroundColor") for page in (chosen, of_device)]

    assert colours[0] == colours[1]


def test_the_page_never_scrolls_sideways(opened: Opened) -> None:
    page = opened("/gallery")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    widest = {}

    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        widest[width] = page.evaluate("document.documentElement.scrollWidth")

    assert widest == {width: width for width in WIDTHS}


def test_everything_that_takes_the_focus_shows_it(opened: Opened) -> None:
    page = opened("/gallery", width=1440)
    seen: list[str] = []

    for _ in range(110):
        page.keyboard.press("Tab")
        unmarked = page.evaluate(
            """() => {
                const one = document.activeElement;
                if (one === document.body || one.tagName === 'IFRAME') return '';
                const marked = [one, one.closest('.plan')].filter(Boolean).flatMap(e => ['', '::after'].map(p => getComputedStyle(e, p)));
                return marked.some(s => s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2) ? '' : one.outerHTML.slice(0, 120);
            }"""
        )
        seen.append(unmarked)

    assert [one for one in seen if one] == []


def test_print_leaves_out_what_cannot_be_pressed(opened: Opened) -> None:
    page = opened("/gallery")
    page.emulate_media(media="print", color_scheme="dark")

    shown = {name: page.locator(name).first.is_visible() for name in (".topbar", ".button", ".page-foot", ".print-head", ".timeline")}
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")

    assert shown == {".topbar": False, ".button": False, ".page-foot": False, ".print-head": True, ".timeline": True}
    assert paper == "rgb(255, 255, 255)"
