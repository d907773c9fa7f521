"""Visits that belong to no course, and dates held for want of a consultation, through the real services."""
from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.other_visits import OTHER_VISITS
from clinic.care.parts import write_parts
from clinic.messages.mailbox import MailboxTransport
from clinic.queries.other_visits import VisitWish, offer_visit_times
from clinic.queries.times import TimesPage
from clinic.queries.visit_choice import VisitChoice, parse_choice
from clinic.services import consultations, courses, visits
from clinic.services.delivery import Courier
from clinic.services.mail import release_held, switch_mail_on
from clinic.services.work import Done, Refused
from clinic.store.diary import Appointment
from clinic.store.engine import for_writing
from clinic.store.outbox import Message, MessageItem
from clinic.store.protocols import Protocol, Treatment
from tests.booking import asked, chosen, done, offered, row
from tests.small_clinic import SmallClinic, small_clinic


def clinic_with_visits(engine: sa.Engine, rule: str = "none", *, zone: str = "Europe/London") -> SmallClinic:
    """The small clinic with a treatment of each other kind, and one rule of consultation for every protocol."""
    made = small_clinic(engine, zone=zone)
    with Session(for_writing(engine)) as db:
        add_other_visits(db)
        db.execute(sa.update(Protocol).values(consultation=rule))
        db.commit()
    return made


def add_other_visits(db: Session) -> None:
    """A treatment of each other kind, as they come with the library."""
    db.add_all(Treatment(code=each.kind, name=each.name, kind=each.kind, parts=write_parts(each.parts))
               for each in OTHER_VISITS)


def wish(made: SmallClinic, code: str = "consultation", *, patient: int = 0) -> VisitWish:
    """A wish for such a visit."""
    return VisitWish(made.patients[patient], made.clinic_id, code)


def visit_times(
    made: SmallClinic, wanted: VisitWish, from_on: date | None = None, days: int = 1, **more: int
) -> TimesPage:
    """The times that the desk is offered for a visit."""
    with Session(made.engine) as db:
        return offer_visit_times(db, wanted, now=made.now, from_on=from_on, days=days, **more)


def book_visit(made: SmallClinic, wanted: VisitWish, choice: VisitChoice | None = None, *, days: int = 2
               ) -> Done[int] | Refused:
    """Books a visit at that time, or at the first one tomorrow or later."""
    if choice is None:
        offers = visit_times(made, wanted, made.now.date() + timedelta(days=1), days)
        choice = parse_choice(offers.times[0].choice)
    with made.work() as work:
        return visits.book_visit(work, wanted, choice)


def visit_booked(made: SmallClinic, code: str = "consultation", *, patient: int = 0) -> Appointment:
    """A booked visit, as its row stands."""
    return row(made, Appointment, done(book_visit(made, wish(made, code, patient=patient))))


def take_place(made: SmallClinic, appointment: Appointment) -> Done[int] | Refused:
    """Lets the visit end now, and completes it."""
    made.now = max(made.now, appointment.ends_at)
    with made.work() as work:
        return consultations.complete_visit(work, appointment.id, lock_version=appointment.lock_version)


def hold_course(made: SmallClinic, sessions: int = 3, *, until: date | None = None, patient: int = 0
                ) -> Done[int] | Refused:
    """Books the best offer of a course whose dates wait for a consultation."""
    request = asked(made, sessions=sessions, patient_id=made.patients[patient])
    best = chosen(offered(made, request).offers[0])
    with made.work() as work:
        return courses.book_course(work, request, best, hold_until=until)


def read_mail(made: SmallClinic) -> None:
    """Lets ten minutes pass and everything that is due be sent."""
    made.now += timedelta(minutes=10)
    with made.work() as work:
        switch_mail_on(work)
        release_held(work)
    Courier(made.work, MailboxTransport(), "test").deliver_due()


def items(made: SmallClinic, owner_kind: str, owner_id: int) -> list[tuple[str, str]]:
    """The kinds and states of what an owner has to say, oldest first."""
    with Session(made.engine) as db:
        rows = db.execute(
            sa.select(MessageItem.kind, Message.state).join(Message, Message.id == MessageItem.message_id)
            .where(MessageItem.owner_kind == owner_kind, MessageItem.owner_id == owner_id).order_by(MessageItem.id))
        return [(kind, state) for kind, state in rows]
