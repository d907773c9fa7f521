"""Likely doubles on the pages: while typing, as a list, side by side, put together, taken apart."""
from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from clinic.access import Role
from clinic.app import Kit
from clinic.store.resources import Patient
from tests.queries.statements import counted
from tests.web import seed
from tests.web.conftest import FixedClock, SignedIn, World, post
from tests.web.desk import field, texts
from tests.web.seed import NOW

ANNA = {"given_name": "Anna", "family_name": "Nováková", "birth_on": "1984-03-12", "email": "", "phone": ""}
Rows = Callable[[], Session]


@pytest.fixture
def pair(world: World, rows: Rows) -> tuple[int, int]:
    """Two records of Anna; the second one has a course of appointments, and another phone."""
    with rows() as db:
        kept = seed.add_patient(db, search_text=" novakova anna 447700900123 1984-03-12 ")
        other = seed.add_patient(db, "Ana", "Novakova", email=None, channel="phone", phone="+44 7700 900999",
                                 search_text=" novakova ana 447700900999 1984-03-12 ", alerts="Faints")
        seed.add_appointment(db, other, world.harbour, NOW + timedelta(days=1))
        seed.add_task(db, other, world.harbour)
        db.commit()
    return kept, other


@pytest.fixture
def desk(signed_in: SignedIn) -> FlaskClient:
    """Somebody at the desk."""
    return signed_in()


def merge(desk: FlaskClient, kept: int, other: int, **typed: str) -> TestResponse:
    """Opens the comparison and sends its form."""
    shown = desk.get(f"/patients/{kept}/merge/{other}")
    hidden = {name: field(shown, name) for name in ("form_key", "lock_version", "other_version")}
    return post(desk, f"/patients/{kept}/merge/{other}", {**hidden, **typed})


def test_who_is_there_already_shows_while_typing(desk: FlaskClient, pair: tuple[int, int]) -> None:
    answer = desk.get("/patients/alike", query_string=ANNA, headers={"X-Fragment": "1"})

    html = answer.get_data(as_text=True)
    assert (answer.status_code, 'data-fragment="alike"' in html, "<html" in html) == (200, True, False)
    assert [f"/patients/{each}\"" in html for each in pair] == [True, True]
    assert "same name, same birth date" in html


@pytest.mark.parametrize("typed", [
    {}, {"given_name": "A", "family_name": "N"}, {"given_name": "Zoe", "family_name": "Xu", "birth_on": "soon"},
    {"given_name": "%", "family_name": "__"}, {"given_name": "´´", "family_name": "  "},
])
def test_little_or_odd_typing_shows_nobody(typed: dict[str, str], desk: FlaskClient, pair: tuple[int, int]) -> None:
    answer = desk.get("/patients/alike", query_string=typed)

    assert (answer.status_code, "May be here already" in answer.get_data(as_text=True)) == (200, False)


def test_without_a_script_saving_shows_who_is_there(desk: FlaskClient, pair: tuple[int, int]) -> None:
    answer = post(desk, "/patients", {**ANNA, "channel": "none", "language": "en"})

    html = answer.get_data(as_text=True)
    assert (answer.status_code, "May be here already" in html, f"/patients/{pair[0]}\"" in html) == (409, True, True)
    assert "This is another person" in html


def test_the_list_shows_each_pair_once_and_a_patient_s_own(desk: FlaskClient, pair: tuple[int, int]) -> None:
    whole = desk.get("/patients/doubles").get_data(as_text=True)
    own = desk.get(f"/patients/doubles?of={pair[1]}").get_data(as_text=True)

    assert "1 pair that may be one person" in whole
    assert f"/patients/{pair[0]}/merge/{pair[1]}" in whole
    assert f"/patients/{pair[1]}/merge/{pair[0]}" in own


def test_the_comparison_says_what_stays_and_what_moves(desk: FlaskClient, pair: tuple[int, int]) -> None:
    answer = desk.get(f"/patients/{pair[0]}/merge/{pair[1]}")

    html = " ".join(answer.get_data(as_text=True).split())
    assert "1 appointment" in html and "1 task" in html
    assert 'name="given_name" value="kept" checked' in html
    assert 'name="alerts" value="other" checked' in html


def test_two_records_become_one_and_the_old_page_leads_on(
    desk: FlaskClient, pair: tuple[int, int], rows: Rows
) -> None:
    kept, other = pair

    answer = merge(desk, kept, other, given_name="other")

    with rows() as db:
        row = db.get_one(Patient, kept)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/patients/{kept}")
    assert (row.given_name, row.family_name, row.alerts) == ("Ana", "Nováková", "Faints")
    old = desk.get(f"/patients/{other}")
    assert (old.status_code, old.headers["Location"]) == (303, f"/patients/{kept}")
    assert [desk.get(f"/patients/{other}/edit").status_code, desk.get(f"/courses/new?patient={other}").status_code] == [
        404, 404]
    assert f"/patients/{other}\"" not in desk.get("/patients?q=nov").get_data(as_text=True)
    assert "Likely doubles" in desk.get("/patients/doubles").get_data(as_text=True)


