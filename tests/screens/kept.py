"""The pictures that are committed: mostly the desk on a busy morning in the large demo."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

from tests.screens.camera import Camera
from tests.screens.catalogue import SCREENS
from tests.screens.worlds import served


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture in docs/screens: of which screen, how wide, in which scheme, in which clinic."""

    screen: str
    width: int = 1440
    scheme: str = "light"
    world: str = "large"


KEPT = {
    "diary": Kept("diary"),
    "diary-dark": Kept("diary", scheme="dark"),
    "diary-phone": Kept("diary", width=360),
    "week": Kept("diary-week-of-one"),
    "today": Kept("today"),
    "new-course": Kept("plans"),
    "patient": Kept("patient", world="normal"),
    "course": Kept("course"),
    "check-out": Kept("check-out", world="normal"),
    "figures": Kept("figures", world="full"),
    "messages-explained": Kept("message", world="normal"),
    "patients-own-page": Kept("my-page", width=360, world="normal"),
}


def draw_kept(chromium: Browser, databases: Path, folder: Path) -> list[str]:
    """Draws them, each as large as the window, and answers what is wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    for state in ("large", "normal", "full"):
        with served(state, databases) as world:
            camera = Camera(chromium, world, folder)
            faults += [f"{name}: {fault}" for name, kept in KEPT.items() if kept.world == state
                       for fault in camera.draw_one(name, SCREENS[kept.screen], kept.width, kept.scheme)]
            camera.close()
    return faults
