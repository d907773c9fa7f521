"""Whether a screen is sound: no violation that axe knows, and nothing wider than a narrow phone."""
from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.desk import Walker

NARROW = 360


def is_sound(walker: Walker, name: str) -> None:
    """Asks axe in light, dark and narrow, and that nothing is wider than a narrow phone."""
    page = walker.page
    found = {scheme: _violations(page, scheme) for scheme in ("light", "dark")}
    walker.shoot(f"{name}-dark")
    page.set_viewport_size({"width": NARROW, "height": 780})
    found["narrow"] = _violations(page, "light")
    width = page.evaluate("document.documentElement.scrollWidth")
    walker.shoot(f"{name}-360")
    page.set_viewport_size({"width": 1440, "height": 900})
    walker.shoot(name)

    assert (found, width) == ({"light": [], "dark": [], "narrow": []}, NARROW)


def _violations(page: Page, scheme: str) -> list[str]:
    """What axe finds, each with the first element that it is about."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    told = Axe().run(page).response
    assert len(told["passes"]) > 10  # otherwise it did not look
    found = told["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]
