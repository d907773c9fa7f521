"""Moving in on the pages: files are sent, recognised, checked and moved in, and nothing before that is kept."""
from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from clinic.access import Role
from clinic.app import Kit
from clinic.interchange import parcel
from clinic.services.work import Actor, UnitOfWork
from clinic.store.accounts import AccountRole
from clinic.store.engine import WAIT_SECONDS
from clinic.web import moving_in
from tests.services.moving import EXAMPLE, row_counts
from tests.web.conftest import FixedClock, SignedIn, post, token
from tests.web.desk import Desk, enter, open_desk
from tests.web.seed import add_clinic

TABLES = {path.name: path.read_bytes() for path in sorted(EXAMPLE.glob("*.csv"))}


@pytest.fixture
def desk(kit: Kit) -> Desk:
    """A manager of a small clinic with approved protocols."""
    return open_desk(kit, "manager")


def send(browser: FlaskClient, files: Mapping[str, bytes]) -> TestResponse:
    """Sends files as the form does."""
    return browser.post("/setup/import", data={
        "csrf_token": token(browser), "files": [(io.BytesIO(content), name) for name, content in files.items()]})


def zipped(files: Mapping[str, bytes]) -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"from elsewhere/{name}", content)
    return found.getvalue()


def as_shown(html: str) -> dict[str, str]:
    """What the form of the columns would send, as it stands on the page."""
    fields = {}
    for name, inner in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', html, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', inner)
        fields[name] = unescape(chosen[1]) if chosen else ""
    return fields


def ended(browser: FlaskClient, address: str) -> str:
    """The page of a work once it has ended."""
    for _ in range(1_200):
        html = browser.get(address).get_data(as_text=True)
        if 'data-refresh="errand"' not in html:
            return html
        time.sleep(0.05)
    raise AssertionError("it never ended")


def checked(browser: FlaskClient, files: Mapping[str, bytes], **changed: str) -> tuple[str, str]:
    """The address of a parcel that was checked as it was recognised, and what its page says."""
    columns = send(browser, files).location
    fields = as_shown(browser.get(columns).get_data(as_text=True))
    answer = post(browser, columns, {**fields, **changed, "then": "check"})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.location, ended(browser, answer.location)


@pytest.mark.parametrize("pack", [lambda files: files, lambda files: {"all.zip": zipped(files)}], ids=["files", "zip"])
def test_files_of_another_system_move_in_by_four_clicks(
    desk: Desk, pack: Callable[[Mapping[str, bytes]], Mapping[str, bytes]]
) -> None:
    before = row_counts(desk.kit.engine)
    address, page = checked(desk.browser, pack(TABLES))
    assert "What would come in" in page
    assert row_counts(desk.kit.engine) == before

    answer = post(desk.browser, f"{address}/move")
    page = ended(desk.browser, answer.location)

    assert "What came in" in page
    assert "Messages wait since the move-in" in page
    with desk.rows() as db:
        names = db.execute(sa.text("SELECT given_name, alerts FROM patient WHERE family_name = 'Novák'")).all()
        assert ("Ana", "Latex allergy") in {tuple(row) for row in names}
    assert not list((desk.kit.settings.data_dir / "imports").glob("*/files"))


