"""Set-up: the front page of everything that a manager arranges."""
from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.web.entry import Here, allowed, here
from clinic.web.pages import page

setup = Blueprint("setup", __name__)


@dataclass(frozen=True, slots=True)
class SetupPlace:
    """A page of the set-up, for those who hold its right."""

    label: str
    endpoint: str
    icon: str
    right: Right
    words: str


PLACES: tuple[SetupPlace, ...] = (
    SetupPlace("Accounts and rights", "accounts.index", "lock", Right.MANAGE_ACCOUNTS,
               "Who signs in, what each may do, and new passwords."),
)


@setup.get("/setup")
@allowed(Right.SET_UP)
def index() -> Response:
    """What there is to arrange."""
    return page("setup/index.html", places=setup_places(here()))


def setup_places(who: Here) -> list[tuple[SetupPlace, str]]:
    """The pages of the set-up that this account may enter, each with its address."""
    return [(place, url_for(place.endpoint)) for place in PLACES if who.may(place.right)]
