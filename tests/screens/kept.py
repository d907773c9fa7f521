"""The pictures that are committed: the screens of a busy morning in the large clinic of the demo."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

from tests.screens.camera import Camera
from tests.screens.catalogue import SCREENS
from tests.screens.worlds import served


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture in docs/screens: of which screen, how wide, in which scheme."""

    screen: str
    width: int = 1440
    scheme: str = "light"


KEPT = {
    "diary": Kept("diary"),
    "diary-dark": Kept("diary", scheme="dark"),
    "diary-phone": Kept("diary", width=360),
    "week": Kept("diary-week-of-one"),
    "today": Kept("today"),
    "new-course": Kept("plans"),
    "patient": Kept("patient"),
    "course": Kept("course"),
    "check-out": Kept("check-out"),
    "figures": Kept("figures"),
    "messages-explained": Kept("rules"),
    "patients-own-page": Kept("my-page", width=360),
}


def draw_kept(chromium: Browser, databases: Path, folder: Path) -> list[str]:
    """Draws them, each as large as the window, and answers what is wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    with served("large", databases) as world:
        camera = Camera(chromium, world, folder)
        faults = [f"{name}: {fault}" for name, kept in KEPT.items()
                  for fault in camera.draw_one(name, SCREENS[kept.screen], kept.width, kept.scheme)]
        camera.close()
    return faults
