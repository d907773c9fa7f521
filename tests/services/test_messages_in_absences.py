"""What counts on somebody who is noted absent does not go while that stands, and goes by the rules if it ends."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from itertools import chain

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.care.owed_items import IN_ABSENCE
from clinic.messages.mailbox import MailboxTransport
from clinic.queries.absences import messages_waiting
from clinic.queries.people_to_tell import people_to_tell
from clinic.services.absences import add_absence, remove_absence
from clinic.services.delivery import Courier
from clinic.services.reconcile import settle_expired, sweep
from clinic.services.sending import send_now
from clinic.services.work import Refused
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.outbox import Message, MessageItem
from clinic.store.resources import Absence, Device, Practitioner
from tests.booking import done
from tests.services.desk import NOW, Desk

MONDAY, LATER = date(2027, 3, 29), date(2027, 4, 27)
"""Lisbon's clocks go forward on Sunday 28 March: between the reminder and its visit."""
REMINDED_AT = datetime(2027, 3, 27, 9, tzinfo=UTC)
ABOUT_ONE = ("reminder-2d",)


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


@pytest.fixture
def held(desk: Desk) -> int:
    """The practitioner whom every visit holds."""
    return added(desk, Practitioner(name="Anna"))


def added(desk: Desk, row: Practitioner | Device) -> int:
    with desk.work() as work:
        work.db.add(row)
        work.db.flush()
        work.commit()
        return row.id


def book(desk: Desk, held: int, *days: date) -> int:
    """A course of which every visit holds it."""
    course_id = desk.book_course(days)
    hold(desk, held)
    return course_id


def hold(desk: Desk, held: int) -> None:
    """Each visit that is booked holds it for as long as it lasts."""
    with desk.work() as work:
        work.db.execute(sa.delete(ResourceBooking))
        for row in work.db.scalars(sa.select(Appointment).where(Appointment.state == "booked")):
            work.db.add(ResourceBooking(appointment_id=row.id, resource_id=held, clinic_id=1, need=1,
                                        starts_at=row.starts_at, ends_at=row.ends_at))
        work.commit()


def note(desk: Desk, held: int, begins: str = "2027-03-28T23:00", ends: str = "2027-03-29T23:00") -> int:
    """An absence between two instants, by default the whole Monday in Lisbon."""
    with desk.work() as work:
        return done(add_absence(work, held, starts_at=datetime.fromisoformat(begins).replace(tzinfo=UTC),
                                ends_at=datetime.fromisoformat(ends).replace(tzinfo=UTC), reason="Ill"))


def take_back(desk: Desk, absence_id: int) -> None:
    with desk.work() as work:
        done(remove_absence(work, absence_id))


def look(desk: Desk) -> None:
    """What a worker does each minute."""
    with desk.work() as work:
        settle_expired(work)
    after = None
    while True:
        with desk.work() as work:
            after = sweep(work, after=after)
        if after is None:
            return


def deliver(desk: Desk) -> list[str]:
    """What leaves now: the kinds of each e-mail."""
    with desk.work() as work:
        before = set(work.db.scalars(sa.select(Message.id).where(Message.state == "sent")))
    Courier(desk.work, MailboxTransport(), "worker").deliver_due()
    with desk.work() as work:
        return list(work.db.scalars(
            sa.select(MessageItem.kind).join(Message).where(Message.state == "sent", Message.id.not_in(before))
            .order_by(MessageItem.id)))


def words(desk: Desk, kind: str) -> str:
    """The plain text of the newest message of that kind that was sent."""
    mime = desk.message(kind, state="sent").mime
    assert mime is not None
    body = message_from_bytes(mime, policy=policy.default).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def told(desk: Desk, held: int) -> int:
    """A visit on the Monday after the clocks change whose patient knows of it; the appointment's id."""
    [appointment_id] = desk.appointment_ids(book(desk, held, MONDAY))
    desk.wait(minutes=3)
    assert "confirmation" in deliver(desk)
    desk.now = REMINDED_AT - timedelta(days=1)
    look(desk)
    deliver(desk)
    return appointment_id


@pytest.mark.parametrize("is_seen_before", [False, True])
def test_a_reminder_is_withheld_by_the_last_look_and_goes_once_the_absence_is_taken_back(
    desk: Desk, held: int, is_seen_before: bool
) -> None:
    appointment_id = told(desk, held)
    absence_id = note(desk, held)
    if is_seen_before:
        look(desk)
    desk.now = REMINDED_AT

    assert deliver(desk) == []
    look(desk)
    assert deliver(desk) == []
    [line] = desk.lines(*ABOUT_ONE)
    assert (line.state, line.due_at, line.reason) == ("withheld", REMINDED_AT, IN_ABSENCE)
    with desk.work() as work:
        assert people_to_tell(work.db, 1, now=desk.now).rows == ()
        [waits] = messages_waiting(work.db, [appointment_id], now=desk.now)[appointment_id]
        assert (waits.kind, waits.due_at) == ("reminder-2d", REMINDED_AT)
    take_back(desk, absence_id)
    look(desk)
    assert deliver(desk) == ["reminder-2d"]
    assert "10:00" in words(desk, "reminder-2d")


