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
BACKGROUND = "getComputedStyle(document.documentElement).backgroundColor"
# What has the focus without showing it, or nothing. A plan shows it on its card, a figure on its whole tile.
UNMARKED = """() => {
    const one = document.activeElement;
    if (one === document.body || one.tagName === 'IFRAME') return '';
    const places = [[one, ''], [one, '::after'], [one.closest('.plan') ?? one, '']];
    const outlines = places.map(([place, part]) => getComputedStyle(place, part));
    const isMarked = outlines.some((one) => one.outlineStyle !== 'none' && parseFloat(one.outlineWidth) >= 2);
    return isMarked ? '' : one.outerHTML.slice(0, 120);
}"""
SHOTS = Path(__file__).parent.parent / "shots"


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds wrong: the rule and the places."""
    spec = find_spec("axe_playwright_python")
    assert spec is not None and spec.origin is not None
    page.add_script_tag(path=Path(spec.origin).parent / "axe.min.js")
    how = {"runOnly": RULES, "iframes": False, "resultTypes": ["violations"]}
    found = page.evaluate("how => axe.run(document, how)", how)
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

    assert chosen.evaluate(BACKGROUND) == of_device.evaluate(BACKGROUND)


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
        seen.append(page.evaluate(UNMARKED))

    assert [one for one in seen if one] == []


def test_print_leaves_out_what_cannot_be_pressed(opened: Opened) -> None:
    page = opened("/gallery")
    page.emulate_media(media="print", color_scheme="dark")

    parts = (".topbar", ".button", ".page-foot", ".print-head", ".timeline")
    shown = {part: page.locator(part).first.is_visible() for part in parts}
    paper = page.evaluate(BACKGROUND)

    assert shown == {".topbar": False, ".button": False, ".page-foot": False, ".print-head": True, ".timeline": True}
    assert paper == "rgb(255, 255, 255)"
