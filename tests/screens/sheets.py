"""Contact sheets: all pictures of a screen side by side, and a page that leads through them."""
from __future__ import annotations

import os
from html import escape
from pathlib import Path

from playwright.sync_api import Browser

_STYLE = """
body { margin: 12px; font: 14px system-ui; background: #777; color: #fff }
figure { display: inline-block; margin: 0 8px 12px 0; vertical-align: top }
img { display: block; border: 1px solid #333 }
a { color: #fff; display: inline-block; margin: 0 12px 4px 0 }
"""
_SHOWN = ((1440, "light", 560), (1440, "dark", 560), (1024, "light", 300), (360, "light", 180), (360, "dark", 180))
TALLEST = 1500


def write_sheets(chromium: Browser, folder: Path, names: list[str]) -> None:
    """An `index.html` that shows everything, and a picture for each screen: a row for each state of the clinic."""
    sheets = folder / "sheets"
    sheets.mkdir(exist_ok=True)
    for name in names:
        # A page for each: one that has shown hundreds of pictures is once too large to be drawn.
        page = chromium.new_page(viewport={"width": 1850, "height": 900})
        sheet = folder / f"sheet-{os.getpid()}.html"  # of two commands at once each has its own
        sheet.write_text(_page(name, _rows(folder, name)), "utf-8")
        page.goto(sheet.absolute().as_uri())
        page.screenshot(path=sheets / f"{name}.png", full_page=True)
        page.close()
        sheet.unlink()
    links = "".join(f'<a href="#{name}">{name}</a>' for name in names)
    parts = "".join(f'<h2 id="{name}">{name}</h2>{_rows(folder, name)}' for name in names)
    (folder / "index.html").write_text(_page("Screens", links + parts), "utf-8")


def _rows(folder: Path, name: str) -> str:
    """The pictures of a screen, the states below each other."""
    rows = []
    for state in sorted(each for each in folder.iterdir() if each.is_dir() and each.name != "sheets"):
        drawn = [(state / f"{name}-{width}-{scheme}.png", shown) for width, scheme, shown in _SHOWN]
        figures = "".join(
            f'<figure><a href="{state.name}/{path.name}"><img src="{state.name}/{path.name}" width="{shown}"'
            f' loading="lazy" alt="{path.stem}" style="max-height:{TALLEST}px;object-fit:cover;object-position:top">'
            "</a></figure>" for path, shown in drawn if path.exists())
        rows.append(f"<p>{state.name}</p><div>{figures}</div>" if figures else "")
    return "".join(rows)


def _page(title: str, content: str) -> str:
    return (f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
            f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{content}</html>")
