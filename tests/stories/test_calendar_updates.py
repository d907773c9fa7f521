"""A patient's calendar follows the clinic's: booked, moved, undone and cancelled, with messages lost and repeated."""
from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.messages.discretion import telling_words
from clinic.messages.smtp import Security, SmtpSettings, SmtpTransport, Timeouts
from clinic.queries.visit_choice import parse_choice
from clinic.services.delivery import Courier
from clinic.services.mail import switch_mail_on
from clinic.store.clinics import Clinic
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.engine import for_writing
from clinic.store.outbox import Message
from clinic.store.resources import Patient
from tests.booking import booked, cancel, choose, done, held_by, move, rebook, row, standing, times
from tests.interchange.itip import Reading, faults_of, method_of, read_alike
from tests.other_visits import clinic_with_visits, visit_booked, visit_times, wish
from tests.sink import Faults, Sink
from tests.small_clinic import SmallClinic

TIMEOUTS = Timeouts(connect=5, command=5, data=5, dot=5)
NASTY = "Laser & Akne Studio"
FORGETS, REFUSES = Faults(drop_after_accept=1.0), Faults(rcpt_4xx=1.0)


@dataclass(frozen=True)
class Arrived:
    """A message as it arrived: its bytes, each calendar file by the METHOD of its MIME part, and what is read there."""

    mime: bytes
    subject: str
    files: tuple[tuple[str, bytes], ...]
    events: tuple[tuple[str, Reading], ...]


@dataclass
class Post:
    """The clinic's worker, against a mail server that behaves, or misbehaves for a while; keeps what arrived."""

    made: SmallClinic
    folder: Path
    arrived: list[Arrived] = field(default_factory=list)

    def deliver(self, faults: Faults | None = None, *, minutes: int = 4) -> list[Arrived]:
        """Lets the grace pass and what is due be sent; what arrived by it."""
        self.made.now += timedelta(minutes=minutes)
        with Sink(self.folder / f"{self.made.now:%m%d%H%M%S}.log", faults) as sink:
            transport = SmtpTransport(SmtpSettings("127.0.0.1", sink.port, Security.NONE, timeouts=TIMEOUTS))
            Courier(self.made.work, transport, "story", base_url="https://clinic.example").deliver_due()
            ids = [each.message_id for each in sink.accepted()]
        with Session(self.made.engine) as db:
            kept = {each.message_id: each.mime or b"" for each in db.scalars(
                sa.select(Message).where(Message.message_id.in_(ids)))}
        came = [opened(kept[ident]) for ident in ids]
        self.arrived += came
        return came


def opened(mime: bytes) -> Arrived:
    """A message as a mail program opens it; a file that is shown inline is attached as well."""
    message = message_from_bytes(mime, policy=policy.default)
    shown = {part.get_payload(decode=True): str(part.get_param("method"))
             for part in message.walk() if part.get_content_type() == "text/calendar"}
    copies = [part.get_payload(decode=True) for part in message.walk() if part.get_content_type() == "application/ics"]
    assert set(copies) <= set(shown)
    files = tuple((method, bytes(file)) for file, method in shown.items())
    events = tuple((method, event) for method, file in files for event in read_alike(file))
    return Arrived(mime, str(message["Subject"]), files, events)


def calendar_after(messages: Iterable[Arrived]) -> dict[str, datetime]:
    """What stands in a calendar that opens these messages in this order and follows RFC 5546, 2.1.5.

    Of an event counts what has the highest SEQUENCE, and of that the latest DTSTAMP; what is older changes nothing.
    """
    known: dict[str, Reading] = {}
    for event in (event for message in messages for _, event in message.events):
        before = known.get(event.uid)
        if before is None or (before.sequence, before.stamped_at) <= (event.sequence, event.stamped_at):
            known[event.uid] = event
    return {event.uid: event.starts_at for event in known.values() if event.status == "CONFIRMED"}


def shift(made: SmallClinic, appointment: Appointment, days: int) -> None:
    """Moves an appointment by so many days, to a time that is offered."""
    now = row(made, Appointment, appointment.id)
    day = now.local_start.date() + timedelta(days=days)
    if now.treatment_session_id is None:
        offers = visit_times(made, wish(made), day, 4).times
    else:
        offers = times(made, now.treatment_session_id, day, 4).times
    done(move(made, now, next(each for each in offers if each.local_start.date() >= day)))


