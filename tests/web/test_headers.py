"""What every answer tells the browser."""
from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clinic.access import Role
from clinic.web.headers import MESSAGE_POLICY, POLICY
from tests.web.conftest import SignedIn, World
from tests.web.routes import examples

FRAMED = {"messages.html"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Headers are the same on either kind of database."""
    return sqlite_url


def test_every_answer_forbids_what_a_page_does_not_need(app: Flask, signed_in: SignedIn) -> None:
    browser = signed_in(Role.PRACTITIONER)
    for example in examples(app):
        answer = browser.open(example.url, method=example.method)

        policy = answer.headers["Content-Security-Policy"]
        assert policy == (MESSAGE_POLICY if example.endpoint in FRAMED and answer.status_code == 200 else POLICY)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == (
            "no-referrer" if example.endpoint.startswith("my.") else "same-origin")
        assert "unsafe" not in policy and "*" not in policy and "http" not in policy


def test_no_signed_in_page_is_kept_by_the_browser(app: Flask, signed_in: SignedIn) -> None:
    browser = signed_in(Role.PRACTITIONER)
    for example in examples(app):
        if example.method == "GET" and example.endpoint != "pages.asset_file":
            answer = browser.get(example.url)

            assert answer.headers["Cache-Control"] == "no-store", str(example)
            assert "Cookie" in answer.headers["Vary"], str(example)


def test_a_built_asset_is_kept_for_good(client: FlaskClient) -> None:
    page = client.get("/sign-in").get_data(as_text=True)
    sheet = page.partition('<link rel="stylesheet" href="')[2].partition('"')[0]

    with client.get(sheet) as answer:
        assert answer.data

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in answer.headers


def test_an_asset_is_never_read_from_outside_its_folder(client: FlaskClient) -> None:
    for name in ("..%2F..%2F..%2Fpyproject.toml", "%2e%2e%2fmanifest.json", ".sources.sha256%00.css"):
        assert client.get(f"/static/dist/{name}").status_code == 404


def test_we_answer_only_under_our_own_names(client: FlaskClient, world: World) -> None:
    answer = client.get("/sign-in", headers={"Host": "evil.example"})

    assert answer.status_code == 400
    assert "evil.example" not in answer.get_data(as_text=True)


def test_a_forwarded_host_is_not_believed_without_a_proxy(client: FlaskClient, world: World) -> None:
    answer = client.get("/patients", headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"})

    assert answer.location == "/sign-in?next=/patients"
