"""One patient's story: a moving clock, from booking to the second maintenance session, through both clock changes."""
from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.screening import LaxityGrade, ScreeningAnswers
from clinic.messages.mailbox import MailboxTransport
from clinic.queries.course_asks import CourseRequest
from clinic.queries.offers import offer_course
from clinic.queries.times import TimeOffer, offer_times
from clinic.queries.visit_choice import parse_choice
from clinic.services import appointments, attendance, completion, courses, mail
from clinic.services.delivery import Courier
from clinic.services.work import Done
from clinic.store.courses import MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageItem
from tests.small_clinic import SmallClinic, small_clinic

LONDON = ZoneInfo("Europe/London")
APPROVED = Path(__file__).parent / "approved" / "whole_course.txt"


class Story:
    """A clinic in which time passes: whatever falls due on the way is sent when it is due, and noted."""

    def __init__(self, engine: Engine) -> None:
        self.clinic: SmallClinic = small_clinic(engine)
        self.engine = engine
        self.courier = Courier(self.clinic.work, MailboxTransport(), "story")
        self.sent: list[tuple[datetime, str, str]] = []
        with self.clinic.work() as work:
            mail.switch_mail_on(work)

    def until(self, at: datetime) -> None:
        """Lets the time pass to `at`."""
        while (due := self._next_due()) is not None and due <= at:
            self.clinic.now = max(self.clinic.now, due)
            self._deliver()
        self.clinic.now = max(self.clinic.now, at)
        self._deliver()

    def _next_due(self) -> datetime | None:
        with Session(self.engine) as db:
            return db.scalar(sa.select(sa.func.min(Message.due_at)).where(Message.state == "pending"))

    def _deliver(self) -> None:
        self.courier.deliver_due(100)
        with Session(self.engine) as db:
            rows = db.execute(
                sa.select(Message.id, MessageItem.kind, Message.mime)
                .join(MessageItem, MessageItem.message_id == Message.id)
                .where(Message.state == "sent", Message.settled_at == self.clinic.now)
                .order_by(Message.id, MessageItem.id)).all()
            known = {(at, text) for at, _, text in self.sent}
            said: dict[int, list[str]] = {}
            for ident, kind, _ in rows:
                said.setdefault(ident, []).append(kind)
            for ident, mime in {ident: mime for ident, _, mime in rows}.items():
                text = _text(mime or b"")
                if (self.clinic.now, text) not in known:
                    self.sent.append((self.clinic.now, " + ".join(said[ident]), text))

    def appointment(self, number: int, *, upkeep: bool = False) -> Appointment:
        """The active appointment of a session of the course, or of its maintenance plan."""
        owner = TreatmentSession.maintenance_plan_id if upkeep else TreatmentSession.course_id
        with Session(self.engine) as db:
            return db.scalars(
                sa.select(Appointment).join(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
                .where(owner.is_not(None), TreatmentSession.number == number, Appointment.state == "booked")).one()

    def times(self, treatment_session_id: int, from_on: date) -> tuple[TimeOffer, ...]:
        """What is offered for a session in the week from that date on."""
        with Session(self.engine) as db:
            return offer_times(db, treatment_session_id, now=self.clinic.now, from_on=from_on, days=7).times

    def treat(self, number: int, *, upkeep: bool = False) -> None:
        """The patient comes, is treated, and leaves on time."""
        appointment = self.appointment(number, upkeep=upkeep)
        self.until(appointment.starts_at)
        with self.clinic.work() as work:
            assert isinstance(
                attendance.mark_arrived(work, appointment.id, lock_version=appointment.lock_version), Done)
        self.until(appointment.ends_at)
        with self.clinic.work() as work:
            assert isinstance(completion.complete_appointment(
                work, appointment.id, lock_version=appointment.lock_version + 1), Done)

    def book_upkeep(self, number: int, from_on: date) -> None:
        """Books the next maintenance session at the first time offered."""
        with Session(self.engine) as db:
            ident = db.scalars(
                sa.select(TreatmentSession.id).join(MaintenancePlan)
                .where(TreatmentSession.number == number)).one()
        with self.clinic.work() as work:
            first = self.times(ident, from_on)[0]
            assert isinstance(appointments.book_session(work, ident, parse_choice(first.choice)), Done)


def _text(mime: bytes) -> str:
    message = message_from_bytes(mime, policy=policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    lines = body.get_content().splitlines()
    return f"Subject: {message['Subject']}\n\n" + "\n".join(lines).rstrip() + "\n"


def _book(story: Story) -> None:
    clinic = story.clinic
    request = CourseRequest(
        patient_id=clinic.patients[0], clinic_id=clinic.clinic_id,
        protocol_version_id=clinic.versions["mn_rejuvenation"], sessions=4, not_before_on=date(2027, 3, 10),
        answers=ScreeningAnswers("fine_lines", LaxityGrade.NONE, none_apply=True))
    with Session(story.engine) as db:
        best = offer_course(db, request, now=clinic.now).offers[0]
    with clinic.work() as work:
        assert isinstance(
            courses.book_course(work, request, [parse_choice(visit.choice) for visit in best.visits]), Done)


def _move(story: Story, number: int, days: int) -> None:
    appointment = story.appointment(number)
    day = appointment.local_start.date() + timedelta(days=days)
    wanted = next(
        time for time in story.times(appointment.treatment_session_id or 0, day) if time.local_start.date() == day)
    with story.clinic.work() as work:
        assert isinstance(appointments.move_appointment(
            work, appointment.id, parse_choice(wanted.choice), lock_version=appointment.lock_version), Done)


def _cancel(story: Story, number: int) -> int:
    appointment = story.appointment(number)
    with story.clinic.work() as work:
        assert isinstance(appointments.cancel_appointment(
            work, appointment.id, reason="the patient called", lock_version=appointment.lock_version), Done)
    return appointment.treatment_session_id or 0


def test_a_patient_gets_exactly_these_messages_from_booking_to_the_second_maintenance_session(engine: Engine) -> None:
    story = Story(engine)

    _book(story)
    story.until(datetime(2027, 3, 2, 9, 0, tzinfo=UTC))
    story.treat(1)
    story.until(datetime(2027, 3, 20, 10, 0, tzinfo=UTC))
    _move(story, 2, -1)
    story.treat(2)
    story.until(datetime(2027, 4, 20, 10, 0, tzinfo=UTC))
    cancelled = _cancel(story, 4)
    story.until(datetime(2027, 4, 21, 10, 0, tzinfo=UTC))
    with story.clinic.work() as work:
        again = story.times(cancelled, date(2027, 6, 14))[0]
        assert isinstance(appointments.book_session(work, cancelled, parse_choice(again.choice)), Done)
    story.treat(3)
    story.treat(4)
    story.until(datetime(2028, 2, 28, 10, 0, tzinfo=UTC))
    story.book_upkeep(1, date(2028, 3, 24))
    story.treat(1, upkeep=True)
    story.until(datetime(2028, 12, 4, 10, 0, tzinfo=UTC))
    story.book_upkeep(2, date(2028, 12, 18))
    story.treat(2, upkeep=True)
    story.until(datetime(2029, 1, 31, 10, 0, tzinfo=UTC))

    told = "\n".join(
        f"===== {at.astimezone(LONDON):%a %d %b %Y %H:%M %Z} · {kind}\n{text}" for at, kind, text in story.sent)
    if os.environ.get("TEST_APPROVE") == "1":
        APPROVED.write_text(told, encoding="utf-8")
    assert told == APPROVED.read_text(encoding="utf-8")
    with Session(engine) as db:
        left = db.execute(
            sa.select(MessageItem.kind, Message.state).join(Message, MessageItem.message_id == Message.id)
            .where(Message.state.not_in(("sent", "superseded")))).all()
    assert sorted(tuple(row) for row in left) == [("recall", "pending")]
