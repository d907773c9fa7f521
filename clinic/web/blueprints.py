"""Every blueprint of the app: one noun, one module, one line."""
from __future__ import annotations

from flask import Blueprint

from clinic.web.health import health
from clinic.web.pages import pages
from clinic.web.signin import signin
from clinic.web.today import today

BLUEPRINTS: tuple[Blueprint, ...] = (
    pages,
    health,
    signin,
    today,
)
