"""Visits are moved and cancelled at random while workers claim and send: nothing leaves for a time that did not hold
any more when its bytes were frozen, and whatever was on the wire just then is put right by what follows it.
"""
from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
import sqlalchemy as sa
from icalendar import Calendar
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.owed_items import IN_ABSENCE
from clinic.clock import system_clock
from clinic.messages.smtp import Timeouts
from clinic.services.absences import add_absence, remove_absence
from clinic.services.delivery import Patience
from clinic.store.clinics import Business, Clinic
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.engine import for_writing
from clinic.store.outbox import Message, MessageAttempt, MessageItem
from clinic.store.resources import Patient, Practitioner
from tests.booking import booked, done
from tests.databases import is_full
from tests.prove.change_desk import BEHIND, Change, changes_in, run_change_desk
from tests.prove.mail_ledger import desk_of_today
from tests.prove.mail_pack import begun, pack, wait_until
from tests.prove.mail_worker import PACE, Place
from tests.prove.race_desk import Arena
from tests.sink import Accepted, Faults, Sink
from tests.small_clinic import SmallClinic, small_clinic

DESKS, OPERATIONS, PATIENTS, WORKERS = (4, 120, 24, 4) if is_full() else (2, 30, 4, 2)
FAULTS = Faults(data_4xx=0.2, dot_4xx=0.2, slow_reply=1.0, slow_for=0.2)
CALM = replace(PACE, deliver=0.05, budget=700, lease_for=timedelta(hours=1), owe=2,
               patience=Patience(timedelta(seconds=1), timedelta(seconds=1), 50, timedelta(hours=1)))
PATIENT = Timeouts(connect=90, command=90, data=90, dot=90)
TOLD = ("confirmation", "change", "cancellation")


@dataclass(frozen=True)
class Sent:
    """What one accepted copy told: which visits at which revision, in which attempt to send which message."""

    at: float
    message_id: int
    attempt: int
    recipient: str
    mime: bytes
    told: Mapping[int, int]


