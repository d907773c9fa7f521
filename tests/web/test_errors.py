"""What is shown and logged when something is not possible."""
from __future__ import annotations

import json
import logging

import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient
from jinja2 import UndefinedError

from clinic.app import Kit
from clinic.logs import JsonLines
from clinic.services.work import NotFound, Stale
from clinic.store.engine import PATIENCE, for_writing
from clinic.web.entry import public
from tests.web.conftest import SignedIn, World, post, token


@pytest.fixture
def alone() -> bool:
    """Views are added here."""
    return True


def _fails(app: Flask, error: Exception) -> None:
    def view() -> str:
        raise error

    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/fails", "fails", public(view), methods=["GET"])


def test_a_bug_shows_a_number_and_nothing_of_itself(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    _fails(app, RuntimeError("SELECT * FROM patient WHERE name = 'Anna Nováková'"))

    with caplog.at_level(logging.INFO, "clinic.web"):
        answer = client.get("/fails?q=Anna")

    page = answer.get_data(as_text=True)
    line = json.loads(JsonLines().format(caplog.records[-1]))
    assert answer.status_code == 500
    assert "SELECT" not in page and "Traceback" not in page and "Anna" not in page
    assert line["request"] in page
    assert (line["level"], line["error"]["kind"], line["asked"]) == ("error", "RuntimeError", ["q"])
    assert "Anna" not in json.dumps(line) and "SELECT" not in json.dumps(line)


@pytest.mark.parametrize(("error", "code"), [(NotFound("patient 1"), 404), (Stale("patient", 1, 2), 409)])
def test_what_services_raise_has_its_page(error: Exception, code: int, app: Flask, client: FlaskClient) -> None:
    _fails(app, error)

    assert client.get("/fails").status_code == code


def test_who_meets_a_clinic_that_moves_in_is_told_to_come_back(app: Flask, client: FlaskClient, kit: Kit) -> None:
    busy = for_writing(kit.engine).execution_options(**{PATIENCE: 0.05})

    def view() -> str:
        with busy.begin() as late:
            if kit.engine.dialect.name == "postgresql":
                late.exec_driver_sql("SET LOCAL lock_timeout = 50")
            late.exec_driver_sql("UPDATE clinic SET name = 'Hill'")
        return ""

    app.add_url_rule("/late", "late", public(view), methods=["GET"])
    with for_writing(kit.engine).begin() as moving_in:
        moving_in.exec_driver_sql("UPDATE clinic SET name = name || '!'")
        answer = client.get("/late")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "120")
    assert "a whole clinic may be moving in" in answer.get_data(as_text=True)


def test_an_error_page_stands_even_when_the_database_does_not(
    app: Flask, client: FlaskClient, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = signed_in()
    app.config["PROPAGATE_EXCEPTIONS"] = False
    broken = app.extensions["clinic-kit"]

    class NoDatabase:
        settings, clock = broken.settings, broken.clock

        def read(self) -> object:
            raise OSError("the disk is gone")

    monkeypatch.setitem(app.extensions, "clinic-kit", NoDatabase())

    answer = browser.get("/")

    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.get_data(as_text=True)


def test_an_address_that_is_not_there_has_a_page(client: FlaskClient, world: World) -> None:
    answer = client.get("/nowhere/<script>")

    assert answer.status_code == 404
    assert "There is nothing here" in answer.get_data(as_text=True)
    assert "<script>" not in answer.get_data(as_text=True).partition("<main")[2]


def test_a_sign_that_no_text_can_hold_finds_what_is_around_it(signed_in: SignedIn) -> None:
    browser = signed_in("receptionist")

    found = [browser.get(f"/{page}?q=no%00body") for page in ("patients", "find", "diary/book/patients")]

    assert [each.status_code for each in found] == [200, 200, 200]


@pytest.mark.parametrize("number", [2**31, 10**20])
def test_a_number_that_no_row_can_have_leads_nowhere(signed_in: SignedIn, number: int) -> None:
    browser = signed_in("manager")

    asked = [browser.get(each.format(number)).status_code for each in (
        "/patients/{}", "/courses/new?patient={}", "/diary?moving={}", "/people-to-tell?patient={}",
        "/patients/doubles?of={}", "/setup/devices?page={}")]

    assert asked == [404, 200, 200, 200, 200, 200]


def test_a_wrong_method_says_which_are_right(client: FlaskClient, world: World) -> None:
    answer = client.put("/health")

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_a_form_larger_than_we_take_is_refused(signed_in: SignedIn) -> None:
    answer = post(signed_in(), "/patients", {"alerts": "x" * 300_000})

    assert answer.status_code == 413


def test_a_form_of_too_many_fields_is_refused(signed_in: SignedIn) -> None:
    browser = signed_in()

    answer = browser.post("/patients", content_type="multipart/form-data",
                          data={"csrf_token": token(browser), **{f"f{n}": "" for n in range(2_100)}})

    assert answer.status_code == 413


def test_every_request_is_one_line_without_names(
    signed_in: SignedIn, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    browser = signed_in()

    with caplog.at_level(logging.INFO, "clinic.web"):
        browser.get("/patients?q=Nováková%0A{}&page=1")

    line = JsonLines().format(caplog.records[-1])
    facts = json.loads(line)
    assert "\n" not in line and "Nov" not in line
    assert (facts["action"], facts["endpoint"], facts["status"], facts["asked"]) == (
        "request", "patients.index", 200, ["page", "q"])
    assert facts["account"] == next(iter(world.accounts.values()))


def test_health_is_told_to_everybody_and_tells_nothing(client: FlaskClient, world: World) -> None:
    answer = client.get("/health")

    assert (answer.status_code, answer.data) == (200, b"ok\n")
    assert "Set-Cookie" not in answer.headers


def test_a_name_that_a_template_was_not_given_is_an_error(app: Flask) -> None:
    with app.test_request_context():
        for text in ("{{ patietn.name }}", "{{ patietn }}", "{% if patietn %}never{% endif %}"):
            with pytest.raises(UndefinedError):
                render_template_string(text, here=None)
