"""The pages of translations: the English and the German beside each other, and one button for each part."""
from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.care.catalogue import library_documents
from clinic.store.clinics import TranslationApproval
from tests.web import seed
from tests.web.checksums import checksum, statements
from tests.web.conftest import SignedIn, World, post

CODE = "mn_rejuvenation"
MESSAGES = "/setup/translations/de/messages"
PROTOCOL = f"/setup/translations/de/protocols/{CODE}"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Pages of words are the same on either kind of database: how approvals are kept has tests on both."""
    return sqlite_url


@pytest.fixture
def library(world: World, rows: Callable[[], Session]) -> World:
    """One protocol of the library, as a draft."""
    with rows() as db:
        seed.add_protocol(db, next(each for each in library_documents() if each["code"] == CODE))
        db.commit()
    return world


def read(browser: FlaskClient, url: str) -> str:
    return unescape(browser.get(url).get_data(as_text=True))


def shown_on(page: str) -> str:
    """What the button of the page would agree to."""
    [found] = re.findall(r'name="shown" value="([0-9a-f]{64})"', page)
    return str(found)


def test_each_part_says_how_far_it_is_approved(signed_in: SignedIn, library: World) -> None:
    page = read(signed_in(), "/setup/translations")

    assert "German" in page
    assert page.count("to approve") == 2
    assert MESSAGES in page
    assert PROTOCOL in page


def test_every_message_is_read_in_both_languages(signed_in: SignedIn, library: World) -> None:
    page = read(signed_in(), MESSAGES)

    assert "Your 3 appointments are booked" in page
    assert "Ihre 3 Termine sind gebucht" in page
    assert "{% if count == 1 %}Ihr Termin am {{ short_day }}" in page
    assert "Herzliche Grüße" in page
    assert 'lang="de"' in page


def test_a_protocols_texts_stand_beside_their_translation(signed_in: SignedIn, library: World) -> None:
    page = read(signed_in(), PROTOCOL)

    assert "Trouble breathing, swelling of the lips or tongue, or collapse" in page
    assert "Atemnot, Schwellung der Lippen oder der Zunge oder Zusammenbruch" in page


@pytest.mark.parametrize(("url", "may", "may_not"), [
    (MESSAGES, (Role.MANAGER, Role.ADMINISTRATOR), (Role.RECEPTIONIST, Role.PRACTITIONER, Role.AUDITOR)),
    (PROTOCOL, (Role.PRACTITIONER,), (Role.RECEPTIONIST, Role.MANAGER, Role.ADMINISTRATOR, Role.AUDITOR)),
])
def test_the_button_is_there_for_those_who_may_press_it_and_works_for_nobody_else(
    url: str, may: tuple[Role, ...], may_not: tuple[Role, ...], signed_in: SignedIn, library: World, kit: Kit
) -> None:
    shown = {}
    for role in may:
        shown[role] = shown_on(read(signed_in(role), url))
    browsers = {role: signed_in(role) for role in may_not}
    before = checksum(kit.engine)

    for role, browser in browsers.items():
        assert 'name="shown"' not in read(browser, url), role
        assert post(browser, url, {"shown": next(iter(shown.values()))}).status_code == 403, role

    assert checksum(kit.engine) == before
    assert len(set(shown.values())) == 1


@pytest.mark.parametrize(("url", "role"), [(MESSAGES, Role.MANAGER), (PROTOCOL, Role.PRACTITIONER)])
def test_one_button_approves_what_was_read(
    url: str, role: Role, signed_in: SignedIn, library: World, rows: Callable[[], Session]
) -> None:
    browser = signed_in(role)
    shown = shown_on(read(browser, url))

    stale = post(browser, url, {"shown": "something else"})
    with rows() as db:
        kept_of_stale = db.scalar(sa.select(sa.func.count()).select_from(TranslationApproval))
    answer = post(browser, url, {"shown": shown})

    assert (stale.location, answer.location, kept_of_stale) == (url, url, 0)
    page = read(browser, url)
    assert "last approved by Ruth Vale" in page
    assert 'name="shown"' not in page
    with rows() as db:
        assert set(db.scalars(sa.select(TranslationApproval.approved_by))) == set(library.accounts.values())


@pytest.mark.parametrize("url", [
    "/setup/translations/en/messages", "/setup/translations/xx/messages", "/setup/translations/de/protocols/none",
    f"/setup/translations/en/protocols/{CODE}",
])
def test_what_is_not_there_is_not_found(url: str, signed_in: SignedIn, library: World) -> None:
    assert signed_in().get(url).status_code == 404
    assert post(signed_in(Role.MANAGER), url.replace("protocols", "none"), {}).status_code == 404


def test_the_list_takes_as_many_statements_for_a_library_as_for_one_protocol(
    signed_in: SignedIn, library: World, kit: Kit, rows: Callable[[], Session]
) -> None:
    browser = signed_in()
    noted = statements(kit.engine)
    browser.get("/setup/translations")
    few = len(noted)
    with rows() as db:
        for document in library_documents()[:6]:
            if document["code"] != CODE:
                seed.add_protocol(db, document)
        db.commit()
    noted.clear()

    browser.get("/setup/translations")

    assert len(noted) == few
