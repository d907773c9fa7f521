"""What the page of a message tells and lets a person do; and finding messages by kind, state and patient."""
from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
import sqlalchemy as sa

from clinic.app import Kit
from clinic.care.owed_items import IN_ABSENCE
from clinic.services.absences import add_absence, remove_absence
from clinic.services.delivery import Courier
from clinic.services.mail import switch_mail_on
from clinic.services.reconcile import sweep
from clinic.services.work import Actor, Done
from clinic.store.diary import ResourceBooking
from clinic.store.outbox import Message, MessageAttempt, MessageItem
from clinic.store.resources import Patient, Practitioner
from tests.services.test_delivery import Scripted
from tests.web import seed
from tests.web.checksums import checksum
from tests.web.conftest import FixedClock, post
from tests.web.counting import own_statements
from tests.web.desk import Desk, enter, open_desk, texts


@pytest.fixture
def desk(kit: Kit) -> Desk:
    """A desk that has just booked a course, with mail switched on."""
    found = open_desk(kit)
    with kit.work(Actor("test")) as work:
        switch_mail_on(work)
    found.course()
    return found


def message(desk: Desk, kind: str = "confirmation") -> int:
    """The newest message of that kind."""
    with desk.rows() as db:
        return db.scalars(sa.select(Message.id).join(MessageItem).where(MessageItem.kind == kind)
                          .order_by(Message.id.desc())).first() or 0


def facts(desk: Desk, ident: int) -> tuple[str, str | None]:
    """State and decision of a message."""
    with desk.rows() as db:
        found = db.get_one(Message, ident)
        return found.state, found.decision


def shown(desk: Desk, ident: int) -> str:
    """The page of a message."""
    return unescape(desk.browser.get(f"/messages/{ident}").get_data(as_text=True))


def send_all(desk: Desk) -> None:
    """Everything that is due goes."""
    Courier(lambda: desk.kit.work(Actor("worker")), Scripted(), "w").deliver_due()


def test_a_message_is_skipped_and_taken_back_from_its_page(desk: Desk) -> None:
    ident = message(desk)

    skipped = post(desk.browser, f"/messages/{ident}/skip")
    page = shown(desk, ident)

    assert (skipped.status_code, skipped.location) == (303, f"/messages/{ident}")
    assert facts(desk, ident) == ("withheld", "skipped")
    assert "Because: skipped by Receptionist." in page
    assert "Take back" in page
    post(desk.browser, f"/messages/{ident}/take-back")
    assert facts(desk, ident) == ("pending", None)
    assert texts(desk.browser.get(f"/messages/{ident}"), "story-line") == [
        "Written down Mon 1 Mar 2027, 09:00", "Skipped Mon 1 Mar 2027, 09:00, Receptionist",
        "Taken back: it goes after all Mon 1 Mar 2027, 09:00, Receptionist"]


def test_what_is_taken_over_waits_among_the_people_to_tell(desk: Desk) -> None:
    ident = message(desk)

    post(desk.browser, f"/messages/{ident}/take-over")

    assert facts(desk, ident) == ("withheld", "taken-over")
    assert "Receptionist tells it" in desk.browser.get("/people-to-tell").get_data(as_text=True)


def test_a_page_says_when_a_pending_message_goes_and_why_then(desk: Desk) -> None:
    assert "Goes Mon 1 Mar 2027, 09:03. A few minutes are left" in shown(desk, message(desk))
    reminder = shown(desk, message(desk, "reminder-7d"))
    assert re.search(r"Goes Mon 3 May 2027, 09:00\. That is the time which the clinic's rules set", reminder)


def test_a_page_says_at_once_that_a_message_waits_for_an_absence_and_at_once_that_it_goes_after_all(
    desk: Desk
) -> None:
    ident = message(desk)
    before = shown(desk, ident)
    with desk.rows() as db:
        held = db.scalars(
            sa.select(ResourceBooking).join(Practitioner, Practitioner.id == ResourceBooking.resource_id)
            .order_by(ResourceBooking.starts_at.desc())).first()
    assert held is not None
    with desk.kit.work(Actor("test")) as work:
        noted = add_absence(work, held.resource_id, starts_at=held.starts_at, ends_at=held.ends_at, reason="Ill")
        assert isinstance(noted, Done)
    waits, stored = shown(desk, ident), facts(desk, ident)
    with desk.kit.work(Actor("worker")) as work:
        sweep(work)
    swept, settled = shown(desk, ident), facts(desk, ident)
    with desk.kit.work(Actor("test")) as work:
        remove_absence(work, noted.value)
    after = shown(desk, ident)

    goes, because = "It goes out by itself when it is due.", f"Because: {IN_ABSENCE}."
    assert (stored, settled) == (("pending", None), ("withheld", None))
    assert [(goes in page, because in page, ">Send now<" in page, "What to tell the patient" in page)
            for page in (before, waits, swept, after)] == [
        (True, False, True, False), (False, True, False, False), (False, True, False, False),
        (True, False, True, False)]


