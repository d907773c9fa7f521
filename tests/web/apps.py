"""The app of all tests: put together once, for it keeps nothing in its memory; each test gives it its own kit."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flask import Flask

from clinic.app import Kit
from clinic.settings import Settings
from clinic.web import create_app
from clinic.web.kit import keep

_KEPT: dict[Settings, Flask] = {}


def kept_app(kit: Kit) -> Flask:
    """The app over this kit until another test asks for it; nothing may be added to it."""
    settings = replace(kit.settings, data_dir=Path(), database_url="")
    if settings not in _KEPT:
        _KEPT[settings] = new_app(kit)
    app = _KEPT[settings]
    keep(app, kit)
    return app


def new_app(kit: Kit) -> Flask:
    """An app that lets bugs through to the test."""
    app = create_app(kit)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    return app
