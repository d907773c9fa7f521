"""Taking everything out on a page."""
from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.services.archive_tables import EXPORTED
from clinic.store.accounts import AuditEntry
from tests.web import seed
from tests.web.conftest import FixedClock, SignedIn, World, post, sign_in

Rows = Callable[[], Session]


def of_all(signed_in: SignedIn, world: World) -> FlaskClient:
    """A manager of every clinic."""
    return signed_in(Role.MANAGER, clinics=(world.harbour, world.hill))


def prepared(browser: FlaskClient) -> str:
    """The address of an export that is ready."""
    answer = post(browser, "/setup/export")
    assert answer.status_code == 303
    return wait(browser, answer.location)


def wait(browser: FlaskClient, address: str) -> str:
    """Looks at the page until the work has ended."""
    for _ in range(400):
        if "aria-label=\"Writing everything down\"" not in browser.get(address).get_data(as_text=True):
            return address
        time.sleep(0.05)
    raise AssertionError("it never ended")


def test_an_export_is_prepared_fetched_and_written_down(
    signed_in: SignedIn, rows: Rows, kit: Kit, world: World
) -> None:
    with rows() as db:
        seed.add_patient(db, "=Anna")
        db.commit()
    browser = of_all(signed_in, world)
    address = prepared(browser)

    page = browser.get(address).get_data(as_text=True)
    with browser.get(f"{address}/clinic-export.zip") as answer:
        data = answer.data

    assert "The export is ready" in page
    assert answer.mimetype == "application/zip"
    assert answer.headers["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {Path(name).name for name in archive.namelist()} == {
            "README.txt", "manifest.json", *(f"{name}.csv" for name in EXPORTED)}
        assert b"'=Anna" in archive.read("clinic-export/patient.csv")
    with rows() as db:
        entry = db.scalars(sa.select(AuditEntry).where(AuditEntry.action == "data-exported")).one()
        assert entry.account_id in world.accounts.values()
    assert not list((kit.settings.data_dir / "exports").glob("*/clinic-export"))
    assert (kit.settings.data_dir / "exports").stat().st_mode & 0o077 == 0


def test_it_is_there_for_its_account_alone_and_for_an_hour(
    signed_in: SignedIn, world: World, kit: Kit, clock: FixedClock
) -> None:
    browser, other = of_all(signed_in, world), of_all(signed_in, world)
    address = prepared(browser)

    theirs = [other.get(f"{address}{more}").status_code for more in ("", "/clinic-export.zip")]
    clock.move(timedelta(minutes=61))
    sign_in(browser, "manager-0@example.org")
    later = [browser.get(f"{address}{more}").status_code for more in ("", "/clinic-export.zip")]

    assert theirs == [404, 404]
    assert later == [404, 404]
    assert list((kit.settings.data_dir / "exports").iterdir()) == []


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.PRACTITIONER, Role.ADMINISTRATOR, Role.AUDITOR])
def test_nobody_else_takes_data_out(signed_in: SignedIn, role: Role) -> None:
    browser = signed_in(role)

    answers = [browser.get("/setup/export").status_code, post(browser, "/setup/export").status_code]

    assert answers == [403, 403]


def test_a_manager_of_one_clinic_does_not_take_out_the_others(signed_in: SignedIn, world: World) -> None:
    browser = signed_in(Role.MANAGER, clinics=(world.harbour,))

    answers = [browser.get("/setup/export").status_code, post(browser, "/setup/export").status_code,
               browser.get("/setup/import").status_code, post(browser, "/setup/import").status_code]
    front = browser.get("/setup").get_data(as_text=True)

    assert answers == [403, 403, 403, 403]
    assert ("Export everything" in front, "/setup/import" in front) == (False, False)
    assert "Export everything" in of_all(signed_in, world).get("/setup").get_data(as_text=True)


@pytest.mark.parametrize("token", ["x", "../../etc/passwd", "A" * 22, "..", "%2e%2e"])
def test_a_made_up_name_leads_nowhere(signed_in: SignedIn, world: World, token: str) -> None:
    browser = of_all(signed_in, world)

    assert browser.get(f"/setup/export/{token}").status_code == 404
    assert browser.get(f"/setup/export/{token}/clinic-export.zip").status_code == 404


def test_one_that_ended_with_its_process_says_so(signed_in: SignedIn, world: World, kit: Kit) -> None:
    browser = of_all(signed_in, world)
    address = prepared(browser)
    token = address.rpartition("/")[2]
    (kit.settings.data_dir / "exports" / token / "answer.json").unlink()

    page = browser.get(address).get_data(as_text=True)

    assert "The export was not finished" in page
    assert browser.get(f"{address}/clinic-export.zip").status_code == 404
