"""The first run on a page: the only thing that an empty database shows, and nothing at all afterwards."""
from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from clinic.app import Kit
from clinic.services.accounts import TRIES_OF_A_PAIR
from clinic.services.first_run import setup_code
from clinic.store.accounts import Account, AccountRole
from clinic.store.clinics import Clinic, OpeningHours
from clinic.web.clinic_form import zone_choices
from tests.web import seed
from tests.web.conftest import FixedClock, World, post
from tests.web.routes import examples

CODE = setup_code("k" * 64)
ANSWERS = {
    "code": CODE, "business": "Harbour Skin", "clinic": "Harbour Street", "zone": "Europe/London", "address": "1 Quay",
    "phone": "+44 1", "sender_email": "desk@harbour.example", "opens": "09:00", "closes": "18:00", "name": "Anna Bell",
    "email": "anna@harbour.example", "password": "seven quiet herons"}


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    """A browser before an empty database."""
    return app.test_client()


def counted(rows: Callable[[], Session]) -> tuple[int, int]:
    with rows() as db:
        return tuple(db.scalar(sa.select(sa.func.count()).select_from(table)) or 0  # type: ignore[return-value]
                     for table in (Account, Clinic))


def test_every_page_of_an_empty_database_leads_to_the_welcome(stranger: FlaskClient, app: Flask) -> None:
    public = {"health.show", "pages.asset_file", "welcome.form", "signin.form"}
    for example in examples(app):
        is_for_patients = example.endpoint.startswith(("my.", "signup."))
        if example.method == "GET" and example.endpoint not in public and not is_for_patients:
            assert stranger.get(example.url).location == "/welcome", str(example)

    assert stranger.get("/sign-in").location == "/welcome"
    assert stranger.get("/welcome").status_code == 200


def test_one_form_makes_the_clinic_and_leads_signed_in_to_the_guide(
    stranger: FlaskClient, rows: Callable[[], Session]
) -> None:
    answer = post(stranger, "/welcome", {**ANSWERS, "treats": "yes"})

    assert (answer.status_code, answer.location, counted(rows)) == (303, "/setup", (1, 1))
    guide = stranger.get("/setup")
    assert guide.status_code == 200
    assert "The clinic is set up" in guide.get_data(as_text=True)


def test_the_code_in_the_address_is_filled_in(stranger: FlaskClient) -> None:
    assert f'value="{CODE}"' in stranger.get(f"/welcome?code={CODE}").get_data(as_text=True)


def test_the_page_is_gone_once_there_is_an_account(client: FlaskClient, world: World) -> None:
    assert client.get("/welcome").status_code == 404
    assert post(client, "/welcome", ANSWERS).status_code == 404


def test_a_wrong_code_makes_nothing_and_keeps_what_was_typed(
    stranger: FlaskClient, rows: Callable[[], Session]
) -> None:
    answer = post(stranger, "/welcome", {**ANSWERS, "code": "AAAA-AAAA"})
    text = answer.get_data(as_text=True)

    assert (answer.status_code, counted(rows)) == (422, (0, 0))
    assert "This is not the set-up code" in text
    for typed in ("Harbour Skin", "1 Quay", "anna@harbour.example", 'value="Europe/London" selected'):
        assert typed in text
    assert "seven quiet herons" not in text


def test_after_five_wrong_codes_the_right_one_waits_a_quarter_of_an_hour(
    stranger: FlaskClient, rows: Callable[[], Session], clock: FixedClock
) -> None:
    for _ in range(TRIES_OF_A_PAIR):
        post(stranger, "/welcome", {**ANSWERS, "code": "AAAA-AAAA"})

    assert post(stranger, "/welcome", ANSWERS).status_code == 422
    clock.move(timedelta(minutes=16))
    assert post(stranger, "/welcome", ANSWERS).status_code == 303
    assert counted(rows) == (1, 1)


def test_other_faults_with_the_right_code_never_lock_anybody_out(stranger: FlaskClient) -> None:
    for _ in range(TRIES_OF_A_PAIR * 2):
        assert post(stranger, "/welcome", {**ANSWERS, "zone": "Atlantis"}).status_code == 422

    assert post(stranger, "/welcome", ANSWERS).status_code == 303


def test_faults_are_told_in_the_order_of_the_fields(stranger: FlaskClient) -> None:
    page = post(stranger, "/welcome", {"code": "AAAA-AAAA"}).get_data(as_text=True)

    told = re.findall(r'href="#([a-z_]+)"', page[page.index("There is something to correct"):])
    assert told[0] == "code" and len(told) > 8
    assert told == re.findall(r'id="([a-z_]+)-error"', page)


@pytest.mark.parametrize("field, value, words", [
    ("zone", "", "Enter the time zone."), ("zone", "Atlantis", "There is no time zone Atlantis"),
    ("clinic", "", "Enter the name of the clinic."), ("email", "anna", "name@example.org"),
    ("password", "", "Choose a password."),
    ("password", "short", "at least 8 characters"), ("opens", "nine", "must be a time"), ("closes", "", "Enter"),
    ("sender_email", "desk", "name@example.org"), ("business", " ", "Enter the name of the business.")])
def test_each_fault_is_said_at_its_field(stranger: FlaskClient, field: str, value: str, words: str) -> None:
    answer = post(stranger, "/welcome", {**ANSWERS, field: value})
    text = answer.get_data(as_text=True)

    assert answer.status_code == 422
    error = text[text.index(f'id="{field}-error"'):]
    assert words in error[:error.index("</p>")]


def test_hours_until_midnight_and_past_it_are_what_they_say(
    stranger: FlaskClient, rows: Callable[[], Session]
) -> None:
    post(stranger, "/welcome", {**ANSWERS, "opens": "22:00", "closes": "02:00"})

    with rows() as db:
        assert set(map(tuple, db.execute(sa.select(OpeningHours.opens, OpeningHours.closes)))) == {(1320, 1560)}


def test_every_zone_is_offered_by_its_region(kit: Kit) -> None:
    offered = {code for _, zones in zone_choices() for code, _ in zones}  # type: ignore[attr-defined]

    assert {"Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"} <= offered
    assert zone_choices("UTC")[0] == ("Now", [("UTC", "UTC")])


def test_where_a_clinic_was_moved_in_only_the_account_is_asked_for(
    stranger: FlaskClient, rows: Callable[[], Session]
) -> None:
    with rows() as db:
        there = seed.add_clinic(db, "Moved In")
        person = seed.add_practitioner(db, "Anna Bell")
        db.commit()
    page = stranger.get(f"/welcome?code={CODE}").get_data(as_text=True)
    assert ("Moved In" in page, 'name="zone"' in page) == (True, False)

    answer = post(stranger, "/welcome", {
        "code": CODE, "name": "Anna Bell", "email": "anna@harbour.example", "password": "seven quiet herons",
        "treats": "yes"})

    assert (answer.status_code, counted(rows)) == (303, (1, 1))
    with rows() as db:
        account = db.scalars(sa.select(Account)).one()
        roles = db.execute(sa.select(AccountRole.clinic_id, AccountRole.role).order_by(AccountRole.role)).all()
    assert account.practitioner_id == person
    assert [tuple(each) for each in roles] == [
        (there, "administrator"), (there, "manager"), (there, "practitioner")]
