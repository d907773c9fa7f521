"""One process of the race: a desk that books, moves, cancels and completes at random, and says what came of it."""
from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlalchemy.orm import Session

from clinic.care.consultations import NEEDED
from clinic.care.screening import LaxityGrade, ScreeningAnswers
from clinic.planning.local import day_of, zone
from clinic.queries.course_asks import CourseRequest
from clinic.queries.offers import offer_course
from clinic.queries.other_visits import VisitWish, offer_visit_times
from clinic.queries.times import TimeOffer, offer_times
from clinic.queries.visit_choice import parse_choice
from clinic.services.appointments import book_session, cancel_appointment, move_appointment
from clinic.services.attendance import mark_arrived, mark_noshow
from clinic.services.completion import complete_appointment
from clinic.services.consultations import complete_visit, confirm_dates, hold_until
from clinic.services.courses import book_course, stop_course
from clinic.services.merging import merge_patients, undo_merge
from clinic.services.patients import PatientDetails, edit_patient
from clinic.services.visits import book_visit
from clinic.services.work import Actor, Done, NotFound, Refused, Stale, UnitOfWork
from clinic.services.workers import free_holds
from clinic.store.courses import Course, TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.engine import for_writing, open_engine
from clinic.store.locks import is_overlap, lock_resources
from clinic.store.moving import PatientMerge
from clinic.store.resources import Patient

OPERATIONS_A_DAY = 6
"""After so many operations it is the next day, at every desk."""
REASONS = {"too-late": "the patient asked for it", "off-grid": "the patient asked for it"}


@dataclass(frozen=True, slots=True)
class Arena:
    """What the desks fight for: few people, rooms and patients of one small clinic."""

    begins_at: datetime
    clinic_id: int
    zone: str
    patients: tuple[int, ...]
    resources: tuple[int, ...]
    protocols: tuple[tuple[int, str, int], ...]
    """Version, an indication of it, and how many sessions."""