def test_a_page_leaves_alone_what_somebody_decided(desk: Desk) -> None:
    ident = message(desk)
    post(desk.browser, f"/messages/{ident}/skip")
    with desk.rows() as db:
        for patient in db.scalars(sa.select(Patient)):
            patient.channel = "none"
        db.commit()

    assert "Because: skipped by Receptionist." in shown(desk, ident)


def test_a_message_goes_sooner_but_not_in_quiet_hours(desk: Desk, clock: FixedClock) -> None:
    ident = message(desk, "reminder-7d")
    desk.later(clock, timedelta(hours=12))

    answer = post(desk.browser, f"/messages/{ident}/send-now")

    assert answer.status_code == 303
    page = shown(desk, ident)
    assert "It is quiet hours: the message goes when they end, Tue 2 Mar 2027, 08:00." in page
    assert "Goes Tue 2 Mar 2027, 08:00. The clinic's quiet hours end then." in page


def test_a_sent_message_goes_again_once_somebody_is_sure(desk: Desk, clock: FixedClock) -> None:
    first = message(desk)
    desk.later(clock, timedelta(minutes=5))
    send_all(desk)
    assert facts(desk, first) == ("sent", None)

    unsure = post(desk.browser, f"/messages/{first}/send-again")
    sure = post(desk.browser, f"/messages/{first}/send-again", {"sure": "yes"})

    second = message(desk)
    assert (unsure.status_code, sure.status_code, sure.location) == (409, 303, f"/messages/{second}")
    assert "may have this message already" in unsure.get_data(as_text=True)
    assert "A newer message says it once more" in shown(desk, first)
    assert "Try 1: the mail server took it" in shown(desk, first)


@pytest.mark.parametrize(("phase", "code", "text", "words"), [
    ("connect", None, "retry: timed out", "the mail server could not be reached"),
    ("rcpt", 550, "failed: no such user", "no such mailbox"),
    ("rcpt", 452, "retry: later", "out of room"),
    ("dot", None, "uncertain: gone", "it may or may not have arrived"),
    ("rescued", None, "its worker was not heard of again", "another one took the message over"),
    ("dot", 599, "failed: no", "the mail server refused it"),
])
def test_every_answer_of_a_mail_server_is_said_in_plain_words(
    phase: str, code: int | None, text: str, words: str, desk: Desk
) -> None:
    ident = message(desk)
    with desk.rows() as db:
        db.add(MessageAttempt(message_id=ident, number=1, at=seed.NOW, worker_id="w", phase=phase, code=code,
                              text=text))
        db.commit()

    assert words in shown(desk, ident)


def test_a_note_is_kept_shown_and_warned_of_where_it_tells_too_much(desk: Desk) -> None:
    ident = message(desk)

    too_long = post(desk.browser, f"/messages/{ident}/note", {"note": "x" * 401})
    kept = post(desk.browser, f"/messages/{ident}/note", {"note": "The laser room\r\nhas moved."})

    assert (too_long.status_code, kept.status_code) == (422, 303)
    page = shown(desk, ident)
    assert "Whoever sees the screen reads “laser” in it." in page
    assert "The laser room\nhas moved.\n" in page


def test_only_who_may_acts_and_reading_changes_nothing(desk: Desk) -> None:
    ident = message(desk)
    reader = enter(desk.kit, "auditor")
    before = checksum(desk.kit.engine)

    page = reader.get(f"/messages/{ident}").get_data(as_text=True)

    assert f"/messages/{ident}/skip" not in page
    assert {post(reader, f"/messages/{ident}/{what}").status_code
            for what in ("skip", "take-over", "take-back", "send-now", "send-again", "note")} == {403}
    assert post(desk.browser, f"/messages/{ident}/burn").status_code == 404
    assert checksum(desk.kit.engine) == before


def test_messages_are_found_by_kind_state_and_patient(desk: Desk) -> None:
    with desk.rows() as db:
        other = seed.add_patient(db, "Zoë", "Ñandú", search_text=" nandu zoe ")
        seed.add_message(db, other, desk.clinic.clinic_id, kind="recall")
        db.commit()

    def found(query: str) -> int:
        return desk.browser.get(f"/messages{query}").get_data(as_text=True).count('class="cell-lead"')

    assert [found(query) for query in ("?kind=recall", "?q=ñandu", "?q=ñandu&kind=precare", "?kind=confirmation",
                                       "?state=sent&q=ñandu")] == [1, 1, 0, 1, 0]
    assert found("?kind=junk") == found("")


def test_the_page_of_a_message_takes_the_same_statements_however_much_happened(desk: Desk) -> None:
    ident = message(desk)
    few, _ = own_statements(desk.kit, desk.browser, f"/messages/{ident}")
    with desk.rows() as db:
        db.add_all(MessageAttempt(message_id=ident, number=number, at=seed.NOW, worker_id="w", phase="rcpt", code=450,
                                  text="retry: later") for number in range(1, 9))
        db.commit()

    many, page = own_statements(desk.kit, desk.browser, f"/messages/{ident}")

    assert (many, page.count("story-line")) == (few, 9)