def test_clinics_that_come_in_while_a_page_is_asked_for_do_not_close_it(desk: Desk) -> None:
    """A move-in brings clinics with the roles of who moves in: whoever watches it may look at any instant."""
    engine, coming = desk.kit.engine, ["Quay"]

    def come(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if coming and statement.startswith("SELECT account.id"):
            with desk.rows() as db:
                clinic_id = add_clinic(db, coming.pop())
                db.add(AccountRole(account_id=desk.clinic.accounts["manager"], clinic_id=clinic_id, role="manager"))
                db.commit()

    sa.event.listen(engine, "after_cursor_execute", come)

    assert desk.browser.get("/setup/import").status_code == 200
    assert coming == []


def test_a_second_press_moves_nothing_in_twice_and_the_same_files_again_change_nothing(desk: Desk) -> None:
    address, _ = checked(desk.browser, TABLES)
    post(desk.browser, f"{address}/move")
    first = ended(desk.browser, address)
    after = row_counts(desk.kit.engine)

    again = post(desk.browser, f"{address}/move")
    _, second = checked(desk.browser, TABLES)

    assert "What came in" in first
    assert again.status_code == 303
    assert "Everything in these files is here already" in second
    assert row_counts(desk.kit.engine) == after


def test_faults_are_listed_by_file_line_and_column_and_can_be_taken_away(desk: Desk) -> None:
    patients = TABLES["patients.csv"].replace(b"17.05.1984", b"tomorrow")

    address, page = checked(desk.browser, {**TABLES, "patients.csv": b"", "Patienten.csv": patients})
    faults = desk.browser.get(f"{address}/faults.csv")

    assert "Nothing was moved in" in page
    assert f'action="{address}/move"' not in page
    assert re.search(r"fault,Patienten.csv,2,Geburtsdatum,", faults.get_data(as_text=True))
    assert faults.mimetype == "text/csv"
    refused = post(desk.browser, f"{address}/move")
    assert "What came in" not in ended(desk.browser, refused.location)


def test_another_kind_of_file_shows_its_own_columns_first(desk: Desk) -> None:
    columns = send(desk.browser, {"list.csv": b"Code;Bezeichnung;Raumart\nR9;Salon;x\n"}).location
    fields = as_shown(desk.browser.get(columns).get_data(as_text=True))
    assert fields["form-0"] == ""

    answer = post(desk.browser, columns, {"form-0": "rooms.csv", "then": "check"})
    html = desk.browser.get(answer.location).get_data(as_text=True)
    refused = post(desk.browser, columns, {**as_shown(html), "then": "check"})

    assert answer.location == columns
    assert as_shown(html) == {
        "form-0": "rooms.csv", "column-0-0": "id", "column-0-1": "name", "column-0-2": ""}
    assert "Salon" in html
    assert refused.status_code == 422
    assert "choose the column that says clinic" in refused.get_data(as_text=True)


def test_two_files_of_one_kind_and_one_column_said_twice_are_refused(desk: Desk) -> None:
    content = b"Nummer;Vorname;Nachname\n1;A;B\n"
    columns = send(desk.browser, {"patients.csv": content, "kunden.csv": content}).location
    fields = as_shown(desk.browser.get(columns).get_data(as_text=True))
    assert (fields["form-0"], fields["form-1"]) == ("patients.csv", "")
    post(desk.browser, columns, {**fields, "form-1": "patients.csv"})
    fields = as_shown(desk.browser.get(columns).get_data(as_text=True))

    answer = post(desk.browser, columns, {**fields, "column-0-2": "given_name", "then": "check"})

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "two columns say given_name" in page
    assert "another file is patients already" in page


def bomb() -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("patients.csv", "w") as inner:
        for _ in range(40):
            inner.write(bytes(1_000_000))
    return found.getvalue()


BAD: dict[str, tuple[dict[str, bytes], str]] = {
    "nothing": ({}, "Choose the files"),
    "a broken zip": ({"a.zip": b"PK\x03\x04broken"}, "cannot be opened"),
    "a zip without a table": ({"a.zip": zipped({"photo.jpg": b"x"})}, "There is no table in it"),
    "an export": ({"a.zip": zipped({"manifest.json": b"{}"})}, "comes back into an empty database"),
    "a workbook": ({"a.xlsx": zipped({"[Content_Types].xml": b"<x/>", "a.csv": b"1"})}, "This is a workbook"),
    "a bomb": ({"a.zip": bomb()}, "more than can be moved in at once"),
    "too many": ({f"{number}.csv": b"id\n" for number in range(30)}, "more than 20 files"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_taken_is_said_and_leaves_nothing(
    desk: Desk, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parcel, "MOST_UNPACKED", 10_000_000)
    files, words = BAD[name]

    answer = send(desk.browser, files)

    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    imports = desk.kit.settings.data_dir / "imports"
    assert not imports.exists() or not list(imports.iterdir())


def test_a_name_of_a_file_is_shown_as_text_and_leads_nowhere(desk: Desk) -> None:
    columns = send(desk.browser, {"../../<b>x\u202e.csv": b"id\n1\n"}).location

    page = desk.browser.get(columns).get_data(as_text=True)

    assert "&lt;b&gt;x.csv" in page
    files = list((desk.kit.settings.data_dir / "imports").glob("*/files/*"))
    assert [path.name for path in files] == ["0.table"]


def test_what_is_too_large_is_refused_before_it_is_read(desk: Desk) -> None:
    answer = desk.browser.post(
        "/setup/import", data=b"x", content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(parcel.MOST_BYTES + 1_000_000)})

    assert answer.status_code == 413


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.PRACTITIONER, Role.ADMINISTRATOR, Role.AUDITOR])
def test_nobody_else_moves_data_in(signed_in: SignedIn, role: Role) -> None:
    browser = signed_in(role)

    answers = [browser.get("/setup/import").status_code, send(browser, TABLES).status_code]

    assert answers == [403, 403]


def test_a_parcel_is_there_for_its_account_alone_and_can_be_removed(desk: Desk) -> None:
    columns = send(desk.browser, TABLES).location
    address = columns.removesuffix("/columns")
    with desk.rows() as db:
        db.execute(sa.update(AccountRole).where(AccountRole.role == "receptionist").values(role="manager"))
        db.commit()
    other = enter(desk.kit, "receptionist")

    theirs = [other.get(columns).status_code, other.get(address).status_code,
              post(other, f"{address}/move").status_code, post(other, f"{address}/forget").status_code]
    post(desk.browser, f"{address}/forget")

    assert theirs == [404, 404, 404, 404]
    assert desk.browser.get(columns).status_code == 404
    assert not list(Path(desk.kit.settings.data_dir / "imports").iterdir())


def test_a_fault_of_ours_keeps_nothing_and_leads_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(work: UnitOfWork, folder: Path, **_more: object) -> None:
        raise RuntimeError("a bug")

    before = row_counts(desk.kit.engine)
    monkeypatch.setattr(moving_in, "move_in", fail)

    _, page = checked(desk.browser, TABLES)

    assert "It was not finished" in page
    assert row_counts(desk.kit.engine) == before


def test_pages_are_shown_while_a_whole_clinic_moves_in(desk: Desk, clock: FixedClock) -> None:
    clock.move(timedelta(minutes=5))  # so that every page wants to note that its browser is in use
    with desk.kit.work(Actor("test")) as work:
        work.db.execute(sa.text("UPDATE task SET text = 'moving in'"))
        began = time.monotonic()

        answers = [desk.browser.get(address).status_code for address in ("/", "/patients", "/setup/import")]

    assert answers == [200, 200, 200]
    assert time.monotonic() - began < WAIT_SECONDS
