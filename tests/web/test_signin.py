"""Signing in and out, and what keeps strangers from trying passwords."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.services.accounts import TRIES_OF_A_PAIR, hash_of
from clinic.store.accounts import Account, AuditEntry, BrowserSession, SignInAttempt
from clinic.web import create_app
from tests.web import seed
from tests.web.conftest import FixedClock, SignedIn, World, post, sign_in, token

EMAIL = "ruth@example.org"


@pytest.fixture
def ruth(world: World, rows: Callable[[], Session]) -> int:
    """A receptionist."""
    with rows() as db:
        account_id = seed.add_account(db, EMAIL, {world.harbour: Role.RECEPTIONIST})
        db.commit()
    return account_id


def words(answer: object) -> str:
    """A page without what differs each time."""
    text = answer.get_data(as_text=True)  # type: ignore[attr-defined]
    return "\n".join(line for line in text.splitlines() if "csrf_token" not in line and 'id="email"' not in line)


def test_who_signs_in_lands_on_the_front_page(client: FlaskClient, ruth: int) -> None:
    answer = sign_in(client, " Ruth@Example.org ")

    assert (answer.status_code, answer.location) == (303, "/signed-in")
    assert client.get("/signed-in").location == "/"
    assert client.get("/").status_code == 200


def test_who_may_not_see_the_day_lands_where_they_may(signed_in: SignedIn) -> None:
    assert signed_in(Role.ADMINISTRATOR).get("/signed-in").location == "/setup"


def test_the_sign_in_leads_back_to_what_was_asked_for(client: FlaskClient, ruth: int) -> None:
    asked = client.get("/patients?q=anna")
    assert asked.location == "/sign-in?next=/patients?q%3Danna"

    answer = sign_in(client, EMAIL, next="/patients?q=anna")

    assert answer.location == "/patients?q=anna"


@pytest.mark.parametrize("evil", [
    "//evil.example", "https://evil.example", "https:evil.example", "/\\evil.example", "\\evil.example",
    "/%0d%0aSet-Cookie:x=1\r\nX: y", "javascript:alert(1)", " /x", "/\tevil", "x" * 3000,
])
def test_the_sign_in_leads_nowhere_else(client: FlaskClient, ruth: int, evil: str) -> None:
    assert sign_in(client, EMAIL, next=evil).location == "/signed-in"


def test_every_failure_gets_the_same_answer(
    client: FlaskClient, ruth: int, world: World, rows: Callable[[], Session]
) -> None:
    with rows() as db:
        db.get_one(Account, seed.add_account(db, "left@example.org", {world.harbour: Role.MANAGER})).active = False
        seed.add_account(db, "nowhere@example.org", {})
        db.commit()

    answers = [
        sign_in(client, EMAIL, "wrong horse battery"), sign_in(client, "nobody@example.org"),
        sign_in(client, "left@example.org"), sign_in(client, "nowhere@example.org"),
    ]

    assert {answer.status_code for answer in answers} == {422}
    assert len({words(answer) for answer in answers}) == 1


def test_an_empty_form_names_its_fields_and_keeps_what_was_typed(client: FlaskClient, ruth: int) -> None:
    answer = post(client, "/sign-in", {"email": "half@", "password": ""})

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Enter your password." in page
    assert 'value="half@"' in page


def test_too_many_tries_refuse_even_the_right_password_for_a_while(
    client: FlaskClient, ruth: int, clock: FixedClock
) -> None:
    failures = [sign_in(client, EMAIL, "wrong horse battery") for _ in range(TRIES_OF_A_PAIR)]

    throttled = sign_in(client, EMAIL)
    clock.move(timedelta(minutes=16))
    later = sign_in(client, EMAIL)

    assert throttled.status_code == 422
    assert words(throttled) == words(failures[0])
    assert later.status_code == 303


def test_tries_from_another_network_do_not_lock_the_owner_out(app: Flask, client: FlaskClient, ruth: int) -> None:
    attacker = app.test_client()
    csrf = token(attacker)
    for _ in range(TRIES_OF_A_PAIR + 3):
        attacker.post("/sign-in", data={"csrf_token": csrf, "email": EMAIL, "password": "x"},
                      environ_base={"REMOTE_ADDR": "203.0.113.9"})

    assert sign_in(client, EMAIL).status_code == 303


def test_an_attempt_keeps_no_address_that_can_be_read(
    client: FlaskClient, ruth: int, rows: Callable[[], Session]
) -> None:
    sign_in(client, EMAIL, "wrong horse battery")

    with rows() as db:
        assert [key for key in db.scalars(sa.select(SignInAttempt.key)) if "ruth" in key] == []


def test_the_cookie_holds_a_secret_and_the_row_only_its_hash(
    client: FlaskClient, ruth: int, rows: Callable[[], Session]
) -> None:
    answer = sign_in(client, EMAIL)

    cookie = next(each for each in answer.headers.getlist("Set-Cookie") if each.startswith("browser="))
    secret = cookie.partition("=")[2].partition(";")[0]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie
    with rows() as db:
        assert db.scalars(sa.select(BrowserSession.id_hash)).all() == [hash_of(secret)]


def test_over_https_cookies_belong_to_this_host_alone(kit: Kit, ruth: int) -> None:
    secure = dataclasses.replace(kit, settings=dataclasses.replace(kit.settings, base_url="https://clinic.example"))
    browser = create_app(secure).test_client()
    base = "https://clinic.example"
    page = browser.get("/sign-in", base_url=base)
    csrf = token(browser, page.get_data(as_text=True))

    answer = browser.post("/sign-in", base_url=base, data={
        "csrf_token": csrf, "email": EMAIL, "password": seed.PASSWORD})

    cookies = [*page.headers.getlist("Set-Cookie"), *answer.headers.getlist("Set-Cookie")]
    assert {each.partition("=")[0] for each in cookies} == {"__Host-visitor", "__Host-browser"}
    assert all("Secure" in each and "HttpOnly" in each and "Domain" not in each for each in cookies)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_planted_secret_is_never_taken_over(app: Flask, client: FlaskClient, ruth: int) -> None:
    client.set_cookie("browser", "planted-by-a-stranger")

    sign_in(client, EMAIL)

    assert client.get_cookie("browser").value != "planted-by-a-stranger"  # type: ignore[union-attr]
    stranger = app.test_client()
    stranger.set_cookie("browser", "planted-by-a-stranger")
    assert stranger.get("/").status_code == 303


def test_a_copied_cookie_opens_nothing_after_the_sign_out(
    app: Flask, client: FlaskClient, ruth: int, rows: Callable[[], Session]
) -> None:
    sign_in(client, EMAIL)
    copy = client.get_cookie("browser").value  # type: ignore[union-attr]

    answer = post(client, "/sign-out")

    thief = app.test_client()
    thief.set_cookie("browser", copy)
    assert answer.location == "/sign-in"
    assert thief.get("/").status_code == 303
    with rows() as db:
        assert db.scalars(sa.select(BrowserSession.id_hash)).all() == []
        assert db.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all() == ["signed-in", "signed-out"]


def test_a_browser_left_alone_is_signed_out_after_half_an_hour(
    client: FlaskClient, ruth: int, clock: FixedClock
) -> None:
    sign_in(client, EMAIL)
    clock.move(timedelta(minutes=29))
    assert client.get("/").status_code == 200

    clock.move(timedelta(minutes=29))
    assert client.get("/").status_code == 200
    clock.move(timedelta(minutes=31))

    assert client.get("/").status_code == 303


def test_a_page_that_refreshes_itself_keeps_nobody_signed_in(
    client: FlaskClient, ruth: int, clock: FixedClock
) -> None:
    sign_in(client, EMAIL)
    for _ in range(3):
        clock.move(timedelta(minutes=9))
        assert client.get("/messages", headers={"X-Fragment": "1"}).status_code == 200
    clock.move(timedelta(minutes=9))

    assert client.get("/messages", headers={"X-Fragment": "1"}).status_code == 401


def test_twelve_hours_are_the_longest(client: FlaskClient, ruth: int, clock: FixedClock) -> None:
    sign_in(client, EMAIL)
    for _ in range(12 * 3):
        clock.move(timedelta(minutes=19))
        assert client.get("/").status_code == 200
    clock.move(timedelta(minutes=28))
    client.get("/")
    clock.move(timedelta(minutes=9))

    assert client.get("/").status_code == 303


def test_a_disabled_account_is_out_at_once(client: FlaskClient, ruth: int, rows: Callable[[], Session]) -> None:
    sign_in(client, EMAIL)
    with rows() as db:
        db.get_one(Account, ruth).active = False
        db.commit()

    assert client.get("/").status_code == 303


def test_the_clinic_of_a_browser_is_kept_on_the_server(
    client: FlaskClient, world: World, rows: Callable[[], Session]
) -> None:
    with rows() as db:
        seed.add_account(db, EMAIL, {world.harbour: Role.MANAGER, world.hill: Role.MANAGER})
        db.commit()
    sign_in(client, EMAIL)

    switched = post(client, "/switch-clinic", {"clinic_id": world.hill})
    foreign = post(client, "/switch-clinic", {"clinic_id": 999})
    junk = post(client, "/switch-clinic", {"clinic_id": "1 OR 1=1"})

    assert (switched.status_code, foreign.status_code, junk.status_code) == (303, 404, 303)
    assert "<title>Today · Hill Clinic</title>" in client.get("/").get_data(as_text=True)


def test_the_chosen_colours_stay_in_the_browser(signed_in: SignedIn) -> None:
    browser = signed_in()

    post(browser, "/theme", {"theme": "dark"})

    assert '<html lang="en" data-theme="dark">' in browser.get("/").get_data(as_text=True)
