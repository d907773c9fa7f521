"""The pages of accounts and rights, and of one's own password."""
from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.access import GRANTS, Right, Role
from clinic.app import Kit
from clinic.queries.account_list import PAGE, account_list
from clinic.store.accounts import Account, AccountRole
from clinic.web.right_words import RIGHTS
from tests.queries.statements import counted
from tests.web import seed
from tests.web.conftest import SignedIn, World, post, sign_in

ONCE = re.compile(r'class="password-once">([^<]+)<')


@pytest.fixture
def ruth(world: World, rows: Callable[[], Session]) -> int:
    """A receptionist's account."""
    with rows() as db:
        account_id = seed.add_account(db, "ruth@example.org", {world.harbour: Role.RECEPTIONIST})
        db.commit()
    return account_id


def test_a_new_account_signs_in_with_the_password_that_was_shown_once(
    signed_in: SignedIn, world: World, app: object
) -> None:
    browser = signed_in(Role.ADMINISTRATOR)

    answer = post(browser, "/setup/accounts", {
        "name": "Ben Low", "email": "ben@example.org", f"roles-{world.harbour}": ["receptionist", "manager"]})

    found = ONCE.search(answer.get_data(as_text=True))
    assert found is not None
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    bens = app.test_client()  # type: ignore[attr-defined]
    assert sign_in(bens, "ben@example.org", found[1]).status_code == 303
    assert found[1] not in browser.get("/setup/accounts").get_data(as_text=True)


def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    signed_in: SignedIn, world: World, ruth: int
) -> None:
    browser = signed_in(Role.ADMINISTRATOR)
    form = {"name": "Ben Low", "email": "ruth@example.org", f"roles-{world.harbour}": ["auditor"]}

    taken = post(browser, "/setup/accounts", form).get_data(as_text=True)
    none = post(browser, "/setup/accounts", {"name": "Ben Low", "email": "ben@example.org"})
    foreign = post(browser, "/setup/accounts", {**form, f"roles-{world.harbour}": ["king"]})

    assert 'id="email-error"' in taken
    assert 'value="Ben Low"' in taken
    assert re.search(r'value="auditor" checked', taken)
    assert (none.status_code, foreign.status_code) == (409, 422)
    assert "needs a role" in none.get_data(as_text=True)


def test_roles_are_changed_on_the_page_of_the_account(
    signed_in: SignedIn, world: World, ruth: int, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.ADMINISTRATOR, clinics=(world.harbour, world.hill))
    page = browser.get(f"/setup/accounts/{ruth}").get_data(as_text=True)
    assert re.search(rf'name="roles-{world.harbour}" value="receptionist" checked', page)

    answer = post(browser, f"/setup/accounts/{ruth}", {
        "name": "Ruth Hill", "lock_version": "1", f"roles-{world.hill}": ["manager"]})

    assert answer.status_code == 303
    with rows() as db:
        found = db.execute(sa.select(AccountRole.clinic_id, AccountRole.role)
                           .where(AccountRole.account_id == ruth)).all()
    assert [tuple(row) for row in found] == [(world.hill, "manager")]


def test_the_second_of_two_editors_sees_both(signed_in: SignedIn, world: World, ruth: int) -> None:
    browser = signed_in(Role.ADMINISTRATOR)
    form = {"name": "Ruth Hill", "lock_version": "1", f"roles-{world.harbour}": ["manager"]}
    post(browser, f"/setup/accounts/{ruth}", form)

    answer = post(browser, f"/setup/accounts/{ruth}", {**form, "name": "Ruth Vale Hill"})

    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "Ruth Hill" in page
    assert "Ruth Vale Hill" in page


