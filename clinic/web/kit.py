"""What the web is given to work with, and the instant of the request."""
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol, cast

from flask import Flask, current_app, g

from clinic.services.work import Actor, UnitOfWork
from clinic.settings import Settings

_EXTENSION = "clinic-kit"


class Kit(Protocol):
    """The part of the composition root's kit that pages use."""

    @property
    def settings(self) -> Settings:
        """Of this installation."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """Tells the present instant."""

    def work(self, actor: Actor) -> UnitOfWork:
        """A unit of work that may write."""

    def read(self) -> AbstractContextManager[Any]:
        """A transaction that only reads."""


def keep(app: Flask, given: Kit) -> None:
    """Gives the app its kit."""
    app.extensions[_EXTENSION] = given


def kit() -> Kit:
    """The kit of the app that answers this request."""
    return cast(Kit, current_app.extensions[_EXTENSION])


def now() -> datetime:
    """The instant of this request: read once, aware UTC."""
    if "now" not in g:
        g.now = kit().clock()
    return cast(datetime, g.now)