def test_it_is_undone_from_the_page_within_a_day(
    desk: FlaskClient, pair: tuple[int, int], rows: Rows
) -> None:
    kept, other = pair
    merge(desk, kept, other)
    html = desk.get(f"/patients/{kept}").get_data(as_text=True)

    answer = post(desk, "/merges/1/undo")

    assert "Put together with the record of Ana Novakova" in html
    assert answer.headers["Location"] == f"/patients/{kept}"
    assert desk.get(f"/patients/{other}").status_code == 200
    assert "Put together" not in desk.get(f"/patients/{kept}").get_data(as_text=True)


def test_after_a_day_the_page_offers_no_way_back(
    desk: FlaskClient, pair: tuple[int, int], clock: FixedClock, signed_in: SignedIn
) -> None:
    merge(desk, *pair)
    clock.move(timedelta(hours=25))
    later = signed_in()

    html = later.get(f"/patients/{pair[0]}").get_data(as_text=True)
    post(later, "/merges/1/undo")
    told = later.get(f"/patients/{pair[0]}").get_data(as_text=True)

    assert "Put together with" not in html
    assert "can be undone for a day" in told


def test_a_form_sent_twice_merges_once(desk: FlaskClient, pair: tuple[int, int]) -> None:
    shown = desk.get(f"/patients/{pair[0]}/merge/{pair[1]}")
    typed = {name: field(shown, name) for name in ("form_key", "lock_version", "other_version")}

    answers = [post(desk, f"/patients/{pair[0]}/merge/{pair[1]}", typed) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]


def test_what_stands_in_the_way_is_said_and_the_choices_stay(
    desk: FlaskClient, pair: tuple[int, int], rows: Rows, world: World
) -> None:
    with rows() as db:
        seed.add_appointment(db, pair[0], world.harbour, NOW + timedelta(days=1))
        db.commit()

    answer = merge(desk, *pair, given_name="other")

    html = " ".join(answer.get_data(as_text=True).split())
    assert (answer.status_code, "nobody is in two places" in html) == (409, True)
    assert 'name="given_name" value="other" checked' in html


def test_a_record_that_changed_meanwhile_is_shown_again(desk: FlaskClient, pair: tuple[int, int], rows: Rows) -> None:
    shown = desk.get(f"/patients/{pair[0]}/merge/{pair[1]}")
    with rows() as db:
        db.get_one(Patient, pair[1]).lock_version = 7
        db.commit()

    answer = post(desk, f"/patients/{pair[0]}/merge/{pair[1]}", {
        name: field(shown, name) for name in ("form_key", "lock_version", "other_version")})

    assert (answer.status_code, "Both are shown as they are now" in answer.get_data(as_text=True)) == (422, True)


@pytest.mark.parametrize("address", ["/patients/1/merge/1", "/patients/1/merge/99", "/patients/doubles?of=99"])
def test_what_is_not_there_is_not_found(address: str, desk: FlaskClient, pair: tuple[int, int]) -> None:
    assert desk.get(address).status_code == 404


def test_nobody_without_the_right_sees_or_merges_doubles(signed_in: SignedIn, pair: tuple[int, int]) -> None:
    auditor = signed_in(Role.AUDITOR)

    assert [auditor.get(address).status_code for address in (
        "/patients/doubles", f"/patients/alike?given_name=Anna&family_name=N{pair[0]}",
        f"/patients/{pair[0]}/merge/{pair[1]}")] == [403, 403, 403]
    assert post(auditor, "/merges/1/undo").status_code == 403


@pytest.mark.parametrize("more", [1, 30, 300])
def test_the_list_asks_as_much_however_many_patients_there_are(
    more: int, kit: Kit, desk: FlaskClient, rows: Rows
) -> None:
    with rows() as db:
        for number in range(more):
            seed.add_patient(db, "Pat", f"Ient{number}", email=None, phone=None, birth_on=date(1990, 1, 1),
                             search_text=f" ient{number} pat ")
        db.commit()
    desk.get("/patients/doubles")

    with counted(kit.engine) as told:
        answer = desk.get("/patients/doubles")

    assert answer.status_code == 200
    assert len([each for each in told if "FROM patient" in each]) == 1
    assert texts(answer, "panel-title") == [] or more > 1
