"""The morning digest: once a day at seven by the clinic's clock, about what waits, to whom it is of use."""
from __future__ import annotations

import email.policy
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.queries.digests import Morning, task_numbers
from clinic.queries.shell import shell_counts
from clinic.queries.undated import Horizon
from clinic.services.digests import choose_digest, lines_of, owe_digests, place_of, revision_of
from clinic.store.accounts import Account, AccountRole, Task
from clinic.store.clinics import Closure, OpeningHours
from clinic.store.diary import Appointment
from clinic.store.outbox import Message
from clinic.store.resources import Certificate, Practitioner
from tests.services.newsroom import BASE, Newsroom
from tests.services.test_delivery import LOST, Scripted

LISBON = ZoneInfo("Europe/Lisbon")


@pytest.fixture
def room(engine: Engine) -> Newsroom:
    """A clinic that is open every day, whose manager wants the digest."""
    made = Newsroom(engine)
    with made.work() as work:
        work.db.add_all(OpeningHours(clinic_id=1, weekday=day, opens=540, closes=1080) for day in range(7))
        work.commit()
    with made.at_work() as work:
        choose_digest(work, made.account_id, wanted=True)
    return made


def add_task(room: Newsroom, *, urgent: bool = False) -> None:
    with room.work() as work:
        work.db.add(Task(clinic_id=1, patient_id=room.patient_id, kind="symptom" if urgent else "call",
                         text="Call Maria about her acne scars", due_on=date(2027, 1, 1), urgent=urgent,
                         created_at=room.now))
        work.commit()


def tick(room: Newsroom, transport: Scripted) -> None:
    with room.work() as work:
        owe_digests(work)
    room.deliver(transport)


def read(mime: bytes) -> tuple[str, str, str]:
    """The recipient, the subject and the text."""
    mail = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(mime)
    body = mail.get_body(("plain",))
    return str(mail["To"]), str(mail["Subject"]), body.get_content().replace("\r\n", "\n") if body else ""


@pytest.mark.parametrize(("first", "change"), [
    (date(2027, 3, 26), date(2027, 3, 28)), (date(2027, 10, 29), date(2027, 10, 31))])
def test_it_comes_once_at_seven_on_every_day_across_a_clock_change(
    room: Newsroom, first: date, change: date
) -> None:
    add_task(room)
    came: list[datetime] = []
    room.now = datetime(first.year, first.month, first.day, tzinfo=UTC)

    while room.now.date() < first + timedelta(days=5):
        transport = Scripted()
        tick(room, transport)
        came += [room.now.astimezone(LISBON)] * len(transport.taken)
        room.wait(minutes=30)

    assert [at.strftime("%H:%M") for at in came] == ["07:00"] * 5
    assert [at.date() for at in came] == [first + timedelta(days=each) for each in range(5)]
    assert change in {at.date() for at in came}
    assert len({at.utcoffset() for at in came}) == 2


def test_it_says_numbers_and_links_and_neither_names_nor_what_anybody_is_treated_for(room: Newsroom) -> None:
    add_task(room)
    add_task(room, urgent=True)
    room.book_course((date(2027, 3, 2),))
    room.now = datetime(2027, 3, 2, 7, tzinfo=UTC)
    transport = Scripted()
    with room.work() as work:  # the patient's own messages are no part of this
        work.db.execute(sa.update(Message).values(state="superseded", settled_at=room.now))
        work.commit()

    tick(room, transport)

    [mail] = transport.taken
    to, subject, text = read(mail)
    assert to == "manager@alvor.example"
    assert subject == "This morning at Clínica Alvor: Tuesday 2 March"
    assert f"1 urgent request\n  {BASE}/requests\n" in text
    assert f"2 tasks are open\n  {BASE}/tasks\n" in text and "2 of them are due\n" in text
    assert "1 appointment today\n" in text
    assert f"1 appointment today is not confirmed\n  {BASE}/unconfirmed\n" in text
    said = text + subject
    assert not [word for word in ("Maria", "Silva", "acne", "scar", "needl", "example.org") if word in said]
    assert text.index("urgent") < text.index("appointment")


def test_it_counts_the_tasks_that_the_navigation_counts_and_says_how_many_of_them_are_due(room: Newsroom) -> None:
    add_task(room)
    add_task(room, urgent=True)
    with room.work() as work:
        later = work.db.scalars(sa.select(Task).order_by(Task.id).limit(1)).one()
        later.due_on = date(2027, 4, 1)
        work.commit()
    visit = room.book_course((date(2027, 3, 1),))
    with room.work() as work:
        work.db.execute(sa.update(Appointment).values(state="arrived", arrived_at=room.now))
        work.commit()
    now = datetime(2027, 3, 2, 8, tzinfo=UTC)

    with room.work() as work:
        urgent, every, due = task_numbers(work.db, 1, now.date(), now)
        shell = shell_counts(work.db, 1, Horizon(now.date(), now.date() + timedelta(days=90)), now)

    assert visit and (urgent, every, due) == (1, 3, 2)
    assert every == shell.tasks
    assert Morning(tasks=3).is_empty and not Morning(tasks=3, due_tasks=1).is_empty