def test_a_visit_that_is_moved_out_of_the_absence_is_told_and_reminded_of_as_ever(desk: Desk, held: int) -> None:
    appointment_id = told(desk, held)
    note(desk, held)
    desk.now = REMINDED_AT
    deliver(desk)
    desk.move(appointment_id, LATER)
    hold(desk, held)
    look(desk)
    desk.wait(minutes=3)

    assert deliver(desk)[0] == "change"
    assert [(line.state, line.reason) for line in desk.lines(*ABOUT_ONE)] == [
        ("superseded", "the appointment was moved"), ("pending", None)]
    desk.now = datetime(2027, 4, 25, 8, tzinfo=UTC)
    assert "reminder-2d" in deliver(desk)


def test_what_nobody_settles_is_never_sent_and_stays_to_be_seen(desk: Desk, held: int) -> None:
    told(desk, held)
    absence_id = note(desk, held)
    for now in (REMINDED_AT, datetime(2027, 3, 29, 8, tzinfo=UTC), datetime(2027, 3, 29, 10, tzinfo=UTC)):
        desk.now = now
        look(desk)
        assert deliver(desk) == []
    take_back(desk, absence_id)
    look(desk)

    assert deliver(desk) == []
    assert [(line.state, line.reason) for line in desk.lines(*ABOUT_ONE)] == [("withheld", IN_ABSENCE)]


@pytest.mark.parametrize(("begins", "ends", "source"), [
    ("2027-03-28T23:00", "2027-03-29T09:00", None),  # ends as the visit begins: ten o'clock in summer time
    ("2027-03-29T10:00", "2027-03-29T23:00", None),  # begins as it ends
    ("2027-03-28T23:00", "2027-03-29T23:00", "outside.ics"),
])
def test_an_absence_beside_the_visit_and_an_outside_calendar_hold_nothing_back(
    desk: Desk, held: int, begins: str, ends: str, source: str | None
) -> None:
    told(desk, held)
    note(desk, held, begins, ends)
    with desk.work() as work:
        work.db.execute(sa.update(Absence).values(source=source))
        work.commit()
    desk.now = REMINDED_AT

    assert deliver(desk) == ["reminder-2d"]


@pytest.mark.parametrize(("begins", "ends"), [
    ("2027-03-28T23:00", "2027-03-29T09:01"), ("2027-03-29T09:59", "2027-03-29T23:00")])
def test_a_minute_of_the_visit_in_an_absence_is_enough_of_a_device_too(desk: Desk, begins: str, ends: str) -> None:
    held = added(desk, Device(clinic_id=1, name="Laser 2", device_type="laser"))
    told(desk, held)
    note(desk, held, begins, ends)
    desk.now = REMINDED_AT

    assert deliver(desk) == []


def test_a_confirmation_waits_but_what_takes_a_time_back_goes_without_the_date_in_the_absence(
    desk: Desk, held: int
) -> None:
    first, second = desk.appointment_ids(book(desk, held, MONDAY, LATER))
    absence_id = note(desk, held)
    desk.wait(minutes=3)
    assert deliver(desk) == []
    [line] = desk.lines("confirmation")
    assert (line.state, line.reason) == ("withheld", IN_ABSENCE)
    with desk.work() as work:
        waiting = messages_waiting(work.db, [first, second], now=desk.now)
    assert "confirmation" in {each.kind for each in chain(*waiting.values())}
    take_back(desk, absence_id)
    look(desk)
    assert "confirmation" in deliver(desk)

    note(desk, held)
    desk.move(second, date(2027, 4, 29))
    hold(desk, held)
    desk.wait(minutes=3)
    assert deliver(desk) == ["change"]
    text = words(desk, "change")
    assert ("29 April" in text, "29 March" in text) == (True, False)


def test_nobody_hastens_what_waits_for_an_absence(desk: Desk, held: int) -> None:
    told(desk, held)
    note(desk, held)

    with desk.work() as work:
        outcome = send_now(work, desk.message("reminder-2d").id)

    assert isinstance(outcome, Refused)
    assert IN_ABSENCE in outcome.findings[0].text


def test_who_asked_for_the_phone_is_not_to_be_called_about_a_visit_in_an_absence(desk: Desk, held: int) -> None:
    told(desk, held)
    desk.set_patient(channel="phone")
    absence_id = note(desk, held)
    desk.now = REMINDED_AT
    found = []
    for _ in range(2):
        look(desk)
        with desk.work() as work:
            found.append([each.kinds for row in people_to_tell(work.db, 1, now=desk.now).rows
                          for each in row.messages])
        if absence_id:
            take_back(desk, absence_id)
            absence_id = 0

    assert found == [[], [("reminder-2d",)]]


def test_what_failed_is_not_told_by_phone_either_while_the_absence_stands(desk: Desk, held: int) -> None:
    told(desk, held)
    desk.set_messages(Message.id == desk.message("reminder-2d").id, state="failed", settled_at=NOW)
    counts = []
    for is_noted in (False, True):
        if is_noted:
            note(desk, held)
        with desk.work() as work:
            counts.append(people_to_tell(work.db, 1, now=desk.now).total)

    assert counts == [1, 0]
