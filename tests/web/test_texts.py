"""The page of texts: the clinic's own words, and each message as it reads with them."""
from __future__ import annotations

from collections.abc import Callable
from html import unescape

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.services.texts import MESSAGE_KINDS
from clinic.store.clinics import ClinicText
from tests.web.checksums import checksum
from tests.web.conftest import SignedIn, post

FORM = {"lock_version": "1", "kind": "reminder-2d", "directions": "The blue door.\r\nFloor 2.", "cancellation": "",
        "closing": "See you!"}


def test_the_words_are_saved_and_the_page_shows_the_message_with_them(
    signed_in: SignedIn, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.MANAGER)

    answer = post(browser, "/setup/texts", FORM)

    assert (answer.status_code, answer.location) == (303, "/setup/texts?kind=reminder-2d")
    with rows() as db:
        found = db.execute(sa.select(ClinicText.code, ClinicText.text).order_by(ClinicText.code)).all()
    assert [tuple(row) for row in found] == [("closing", "See you!"), ("directions", "The blue door.\nFloor 2.")]
    page = unescape(browser.get(answer.location).get_data(as_text=True))
    assert "How to find us:\nThe blue door.\nFloor 2.\n" in page
    assert "The blue door." in browser.get("/setup/texts/reminder-2d.html").get_data(as_text=True)


def test_looking_keeps_nothing_and_shows_what_was_typed(signed_in: SignedIn, kit: Kit) -> None:
    browser = signed_in(Role.MANAGER)
    before = checksum(kit.engine)

    answer = post(browser, "/setup/texts/look", FORM)

    page = unescape(answer.get_data(as_text=True))
    assert answer.status_code == 200
    assert "How to find us:\nThe blue door.\nFloor 2.\n" in page
    assert "have not saved yet" in page
    assert checksum(kit.engine) == before


def test_a_text_that_is_too_long_is_said_at_its_field_and_kept_in_it(signed_in: SignedIn, kit: Kit) -> None:
    browser = signed_in(Role.MANAGER)
    before = checksum(kit.engine)

    for url in ("/setup/texts", "/setup/texts/look"):
        answer = post(browser, url, {**FORM, "closing": "x" * 301})

        page = answer.get_data(as_text=True)
        assert answer.status_code == 422
        assert 'id="closing-error"' in page
        assert "x" * 301 in page
        assert "The blue door." in page
    assert checksum(kit.engine) == before


def test_the_second_of_two_writers_sees_both(signed_in: SignedIn) -> None:
    browser = signed_in(Role.MANAGER)
    post(browser, "/setup/texts", FORM)

    answer = post(browser, "/setup/texts", {**FORM, "closing": "Good-bye!"})

    assert answer.status_code == 409
    assert "See you!" in answer.get_data(as_text=True)
    assert "Good-bye!" in answer.get_data(as_text=True)


def test_every_kind_of_message_can_be_read_and_no_other(signed_in: SignedIn) -> None:
    browser = signed_in(Role.MANAGER)

    assert {browser.get(f"/setup/texts?kind={kind}").status_code for kind in MESSAGE_KINDS} == {200}
    assert {browser.get(f"/setup/texts/{kind}.html").status_code for kind in MESSAGE_KINDS} == {200}
    assert browser.get("/setup/texts?kind=../labels").status_code == 404
    assert browser.get("/setup/texts/none.html").status_code == 404


def test_the_frame_of_a_sample_lets_nothing_run(signed_in: SignedIn) -> None:
    answer = signed_in(Role.MANAGER).get("/setup/texts/confirmation.html")

    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "script" not in answer.headers["Content-Security-Policy"]
