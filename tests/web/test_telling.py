"""The page of people to tell, and the letter on paper."""
from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from clinic.app import Kit
from clinic.services.sending import send_again
from clinic.services.work import Actor, Done
from clinic.store.outbox import ContactAttempt, Message, MessageItem
from clinic.store.resources import Patient
from tests.web import seed
from tests.web.checksums import checksum
from tests.web.conftest import FixedClock, post
from tests.web.counting import own_statements
from tests.web.desk import Desk, enter, open_desk, texts

MINUTES = 5


@pytest.fixture
def desk(kit: Kit, clock: FixedClock) -> Desk:
    """A desk whose patient has no address and booked a course a few minutes ago."""
    desk = open_desk(kit)
    with desk.rows() as db:
        db.execute(sa.update(Patient.__table__).where(Patient.__table__.c.id == desk.patient)
                   .values(email=None, phone="+44 (0)20 555-01", language="de"))
        db.commit()
    desk.course()
    desk.later(clock, timedelta(minutes=MINUTES))
    return desk


def waiting(desk: Desk) -> list[int]:
    """The ids of the messages that the page offers to tell."""
    page = desk.browser.get("/people-to-tell").get_data(as_text=True)
    return [int(found) for found in re.findall(r'name="message" value="(\d+)"', page)]


def note(desk: Desk, outcome: str, messages: list[int], **more: str) -> TestResponse:
    """Presses one of the buttons."""
    return post(desk.browser, f"/people-to-tell/{desk.patient}",
                {"outcome": outcome, "message": messages, "form_key": "k" * 20, **more})


def test_the_page_says_whom_to_tell_why_and_what_in_their_language_the_dates_first(desk: Desk) -> None:
    page = unescape(desk.browser.get("/people-to-tell").get_data(as_text=True))

    assert 'href="tel:+442055501"' in page
    for words in ("No e-mail address", "German", "Montag, 5. April 2027, 09:00 bis", "Guten Tag", 'lang="de"',
                  "Rufen Sie uns an"):
        assert words in page
    assert page.index("Montag, 5. April 2027, 09:00 bis") < page.index("Guten Tag")
    assert "E-Mail" not in page[page.index("Guten Tag"):page.index("Print as a letter")]
    assert texts(desk.browser.get("/"), "places")[0].count("To tell 1") == 1


def test_one_click_tells_settles_and_leads_to_the_next(desk: Desk) -> None:
    ids = waiting(desk)

    answers = [note(desk, "told", ids, note="to her mother") for _ in range(2)]

    assert [(answer.status_code, answer.location) for answer in answers] == [(303, "/people-to-tell")] * 2
    assert waiting(desk) == []
    assert "Nobody has to be told anything" in desk.browser.get("/people-to-tell").get_data(as_text=True)
    with desk.rows() as db:
        told = db.execute(sa.select(Message.state, Message.decision).where(Message.id.in_(ids))).all()
        kept = db.execute(sa.select(ContactAttempt.outcome, ContactAttempt.note)).all()
    assert {tuple(row) for row in told} == {("withheld", "told")}
    assert [tuple(row) for row in kept] == [("told", "to her mother")] * len(ids)


def test_nobody_at_home_stays_on_the_list_with_the_attempt(desk: Desk) -> None:
    ids = waiting(desk)

    note(desk, "no-answer", ids)

    page = desk.browser.get("/people-to-tell")
    assert waiting(desk) == ids
    assert "Tried 1 time" in page.get_data(as_text=True)
    assert texts(page, "history")[0].startswith("No answer Mon 1 Mar 2027, 09:05, Receptionist")


def test_what_is_not_to_that_patient_or_from_this_clinic_is_not_there_and_what_is_wrong_is_said(desk: Desk) -> None:
    ids = waiting(desk)

    assert note(desk, "told", [999]).status_code == 404
    assert note(desk, "told", []).status_code == 404
    assert post(desk.browser, f"/people-to-tell/{desk.clinic.patients[1]}",
                {"outcome": "told", "message": ids}).status_code == 404
    assert note(desk, "sung", ids).status_code == 422
    assert note(desk, "told", ids, note="x" * 501).status_code == 422
    assert waiting(desk) == ids


def test_who_does_not_want_messages_is_not_told_either(desk: Desk) -> None:
    with desk.rows() as db:
        db.execute(sa.update(Message).values(reason="does not want messages"))
        db.commit()

    assert waiting(desk) == []


def test_a_failed_message_is_on_the_list_until_it_was_sent_again(desk: Desk) -> None:
    with desk.rows() as db:
        db.execute(sa.update(Message).values(state="superseded"))
        first = db.scalars(sa.select(Message.id).join(MessageItem).where(MessageItem.kind == "confirmation")).one()
        db.execute(sa.update(Message).where(Message.id == first).values(state="failed", reason="550 no such mailbox"))
        db.commit()
    page = desk.browser.get("/people-to-tell").get_data(as_text=True)
    assert waiting(desk) == [first]
    assert "E-mail failed" in page
    assert "550 no such mailbox" in page

    with desk.rows() as db:
        patient = Patient.__table__
        db.execute(sa.update(patient).where(patient.c.id == desk.patient).values(email="a@b.example"))
        db.commit()
    with desk.kit.work(Actor("test")) as work:
        assert isinstance(send_again(work, first, sure=False), Done)

    assert waiting(desk) == []


def test_the_letter_has_the_name_in_the_window_and_the_words_of_the_patient(desk: Desk) -> None:
    [first, *_] = waiting(desk)

    page = unescape(desk.browser.get(f"/messages/{first}/letter").get_data(as_text=True))
    large = desk.browser.get(f"/messages/{first}/letter?size=large").get_data(as_text=True)

    assert '<p class="letter-name" dir="auto">' in page
    assert "Montag, 1. März 2027" in page
    assert '<main class="letter" lang="de">' in page
    assert '<main class="letter letter-large" lang="de">' in large


def test_reading_changes_nothing_and_who_only_reads_has_no_buttons(desk: Desk) -> None:
    [first, *_] = waiting(desk)
    reader = enter(desk.kit, "auditor")
    before = checksum(desk.kit.engine)

    page = reader.get("/people-to-tell").get_data(as_text=True)
    reader.get(f"/messages/{first}/letter")

    assert 'name="outcome"' not in page
    assert "Guten Tag" in page
    assert checksum(desk.kit.engine) == before
    assert post(reader, f"/people-to-tell/{desk.patient}", {"outcome": "told", "message": [first]}).status_code == 403


def test_the_page_takes_as_many_statements_for_many_people_as_for_one(desk: Desk) -> None:
    one, _ = own_statements(desk.kit, desk.browser, "/people-to-tell")
    with desk.rows() as db:
        for place in range(30):
            message = seed.add_message(
                db, seed.add_patient(db, f"P{place}", email=None), desk.clinic.clinic_id, state="withheld",
                reason="no e-mail address", course_id=900 + place, useless_after=seed.NOW + timedelta(days=60))
            db.add(ContactAttempt(message_id=message, at=seed.NOW, outcome="no-answer"))
        db.commit()

    many, page = own_statements(desk.kit, desk.browser, "/people-to-tell")

    assert (many, page.count('class="tell-row"')) == (one, 20)
    assert "31 people" in page
