"""The newsletter at the desk and in public: signing up, stopping by a bare POST, editions from draft to sent."""
from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.services.delivery import Courier
from clinic.services.mail import switch_mail_on
from clinic.services.publishing import publish
from clinic.services.subscribing import TRIES_OF_A_NETWORK
from clinic.services.work import Actor, UnitOfWork
from clinic.store.newsletter import Edition, Subscriber
from clinic.store.outbox import Message, MessageItem
from tests.services.newsroom import secret_in
from tests.services.test_delivery import Scripted
from tests.web.checksums import checksum
from tests.web.conftest import FixedClock, SignedIn, World, post

SIGN_UP = {"email": "ana@home.example", "language": "de", "interests": ["tips"], "page_language": "en"}
EDITION = {
    "title": "Spring", "en-subject": "Spring with us", "en-0-heading": "Hours", "en-0-text": "Open on Saturdays.",
    "en-0-label": "More", "en-0-address": "https://harbour.example/hours", "in_archive": "yes",
}


@pytest.fixture
def post_room(kit: Kit) -> Callable[[], list[bytes]]:
    """Switches mail on, and sends what is due when it is called."""
    with kit.work(Actor("test")) as work:
        switch_mail_on(work)

    def send() -> list[bytes]:
        transport = Scripted()
        with _work(kit) as work:
            publish(work)
        Courier(lambda: _work(kit), transport, "w", base_url="http://localhost").deliver_due()
        return transport.taken

    return send


def _work(kit: Kit) -> UnitOfWork:
    return kit.work(Actor("worker"))


def add_readers(rows: Callable[[], Session], number: int, now: object, language: str = "en") -> None:
    with rows() as db:
        db.add_all(Subscriber(
            email=f"{language}{each}@home.example", language=language, state="subscribed", asked_at=now,
            consented_at=now, consent_source="page", consent_wording="1: yes") for each in range(number))
        db.commit()


def test_a_visitor_signs_up_confirms_and_stops(
    client: FlaskClient, post_room: Callable[[], list[bytes]], signed_in: SignedIn, rows: Callable[[], Session],
    clock: FixedClock,
) -> None:
    answer = post(client, "/newsletter", SIGN_UP)
    assert "Schauen Sie in Ihr Postfach" in answer.get_data(as_text=True)
    [question] = post_room()
    opt_in = f"/newsletter/opt-in/{secret_in(question)}"
    assert b"List-Unsubscribe" not in question

    assert "Shall we send it?" in client.get(f"{opt_in}?language=en").get_data(as_text=True)
    thanks = post(client, opt_in, {"page_language": "en"})
    assert (thanks.status_code, "Thank you" in thanks.get_data(as_text=True)) == (200, True)
    manager = signed_in(Role.MANAGER)
    post(manager, "/setup/newsletter", {**EDITION, "de-subject": "Frühling", "de-0-text": "Samstags offen."})
    post(manager, "/setup/newsletter/1/approve", {"count": "1", "lock_version": "1", "when": "now"})
    [mail] = post_room()
    secret = secret_in(mail)

    assert f"List-Unsubscribe: <http://localhost/newsletter/stop/{secret}>\r\n".encode() in mail
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in mail
    machine = client.application.test_client(use_cookies=False)
    for _ in range(2):  # as a mail program's server does it: no cookie, no token, and again
        stopped = machine.post(f"/newsletter/stop/{secret}", data={"List-Unsubscribe": "One-Click"})
        assert (stopped.status_code, stopped.location) == (200, None)
    with rows() as db:
        reader = db.scalars(sa.select(Subscriber)).one()
    assert (reader.state, reader.stopped_at) == ("stopped", clock.now)


def test_a_hundred_looks_at_every_link_change_nothing(
    client: FlaskClient, post_room: Callable[[], list[bytes]], kit: Kit
) -> None:
    post(client, "/newsletter", SIGN_UP)
    [question] = post_room()
    secret = secret_in(question)
    before = checksum(kit.engine)

    for _ in range(100):
        for path in (f"/newsletter/opt-in/{secret}", f"/newsletter/stop/{secret}", "/newsletter",
                     "/newsletter/archive"):
            assert client.get(path).status_code == 200
            assert client.head(path).status_code == 200

    assert checksum(kit.engine) == before


def test_a_link_shows_the_same_page_whether_it_is_one_or_not(
    client: FlaskClient, post_room: Callable[[], list[bytes]]
) -> None:
    post(client, "/newsletter", SIGN_UP)
    [question] = post_room()
    secret = secret_in(question)

    def seen(path: str) -> str:
        page = client.get(path).get_data(as_text=True).replace(path, "")
        return "\n".join(line for line in page.splitlines() if "csrf_token" not in line)

    for purpose in ("opt-in", "stop"):
        assert seen(f"/newsletter/{purpose}/{secret}") == seen(f"/newsletter/{purpose}/forged")
    assert "ana@" not in client.get(f"/newsletter/opt-in/{secret}").get_data(as_text=True)


