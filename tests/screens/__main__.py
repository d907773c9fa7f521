"""Pictures of every screen: `python -m tests.screens [--only WORD] [--state empty|normal|full] [--to FOLDER]`.

Each screen is drawn in light and dark, 1440, 1024 and 360 pixels wide, in a clinic on its first day, in the clinic of
the demo, and in one that is full. While a screen is open, axe judges it at two opposite corners, nothing may scroll
sideways, and nothing may stand in the console; the faults are told at the end, and make the status 1. The folder
(`tests/shots/screens` if none is named) then holds the pictures, a contact sheet of each screen in `sheets/`, and
`index.html` to look through them. `--keep` draws instead the dozen that are committed into `docs/screens/`.
"""
from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from clinic.logs import configure
from tests.screens.camera import Camera
from tests.screens.catalogue import SCREENS, Screen
from tests.screens.kept import draw_kept
from tests.screens.sheets import write_sheets
from tests.screens.worlds import STATES, World, served

_ROOT = Path(__file__).parents[2]
_ONLY_NEW = ("welcome", "welcome-faults")
"""What a clinic shows before it has begun; these are drawn with the empty one."""


def main() -> None:
    """Draws what was asked for, and ends with status 1 where a screen has a fault or was drawn nowhere."""
    asked = _asked()
    configure("critical")
    chosen = {name: screen for name, screen in SCREENS.items() if asked.only in name}
    faults: list[str] = []
    drawn: set[str] = set()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as databases:
        chromium = playwright.chromium.launch(executable_path=_chromium())
        if asked.keep:
            faults = draw_kept(chromium, Path(databases), _ROOT / "docs" / "screens")
            sys.exit("\n".join(faults) or 0)
        for state in asked.state or STATES:
            for world_state in ("new", "empty") if state == "empty" else (state,):
                _say(f"{state}: making the clinic …\n")
                with served(world_state, Path(databases)) as world:
                    here = {name: screen for name, screen in chosen.items() if _is_here(name, screen, world)}
                    faults += _draw(chromium, world, here, asked.to / state)
                    drawn |= set(here)
        faults += [f"{name}: drawn in no clinic" for name in chosen if name not in drawn and not asked.state]
        _say(f"\n{len(drawn)} screens, {len(faults)} faults\n" + "".join(f"  {each}\n" for each in faults))
        _say(f"contact sheets, and {asked.to}/index.html …\n")
        write_sheets(chromium, asked.to, sorted(drawn))
        chromium.close()
    sys.exit(1 if faults else 0)


def _draw(chromium: Browser, world: World, screens: dict[str, Screen], folder: Path) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    camera, faults = Camera(chromium, world, folder), list[str]()
    for at, (name, screen) in enumerate(screens.items(), start=1):
        found = camera.draw(name, screen)
        _say(f"{world.state} {at}/{len(screens)} {name}{f': {len(found)} faults' if found else ''}\n")
        faults += [f"{name}, {world.state}: {each}" for each in found]
    camera.close()
    return faults


def _is_here(name: str, screen: Screen, world: World) -> bool:
    if (name in _ONLY_NEW) != (world.state == "new"):
        return False
    needs_link = screen.role == "patient"
    may_all = screen.status == 403 and screen.role not in world.accounts  # one person does everything there
    return screen.at(world.names) is not None and not may_all and not (needs_link and "secret" not in world.names)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.screens", description="Draws every screen.")
    parser.add_argument("--only", default="", help="only screens with this in their name")
    parser.add_argument("--state", action="append", choices=STATES, help="only the clinic in this state")
    parser.add_argument("--to", type=Path, default=_ROOT / "tests" / "shots" / "screens")
    parser.add_argument("--keep", action="store_true", help="draw the few of docs/screens")
    return parser.parse_args()


def _chromium() -> str:
    found = os.environ.get("TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        sys.exit("No Chromium on PATH; name one in TEST_CHROMIUM.")
    return found


def _say(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
