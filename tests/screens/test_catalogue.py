"""Every page has a picture, or a reason to have none."""
from __future__ import annotations

from pathlib import Path

from flask import Flask
from sqlalchemy import create_engine

from clinic.app import Kit
from clinic.settings import Settings
from tests.screens.catalogue import NOT_DRAWN, SCREENS
from tests.small_clinic import MONDAY
from tests.web.apps import kept_app

_ANY = 1


class _Anything(dict[str, object]):
    def __missing__(self, name: str) -> object:
        return _ANY


def _app() -> Flask:
    settings = Settings(Path(), "sqlite://", "k" * 64, "http://localhost")
    return kept_app(Kit(settings, create_engine("sqlite://"), lambda: MONDAY, None))


def test_every_page_has_a_picture_or_says_why_not() -> None:
    app = _app()
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    routes = app.url_map.bind("localhost")
    shown = set()
    for screen in SCREENS.values():
        path = (screen.at(_Anything()) or "").partition("?")[0]
        if routes.test(path, "GET"):
            shown.add(routes.match(path, "GET")[0])

    assert pages - shown - set(NOT_DRAWN) == set()
    assert (set(NOT_DRAWN) - pages, set(NOT_DRAWN) & shown) == (set(), set())