@pytest.mark.parametrize("purpose", ["opt-in", "stop"])
def test_a_dead_link_says_so_kindly(purpose: str, client: FlaskClient) -> None:
    answer = post(client, f"/newsletter/{purpose}/{'x' * 43}", {"page_language": "en"})

    assert answer.status_code == 404
    assert "This link opens nothing" in answer.get_data(as_text=True)


def test_the_answer_is_the_same_whatever_is_known_of_an_address(
    client: FlaskClient, rows: Callable[[], Session], clock: FixedClock
) -> None:
    add_readers(rows, 1, clock.now)
    with rows() as db:
        db.add(Subscriber(email="gone@home.example", state="stopped", asked_at=clock.now, stopped_at=clock.now,
                          consent_source="page", consent_wording="1"))
        db.commit()

    answers = {
        email: post(client, "/newsletter", {**SIGN_UP, "email": email}).get_data(as_text=True).replace(email, "…")
        for email in ("new@home.example", "en0@home.example", "gone@home.example")}

    assert len(set(answers.values())) == 1


def test_a_machine_that_fills_in_everything_is_thanked_and_forgotten(client: FlaskClient, kit: Kit) -> None:
    before = checksum(kit.engine)

    answer = post(client, "/newsletter", {**SIGN_UP, "website": "https://spam.example"})

    assert answer.status_code == 200
    assert checksum(kit.engine) == before


def test_one_network_signs_up_so_often_and_no_more(client: FlaskClient, clock: FixedClock) -> None:
    answers = [post(client, "/newsletter", {**SIGN_UP, "email": f"a{each}@home.example"}).status_code
               for each in range(TRIES_OF_A_NETWORK + 1)]

    assert answers == [200] * TRIES_OF_A_NETWORK + [429]
    clock.move(timedelta(minutes=16))
    assert post(client, "/newsletter", SIGN_UP).status_code == 200


@pytest.mark.parametrize("email", ["", "ana", "a b@c.d", "ana@home example", "@", "ana@", "x" * 300 + "@home.example"])
def test_an_address_that_cannot_be_one_is_said_at_its_field(email: str, client: FlaskClient) -> None:
    answer = post(client, "/newsletter", {**SIGN_UP, "email": email})

    assert answer.status_code == 422
    assert 'id="email-error"' in answer.get_data(as_text=True)


