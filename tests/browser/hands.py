"""Hands that work at the same screens: the mouse, the keyboard alone, the thumb, and a mouse where no script runs.
Every press counts, typing does not."""
from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from playwright.sync_api import Locator, Page, expect

Role = Literal["button", "checkbox", "link", "option", "radio", "searchbox", "textbox"]

FINGER = 44
"""Pixels that a finger needs, each way (WCAG 2.5.5)."""
FARTHEST = 60
"""More presses of one key than this, and nobody would go on."""
UNREAD = 0.4
"""Seconds that a button which got the focus by itself takes no key: nobody has read it yet."""

_AT = "document.activeElement"
_SEEN = """() => {
    const at = document.activeElement;
    const box = at.getBoundingClientRect();
    const over = document.elementFromPoint(
        Math.max(0, Math.min(innerWidth - 1, box.x + Math.min(box.width / 2, 40))),
        Math.max(0, Math.min(innerHeight - 1, box.y + Math.min(box.height / 2, 20))));
    const marks = [null, "::before", "::after"].some(part => {
        const look = getComputedStyle(at, part);
        return look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2;
    });
    if (!marks) return "has no mark";
    if (!over || !(at.contains(over) || over.contains(at) || [...(at.labels ?? [])].some(one => one.contains(over))))
        return `is behind ${over?.outerHTML.slice(0, 80)}`;
    return "";
}"""
_TIGHT = """(at, least) => {
    const box = at.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const far = least / 2 - 1;
    const mine = [at, ...(at.labels ?? [])];
    return [[0, -far], [0, far], [-far, 0], [far, 0]].flatMap(([right, down]) => {
        const hit = document.elementFromPoint(x + right, y + down);
        return hit && mine.some(one => one.contains(hit)) ? [] : [`${right}, ${down}: ${hit?.outerHTML.slice(0, 90)}`];
    });
}"""


class Hand(ABC):
    """Somebody who presses; how often is kept."""

    name: ClassVar[str]
    width: ClassVar[int] = 1440
    touch: ClassVar[bool] = False
    scripts: ClassVar[bool] = True

    def __init__(self, page: Page) -> None:
        self.page = page
        self.presses = 0

    @abstractmethod
    def take(self, target: Locator, *, key: str = "", along: str = "Tab") -> None:
        """Presses that: the keyboard by its `key`, where it has one, or going there by the key `along`."""

    @abstractmethod
    def find(self, words: str, name: str) -> None:
        """Finds anything by these words, and goes to what is called so."""

    @abstractmethod
    def choose(self, option: str) -> None:
        """Takes the patient of that name, whom the booking panel has found."""

    def send(self, button: Locator) -> None:
        """Sends the form whose last field was filled."""
        self.take(button)

    def typed(self, field: Locator, words: str) -> None:
        """Types into a field; to get there counts."""
        if not field.evaluate(f"at => at === {_AT}"):
            self.take(field)
        expect(field).to_be_focused()
        self.page.keyboard.type(words)

    def one(self, role: Role, name: str | re.Pattern[str], within: Locator | None = None) -> Locator:
        """The first thing of that role and name."""
        return (within or self.page).get_by_role(role, name=name).first  # type: ignore[union-attr]


class Mouse(Hand):
    """Points and clicks."""

    name = "mouse"

    def take(self, target: Locator, *, key: str = "", along: str = "Tab") -> None:
        """One click."""
        self.presses += 1
        target.click()

    def find(self, words: str, name: str) -> None:
        """The search of the bar, and what it lists."""
        self.typed(self.page.get_by_role("searchbox", name="Find anything").first, words)
        self.take(self.page.locator("[data-quick-results]").get_by_role("link", name=name).first)


    def choose(self, option: str) -> None:
        """The one in the list that follows the typing."""
        self.take(self.one("option", option))


class Thumb(Mouse):
    """Taps a narrow screen; whatever it taps has room for a finger."""

    name = "thumb"
    width = 360
    touch = True

    def take(self, target: Locator, *, key: str = "", along: str = "Tab") -> None:
        """One tap."""
        self.presses += 1
        if target.evaluate("at => at.matches('[type=checkbox], [type=radio]')"):
            target = self.page.locator(f"label[for='{target.get_attribute('id')}']")
        target.scroll_into_view_if_needed()
        tight = target.evaluate(_TIGHT, FINGER)
        assert not tight, f"too small for a finger: {target} {target.bounding_box()} {tight}"
        target.tap()


class Keys(Hand):
    """Has no pointer: goes by Tab, the arrows and single keys, and sees at each step where it is."""

    name = "keyboard"

    def take(self, target: Locator, *, key: str = "", along: str = "Tab") -> None:
        """The key that leads there; otherwise as many presses as it takes, and one more."""
        expect(target).to_be_attached()
        if key:
            self.press(key)
            return
        self.reach(target, along)
        kind = target.evaluate("at => at.type ?? ''")
        if kind in ("text", "search", "tel", "email", "date", "number", "textarea"):
            return
        if target.evaluate("at => at.matches('[data-begins], [data-focus]')"):
            self.page.wait_for_timeout(UNREAD * 1000)
        self.press("Space" if kind in ("checkbox", "radio") else "Enter")

    def reach(self, target: Locator, along: str = "Tab") -> None:
        """Goes there by that key, pressed as often as it takes; where it is then shows."""
        expect(target).to_be_attached()
        self.page.wait_for_load_state()  # where the page begins is not known before
        for _ in range(FARTHEST):
            if self._is_at(target):
                break
            self.press(along)
        else:
            raise AssertionError(f"{along} does not lead to {target}")
        seen = self.page.evaluate(_SEEN)
        assert not seen, f"where the keyboard is does not show: {target} {seen}"

    def find(self, words: str, name: str) -> None:
        """The one thing that the words fit."""
        self.press("/")
        self.page.keyboard.type(words)
        with self.page.expect_navigation():
            self.press("Enter")

    def choose(self, option: str) -> None:
        """The first of the list is chosen already."""
        expect(self.one("option", option)).to_have_attribute("aria-selected", "true")
        self.press("Enter")

    def send(self, button: Locator) -> None:
        """Enter in the field."""
        self.press("Enter")

    def press(self, key: str) -> None:
        """One press of a key."""
        self.presses += 1
        self.page.wait_for_load_state()
        self.page.keyboard.press(key)

    def _is_at(self, target: Locator) -> bool:
        return bool(target.evaluate(f"at => at === {_AT}"))


class Plain(Mouse):
    """A mouse where no script runs: what is typed is sent by Enter."""

    name = "no script"
    scripts = False

    def find(self, words: str, name: str) -> None:
        """The one thing that the words fit."""
        self.typed(self.page.get_by_role("searchbox", name="Find anything").first, words)
        with self.page.expect_navigation():
            self._enter()

    def choose(self, option: str) -> None:
        """Whom the page lists for what was typed."""
        self._enter()
        self.take(self.one("link", option, self.page.locator("main")))

    def _enter(self) -> None:
        self.presses += 1
        self.page.keyboard.press("Enter")