def there_and_back(made: SmallClinic, appointment: Appointment) -> None:
    """Moves an appointment, and at once back to where it was."""
    before, held = row(made, Appointment, appointment.id), held_by(made, appointment.id)[1:]
    assert before.treatment_session_id is not None
    number = row(made, TreatmentSession, before.treatment_session_id).number
    shift(made, appointment, 1)
    done(move(made, row(made, Appointment, appointment.id),
              choose(number, before.starts_at, [resource_id for _, resource_id in held])))


def call_off(made: SmallClinic, appointment: Appointment) -> None:
    """Cancels an appointment."""
    done(cancel(made, row(made, Appointment, appointment.id)))


def nasty_clinic(engine: Engine) -> SmallClinic:
    """A clinic whose name tells what it treats, and a patient whose name needs care."""
    made = clinic_with_visits(engine)
    with Session(for_writing(engine)) as db:
        db.execute(sa.update(Clinic).values(name=NASTY, sender_name=NASTY))
        db.execute(sa.update(Patient).where(Patient.id == made.patients[0]).values(
            given_name='נועה "Noa"; Ñ, \\n', email="noa+x@example.com"))
        db.commit()
    with made.work() as work:
        switch_mail_on(work)
    return made


def told(messages: Iterable[Arrived], uid: str) -> list[tuple[str, int]]:
    """What the messages say of one appointment: METHOD and SEQUENCE, in their order."""
    return [(method, event.sequence) for message in messages for method, event in message.events if event.uid == uid]


def in_the_diary(made: SmallClinic) -> dict[str, datetime]:
    """What is booked for the patient."""
    with Session(made.engine) as db:
        found = db.scalars(sa.select(Appointment).where(Appointment.state == "booked"))
        return {each.uid: each.starts_at for each in found}


def live_through(made: SmallClinic, post: Post) -> dict[str, str]:
    """Books, moves, undoes, cancels and books anew while the mail server forgets and refuses; UIDs by a name each."""
    first, second, third = standing(made, booked(made, sessions=3, not_before_on=date(2027, 3, 10)))
    shift(made, third, 1)
    post.deliver()
    visit = visit_booked(made)
    post.deliver()
    shift(made, second, 1)
    post.deliver(FORGETS)
    post.deliver(minutes=30)
    there_and_back(made, second)
    assert post.deliver() == []
    shift(made, second, 1)
    assert post.deliver(REFUSES) == []
    shift(made, second, 1)
    post.deliver(minutes=30)
    shift(made, third, 1)
    post.deliver(FORGETS)
    shift(made, third, 1)
    post.deliver(minutes=30)
    for _ in range(2):
        shift(made, visit, 1)
        post.deliver(minutes=10)
    for each in (second, visit):
        call_off(made, each)
        post.deliver(minutes=10)
    assert second.treatment_session_id is not None
    offer = times(made, second.treatment_session_id, second.local_start.date() + timedelta(days=7), 4).times[0]
    done(rebook(made, second.treatment_session_id, parse_choice(offer.choice)))
    post.deliver(minutes=10)
    [again] = set(in_the_diary(made)) - {each.uid for each in (first, second, third, visit)}
    return {"first": first.uid, "second": second.uid, "third": third.uid, "visit": visit.uid, "again": again}


def test_a_calendar_follows_whatever_is_moved_undone_cancelled_lost_and_repeated(
    engine: Engine, tmp_path: Path
) -> None:
    made = nasty_clinic(engine)
    post = Post(made, tmp_path)

    uids = live_through(made, post)

    assert {name: told(post.arrived, uid) for name, uid in uids.items()} == {
        "first": [("PUBLISH", 0)],
        "second": [("PUBLISH", 0), ("REQUEST", 1), ("REQUEST", 1), ("REQUEST", 5), ("CANCEL", 6)],
        "third": [("PUBLISH", 1), ("REQUEST", 2), ("REQUEST", 3)],
        "visit": [("REQUEST", 0), ("REQUEST", 1), ("REQUEST", 2), ("CANCEL", 3)],
        "again": [("REQUEST", 0)],
    }
    assert post.arrived[2].mime == post.arrived[3].mime  # the repeat of what the server forgot to answer
    for arrived in post.arrived:
        for method, file in arrived.files:
            assert (list(faults_of(file)), method_of(file)) == ([], method)
            assert telling_words(file.decode().replace("\r\n ", "")) == ()
        assert telling_words(arrived.subject) == ()
    booked_now, orders = in_the_diary(made), random.Random(5546)
    assert calendar_after(post.arrived) == booked_now
    for _ in range(200):
        assert calendar_after(orders.sample(post.arrived, len(post.arrived))) == booked_now
