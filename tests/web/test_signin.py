"""Signing in and out."""
from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from clinic.access import Role
from tests.web import seed
from tests.web.conftest import World, sign_in


def test_who_signs_in_lands_on_the_front_page(client: FlaskClient, world: World, rows: Callable[[], Session]) -> None:
    with rows() as db:
        seed.add_account(db, "ruth@example.org", {world.harbour: Role.RECEPTIONIST})
        db.commit()

    answer = sign_in(client, "Ruth@Example.org ")

    assert (answer.status_code, answer.location) == (303, "/welcome")
    assert client.get("/welcome").location == "/"
    assert client.get("/").status_code == 200