def test_the_page_is_german_for_a_german_browser_and_names_the_clinics(client: FlaskClient) -> None:
    page = unescape(client.get("/newsletter", headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"})
                    .get_data(as_text=True))

    assert '<html lang="de">' in page
    assert "Ja, senden Sie mir den Newsletter von Harbour & Hill" in page
    assert "Harbour Clinic" in page


def test_an_edition_is_written_read_in_both_forms_tried_and_sent_to_so_many_as_were_shown(
    signed_in: SignedIn, post_room: Callable[[], list[bytes]], rows: Callable[[], Session], clock: FixedClock
) -> None:
    add_readers(rows, 3, clock.now)
    add_readers(rows, 2, clock.now, "de")
    manager = signed_in(Role.MANAGER)

    assert post(manager, "/setup/newsletter", EDITION).location == "/setup/newsletter/1"
    page = unescape(manager.get("/setup/newsletter/1").get_data(as_text=True))
    assert "Open on Saturdays." in page
    assert "Open on Saturdays." in manager.get("/setup/newsletter/1/en.html").get_data(as_text=True)
    post(manager, "/setup/newsletter/1/test", {"language": "en"})
    [test] = post_room()
    assert b"To: manager-0@example.org" in test
    look = manager.get("/setup/newsletter/1/approve").get_data(as_text=True)
    assert "Send it to 3 readers" in look
    assert "2 readers of German (Deutsch) get nothing" in look
    wrong = post(manager, "/setup/newsletter/1/approve", {"count": "5", "lock_version": "1", "when": "now"})
    assert (wrong.status_code, "they are 3 now" in wrong.get_data(as_text=True)) == (409, True)
    assert post_room() == []
    post(manager, "/setup/newsletter/1/approve", {"count": "3", "lock_version": "1", "when": "now"})

    mails = post_room()

    assert len(mails) == 3
    assert post_room() == []
    assert "Sent" in manager.get("/setup/newsletter/1").get_data(as_text=True)
    assert all(b"http://localhost/newsletter/archive/1" in mail.replace(b"=\r\n", b"") for mail in mails)


def test_a_subject_that_tells_what_a_reader_cares_about_is_kept_with_a_warning(signed_in: SignedIn) -> None:
    manager = signed_in(Role.MANAGER)
    telling = {name: "Laser days" if name == "en-subject" else value for name, value in EDITION.items()}

    where = post(manager, "/setup/newsletter", telling).location

    page = unescape(manager.get(where).get_data(as_text=True))
    assert "Whoever sees a reader's phone reads “Laser” in the subject." in page


def test_an_edition_that_goes_out_later_can_be_taken_back_before_and_stopped_midway(
    signed_in: SignedIn, post_room: Callable[[], list[bytes]], rows: Callable[[], Session], clock: FixedClock
) -> None:
    add_readers(rows, 3, clock.now)
    manager = signed_in(Role.MANAGER)
    post(manager, "/setup/newsletter", EDITION)
    later = {"count": "3", "lock_version": "1", "when": "later", "on": "2027-03-02", "at": "10:00"}
    assert post(manager, "/setup/newsletter/1/approve", later).status_code == 303
    assert post_room() == []

    post(manager, "/setup/newsletter/1/withdraw")
    post(manager, "/setup/newsletter/1/approve", {"count": "3", "lock_version": "3", "when": "now"})
    with rows() as db:
        assert db.get_one(Edition, 1).state == "approved"
    refused = post(manager, "/setup/newsletter/1", {**EDITION, "lock_version": "4"})
    assert refused.status_code == 409
    post(manager, "/setup/newsletter/1/stop")

    assert post_room() == []
    assert "Stopped" in manager.get("/setup/newsletter/1").get_data(as_text=True)


@pytest.mark.parametrize(("change", "field"), [
    ({"title": ""}, "title"), ({"en-subject": ""}, "en-subject"), ({"en-0-address": "javascript:alert(1)"},
                                                                  "en-0-address"),
    ({"en-0-address": "http://harbour.example"}, "en-0-address"), ({"en-0-label": ""}, "en-0-label"),
    ({"en-0-text": "", "en-0-heading": ""}, "en-0-text"), ({"en-0-text": "x" * 4001}, "en-0-text"),
])
def test_what_is_wrong_with_an_edition_is_said_at_its_field(
    change: dict[str, str], field: str, signed_in: SignedIn, kit: Kit
) -> None:
    manager = signed_in(Role.MANAGER)
    before = checksum(kit.engine)

    answer = post(manager, "/setup/newsletter", {**EDITION, **change})

    assert answer.status_code in (409, 422)
    assert f'id="{field}-error"' in answer.get_data(as_text=True)
    assert checksum(kit.engine) == before


def test_words_of_an_edition_are_shown_and_never_run(
    signed_in: SignedIn, rows: Callable[[], Session], clock: FixedClock
) -> None:
    evil = '<script>alert(1)</script>{{ 7*7 }}'
    manager = signed_in(Role.MANAGER)
    post(manager, "/setup/newsletter", {**EDITION, "en-subject": evil, "en-0-text": evil, "en-0-heading": evil})

    for path in ("/setup/newsletter/1", "/setup/newsletter/1/en.html"):
        page = manager.get(path).get_data(as_text=True)
        assert "<script>alert" not in page
        assert evil in unescape(page)


def test_the_public_page_shows_what_was_sent_and_may_be_shown(
    signed_in: SignedIn, client: FlaskClient, rows: Callable[[], Session], clock: FixedClock
) -> None:
    add_readers(rows, 1, clock.now)
    manager = signed_in(Role.MANAGER)
    post(manager, "/setup/newsletter", EDITION)
    assert client.get("/newsletter/archive/1").status_code == 404
    post(manager, "/setup/newsletter/1/approve", {"count": "1", "lock_version": "1", "when": "now"})

    assert "Spring with us" in client.get("/newsletter/archive").get_data(as_text=True)
    assert "Open on Saturdays." in client.get("/newsletter/archive/1").get_data(as_text=True)
    post(manager, "/setup/newsletter/1/archive", {})
    assert client.get("/newsletter/archive/1").status_code == 404


def test_a_reader_who_calls_is_stopped_from_the_list(
    signed_in: SignedIn, rows: Callable[[], Session], clock: FixedClock
) -> None:
    add_readers(rows, 2, clock.now)
    manager = signed_in(Role.MANAGER)
    page = manager.get("/setup/newsletter/readers?q=EN1").get_data(as_text=True)
    assert "en1@home.example" in page
    assert "en0@home.example" not in page

    post(manager, "/setup/newsletter/readers/2/stop")

    assert "en1@home.example" in manager.get("/setup/newsletter/readers?state=stopped").get_data(as_text=True)
    assert post(manager, "/setup/newsletter/readers/99/stop").status_code == 404


def test_the_log_holds_no_secret(client: FlaskClient, caplog: pytest.LogCaptureFixture, app: Flask) -> None:
    with caplog.at_level("INFO", logger="clinic.web"):
        client.get("/newsletter/stop/verysecretverysecret")

    assert all("verysecret" not in str(record.__dict__) for record in caplog.records if record.name == "clinic.web")


def test_an_edition_of_another_clinic_is_not_there(
    signed_in: SignedIn, world: World, rows: Callable[[], Session]
) -> None:
    post(signed_in(Role.MANAGER), "/setup/newsletter", EDITION)
    other = signed_in(Role.MANAGER, clinics=(world.hill,))

    assert other.get("/setup/newsletter/1").status_code == 404
    assert post(other, "/setup/newsletter/1/stop").status_code == 404
    with rows() as db:
        assert db.scalars(sa.select(Message).join(MessageItem)).all() == []
