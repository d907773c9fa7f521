"""The command line: what an operator types, what it does, and what it says when it cannot."""
from __future__ import annotations

import json
import logging
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from clinic.cli import main
from clinic.store import migrate
from clinic.store.engine import open_engine

PASSWORD = "seven green harbour boats"
HARBOUR = ("open-clinic", "Harbour Street", "--zone", "Europe/London", "--address", "1 Harbour Street", "--phone",
           "+44 20 7946 0000", "--sender-email", "desk@harbour.example")
ANA = ("create-account", "ana@harbour.example", "--name", "Ana", "--role", "receptionist", "--password-stdin")


class Operator:
    """Someone at the command line of one installation."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.environ = {"CLINIC_DATABASE_URL": url, "CLINIC_DATA_DIR": str(folder / "data")}

    def __call__(self, *words: str, typed: str = PASSWORD + "\n", **settings: str) -> Result:
        environ = {**self.environ, **{f"CLINIC_{name}": value for name, value in settings.items()}}
        return CliRunner(env=environ).invoke(main, list(words), input=typed)

    def process(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """The same in a process of its own."""
        environ = {"PATH": os.environ["PATH"], **self.environ}
        environ |= {f"CLINIC_{name}": value for name, value in settings.items()}
        return subprocess.run(
            [sys.executable, "-m", "clinic.cli", *words], env=environ, input=PASSWORD, text=True, capture_output=True,
            timeout=60, check=False)

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        engine = open_engine(self.url)
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.execute(sa.text(statement))]
        engine.dispose()
        return found


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing that whoever runs the tests has set is heard by the command, and what it sets does not stay."""
    for name in [each for each in os.environ if each.startswith("CLINIC_")]:
        monkeypatch.delenv(name)
    with as_it_was_logged():
        yield


@pytest.fixture
def operator(database_url: str, tmp_path: Path, no_settings: None) -> Operator:
    """An operator of an installation that nobody has used yet, on each kind of database."""
    return Operator(database_url, tmp_path)


@pytest.fixture
def newcomer(empty_database_url: str, tmp_path: Path, no_settings: None) -> Operator:
    """An operator whose database is still empty: whatever is typed first makes the tables, which takes its time."""
    return Operator(empty_database_url, tmp_path)


