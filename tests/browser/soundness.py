"""Whether a screen is sound: no violation that axe knows, and nothing wider than the window, however narrow it is."""
from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.desk import Walker

WIDE, NARROW = 1440, 360
BETWEEN = (320, 640, 660, 768, 900)
"""Other widths that are measured: a page enlarged four times and twice, and tablets."""
SCHEMES = ("light", "dark")
_AXE = Axe().axe_script
# Only what is wrong is told at length: the thousand elements that are right would cost more to tell than to judge.
_JUDGE = """() => axe.run({resultTypes: ["violations"]}).then(told => [
    told.passes.length, told.violations.map(each => `${each.id}: ${each.nodes[0].html.slice(0, 200)}`)])"""


def is_sound(walker: Walker, name: str, also: Iterable[int] = ()) -> None:
    """Asks axe everything in one colour scheme and width, and everything in the other scheme and the other width.

    So each screen is judged in both schemes and both widths. Every second screen begins with the dark scheme: what
    stands on many screens is judged in all four. In the widths that are asked for `also` it is only measured.
    """
    page = walker.page
    page.wait_for_load_state()  # a press ends when the next page begins to come
    first = crc32(name.encode()) % 2
    found = {WIDE: violations(page, SCHEMES[first])}
    page.set_viewport_size({"width": NARROW, "height": 780})
    found[NARROW] = violations(page, SCHEMES[1 - first])
    if walker.shots:
        _shoot(walker, name)
    too_wide = wider_than_the_window(page, (NARROW, *also))
    page.set_viewport_size({"width": WIDE, "height": 900})

    assert (found, too_wide) == ({WIDE: [], NARROW: []}, {})


def wider_than_the_window(page: Page, widths: Iterable[int]) -> dict[int, int]:
    """How wide the page is at each of these widths of the window at which it scrolls sideways."""
    found = {}
    for width in widths:
        page.set_viewport_size({"width": width, "height": 780})
        found[width] = page.evaluate("document.documentElement.scrollWidth")
    return {width: shown for width, shown in found.items() if shown > width}


def violations(page: Page, scheme: str) -> list[str]:
    """What axe finds, each with the first element that it is about."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(_AXE)
    passes, found = page.evaluate(_JUDGE)
    assert passes > 10  # otherwise it did not look
    return [str(each) for each in found]


def _shoot(walker: Walker, name: str) -> None:
    """A picture in the dark, and of the light scheme in both widths."""
    walker.page.emulate_media(color_scheme="light")
    walker.shoot(f"{name}-360")
    walker.page.set_viewport_size({"width": WIDE, "height": 900})
    walker.shoot(name)
    walker.page.emulate_media(color_scheme="dark")
    walker.shoot(f"{name}-dark")