@dataclass(slots=True)
class Log:
    """What one desk saw: how often each answer came, what it booked, how long it took, and what was no refusal."""

    answers: Counter[str] = field(default_factory=Counter)
    courses: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def run_desk(url: str, arena: Arena, seed: int, operations: int) -> Log:
    """So many random operations from a process of its own."""
    engine = open_engine(url, durable=False)
    desk = RandomDesk(engine, arena, seed)
    try:
        for number in range(operations):
            desk.now = arena.begins_at + timedelta(days=number // OPERATIONS_A_DAY)
            desk.act()
    finally:
        engine.dispose()
    return desk.log


class RandomDesk:
    """Does at random what people at a desk do, at its own time of day."""

    def __init__(self, engine: sa.Engine, arena: Arena, seed: int) -> None:
        self.engine, self.arena, self.random = engine, arena, Random(seed)
        self.now = arena.begins_at
        self.log = Log()
        self.walk_in: int | None = None
        self.raw_rows = 0
        self.actions: Sequence[tuple[Callable[[], str], int]] = (
            (self.book_course, 7), (self.book_session, 5), (self.move, 6), (self.cancel, 4), (self.complete, 4),
            (self.arrive, 1), (self.miss, 1), (self.stop, 1), (self.insert, 3), (self.insert_and_regret, 2),
            (self.confirm_dates, 3), (self.hold_longer, 1), (self.end_holds, 2), (self.book_visit, 3),
            (self.complete_visit, 2), (self.change_patient, 1), (self.merge, 2), (self.take_apart, 2),
        )

    def act(self) -> None:
        """One operation; only an error that is no refusal is kept as one."""
        verbs, weights = zip(*self.actions, strict=True)
        verb = self.random.choices(verbs, weights)[0]
        begun = time.monotonic()
        try:
            answer = verb()
        except Stale:
            answer = "stale"
        except (NotFound, NoResultFound):  # the record was put into another one meanwhile
            answer = "gone"
        except Exception:
            answer = "error"
            self.log.errors.append(f"{verb.__name__}: {traceback.format_exc()}")
        self.log.seconds.append(time.monotonic() - begun)
        self.log.answers[f"{verb.__name__}: {answer}"] += 1

    def book_course(self) -> str:
        version, indication, sessions = self.random.choice(self.arena.protocols)
        request = CourseRequest(
            patient_id=self.random.choice(self.arena.patients), clinic_id=self.arena.clinic_id,
            protocol_version_id=version, sessions=sessions, not_before_on=self.today(),
            answers=ScreeningAnswers(indication=indication, laxity=LaxityGrade.NONE, none_apply=True))
        with Session(self.engine) as db:
            offers = offer_course(db, request, now=self.now).offers
        if not offers:
            return "nothing offered"
        chosen = self.random.choice(offers)
        with self.work() as work:
            outcome = book_course(work, request, [parse_choice(visit.choice) for visit in chosen.visits])
        if isinstance(outcome, Done):
            self.log.courses.append(outcome.value)
        return told(outcome)

    def book_session(self) -> str:
        ident = self.any_of(sa.select(TreatmentSession.id).where(TreatmentSession.state == "owed"))
        offer = ident and self.offered(ident, self.today() + timedelta(days=self.random.randrange(3)))
        if not ident or not offer:
            return "nothing to do"
        with self.work() as work:
            return told(book_session(work, ident, parse_choice(offer.choice), overrides=REASONS))

    def move(self) -> str:
        row = self.booked()
        offer = row and self.offered(row.treatment_session_id, row.local_start.date() - timedelta(days=2))
        if not row or not offer:
            return "nothing to do"
        with self.work() as work:
            return told(move_appointment(
                work, row.id, parse_choice(offer.choice), lock_version=row.lock_version, overrides=REASONS))

    def cancel(self) -> str:
        return self.on_one(self.booked(), lambda work, row: cancel_appointment(
            work, row.id, reason="patient", lock_version=row.lock_version))

    def complete(self) -> str:
        return self.on_one(self.of_today(), lambda work, row: complete_appointment(
            work, row.id, lock_version=row.lock_version))

    def arrive(self) -> str:
        return self.on_one(self.of_today(), lambda work, row: mark_arrived(
            work, row.id, lock_version=row.lock_version))

    def miss(self) -> str:
        return self.on_one(self.of_today(), lambda work, row: mark_noshow(
            work, row.id, lock_version=row.lock_version))

    def stop(self) -> str:
        with Session(self.engine) as db:
            rows = db.execute(sa.select(Course.id, Course.lock_version).where(
                Course.state.in_(("active", "draft")))).all()
        if not rows:
            return "nothing to do"
        row = self.random.choice(rows)
        with self.work() as work:
            return told(stop_course(work, row.id, reason="moved away", lock_version=row.lock_version))

    def confirm_dates(self) -> str:
        return self.on_one(self.held_course(), lambda work, row: confirm_dates(
            work, row.id, lock_version=row.lock_version, overrides={NEEDED: "seen at the hospital"}), as_who="demo")

    def hold_longer(self) -> str:
        return self.on_one(self.held_course(), lambda work, row: hold_until(
            work, row.id, until_on=self.today() + timedelta(days=1), lock_version=row.lock_version))

    def end_holds(self) -> str:
        with self.work() as work:
            return "done" if free_holds(work) else "nothing to do"

    def book_visit(self) -> str:
        wish = VisitWish(self.random.choice(self.arena.patients), self.arena.clinic_id,
                         self.random.choice(("consultation", "review")))
        with Session(self.engine) as db:
            times = offer_visit_times(db, wish, now=self.now, from_on=self.today(), days=3).times
        if not times:
            return "nothing offered"
        with self.work() as work:
            return told(book_visit(work, wish, parse_choice(self.random.choice(times).choice)))

    def complete_visit(self) -> str:
        visits = sa.select(Appointment.id, Appointment.lock_version, Appointment.local_start).where(
            Appointment.kind != "session", Appointment.uid.like("%@appointment"), Appointment.state == "booked")
        row = self.any_row(visits, lambda row: row.local_start.date() <= self.today()) or self.any_row(visits)
        return self.on_one(row, lambda work, row: complete_visit(work, row.id, lock_version=row.lock_version))

    def change_patient(self) -> str:
        """Another telephone number, which all of the patient's messages are reconciled for."""
        return self.on_one(self.any_patient(), lambda work, row: edit_patient(
            work, row.id, PatientDetails(row.given_name, row.family_name, email=row.email,
                                         phone=f"+44 20 7946 {self.random.randrange(9999):04}"),
            lock_version=row.lock_version))

    def merge(self) -> str:
        kept, other = self.any_patient(), self.any_patient()
        if kept is None or other is None or kept.id == other.id:
            return "nothing to do"
        with self.work() as work:
            return told(merge_patients(
                work, kept.id, other.id, choices={}, kept_version=kept.lock_version, other_version=other.lock_version))

    def take_apart(self) -> str:
        row = self.any_row(sa.select(PatientMerge.id).where(PatientMerge.undone_at.is_(None)))
        return self.on_one(row, lambda work, row: undo_merge(work, row.id))

    def any_patient(self) -> Any:
        return self.any_row(
            sa.select(Patient.id, Patient.given_name, Patient.family_name, Patient.email, Patient.lock_version)
            .where(Patient.merged_into_id.is_(None)))

    def held_course(self) -> Any:
        return self.any_row(sa.select(Course.id, Course.lock_version).where(Course.state == "draft"))

    def insert(self) -> str:
        """A row for an appointment of our own, past every service: only the database is in its way."""
        if self.walk_in is None:
            self.walk_in = self.add_walk_in()
        answer = self.add_row(self.walk_in, self.raw_rows, keep=True)
        self.raw_rows += answer == "done"
        return answer

    def insert_and_regret(self) -> str:
        """The same for somebody's appointment, and rolled back: it may only make others wait."""
        row = self.booked()
        return self.add_row(row.id, 99, keep=False) if row else "nothing to do"

    def add_walk_in(self) -> int:
        with Session(for_writing(self.engine)) as db:
            lock_resources(db, self.arena.patients[:1])
            row = Appointment(
                clinic_id=self.arena.clinic_id, patient_id=self.arena.patients[0], kind="other", treatment_code="other",
                state="booked", uid=f"{uuid4()}@race", local_start=self.now.replace(tzinfo=None), zone="UTC", fold=0,
                minutes=30, starts_at=self.now, ends_at=self.now + timedelta(minutes=30), scheduled_at=self.now,
                created_at=self.now)
            db.add(row)
            db.commit()
            return row.id

    def add_row(self, appointment_id: int, need: int, *, keep: bool) -> str:
        on = self.today() + timedelta(days=self.random.randrange(40))
        begins = datetime(on.year, on.month, on.day, self.random.randrange(8, 17), tzinfo=UTC)
        begins += timedelta(minutes=15 * self.random.randrange(4))
        row = {"appointment_id": appointment_id, "clinic_id": self.arena.clinic_id, "need": need,
               "resource_id": self.random.choice(self.arena.resources), "starts_at": begins,
               "ends_at": begins + timedelta(minutes=self.random.choice((15, 30, 60)))}
        try:
            with Session(for_writing(self.engine)) as db:
                db.execute(sa.insert(ResourceBooking), row)
                time.sleep(self.random.random() / 100)
                if keep:
                    db.commit()
        except DBAPIError as error:
            if is_overlap(error):
                return "overlap refused"
            if "resource_booking_blocks" in str(error.orig):
                return "blocks nothing"
            raise
        return "done"

    def on_one(
        self, row: Any, act: Callable[[UnitOfWork, Any], Done[int] | Refused], *, as_who: str = "test"
    ) -> str:
        if row is None:
            return "nothing to do"
        with self.work(as_who) as work:
            return told(act(work, row))

    def work(self, as_who: str = "test") -> UnitOfWork:
        return UnitOfWork(self.engine, lambda: self.now, Actor(as_who))

    def today(self) -> date:
        return day_of(self.now, zone(self.arena.zone))

    def booked(self) -> Any:
        return self.any_row(self.sessions().where(Appointment.state.in_(("booked", "proposed"))))

    def of_today(self) -> Any:
        found = self.sessions().where(Appointment.state.in_(("booked", "arrived")))
        return self.any_row(found, lambda row: row.local_start.date() == self.today()) or self.any_row(found)

    def sessions(self) -> Any:
        return sa.select(
            Appointment.id, Appointment.lock_version, Appointment.treatment_session_id, Appointment.local_start
        ).where(Appointment.kind == "session")

    def offered(self, treatment_session_id: int, around: date) -> TimeOffer | None:
        """One of the times of a few days from then on, or from the first day of its window."""
        with Session(self.engine) as db:
            row = db.get_one(TreatmentSession, treatment_session_id)
            if row.state not in ("owed", "booked"):  # it has ended since it was chosen
                return None
            from_on = max(self.today(), row.earliest_on or self.today(), around)
            page = offer_times(db, treatment_session_id, now=self.now, from_on=from_on, days=3)
        return self.random.choice(page.times) if page.times else None

    def any_of(self, found: sa.Select[Any]) -> int | None:
        row = self.any_row(found)
        return None if row is None else row[0]

    def any_row(self, found: Any, holds: Callable[[Any], bool] = lambda _: True) -> Any:
        with Session(self.engine) as db:
            rows = [row for row in db.execute(found) if holds(row)]
        with suppress(IndexError):
            return self.random.choice(rows)
        return None


def told(outcome: Done[Any] | Refused) -> str:
    """The answer in a word: done, or the codes that stood in the way."""
    if isinstance(outcome, Done):
        return "done"
    return "refused " + "+".join(sorted({finding.code for finding in outcome.findings}))
