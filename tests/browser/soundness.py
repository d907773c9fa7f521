"""Whether a screen is sound: no violation that axe knows, and nothing wider than a narrow phone."""
from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.desk import Walker

NARROW = 360
OF_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""What a colour scheme can change: all else is asked once for each width."""


def is_sound(walker: Walker, name: str) -> None:
    """Asks axe in light, dark and narrow, and that nothing is wider than a narrow phone."""
    page = walker.page
    found = {"light": violations(page, "light"), "dark": violations(page, "dark", OF_COLOURS)}
    walker.shoot(f"{name}-dark")
    page.set_viewport_size({"width": NARROW, "height": 780})
    found["narrow"] = violations(page, "light")
    width = page.evaluate("document.documentElement.scrollWidth")
    walker.shoot(f"{name}-360")
    page.set_viewport_size({"width": 1440, "height": 900})
    walker.shoot(name)

    assert (found, width) == ({"light": [], "dark": [], "narrow": []}, NARROW)


def violations(page: Page, scheme: str, rules: dict[str, Any] | None = None) -> list[str]:
    """What axe finds, each with the first element that it is about."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    told = Axe().run(page, options=rules).response
    assert len(told["passes"]) > (0 if rules else 10)  # otherwise it did not look
    found = told["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]
