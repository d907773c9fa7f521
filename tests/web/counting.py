"""How many statements a page takes of its own, besides those of the frame that all pages share."""
from __future__ import annotations

from flask.testing import FlaskClient

from clinic.app import Kit
from tests.queries.statements import counted

BARE = "/setup/rooms/new"
"""A page that reads nothing of its own."""


def own_statements(kit: Kit, browser: FlaskClient, url: str) -> tuple[int, str]:
    """The number, and the page."""
    browser.get(BARE)
    with counted(kit.engine) as frame:
        browser.get(BARE)
    with counted(kit.engine) as said:
        page = browser.get(url).get_data(as_text=True)
    return _selects(said) - _selects(frame), page


def _selects(said: list[str]) -> int:
    return len([each for each in said if each.startswith("SELECT")])
