"""The pages of texts: ours or the clinic's own, written, read in a message, saved, taken back and approved."""
from __future__ import annotations

from collections.abc import Callable
from html import unescape

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.care.message_kinds import MessageKind
from clinic.services import texts as service
from clinic.services.links import STAND_IN
from clinic.services.mail import switch_mail_on
from clinic.services.work import Actor
from clinic.store.clinics import ClinicText
from clinic.web import texts as pages
from clinic.web import translations
from clinic.web.entry import entry_of
from clinic.web.rule_words import STRETCHES
from clinic.web.text_sheets import EVERY
from tests.web.checksums import checksum
from tests.web.conftest import SignedIn, post
from tests.web.counting import own_statements
from tests.web.desk import Desk, enter, open_desk
from tests.web.desk import texts as found_in

REMINDER = "/setup/texts/reminder-2d/en"
ADDED = "/setup/texts/every-message/en"
FORM = {"lock_version": "0", "subject": "See you on {date}", "preheader": "", "opening": "We are ready.\r\nCome!"}
ADDITIONS = {"lock_version": "0", "directions": "The blue door.\r\nFloor 2.", "cancellation": "", "closing": "See you!"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Pages of words are the same on either kind of database: how words are kept has tests on both."""
    return sqlite_url


def read(answer: object) -> str:
    """The page as it is read."""
    return unescape(answer.get_data(as_text=True))  # type: ignore[attr-defined]


def test_own_words_are_saved_and_the_pages_show_whose_each_text_is(
    signed_in: SignedIn, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.MANAGER)

    answer = post(browser, REMINDER, {**FORM, "with": "", "kind": ""})

    assert (answer.status_code, answer.location) == (303, REMINDER)
    with rows() as db:
        found = db.execute(sa.select(ClinicText.code, ClinicText.text, ClinicText.version).order_by(ClinicText.id))
        assert [tuple(row) for row in found] == [
            ("reminder-2d/subject", "See you on {date}", 1), ("reminder-2d/opening", "We are ready.\nCome!", 1)]
    page = read(browser.get(REMINDER))
    assert found_in(browser.get(REMINDER), "inbox-subject") == ["Subject: See you on Wednesday 10 March"]
    assert "\nWe are ready.\nCome!\n" in page
    assert "We are ready." in read(browser.get(f"{REMINDER}/letter"))
    grid = found_in(browser.get("/setup/texts"), "text-own")
    assert [each.partition(" of ")[0] for each in grid] == ["Subject , version 1 ; opening words , version 1"]
    assert "Ruth Vale" in read(browser.get(f"{REMINDER}/history"))


def test_looking_keeps_nothing_and_shows_what_was_typed_and_what_is_wrong_with_it(
    signed_in: SignedIn, kit: Kit
) -> None:
    browser = signed_in(Role.MANAGER)
    before = checksum(kit.engine)

    answer = post(browser, f"{REMINDER}/look", FORM)
    letter = post(browser, f"{REMINDER}/letter", FORM)
    wrong = post(browser, f"{REMINDER}/look", {**FORM, "subject": "Your laser on {dat}", "opening": "Please call us."})

    assert (answer.status_code, wrong.status_code) == (200, 422)
    assert "With what you have not saved yet." in read(answer)
    assert "We are ready." in read(letter)
    assert "sandbox" in letter.headers["Content-Security-Policy"]
    assert found_in(wrong, "field-error") == [
        "Error: There is no {dat} here (“Your laser on {dat}”). Did you mean {date}?",
        "Error: “laser” tells what the patient is treated for to whoever sees the inbox. Leave it out."]
    assert found_in(wrong, "field-warning") == [
        "Warning: This asks to call and names no number. Write {phone} where it should stand."]
    assert found_in(wrong, "inbox-subject")[0].startswith("Subject: Reminder")
    assert checksum(kit.engine) == before


def test_what_cannot_be_saved_is_said_at_its_field_and_kept_in_it(signed_in: SignedIn, kit: Kit) -> None:
    browser = signed_in(Role.MANAGER)
    before = checksum(kit.engine)

    answer = post(browser, ADDED, {**ADDITIONS, "closing": "x" * 301})

    page = read(answer)
    assert answer.status_code == 422
    assert 'href="#closing"' in page
    assert "x" * 301 in page
    assert "The blue door." in page
    turned = post(browser, f"{ADDED}/look", {**ADDITIONS, "closing": "\u202eereht"})
    assert found_in(turned, "field-error") == [
        "Error: Closing words contains characters that cannot be kept. Type it again."]
    assert checksum(kit.engine) == before


def test_the_second_of_two_writers_sees_both(signed_in: SignedIn) -> None:
    browser = signed_in(Role.MANAGER)
    post(browser, ADDED, ADDITIONS)

    answer = post(browser, ADDED, {**ADDITIONS, "closing": "Good-bye!"})

    assert answer.status_code == 409
    assert "See you!" in read(answer)
    assert "Good-bye!" in read(answer)


def test_an_older_version_stands_again_and_what_is_empty_is_ours(
    signed_in: SignedIn, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.MANAGER)
    post(browser, REMINDER, FORM)
    post(browser, REMINDER, {**FORM, "lock_version": "2", "subject": ""})
    with rows() as db:
        first, newest = db.scalars(
            sa.select(ClinicText.id).where(ClinicText.code.endswith("subject")).order_by(ClinicText.id))
    assert found_in(browser.get(REMINDER), "inbox-subject")[0].startswith("Subject: Reminder")
    assert "See you on {date}" in " ".join(found_in(browser.get(f"{REMINDER}/history"), "version-text"))

    late = post(browser, f"{REMINDER}/take-back", {"text": str(first), "lock_version": str(first)})
    other = post(browser, f"{REMINDER}/take-back", {"text": "999", "lock_version": "0"})
    taken = post(browser, f"{REMINDER}/take-back", {"text": str(first), "lock_version": str(newest)})

    assert (late.location, other.status_code, taken.location) == (f"{REMINDER}/history", 404, REMINDER)
    assert found_in(browser.get(REMINDER), "inbox-subject") == ["Subject: See you on Wednesday 10 March"]


def test_words_that_nobody_answers_for_are_shown_as_such_and_approved_by_a_press(signed_in: SignedIn, kit: Kit) -> None:
    browser = signed_in(Role.MANAGER)
    with kit.work(Actor("cli")) as work:
        service.save_texts(work, 1, MessageKind.RECALL, "de", {"recall/subject": "Es ist Zeit"}, seen=0)
    page = read(browser.get("/setup/texts/recall/de"))
    shown = page.partition('name="shown" value="')[2].partition('"')[0]
    assert "Waits for approval" in found_in(browser.get("/setup/texts"), "text-own")[0]
    assert "Own words of Harbour Clinic" in read(browser.get("/setup/translations"))

    answer = post(browser, "/setup/texts/recall/de/approve", {"shown": shown})

    assert answer.status_code == 303
    assert "Waits for approval" not in found_in(browser.get("/setup/texts"), "text-own")[0]
    assert "Approve 1 text" not in read(browser.get("/setup/texts/recall/de"))


def test_words_that_have_come_to_tell_since_do_not_go_out_and_are_pointed_at(
    signed_in: SignedIn, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.MANAGER)
    post(browser, REMINDER, {**FORM, "subject": "{clinic}, {date}"})
    with rows() as db:
        db.execute(sa.text("UPDATE clinic SET name = 'Skin Laser Centre' WHERE id = 1"))
        db.commit()

    assert "Needs a look" in found_in(browser.get("/setup/texts"), "text-own")[0]
    assert found_in(browser.get(REMINDER), "inbox-subject")[0].startswith("Subject: Reminder: ")
    assert found_in(browser.get(REMINDER), "field-error")[0].startswith("Error: The name of the clinic says “Skin”")


def test_who_may_write_own_words_may_approve_a_translation_too() -> None:
    assert {entry_of(view) for view in (pages.save, pages.approve)} == {entry_of(translations.approve_messages)}


def test_every_kind_can_be_read_and_written_in_every_language(signed_in: SignedIn) -> None:
    browser = signed_in(Role.MANAGER)
    kinds = [kind for each in STRETCHES for kind in each.kinds]
    for sheet in (EVERY, *kinds):
        for language in ("en", "de"):
            assert browser.get(f"/setup/texts/{sheet}/{language}").status_code == 200
    assert {browser.get(f"/setup/texts/{wrong}").status_code for wrong in (
        "none/en", "confirmation/xx", "fresh-link/en", "none/en/history", "every-message/en?kind=none")} == {404}


def test_a_clinic_without_a_phone_number_is_told_that_nothing_can_be_written(
    signed_in: SignedIn, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.MANAGER)
    with rows() as db:
        db.execute(sa.text("UPDATE clinic SET phone = ' '"))
        db.commit()

    answer = post(browser, f"{REMINDER}/look", {**FORM, "opening": "Please call us."})

    assert "This clinic has no phone number" in read(answer)
    assert "This clinic has no phone number" in read(browser.get("/setup/texts"))
    assert found_in(answer, "field-error")[0].startswith("Error: This asks to call, and the clinic has no")


@pytest.fixture
def desk(kit: Kit) -> Desk:
    """A desk that has booked a course, whose messages wait."""
    found = open_desk(kit)
    with kit.work(Actor("test")) as work:
        switch_mail_on(work)
    found.course()
    return found


def test_own_words_are_read_in_a_message_that_waits_by_those_who_may_see_patients(desk: Desk, kit: Kit) -> None:
    manager, administrator = (enter(kit, role) for role in ("manager", "administrator"))
    with desk.rows() as db:
        waiting = db.scalars(sa.text(
            "SELECT message_id FROM message_item WHERE kind = 'reminder-2d' ORDER BY message_id")).all()
    before = checksum(kit.engine)

    real = post(manager, f"{REMINDER}/look", {**FORM, "opening": "Dear {first_name}!", "with": str(waiting[0])})
    hidden = post(administrator, f"{REMINDER}/look", {**FORM, "opening": "Dear {first_name}!", "with": str(waiting[0])})

    with desk.rows() as db:
        given, family = db.execute(sa.text(
            "SELECT given_name, family_name FROM patient JOIN message ON message.patient_id = patient.id"
            f" WHERE message.id = {waiting[0]}")).one()
    assert f"Dear {given}!" in read(real)
    assert f"{given} {family}, " in read(real)
    assert "Dear Anna!" in read(hidden)
    assert family not in read(hidden)
    assert STAND_IN in read(real)
    assert checksum(kit.engine) == before


def test_a_message_of_another_kind_or_language_is_not_read_here(desk: Desk, kit: Kit) -> None:
    manager = enter(kit, "manager")
    with desk.rows() as db:
        other = db.scalar(sa.text("SELECT message_id FROM message_item WHERE kind = 'confirmation'"))

    for address in (REMINDER, "/setup/texts/confirmation/de"):
        assert "Guten Tag Anna," in (page := read(manager.get(f"{address}?with={other}"))) or "Hello Anna," in page


def test_the_number_of_statements_does_not_grow_with_the_texts(desk: Desk, kit: Kit) -> None:
    manager = enter(kit, "manager")
    few = [own_statements(kit, manager, url)[0] for url in ("/setup/texts", REMINDER, f"{REMINDER}/history")]
    with kit.work(Actor("cli")) as work:
        for kind in MessageKind:
            for language in ("en", "de"):
                work.db.add_all(ClinicText(clinic_id=desk.clinic.clinic_id, code=f"{kind}/{part}", language=language,
                                           version=version, text=f"Hello {version}")
                                for part in ("subject", "opening") for version in (1, 2, 3))
        work.commit()

    many = [own_statements(kit, manager, url)[0] for url in ("/setup/texts", REMINDER, f"{REMINDER}/history")]

    assert [later - before for before, later in zip(few, many, strict=True)] == [1, 1, 0]  # the approvals