@contextmanager
def as_it_was_logged() -> Iterator[None]:
    """Gives the log back what the program took for itself: here it shares a process with the tests."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:], logging.root.level = handlers, level


def said(result: Result) -> str:
    """What was printed on refusing; fails the test where the command went through, or ended in a trace."""
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result.output


def test_a_clinic_is_opened_with_its_hours_and_the_library_as_drafts(newcomer: Operator) -> None:
    result = newcomer(*HARBOUR)

    assert (result.exit_code, result.output) == (0, "Opened Harbour Street\n")
    assert newcomer.rows("SELECT name, zone, sender_name FROM clinic") == [
        ("Harbour Street", "Europe/London", "Harbour Street")]
    assert newcomer.rows("SELECT name FROM business") == [("Harbour Street",)]
    assert newcomer.rows("SELECT weekday, opens, closes FROM opening_hours ORDER BY weekday") == [
        (day, 540, 1080) for day in range(5)]
    assert newcomer.rows("SELECT state, count(*) FROM protocol_version GROUP BY state") == [("draft", 21)]


def test_a_second_clinic_leaves_the_business_its_name_unless_it_is_given_one(operator: Operator) -> None:
    operator(*HARBOUR, "--business", "Harbour Skin")
    second = operator(*["Hill" if each == "Harbour Street" else each for each in HARBOUR])
    named = operator.rows("SELECT name FROM business")
    third = operator(*["Quay" if each == "Harbour Street" else each for each in HARBOUR], "--business", "Skin & Sea")

    assert (second.exit_code, third.exit_code) == (0, 0)
    assert named == [("Harbour Skin",)]
    assert operator.rows("SELECT name FROM business") == [("Skin & Sea",)]
    assert operator.rows("SELECT count(*) FROM protocol_version") == [(21,)]


def test_a_clinic_with_wrong_details_is_refused_with_the_field(operator: Operator) -> None:
    wrong = [
        ("Europe/London", "London", "zone: There is no time zone London: use one such as Europe/London"),
        ("desk@harbour.example", "desk", "sender_email: "), ("+44 20 7946 0000", " ", "phone: Say the clinic's phone"),
        ("Harbour Street", " ", "name: Say the clinic's name"),
    ]

    for old, new, text in wrong:
        assert text in said(operator(*[new if each == old else each for each in HARBOUR]))

    assert operator.rows("SELECT count(*) FROM clinic") == [(0,)]
    assert operator.rows("SELECT count(*) FROM business") == [(0,)]


def test_a_clinic_is_not_opened_twice_under_one_name(operator: Operator) -> None:
    operator(*HARBOUR)

    assert "name: There is a clinic Harbour Street already" in said(operator(*HARBOUR))
    assert operator.rows("SELECT count(*) FROM clinic") == [(1,)]


def test_an_account_gets_its_roles_at_every_clinic_or_at_those_that_are_named(operator: Operator) -> None:
    operator(*HARBOUR)
    operator(*["Hill" if each == "Harbour Street" else each for each in HARBOUR])

    everywhere = operator(*ANA)
    one = operator("create-account", "Ben@Harbour.example", "--name", "Ben", "--role", "practitioner", "--role",
                   "manager", "--clinic", "Hill", "--password-stdin")

    assert (everywhere.exit_code, one.exit_code) == (0, 0)
    assert everywhere.output == "Created an account for ana@harbour.example\n"
    assert operator.rows(
        "SELECT account.email, clinic.name, account_role.role FROM account_role"
        " JOIN account ON account.id = account_role.account_id JOIN clinic ON clinic.id = account_role.clinic_id"
        " ORDER BY account.id, clinic.id, account_role.role") == [
        ("ana@harbour.example", "Harbour Street", "receptionist"), ("ana@harbour.example", "Hill", "receptionist"),
        ("ben@harbour.example", "Hill", "manager"), ("ben@harbour.example", "Hill", "practitioner")]
    (hashed,) = operator.rows("SELECT password_hash FROM account WHERE name = 'Ana'")
    assert str(hashed[0]).startswith("$argon2id$")
    assert PASSWORD not in everywhere.output


def test_a_password_is_asked_for_twice_and_never_shown(operator: Operator) -> None:
    operator(*HARBOUR)

    result = operator(*ANA[:-1], typed=f"{PASSWORD}\n{PASSWORD}\n")

    assert result.exit_code == 0
    assert PASSWORD not in result.output


def test_an_account_before_the_first_clinic_is_told_what_comes_first(operator: Operator) -> None:
    assert "There is no clinic yet: open one with `clinic open-clinic`" in said(operator(*ANA))


def test_a_wrong_account_is_refused_with_what_to_do(operator: Operator) -> None:
    operator(*HARBOUR)
    wrong = [
        ((*ANA, "--clinic", "Hill"), PASSWORD, "No clinic is called 'Hill'; there are: Harbour Street"),
        (("create-account", "ana", *ANA[2:]), PASSWORD, "email: "),
        ((*ANA[:3], " ", *ANA[4:]), PASSWORD, "name: The account needs a name"),
        (ANA, "short", "password: The password needs at least"), (ANA, "", "password: The password needs at least"),
        (("create-account", "ana@harbour.example", "--name", "Ana", "--password-stdin"), PASSWORD, "--role"),
        ((*ANA, "--role", "doctor"), PASSWORD, "'doctor' is not one of"),
    ]

    for words, typed, text in wrong:
        assert text in said(operator(*words, typed=typed + "\n"))

    assert operator.rows("SELECT count(*) FROM account") == [(0,)]


def test_an_account_is_not_created_twice(operator: Operator) -> None:
    operator(*HARBOUR)
    operator(*ANA)

    assert "email: There is already an account" in said(operator(*ANA))
    assert operator.rows("SELECT count(*) FROM account") == [(1,)]


def test_the_database_is_brought_up_to_date_and_stays_so(newcomer: Operator) -> None:
    first, second = newcomer("db", "upgrade"), newcomer("db", "upgrade")

    engine = open_engine(newcomer.url)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.output == second.output == f"The database is at {migrate.revision_of(engine)}\n"
    assert migrate.is_current(engine)
    engine.dispose()


def test_a_database_of_another_version_is_left_alone_and_it_is_said_what_to_do(operator: Operator) -> None:
    operator("db", "upgrade")
    engine = open_engine(operator.url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'of_tomorrow'"))
    engine.dispose()

    assert "make a backup, then run `clinic db upgrade`" in said(operator(*HARBOUR))
    assert "does not know how to get to head" in said(operator("db", "upgrade"))


def test_wrong_settings_are_listed_each_with_its_name(operator: Operator) -> None:
    output = said(operator("db", "upgrade", PORT="x", NONSENSE="1"))

    assert "The settings are not usable:" in output
    assert "CLINIC_PORT must be a whole number from 1 to 65535" in output
    assert "CLINIC_NONSENSE is not a setting" in output


@pytest.mark.parametrize("url", [
    "postgresql://nobody@127.0.0.1:1/clinic", "sqlite:////nowhere/at/all/clinic.sqlite3",
])
@pytest.mark.parametrize("words", [("db", "upgrade"), HARBOUR, ANA, ("serve",)])
def test_a_database_that_cannot_be_reached_is_said_in_words(
    words: tuple[str, ...], url: str, tmp_path: Path
) -> None:
    with as_it_was_logged():
        output = said(Operator(url, tmp_path)(*words))

    assert "The database cannot be reached or written; check CLINIC_DATABASE_URL and CLINIC_DATA_DIR" in output


@pytest.mark.parametrize("settings", [
    {"DATABASE_URL": "sqlite:////nowhere/at/all/clinic.sqlite3"}, {"DATABASE_URL": "sqlite:///{0}/empty.sqlite3"},
    {"DATABASE_URL": "sqlite:///{0}/empty.sqlite3", "PORT": "x"},
])
def test_a_report_that_cannot_be_kept_is_left_with_the_mail_server(settings: dict[str, str], tmp_path: Path) -> None:
    environ = {f"CLINIC_{name}": value.format(tmp_path) for name, value in settings.items()}
    with as_it_was_logged():
        answer = CliRunner(env={"CLINIC_DATA_DIR": str(tmp_path), **environ}).invoke(main, ["bounces"], input="To: x")

    assert (answer.exit_code, answer.stdout) == (75, "")
    assert "Traceback" not in answer.stderr


def test_a_port_that_is_taken_is_said_in_words(operator: Operator) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        answer = operator.process("serve", PORT=port)

    assert answer.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port} (Address already in use): choose another CLINIC_PORT" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_who_serves_is_told_where_to_begin_while_nobody_has_an_account(operator: Operator) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        empty = operator.process("serve", PORT=port)
        again = operator.process("serve", PORT=port)
        operator(*HARBOUR)
        operator(*ANA)
        full = operator.process("serve", PORT=port)

    address = rf"Nobody has an account yet\. Open http://localhost:{port}/welcome\?code=([A-Z2-9]{{4}}-[A-Z2-9]{{4}})\n"
    told = re.search(address, empty.stderr)
    assert told is not None, empty.stderr
    assert (told[1] in again.stderr, "welcome" in full.stderr) == (True, False)


def test_a_command_that_is_none_shows_those_that_are() -> None:
    unknown = CliRunner().invoke(main, ["bok"])
    listed = CliRunner().invoke(main, ["--help"])

    assert "No such command 'bok'" in unknown.output
    assert [each in listed.output for each in ("create-account", "db", "demo", "open-clinic", "serve", "worker")] == (
        [True] * 6)


def test_the_program_runs_as_a_process_of_its_own(newcomer: Operator) -> None:
    answers = [newcomer.process(*words) for words in (("db", "upgrade"), HARBOUR, ANA, ANA)]

    assert [each.returncode for each in answers] == [0, 0, 0, 1]
    assert "There is already an account" in answers[3].stderr
    assert "Traceback" not in answers[3].stderr
    assert newcomer.rows("SELECT email FROM account") == [("ana@harbour.example",)]


def test_a_planning_document_is_answered_and_one_that_breaks_the_form_is_refused_by_place(tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    good.write_text(
        '{"format": "clinic-planning-problem/1", "time_zone": "Europe/London", "not_before": "2027-03-01T09:00",'
        ' "resources": [{"id": "amari", "kind": "practitioner"}], "course": {"steps": [{"treatment": "peel",'
        ' "minutes": 30, "needs": [{"kind": "practitioner"}]}]}}')
    bad = tmp_path / "bad.json"
    bad.write_text(good.read_text().replace('"minutes": 30', '"minutes": 0'))

    answered = CliRunner().invoke(main, ["plan", str(good)])
    listed = CliRunner().invoke(main, ["plan", "--starts", str(good)])
    refused = CliRunner().invoke(main, ["plan", str(bad)])

    assert (answered.exit_code, listed.exit_code, refused.exit_code) == (0, 0, 2)
    assert json.loads(answered.stdout)["plans"][0]["sessions"][0]["start"] == "2027-03-01T09:00+00:00"
    assert json.loads(listed.stdout)["starts"][0] == "2027-03-01T09:00+00:00"
    assert "course.steps[0].minutes" in refused.stderr


def test_an_outside_calendar_is_read_for_a_practitioner_by_name(operator: Operator, tmp_path: Path) -> None:
    operator(*HARBOUR)
    engine = open_engine(operator.url)
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO resource (kind) VALUES ('practitioner')"))
        connection.execute(sa.text(
            "INSERT INTO practitioner (id, name, active, lock_version) SELECT id, 'Dr Amari', true, 1 FROM resource"))
    engine.dispose()
    path = tmp_path / "private.ics"
    path.write_bytes(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20200101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\n"
                     b"END:VEVENT\nEND:VCALENDAR\n")

    done = operator("import-calendar", "dr amari", str(path), "--source", "Private")
    nobody = operator("import-calendar", "Dr Nobody", str(path))
    path.write_bytes(b"<html>")
    refused = operator("import-calendar", "Dr Amari", str(path))

    assert (done.exit_code, done.output.startswith("Kept ")) == (0, True)
    assert len(operator.rows("SELECT id FROM absence WHERE source = 'Private'")) > 300
    assert "No practitioner is called" in said(nobody)
    assert "This is a web page" in said(refused)