@pytest.mark.prove
def test_nothing_leaves_for_a_time_that_did_not_hold_any_more_and_the_last_word_is_the_diary(
    engine: Engine, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = _clinic(engine)
    arena = Arena(made.now, made.clinic_id, "Europe/London", tuple(made.patients), (), ())
    histories = [tmp_path / f"desk-{number}.jsonl" for number in range(DESKS)]
    begun_at = time.monotonic()

    with Sink(tmp_path / "sink.log", FAULTS, seed=1) as sink, pack(
        Place(database_url, sink.port, CALM, PATIENT)
    ) as workers:
        workers.start(WORKERS)
        desks = [begun(run_change_desk, database_url, arena, seed, OPERATIONS, history)
                 for seed, history in enumerate(histories)]
        for desk in desks:
            desk.join()
        wait_until(lambda: _unsettled(engine) == 0)
        statuses = [*workers.stop(), *(desk.exitcode for desk in desks)]
        accepted = sink.accepted()

    changes = [change for history in histories for change in changes_in(history)]
    sent = list(_sent(engine, accepted))
    caught = [each for each in sent if _revised(each, changes)]
    with capsys.disabled():
        sys.stdout.write(
            f"\n{engine.dialect.name}: {len(changes)} changes, {len(sent)} messages, {len(caught)} of them on the wire "
            f"when their visit changed, in {time.monotonic() - begun_at:.0f} s\n")
    assert set(statuses) == {0}
    assert len(sent) == len(accepted)
    assert [each for each in caught if not _was_on_the_wire(each, changes)] == []
    assert _calendars(sent) == _diary(engine)


@pytest.mark.prove
def test_what_was_on_the_wire_when_its_visit_moved_is_followed_by_the_change_and_what_was_not_never_leaves(
    database_url: str, tmp_path: Path
) -> None:
    points = ("after-claim", "before-connect", "mid-body", "before-begun", "after-begun", "after-250")

    with desk_of_today(database_url) as desk, Sink(tmp_path / "sink.log") as sink, pack(
        Place(database_url, sink.port, CALM, PATIENT)
    ) as workers:
        of_point = {point: desk.book_course((desk.now.date() + timedelta(days=60),),
                                            patient_id=desk.new_patient(f"{point}@example.org")) for point in points}
        with workers.asleep_at(points):
            for course_id in of_point.values():
                desk.move(desk.appointment_ids(course_id)[0], desk.now.date() + timedelta(days=61))
        workers.start()
        wait_until(lambda: _unsettled(desk.engine) == 0)
        workers.stop()
        sent = list(_sent(desk.engine, sink.accepted()))
        diary = _diary(desk.engine)

    assert _calendars(sent) == {who: visits for who, visits in diary.items() if visits}
    assert {point: [revision for each in sent if each.recipient == f"{point}@example.org"
                    for revision in each.told.values()] for point in points} == {
        point: [1] if point == "after-claim" else [0, 1] for point in points}


@pytest.mark.prove
def test_what_was_claimed_when_an_absence_was_noted_waits_until_it_is_taken_back(
    database_url: str, tmp_path: Path
) -> None:
    points = ("after-claim", "before-connect")

    with desk_of_today(database_url) as desk, Sink(tmp_path / "sink.log") as sink, pack(
        Place(database_url, sink.port, CALM, PATIENT)
    ) as workers:
        for ahead, point in enumerate(points, 60):
            patient_id = desk.new_patient(f"{point}@example.org")
            desk.book_course((desk.now.date() + timedelta(days=ahead),), patient_id=patient_id)
        anna = _held_by_all(desk.engine)
        with workers.asleep_at(points), desk.work() as work:
            absence_id = done(add_absence(work, anna, starts_at=desk.now, ends_at=desk.now + timedelta(days=90),
                                          reason="Ill"))
        workers.start()
        wait_until(lambda: _unsettled(desk.engine) == 0)
        told_meanwhile, waits = sink.accepted(), desk.lines("confirmation")
        with desk.work() as work:
            done(remove_absence(work, absence_id))
        wait_until(lambda: {line.state for line in desk.lines("confirmation")} == {"sent"})
        workers.stop()
        told = sink.accepted()

    assert [each.recipient for each in told_meanwhile] == ["before-connect@example.org"]
    assert {(line.state, line.reason) for line in waits} == {("sent", None), ("withheld", IN_ABSENCE)}
    assert [each.recipient for each in told] == ["before-connect@example.org", "after-claim@example.org"]


def _held_by_all(engine: Engine) -> int:
    """A practitioner whom every visit holds."""
    with Session(for_writing(engine)) as db:
        row = Practitioner(name="Anna")
        db.add(row)
        db.flush()
        db.add_all(ResourceBooking(appointment_id=each.id, resource_id=row.id, clinic_id=1, need=1,
                                   starts_at=each.starts_at, ends_at=each.ends_at)
                   for each in db.scalars(sa.select(Appointment)))
        db.commit()
        return row.id


def _clinic(engine: Engine) -> SmallClinic:
    """Courses that were booked just now, at a clinic without quiet hours or a cap on a day's messages."""
    made = small_clinic(engine, patients=PATIENTS)
    made.now = system_clock() - BEHIND
    with Session(for_writing(engine)) as db:
        db.get_one(Business, 1).mail_on_since = made.now
        clinic = db.get_one(Clinic, made.clinic_id)
        clinic.quiet_from = clinic.quiet_to = 0
        clinic.most_messages_a_day = 20
        db.commit()
    for patient_id in made.patients:
        booked(made, sessions=3, patient_id=patient_id, not_before_on=made.now.date() + timedelta(days=30))
    return made


def _unsettled(engine: Engine) -> int:
    with Session(engine) as db:
        return db.scalar(
            sa.select(sa.func.count()).select_from(MessageItem).join(Message)
            .where(MessageItem.kind.in_(TOLD), Message.state.in_(("pending", "sending")))) or 0


def _sent(engine: Engine, accepted: Sequence[Accepted]) -> Iterator[Sent]:
    with Session(engine) as db:
        rows = {row.message_id: row for row in db.scalars(sa.select(Message))}
        numbers = {row.message_id: row.number for row in db.scalars(
            sa.select(MessageAttempt).where(MessageAttempt.phase == "dot", MessageAttempt.code == 250))}
        for each in accepted:
            row = rows[each.message_id]
            items = db.scalars(sa.select(MessageItem).where(MessageItem.message_id == row.id))
            told = {visit["appointment"]: visit["revision"] for item in items for visit in item.facts.get("visits", ())}
            yield Sent(each.at, row.id, numbers[row.id], each.recipient, row.mime or b"", told)


def _revised(each: Sent, changes: Sequence[Change]) -> list[Change]:
    """The changes that were saved before this was accepted, and of which it does not know."""
    return [change for change in changes
            if change.saved_at < each.at and each.told.get(change.appointment_id, change.revision) < change.revision]


def _was_on_the_wire(each: Sent, changes: Sequence[Change]) -> bool:
    return all((each.message_id, each.attempt) in change.on_the_wire for change in _revised(each, changes))


def _calendars(sent: Sequence[Sent]) -> dict[str, dict[str, datetime]]:
    """What the calendar of each patient shows who put in every file in the order in which the mail server took them: a
    higher SEQUENCE replaces, a lower one is passed over."""
    shown: dict[str, dict[str, tuple[int, datetime | None]]] = {}
    for each in sorted(sent, key=lambda each: each.at):
        mine = shown.setdefault(each.recipient, {})
        for part in message_from_bytes(each.mime).walk():
            if part.get_content_type() != "text/calendar":
                continue
            calendar = Calendar.from_ical(part.get_payload(decode=True))
            for event in calendar.walk("VEVENT"):
                uid, sequence = str(event["UID"]), int(event["SEQUENCE"])
                if uid not in mine or sequence >= mine[uid][0]:
                    is_off = calendar["METHOD"] == "CANCEL"
                    mine[uid] = sequence, None if is_off else event["DTSTART"].dt.astimezone(UTC)
    return {who: {uid: at for uid, (_, at) in mine.items() if at is not None} for who, mine in shown.items()}


def _diary(engine: Engine) -> dict[str, dict[str, datetime]]:
    """When each patient's visits are."""
    with Session(engine) as db:
        found: dict[str, dict[str, datetime]] = {
            email: {} for email in db.scalars(sa.select(Patient.email)) if email}
        for email, uid, starts_at in db.execute(
            sa.select(Patient.email, Appointment.uid, Appointment.starts_at)
            .join(Patient.__table__, Patient.__table__.c.id == Appointment.patient_id)
            .where(Appointment.state == "booked")
        ):
            found[email][uid] = starts_at
    return found
