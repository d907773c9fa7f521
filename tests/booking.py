"""The small clinic's desk, through the real queries and services: what tests of booking ask for again and again."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.screening import LaxityGrade, ScreeningAnswers
from clinic.messages.mailbox import MailboxTransport
from clinic.planning.local import day_of, zone
from clinic.queries.course_asks import CourseRequest
from clinic.queries.offers import CourseOffer, Offers, offer_course
from clinic.queries.times import TimeOffer, TimesPage, offer_times
from clinic.queries.visit_choice import VisitChoice, parse_choice
from clinic.services import appointments, completion, courses, mail
from clinic.services.delivery import Courier
from clinic.services.work import Done, Refused
from clinic.store.courses import Course, TreatmentSession
from clinic.store.diary import Appointment
from tests.small_clinic import SmallClinic

T = TypeVar("T")

TABLES = (
    "appointment", "audit", "course", "course_override", "maintenance_plan", "message", "message_item", "recall",
    "resource_booking", "screening", "task", "treatment_session",
)
INDICATIONS = {"ipl_photorejuvenation": "pigment", "peel_medium": "pigment", "peel_superficial": "pigment"}


def healthy(**changes: Any) -> ScreeningAnswers:
    """The answers of a patient against whom nothing speaks."""
    answers = ScreeningAnswers(indication="fine_lines", laxity=LaxityGrade.NONE, none_apply=True)
    return replace(answers, **changes)


def asked(made: SmallClinic, code: str = "mn_rejuvenation", sessions: int = 3, **changes: Any) -> CourseRequest:
    """A request for a course of the first patient from today on."""
    request = CourseRequest(
        patient_id=made.patients[0], clinic_id=made.clinic_id, protocol_version_id=made.versions[code],
        sessions=sessions, not_before_on=made.now.date(),
        answers=healthy(indication=INDICATIONS.get(code, "fine_lines")))
    return replace(request, **changes)


def offered(made: SmallClinic, request: CourseRequest) -> Offers:
    """What the desk is offered for that request."""
    with Session(made.engine) as db:
        return offer_course(db, request, now=made.now)


def chosen(offer: CourseOffer) -> list[VisitChoice]:
    """The visits of an offer as a form sends them back."""
    return [parse_choice(visit.choice) for visit in offer.visits]


def book(
    made: SmallClinic, request: CourseRequest, visits: Sequence[VisitChoice] | None = None, *,
    role: str | None = None, overrides: Mapping[str, str] | None = None,
) -> Done[int] | Refused:
    """Books those visits, or the best offer."""
    if visits is None:
        visits = chosen(offered(made, request).offers[0])
    with made.work(role) as work:
        return courses.book_course(work, request, visits, overrides=overrides)


def booked(made: SmallClinic, code: str = "mn_rejuvenation", sessions: int = 3, **changes: Any) -> int:
    """The id of a course booked with the best offer."""
    course_id: int = done(book(made, asked(made, code, sessions, **changes)))
    return course_id


def times(made: SmallClinic, treatment_session_id: int, from_on: date | None = None, days: int = 1) -> TimesPage:
    """The times that the desk is offered for a session."""
    with Session(made.engine) as db:
        return offer_times(db, treatment_session_id, now=made.now, from_on=from_on, days=days)


def move(
    made: SmallClinic, appointment: Appointment, to: TimeOffer | VisitChoice, *, lock_version: int | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Done[int] | Refused:
    """Moves an appointment to that time."""
    with made.work() as work:
        return appointments.move_appointment(
            work, appointment.id, to if isinstance(to, VisitChoice) else parse_choice(to.choice),
            lock_version=appointment.lock_version if lock_version is None else lock_version, overrides=overrides)


def rebook(
    made: SmallClinic, treatment_session_id: int, choice: VisitChoice, overrides: Mapping[str, str] | None = None
) -> Done[int] | Refused:
    """Books a session that is owed."""
    with made.work() as work:
        return appointments.book_session(work, treatment_session_id, choice, overrides=overrides)


def cancel(made: SmallClinic, appointment: Appointment) -> Done[int] | Refused:
    """Cancels an appointment as the patient asks."""
    with made.work() as work:
        return appointments.cancel_appointment(
            work, appointment.id, reason="patient", lock_version=appointment.lock_version)


def perform(made: SmallClinic, appointment: Appointment) -> Done[int] | Refused:
    """Lets it be the end of the appointment, and completes it."""
    made.now = max(made.now, appointment.ends_at)
    with made.work() as work:
        return completion.complete_appointment(work, appointment.id, lock_version=appointment.lock_version)


def tell(made: SmallClinic) -> None:
    """Lets the post deliver whatever is due an hour later."""
    with made.work() as work:
        mail.switch_mail_on(work)
    made.now += timedelta(hours=1)
    Courier(made.work, MailboxTransport(), "test").deliver_due(100)


def done(outcome: Done[Any] | Refused) -> Any:
    """The value of what was done; fails the test where it was refused."""
    assert isinstance(outcome, Done), outcome
    return outcome.value


def codes(outcome: Done[Any] | Refused) -> list[str]:
    """What stands in the way, by code; fails the test where it was done."""
    assert isinstance(outcome, Refused), outcome
    return [finding.code for finding in outcome.findings]


def sessions_of(made: SmallClinic, **owner: int) -> list[TreatmentSession]:
    """The sessions of a course or maintenance plan, by number."""
    with Session(made.engine, expire_on_commit=False) as db:
        found = sa.select(TreatmentSession).filter_by(**owner).order_by(TreatmentSession.number)
        return list(db.scalars(found))


def standing(made: SmallClinic, course_id: int) -> list[Appointment]:
    """The appointments of a course that hold time, by session."""
    with Session(made.engine, expire_on_commit=False) as db:
        return list(db.scalars(
            sa.select(Appointment).join(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
            .where(TreatmentSession.course_id == course_id, Appointment.state.not_in(("cancelled", "noshow")))
            .order_by(TreatmentSession.number)))


def row(made: SmallClinic, kind: type[T], ident: int) -> T:
    """One row as it now is."""
    with Session(made.engine, expire_on_commit=False) as db:
        return db.get_one(kind, ident)


def course_row(made: SmallClinic, course_id: int) -> Course:
    """A course as it now is."""
    return row(made, Course, course_id)


def held_by(made: SmallClinic, appointment_id: int) -> list[tuple[int, int]]:
    """What an appointment holds: need and resource."""
    with made.engine.connect() as connection:
        rows = connection.execute(sa.text(
            "SELECT need, resource_id FROM resource_booking WHERE appointment_id = :ident ORDER BY need"),
            {"ident": appointment_id})
        return [(need, resource_id) for need, resource_id in rows]


def counts(engine: Engine) -> dict[str, int]:
    """How many rows each table has that a booking writes to."""
    with engine.connect() as connection:
        return {table: connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0 for table in TABLES}


def at(day: int, hour: int, minute: int = 0, *, month: int = 3) -> datetime:
    """An instant of 2027, UTC."""
    return datetime(2027, month, day, hour, minute, tzinfo=UTC)


def choose(treatment_session: TreatmentSession | int, starts_at: datetime, resources: Sequence[int]) -> VisitChoice:
    """A time that nobody offered."""
    number = treatment_session if isinstance(treatment_session, int) else treatment_session.number
    return VisitChoice(number, starts_at, tuple(resources))


def today(made: SmallClinic, where: str = "Europe/London") -> date:
    """The clinic's date."""
    return day_of(made.now, zone(where))


@contextmanager
def failing_at(engine: Engine, number: int) -> Iterator[list[str]]:
    """Lets the connection break just before the statement of that number; yields the statements that were begun."""
    begun: list[str] = []

    def watch(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        begun.append(statement)
        if len(begun) == number:
            raise ConnectionError(f"statement {number}")

    sa.event.listen(engine, "before_cursor_execute", watch)
    try:
        yield begun
    finally:
        sa.event.remove(engine, "before_cursor_execute", watch)


def later(day: date, days: int) -> date:
    """That date so many days on."""
    return day + timedelta(days=days)
