"""Links in messages: made once, kept as a hash, ended by what changes; and browsers that came in by one."""
from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from email import message_from_bytes, policy

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.care.owner_facts import Owner
from clinic.messages.mailbox import MailboxTransport
from clinic.queries.links import TRIES, LinkState, link_seen, my_browser
from clinic.services import links
from clinic.services.accounts import hash_of
from clinic.services.delivery import Courier
from clinic.services.letters import body_of
from clinic.services.patients import PatientDetails, edit_patient
from clinic.services.work import Done, NotFound, Refused
from clinic.store.accounts import AuditEntry, Task
from clinic.store.links import Link, PatientBrowser
from clinic.store.outbox import Message
from clinic.store.resources import Patient
from tests.my_links import BASE, new_secret
from tests.services.desk import Desk

BORN = date(1984, 3, 12)


@pytest.fixture
def desk(engine: Engine) -> Desk:
    made = Desk(engine)
    with made.work() as work:
        work.db.get_one(Patient, made.patient_id).birth_on = BORN
        work.commit()
    return made


def new_link(desk: Desk, owner: Owner | None = None) -> str:
    """The secret of a link to a course of the patient."""
    owner = owner or Owner("course", desk.book_course())
    with desk.work() as work:
        return new_secret(work, owner)


def entered(desk: Desk, secret: str) -> str:
    """The hash of a browser that came in by that link."""
    with desk.work() as work:
        outcome = links.open_link(work, secret)
    assert isinstance(outcome, Done)
    return hash_of(outcome.value)