def test_an_account_whose_use_ended_is_signed_out_and_kept_out(
    signed_in: SignedIn, app: object, ruth: int
) -> None:
    browser = signed_in(Role.ADMINISTRATOR)
    ruths = app.test_client()  # type: ignore[attr-defined]
    sign_in(ruths, "ruth@example.org")
    assert ruths.get("/patients").status_code == 200

    post(browser, f"/setup/accounts/{ruth}/end")

    assert ruths.get("/patients").status_code == 303
    assert sign_in(ruths, "ruth@example.org").status_code == 422
    post(browser, f"/setup/accounts/{ruth}/begin")
    assert sign_in(ruths, "ruth@example.org").status_code == 303


def test_the_last_administrator_is_told_why_not(signed_in: SignedIn, world: World) -> None:
    browser = signed_in(Role.ADMINISTRATOR)
    own = world.accounts["administrator-0@example.org"]

    answer = post(browser, f"/setup/accounts/{own}", {
        "name": "Ada", "lock_version": "1", f"roles-{world.harbour}": ["manager"]})

    assert answer.status_code == 409
    assert "This is the last administrator of Harbour Clinic" in answer.get_data(as_text=True)


def test_the_page_of_rights_says_what_the_table_grants(signed_in: SignedIn) -> None:
    page = signed_in(Role.ADMINISTRATOR).get("/setup/rights").get_data(as_text=True)

    assert set(RIGHTS) == set(Right)
    assert page.count('aria-label="yes"') == sum(len(granted) for granted in GRANTS.values())


def test_everybody_chooses_their_own_password(signed_in: SignedIn, app: object, ruth: int) -> None:
    here, there = app.test_client(), app.test_client()  # type: ignore[attr-defined]
    sign_in(here, "ruth@example.org")
    sign_in(there, "ruth@example.org")
    form = {"present": seed.PASSWORD, "password": "nine loud starlings", "again": "nine loud starlings"}

    answer = post(here, "/account/password", form)

    assert answer.status_code == 303
    assert (here.get("/patients").status_code, there.get("/patients").status_code) == (200, 303)
    assert sign_in(there, "ruth@example.org").status_code == 422
    assert sign_in(there, "ruth@example.org", "nine loud starlings").status_code == 303


@pytest.mark.parametrize(("change", "field"), [
    ({"present": "not this one"}, "present"), ({"present": ""}, "present"), ({"password": ""}, "password"),
    ({"password": "short", "again": "short"}, "password"), ({"again": "nine loud starling"}, "again"),
])
def test_a_password_that_cannot_be_changed_says_why_at_its_field(
    change: dict[str, str], field: str, signed_in: SignedIn, world: World, rows: Callable[[], Session]
) -> None:
    form = {"present": seed.PASSWORD, "password": "nine loud starlings", "again": "nine loud starlings", **change}

    answer = post(signed_in(), "/account/password", form)

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in page
    assert "nine loud" not in page
    with rows() as db:
        kept = db.get_one(Account, world.accounts["receptionist-0@example.org"])
    assert kept.password_hash == seed.PASSWORD_HASH


def test_somebody_at_an_open_browser_cannot_try_passwords_for_ever(signed_in: SignedIn) -> None:
    browser = signed_in()
    form = {"present": "not this one", "password": "nine loud starlings", "again": "nine loud starlings"}
    for _ in range(6):
        post(browser, "/account/password", form)

    answer = post(browser, "/account/password", {**form, "present": seed.PASSWORD})

    assert answer.status_code == 422


@pytest.mark.parametrize("number", [1, 30, 300])
def test_the_list_asks_the_same_whatever_its_length(
    number: int, world: World, kit: Kit, rows: Callable[[], Session]
) -> None:
    with rows() as db:
        for place in range(number):
            seed.add_account(db, f"{place}@example.org", {world.harbour: Role.MANAGER, world.hill: Role.AUDITOR})
        db.commit()
        total = db.scalar(sa.select(sa.func.count()).select_from(Account)) or 0

    with rows() as db, counted(kit.engine) as statements:
        found = account_list(db)

    assert len(found.rows) == min(total, PAGE)
    assert (found.total, len(statements)) == (total, 3)
