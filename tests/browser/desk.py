"""Somebody at the desk: clicks are counted, typing is not."""
from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.site import PASSWORD


class Finger:
    """A finger on the screen, as the browser feels one: what it does is a touch before it is a pointer's."""

    def __init__(self, page: Page) -> None:
        self._wire = page.context.new_cdp_session(page)
        self._wire.send("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def down(self, x: float, y: float) -> None:
        """Comes down."""
        self._feel("touchStart", [{"x": x, "y": y}])

    def to(self, x: float, y: float) -> None:
        """Goes on to that place."""
        self._feel("touchMove", [{"x": x, "y": y}])

    def up(self) -> None:
        """Lets go."""
        self._feel("touchEnd", [])

    def _feel(self, kind: str, at: list[dict[str, float]]) -> None:
        self._wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})


class Walker:
    """A signed-in person in one window."""

    def __init__(self, page: Page, shots: Path | None) -> None:
        self.page = page
        self.clicks = 0
        self.shots = shots

    def sign_in(self, email: str) -> None:
        """Signs in; these clicks do not count."""
        self.page.goto("/sign-in")
        self.page.fill("[name=email]", email)
        self.page.fill("[name=password]", PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def click(self, role: str, name: str, *, exact: bool = False) -> None:
        """One click on the first thing of that role and name."""
        self.clicks += 1
        self.page.get_by_role(role, name=name, exact=exact).first.click()  # type: ignore[arg-type]

    def click_in(self, row: str, link: str) -> None:
        """One click on a link of the row that this text is in."""
        self.clicks += 1
        self.page.get_by_role("row").filter(has_text=row).get_by_role("link", name=link).click()

    def arrives_at(self, heading: str) -> None:
        """Waits for the page of that heading: what a press leads to is not there at once."""
        expect(self.page.locator("h1")).to_have_text(heading)

    def shoot(self, name: str) -> None:
        """A picture of the whole page, if pictures are kept."""
        if self.shots:
            self.page.screenshot(path=self.shots / f"{name}.png", full_page=True)
