"""Draws screens: each in light and dark and in three widths, judged while it is open."""
from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from zlib import crc32

from playwright.sync_api import Browser, Page, Response, StorageState
from playwright.sync_api import Error as BrowserError

from tests.browser.soundness import BETWEEN, NARROW, SCHEMES, WIDE, violations, wider_than_the_window
from tests.browser.windows import Windows, cookies_of
from tests.screens.catalogue import Screen
from tests.screens.worlds import BORN, PASSWORD, World

WIDTHS = (WIDE, 1024, NARROW)
TALLEST = 2600
"""Pixels of a page that are drawn: what is below them is more of the same."""
_HEIGHT = {WIDE: 900, 1024: 768, NARROW: 780}


class Camera:
    """The windows of one clinic, one for each role."""

    def __init__(self, chromium: Browser, world: World, folder: Path) -> None:
        self._windows, self._world, self._folder = Windows(chromium, world.url), world, folder
        self._open: Callable[[str], Page] = cache(self._opened)

    def draw(self, name: str, screen: Screen) -> list[str]:
        """Draws a screen in every width and scheme, and answers what is wrong with it."""
        return self._drawn(screen, lambda page: self._pictures(page, name))

    def draw_one(self, name: str, screen: Screen, width: int, scheme: str) -> list[str]:
        """Draws what a window of that width shows of a screen, and answers what is wrong with it."""

        def one(page: Page) -> list[str]:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=self._folder / f"{name}.png", animations="disabled")
            return []

        return self._drawn(screen, one, width)

    def _drawn(self, screen: Screen, draw: Callable[[Page], list[str]], width: int = WIDE) -> list[str]:
        address = screen.at(self._world.names)
        if address is None:
            return ["this clinic has no such thing"]
        page, complaints = self._open(screen.role), self._windows.complaints
        complaints.clear()
        self._size(page, width)
        try:
            faults = self._faults(page, page.goto(address), screen)
            if screen.then is not None:
                screen.then(page)
            faults += draw(page)
        except (BrowserError, AssertionError) as error:
            faults = [f"cannot be drawn: {str(error).splitlines()[0][:200] if str(error) else 'an assertion'}"]
        expected = f"status of {screen.status}"
        return faults + [said for said in dict.fromkeys(complaints) if screen.status == 200 or expected not in said]

    def close(self) -> None:
        """Closes all windows."""
        self._windows.close()

    def _faults(self, page: Page, answer: Response | None, screen: Screen) -> list[str]:
        status = answer.status if answer else 0
        wanted = 200 if screen.then else screen.status
        return [] if status == wanted else [f"answers {status} instead of {wanted}, at {page.url}"]

    def _pictures(self, page: Page, name: str) -> list[str]:
        """Six pictures; axe judges two opposite corners, and each width is measured."""
        first = crc32(name.encode()) % 2
        too_wide = wider_than_the_window(page, (*WIDTHS, *BETWEEN))
        faults = [f"scrolls sideways at {width}: {wide}" for width, wide in too_wide.items()]
        for width in WIDTHS:
            self._size(page, width)
            for scheme in SCHEMES:
                if (width, scheme) in ((WIDE, SCHEMES[first]), (NARROW, SCHEMES[1 - first])):
                    faults += [f"axe, {width} {scheme}: {each}" for each in violations(page, scheme)]
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
                self._shoot(page, f"{name}-{width}-{scheme}")
        return faults

    def _shoot(self, page: Page, name: str) -> None:
        size = page.evaluate("[innerWidth, Math.max(innerHeight, document.documentElement.scrollHeight)]")
        page.screenshot(path=self._folder / f"{name}.png", full_page=True, animations="disabled", clip={
            "x": 0, "y": 0, "width": size[0], "height": min(size[1], TALLEST)})

    def _size(self, page: Page, width: int) -> None:
        page.set_viewport_size({"width": width, "height": _HEIGHT[width]})

    def _opened(self, role: str) -> Page:
        kept: StorageState | None = None
        if role not in ("public", "patient"):
            kept = cookies_of(self._world.app, self._world.account(role), PASSWORD)
        page = self._windows.open(kept=kept)
        if role == "patient":
            self._enter(page)
        return page

    def _enter(self, page: Page) -> None:
        """Comes in by the link of a message, and says the birth date."""
        page.goto(f"/l/{self._world.names['secret']}")
        page.get_by_role("button", name="Continue").click()
        for name, value in (("Day", BORN.day), ("Month", BORN.month), ("Year", BORN.year)):
            page.get_by_label(name, exact=True).fill(str(value))
        page.get_by_role("button", name="Show").click()
        page.wait_for_load_state()