def test_on_a_day_with_nothing_to_tell_nothing_is_sent_and_that_is_written_down(room: Newsroom) -> None:
    room.now = datetime(2027, 3, 2, 8, tzinfo=UTC)
    transport = Scripted()

    tick(room, transport)
    add_task(room)
    room.wait(hours=1)
    tick(room, transport)

    assert transport.taken == []
    with room.work() as work:
        [message] = work.db.scalars(sa.select(Message)).all()
    assert (message.state, message.reason) == ("superseded", "there is nothing to tell")


@pytest.mark.parametrize("hour", [0, 6, 12, 18])
def test_before_seven_and_after_noon_none_is_owed(room: Newsroom, hour: int) -> None:
    add_task(room)
    room.now = datetime(2027, 3, 2, hour, tzinfo=UTC)

    tick(room, Scripted())

    assert room.states("digest") == {}


def test_a_closed_day_has_none(room: Newsroom) -> None:
    add_task(room)
    with room.work() as work:
        work.db.add(Closure(clinic_id=1, from_on=date(2027, 3, 2), to_on=date(2027, 3, 3), reason="Works"))
        work.db.execute(sa.delete(OpeningHours).where(OpeningHours.weekday == 3))
        work.commit()
    transport = Scripted()

    for day in (2, 3, 4, 5):
        room.now = datetime(2027, 3, day, 8, tzinfo=UTC)
        tick(room, transport)

    assert [read(mail)[1] for mail in transport.taken] == ["This morning at Clínica Alvor: Friday 5 March"]


def test_only_what_an_account_may_see_is_told(room: Newsroom) -> None:
    add_task(room)
    with room.work() as work:
        person = Practitioner(name="Dr Reis")
        work.db.add(person)
        work.db.flush()
        work.db.add(Certificate(practitioner_id=person.id, kind="insurance", title="Liability",
                                valid_from=date(2026, 1, 1), expires_on=date(2027, 2, 1)))
        for role in ("administrator", "receptionist", "auditor"):
            account = Account(email=f"{role}@alvor.example", name=role, password_hash="-", wants_digest=True,
                              created_at=room.now)
            work.db.add(account)
            work.db.flush()
            work.db.add(AccountRole(account_id=account.id, clinic_id=1, role=role))
        work.commit()
    room.now = datetime(2027, 3, 2, 8, tzinfo=UTC)
    transport = Scripted()

    tick(room, transport)

    told = {to.partition("@")[0]: {line.removeprefix("- ") for line in text.splitlines() if line.startswith("- ")}
            for to, _, text in map(read, transport.taken)}
    one_task = {"1 task is open", "1 of them is due"}
    assert told == {
        "manager": {"1 certificate has run out", *one_task}, "administrator": {"1 certificate has run out"},
        "receptionist": one_task}


def test_who_wants_none_any_more_or_is_gone_gets_none(room: Newsroom) -> None:
    add_task(room)
    room.now = datetime(2027, 3, 2, 8, tzinfo=UTC)
    with room.work() as work:
        owe_digests(work)
    with room.at_work() as work:
        choose_digest(work, room.account_id, wanted=False)
    transport = Scripted()

    room.deliver(transport)

    assert (transport.taken, room.states("digest")) == ([], {"superseded": 1})


def test_after_noon_it_is_of_no_use_and_a_lost_answer_is_repeated_once(room: Newsroom) -> None:
    add_task(room)
    room.now = datetime(2027, 3, 2, 7, tzinfo=UTC)
    transport = Scripted(LOST)

    tick(room, transport)
    room.wait(minutes=5)
    tick(room, transport)
    room.now = datetime(2027, 3, 3, 7, tzinfo=UTC)
    with room.work() as work:
        owe_digests(work)
    room.wait(hours=6)
    room.deliver(transport)

    assert len(transport.taken) == 2
    assert transport.taken[0] == transport.taken[1]
    assert room.states("digest") == {"sent": 1, "expired": 1}


def test_a_digest_is_one_of_its_kind_by_clinic_and_day() -> None:
    days = [date(2027, 1, 1) + timedelta(days=each) for each in range(0, 4000, 37)]
    pairs = [(clinic, day) for clinic in (1, 2, 17, 1999) for day in days]

    assert [place_of(revision_of(*pair)) for pair in pairs] == pairs
    assert max(revision_of(*pair) for pair in pairs) < 2 ** 31


def test_an_empty_morning_has_no_lines() -> None:
    assert lines_of(Morning(), BASE) == ()
    assert Morning().is_empty
    assert not Morning(held=1).is_empty
