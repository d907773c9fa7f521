"""The pages of messages."""
from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.care.states import MessageState
from clinic.queries import messages
from clinic.store.outbox import Message, MessageAttempt
from clinic.web.headers import MESSAGE_POLICY
from tests.web import seed
from tests.web.conftest import SignedIn, World, post

MIME = b"""From: desk@example.org\r
To: anna@example.org\r
Subject: Your appointments\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary="o"\r
\r
--o\r
Content-Type: multipart/alternative; boundary="i"\r
\r
--i\r
Content-Type: text/plain; charset=utf-8\r
\r
Dear Anna, plain words.\r
--i\r
Content-Type: text/html; charset=utf-8\r
\r
<p>Dear <b>Anna</b></p>\r
--i--\r
--o\r
Content-Type: text/calendar; method=PUBLISH; charset=utf-8\r
Content-Disposition: attachment; filename="appointments.ics"\r
\r
BEGIN:VCALENDAR\r
END:VCALENDAR\r
--o--\r
"""


@pytest.fixture
def sent(world: World, rows: Callable[[], Session]) -> int:
    """A message that was sent, with its attempt."""
    with rows() as db:
        message = seed.add_message(
            db, seed.add_patient(db), world.harbour, state="sent", mime=MIME, mime_sha256="0" * 64,
            settled_at=seed.NOW, recipient="anna@example.org", subject="Your appointments")
        db.add(MessageAttempt(message_id=message, number=1, at=seed.NOW, worker_id="w", phase="dot", code=250,
                              text="queued as 4711"))
        db.commit()
    return message


def test_a_sent_message_is_shown_with_its_words_file_and_attempts(signed_in: SignedIn, sent: int) -> None:
    browser = signed_in()

    page = browser.get(f"/messages/{sent}").get_data(as_text=True)
    body = browser.get(f"/messages/{sent}/html")
    file = browser.get(f"/messages/{sent}/1.ics")

    for words in ("Your appointments", "Dear Anna, plain words.", "Sent", "anna@example.org", "250 queued as 4711",
                  f'src="/messages/{sent}/html" sandbox=""'):
        assert words in page
    assert "<p>Dear <b>Anna</b></p>" in body.get_data(as_text=True)
    assert body.headers["Content-Security-Policy"] == MESSAGE_POLICY
    assert file.mimetype == "text/calendar"
    assert file.data.startswith(b"BEGIN:VCALENDAR")
    assert browser.get(f"/messages/{sent}/2.ics").status_code == 404


@pytest.mark.parametrize("kept", [{}, {"mime": b"m" * 300, "mime_sha256": "0" * 64}])
def test_a_sent_message_whose_words_were_not_kept_says_so(
    signed_in: SignedIn, world: World, rows: Callable[[], Session], kept: dict[str, object]
) -> None:
    with rows() as db:
        message = seed.add_message(db, seed.add_patient(db), world.harbour, state="sent", settled_at=seed.NOW, **kept)
        db.commit()

    page = signed_in().get(f"/messages/{message}").get_data(as_text=True)

    assert "Its words were not kept" in page
    assert (">None<" in page, "nothing was sent" in page, "<iframe" in page) == (False, False, False)


def test_the_list_can_be_narrowed_to_one_state(
    signed_in: SignedIn, world: World, rows: Callable[[], Session]
) -> None:
    with rows() as db:
        for place, state in enumerate(MessageState):
            seed.add_message(db, seed.add_patient(db, f"P{place}"), world.harbour, state=state, reason="because",
                             lease_token="t" if state is MessageState.SENDING else None)
        seed.add_message(db, seed.add_patient(db, "Elsewhere"), world.hill)
        db.commit()
    browser = signed_in()

    counted = {url: browser.get(url).get_data(as_text=True).count('class="cell-lead"')
               for url in ("/messages", "/messages?state=held", "/messages?state=junk", "/messages?state=held'--")}

    assert counted == {"/messages": 9, "/messages?state=held": 1, "/messages?state=junk": 9,
                       "/messages?state=held'--": 9}


def test_the_list_can_be_narrowed_to_a_name_and_to_a_kind(
    signed_in: SignedIn, world: World, rows: Callable[[], Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "MOST_PATIENTS", 3)
    monkeypatch.setattr(messages, "MOST_COUNTED", 4)
    with rows() as db:
        for place in range(5):
            patient_id = seed.add_patient(db, f"P{place}")
            seed.add_message(db, patient_id, world.harbour, kind="confirmation", state="pending")
            if place % 2:
                seed.add_message(db, patient_id, world.harbour, kind="aftercare", state="expired")
                seed.add_message(db, patient_id, world.hill, kind="aftercare", state="expired")
        db.commit()
    browser = signed_in()

    pages = {query: browser.get(f"/messages?{query}").get_data(as_text=True) for query in (
        "q=p1", "q=p1&kind=aftercare", "q=p1&state=expired", "kind=aftercare", "kind=aftercare&state=pending",
        "kind=confirmation", "q=nov", "q=nobody")}

    assert {query: page.count('class="cell-lead"') for query, page in pages.items()} == {
        "q=p1": 2, "q=p1&kind=aftercare": 1, "q=p1&state=expired": 1, "kind=aftercare": 2,
        "kind=aftercare&state=pending": 0, "kind=confirmation": 5, "q=nov": 4, "q=nobody": 0}
    assert [query for query, page in pages.items() if "Type more of the name" in page] == ["q=nov"]


def test_a_held_message_is_let_go_by_who_may(
    signed_in: SignedIn, world: World, rows: Callable[[], Session]
) -> None:
    with rows() as db:
        message = seed.add_message(db, seed.add_patient(db), world.harbour, state="held", reason="by hand")
        db.commit()

    refused = post(signed_in(Role.AUDITOR), f"/messages/{message}/release")
    released = post(signed_in(), f"/messages/{message}/release", {"next": "/messages?state=held"})

    assert (refused.status_code, released.status_code, released.location) == (403, 303, "/messages?state=held")
    with rows() as db:
        assert db.scalars(sa.select(Message.state)).one() == "pending"


def test_a_message_of_a_clinic_where_nobody_here_works_is_not_there(
    signed_in: SignedIn, sent: int, world: World
) -> None:
    browser = signed_in(clinics=(world.hill,))

    answers = [browser.get(f"/messages/{sent}{more}").status_code for more in ("", "/html", "/1.ics")]

    assert answers == [404, 404, 404]
