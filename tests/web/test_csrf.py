"""Forms that none of our pages gave to this browser."""
from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clinic.access import Role
from clinic.app import Kit
from tests.web.checksums import checksum
from tests.web.conftest import SignedIn, World, post, token
from tests.web.routes import examples

PATIENT = {"given_name": "Anna", "family_name": "Nováková", "channel": "none", "language": "en"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Tokens are the same on either kind of database."""
    return sqlite_url


def test_a_form_without_its_token_changes_nothing_anywhere(app: Flask, signed_in: SignedIn, kit: Kit) -> None:
    browser = signed_in(Role.PRACTITIONER)
    before = checksum(kit.engine)

    for example in examples(app):
        # A mail program stops the newsletter without a token: by the secret that it holds, and here it holds none.
        if example.method == "POST" and example.endpoint != "signup.stop":
            answer = browser.post(example.url, data=PATIENT)
            assert answer.status_code in (400, 401, 403), str(example)

    assert checksum(kit.engine) == before


def test_a_token_of_another_browser_is_refused(app: Flask, signed_in: SignedIn) -> None:
    mine, other = signed_in(), signed_in()

    answer = mine.post("/patients", data={"csrf_token": token(other), **PATIENT})

    assert answer.status_code == 400


def test_a_token_from_before_the_sign_in_is_refused(app: Flask, client: FlaskClient, signed_in: SignedIn) -> None:
    browser = signed_in()
    old = token(browser)
    post(browser, "/sign-out")

    answer = browser.post("/sign-in", data={"csrf_token": old, "email": "a@example.org", "password": "x"})

    assert answer.status_code == 400
    assert "before you signed in or out" in answer.get_data(as_text=True)


def test_a_token_is_different_each_time_and_each_one_holds(signed_in: SignedIn) -> None:
    browser = signed_in()
    first, second = token(browser), token(browser)

    answers = [browser.post("/theme", data={"csrf_token": each, "theme": ""}) for each in (first, second)]

    assert first != second
    assert [answer.status_code for answer in answers] == [303, 303]


def test_the_sign_in_form_is_bound_to_its_browser_too(client: FlaskClient, app: Flask, world: World) -> None:
    stranger = app.test_client()

    answer = client.post("/sign-in", data={"csrf_token": token(stranger), "email": "a@example.org", "password": "x"})

    assert answer.status_code == 400


def test_a_form_sent_from_another_site_is_refused_in_spite_of_its_token(signed_in: SignedIn) -> None:
    browser = signed_in()
    csrf = token(browser)
    foreign = [
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"},
        {"Origin": "null"}, {"Origin": "http://localhost.evil.example"},
    ]

    answers = [browser.post("/theme", data={"csrf_token": csrf, "theme": ""}, headers=each) for each in foreign]

    assert [answer.status_code for answer in answers] == [400] * len(foreign)


def test_a_form_sent_from_our_own_page_is_taken(signed_in: SignedIn) -> None:
    browser = signed_in()

    answer = browser.post("/theme", data={"csrf_token": token(browser), "theme": ""},
                          headers={"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"})

    assert answer.status_code == 303


def test_a_token_in_the_address_or_in_json_does_not_count(signed_in: SignedIn) -> None:
    browser = signed_in()
    csrf = token(browser)

    in_address = browser.post(f"/theme?csrf_token={csrf}&theme=dark")
    as_json = browser.post("/theme", json={"csrf_token": csrf, "theme": "dark"})

    assert (in_address.status_code, as_json.status_code) == (400, 400)
