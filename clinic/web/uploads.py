"""Requests that may be larger than a form: only those of views that say so, and only of whom they let in."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request

View = TypeVar("View", bound=Callable[..., Any])

_MOST = "clinic_most_bytes"
_ROOM = 64 * 1024
"""For the other fields of the form."""


def takes_files(most: int) -> Callable[[View], View]:
    """Lets a view be sent so many bytes of files, and as many more as its form needs."""
    def marked(view: View) -> View:
        setattr(view, _MOST, most + _ROOM)
        return view

    return marked


def install(app: Flask) -> None:
    """Runs after it is known who asks, and before the form is read for the first time."""
    app.before_request(_widen)


def _widen() -> None:
    most = getattr(current_app.view_functions.get(request.endpoint or ""), _MOST, None)
    if most is not None:
        request.max_content_length = most