def secrets_by_message(desk: Desk) -> dict[int, set[str]]:
    """The secrets of the links in each message that was written, in either of its texts."""
    with desk.work() as work:
        rows = work.db.execute(sa.select(Message.id, Message.mime).where(Message.mime.is_not(None))).all()
    found = {}
    for ident, mime in rows:
        mail = message_from_bytes(mime, policy=policy.default)
        bodies = [str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text"]
        found[ident] = {secret for body in bodies for secret in re.findall(rf"{BASE}/l/([\w-]{{43}})", body)}
    return found


def state_of(desk: Desk, secret: str) -> LinkState:
    with desk.work() as work:
        return link_seen(work.db, hash_of(secret), now=desk.now).state


def given(desk: Desk, browser: str, birth_on: date) -> str | None:
    """The code with which that birth date is refused; none where it is right."""
    with desk.work() as work:
        outcome = links.give_birth_date(work, browser, birth_on)
    return outcome.findings[0].code if isinstance(outcome, Refused) else None


def test_a_message_carries_one_link_of_its_own_and_keeps_it_when_it_is_repeated(desk: Desk) -> None:
    desk.book_course()
    desk.now += timedelta(minutes=10)
    courier = Courier(desk.work, MailboxTransport(), "w", base_url=BASE)
    courier.deliver_due()
    said = secrets_by_message(desk)
    with desk.work() as work:
        made = {link.message_id: link for link in work.db.scalars(sa.select(Link))}
        before = work.db.scalars(sa.select(Message.mime).order_by(Message.id)).all()
        work.db.execute(sa.update(Message).where(Message.id.in_(said)).values(state="pending", settled_at=None))
        work.commit()

    courier.deliver_due()

    assert {ident: {hash_of(secret) for secret in found} for ident, found in said.items()} == {
        ident: {link.secret_hash} for ident, link in made.items()}
    assert {(link.patient_id, link.owner_kind, link.purpose) for link in made.values()} == {
        (desk.patient_id, "course", "my-course")}
    with desk.work() as work:
        assert work.db.scalars(sa.select(Message.mime).order_by(Message.id)).all() == before
        assert work.db.scalar(sa.select(sa.func.count()).select_from(Link)) == len(made)


def test_what_staff_read_before_it_is_sent_has_a_stand_in_and_makes_no_link(desk: Desk) -> None:
    desk.book_course()
    with desk.work() as work:
        waiting = work.db.scalars(sa.select(Message.id).order_by(Message.id)).first()
        assert waiting is not None
        body = body_of(work.db, waiting, now=desk.now)
        assert body is not None and links.STAND_IN in body.text and links.STAND_IN in body.html
        assert work.db.scalar(sa.select(sa.func.count()).select_from(Link)) == 0


def test_a_link_ends_when_the_address_changes_and_not_when_something_else_does(desk: Desk) -> None:
    secret = new_link(desk)
    details = PatientDetails("Maria", "Silva", BORN, "maria@example.org", "+351 282 000 222")

    states = []
    for version, changed in enumerate((details, replace(details, email="maria@home.example")), start=1):
        with desk.work() as work:
            assert isinstance(edit_patient(work, desk.patient_id, changed, lock_version=version), Done)
        states.append(state_of(desk, secret))

    assert states == [LinkState.OPENS, LinkState.REVOKED]


def test_a_browser_is_in_for_twenty_minutes_after_its_last_use_and_never_a_whole_day(desk: Desk) -> None:
    browser = entered(desk, new_link(desk))
    began = desk.now
    while desk.now < began + timedelta(hours=11, minutes=40):
        desk.now += timedelta(minutes=19)
        with desk.work() as work:
            assert my_browser(work.db, browser, now=desk.now) is not None
            links.note_used(work, browser)

    desk.now = began + timedelta(hours=12)

    with desk.work() as work:
        assert my_browser(work.db, browser, now=desk.now) is None
    other = entered(desk, new_link(desk, Owner("course", 1)))
    desk.now += timedelta(minutes=20)
    with desk.work() as work:
        assert my_browser(work.db, other, now=desk.now) is None


def test_a_few_wrong_birth_dates_on_whichever_link_end_the_asking_and_open_a_task(desk: Desk) -> None:
    first, second = new_link(desk), new_link(desk, Owner("course", 1))
    wrong = [given(desk, entered(desk, secret), date(1984, 12, 3)) for secret in (first, second, first, second, first)]

    assert wrong == ["wrong-date"] * TRIES
    assert given(desk, entered(desk, second), BORN) == "no-tries"
    with desk.work() as work:
        [task] = work.db.scalars(sa.select(Task)).all()
        assert (task.kind, task.patient_id) == ("call", desk.patient_id)
        links.revoke_links(work, desk.patient_id)
    assert given(desk, entered(desk, new_link(desk, Owner("course", 1))), BORN) is None


def test_a_right_birth_date_opens_what_is_about_health_in_that_browser_alone(desk: Desk) -> None:
    secret = new_link(desk)
    browser, other = entered(desk, secret), entered(desk, secret)

    assert given(desk, browser, date(2001, 1, 1)) == "wrong-date"
    assert given(desk, browser, BORN) is None

    with desk.work() as work:
        known = [my_browser(work.db, each, now=desk.now) for each in (browser, other)]
        actions = work.db.scalars(sa.select(AuditEntry.action).where(AuditEntry.subject_kind == "patient")).all()
    assert [(each.is_born, each.tries_left) for each in known if each] == [(True, TRIES), (False, TRIES)]
    assert actions.count("birth-date-wrong") == actions.count("birth-date-right") == 1


def test_where_no_birth_date_is_kept_none_is_right(desk: Desk) -> None:
    browser = entered(desk, new_link(desk))
    with desk.work() as work:
        work.db.get_one(Patient, desk.patient_id).birth_on = None
        work.commit()

    assert given(desk, browser, BORN) == "no-tries"


def test_a_revoked_or_expired_link_opens_no_more_and_shuts_out_who_is_in(desk: Desk) -> None:
    revoked, expired = new_link(desk), new_link(desk, Owner("course", 1))
    browser = entered(desk, revoked)
    with desk.work() as work:
        work.db.execute(sa.update(Link).where(Link.secret_hash == hash_of(revoked)).values(revoked_at=work.now))
        work.db.execute(sa.update(Link).where(Link.secret_hash == hash_of(expired)).values(expires_at=work.now))
        work.commit()

    with desk.work() as work:
        codes = [links.open_link(work, secret) for secret in (revoked, expired, "x" * 43)]
    assert [outcome.findings[0].code for outcome in codes if isinstance(outcome, Refused)] == [
        "link-revoked", "link-expired", "link-unknown"]
    with desk.work() as work, pytest.raises(NotFound):
        links.opened(work, browser)


def test_browsers_are_forgotten_when_their_time_is_over_but_wrong_dates_still_count(desk: Desk) -> None:
    secret = new_link(desk)
    entered(desk, secret)
    given(desk, entered(desk, secret), date(2001, 1, 1))
    desk.now += timedelta(hours=1)

    with desk.work() as work:
        links.forget_browsers(work)
        work.commit()
        kept = work.db.scalars(sa.select(PatientBrowser.wrong_dates)).all()
    assert kept == [1]
