"""A desk that writes a course's rows as the services do, with a clock that tests turn by hand."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.care.catalogue import library_documents
from clinic.planning.local import day_of, resolve, zone
from clinic.services.reconcile import Owner, reconcile
from clinic.services.work import Actor, UnitOfWork
from clinic.store.clinics import Business, Clinic
from clinic.store.courses import Course, MaintenancePlan, Recall, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageAttempt, MessageItem
from clinic.store.protocols import Protocol, ProtocolVersion
from clinic.store.resources import Patient

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
DATES = (date(2027, 3, 20), date(2027, 4, 20), date(2027, 5, 20))
ZONE = "Europe/Lisbon"


@dataclass(frozen=True)
class Line:
    """A message as a test compares it."""

    kind: str
    state: str
    due_at: datetime
    reason: str | None = None


class Desk:
    """One clinic with a patient; everything happens at `now`."""

    def __init__(self, engine: Engine, *, mail_on: bool = True) -> None:
        self.engine = engine
        self.now = NOW
        with self.work() as work:
            work.db.add(Business(id=1, name="Clínica Alvor", mail_on_since=NOW if mail_on else None))
            work.db.add(Clinic(
                id=1, name="Clínica Alvor", zone=ZONE, address="Rua do Sol 1\n8500-001 Alvor", phone="+351 282 000 111",
                sender_name="Clínica Alvor", sender_email="ola@alvor.example"))
            document = _document()
            work.db.add(Protocol(id=1, code=document["code"], name=document["name"]))
            work.db.flush()
            work.db.add(ProtocolVersion(id=1, protocol_id=1, number=1, document=document, created_at=NOW))
            work.commit()
        self.patient_id = self.new_patient()

    def work(self) -> UnitOfWork:
        """A unit of work at the desk's time."""
        return UnitOfWork(self.engine, lambda: self.now, Actor("test"))

    def wait(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def new_patient(self, email: str | None = "maria@example.org", **facts: Any) -> int:
        """Another patient."""
        with self.work() as work:
            row = Patient(given_name="Maria", family_name="Silva", search_text="maria silva", email=email,
                          created_at=self.now, **facts)
            work.db.add(row)
            work.db.flush()
            work.commit()
            return row.id

    def book_course(self, dates: Sequence[date] = DATES, *, undated: int = 0, patient_id: int | None = None) -> int:
        """A course with an appointment at ten on each date."""
        with self.work() as work:
            course = Course(patient_id=patient_id or self.patient_id, clinic_id=1, protocol_version_id=1,
                            state="active", indication="fine_lines", laxity="none", created_at=self.now)
            work.db.add(course)
            work.db.flush()
            for number in range(1, len(dates) + undated + 1):
                self._add_session(work, number, dates, course_id=course.id)
            reconcile(work, Owner("course", course.id))
            work.commit()
            return course.id

    def book(self, treatment_session_id: int, day: date, *, hour: int = 10) -> int:
        """An appointment for a session that is owed."""
        with self.work() as work:
            row = work.db.get_one(TreatmentSession, treatment_session_id)
            row.state = "booked"
            appointment = self._add_appointment(work, row, day, hour)
            reconcile(work, owner_of(row))
            work.commit()
            return appointment.id

    def move(self, appointment_id: int, day: date, *, hour: int = 10) -> None:
        """Another time for an appointment."""
        with self.work() as work:
            row = work.db.get_one(Appointment, appointment_id)
            for name, value in _times(day, hour).items():
                setattr(row, name, value)
            row.revision += 1
            row.lock_version += 1
            row.scheduled_at = self.now
            self._reconcile(work, row)

    def cancel(self, appointment_id: int) -> None:
        """No appointment any more; the session stays owed."""
        with self.work() as work:
            row = work.db.get_one(Appointment, appointment_id)
            row.state, row.revision, row.closed_at = "cancelled", row.revision + 1, self.now
            work.db.get_one(TreatmentSession, row.treatment_session_id).state = "owed"
            self._reconcile(work, row)

    def complete(self, appointment_id: int) -> None:
        """The session took place just now."""
        with self.work() as work:
            row = work.db.get_one(Appointment, appointment_id)
            row.state, row.closed_at = "fulfilled", self.now
            about = work.db.get_one(TreatmentSession, row.treatment_session_id)
            about.state, about.performed_at, about.performed_on = "completed", self.now, day_of(self.now, zone(ZONE))
            self._reconcile(work, row)

    def finish_course(self, course_id: int, *, ask_on: date, due: tuple[date, date]) -> int:
        """The course is completed, and its maintenance plan owes the next session; the plan's id."""
        with self.work() as work:
            course = work.db.get_one(Course, course_id)
            course.state, course.ended_on = "completed", day_of(self.now, zone(ZONE))
            plan = MaintenancePlan(course_id=course_id, state="active", interval_days=180, shortest_days=150,
                                   longest_days=210, created_at=self.now)
            work.db.add(plan)
            work.db.flush()
            row = TreatmentSession(maintenance_plan_id=plan.id, number=1, treatment_code="skin-needling",
                                   state="owed", earliest_on=due[0], ideal_on=due[0], latest_on=due[1])
            work.db.add(row)
            work.db.flush()
            work.db.add(Recall(treatment_session_id=row.id, ask_on=ask_on))
            reconcile(work, Owner("course", course_id))
            reconcile(work, Owner("maintenance-plan", plan.id))
            work.commit()
            return plan.id

    def set_course(self, course_id: int, **facts: Any) -> None:
        """Other facts of a course."""
        with self.work() as work:
            for name, value in facts.items():
                setattr(work.db.get_one(Course, course_id), name, value)
            reconcile(work, Owner("course", course_id))
            work.commit()

    def set_patient(self, **facts: Any) -> None:
        """Other facts of the patient, without anything following from them."""
        with self.work() as work:
            for name, value in facts.items():
                setattr(work.db.get_one(Patient, self.patient_id), name, value)
            work.commit()

    def set_messages(self, which: sa.ColumnElement[bool], **facts: Any) -> None:
        """Other facts of messages, without anything following from them."""
        with self.work() as work:
            work.db.execute(sa.update(Message).where(which).values(**facts))
            work.commit()

    def appointment_ids(self, course_id: int) -> list[int]:
        """The course's appointments, oldest first."""
        with self.work() as work:
            return list(work.db.scalars(
                sa.select(Appointment.id).join(TreatmentSession).where(TreatmentSession.course_id == course_id)
                .order_by(Appointment.id)))

    def session_ids(self, course_id: int) -> list[int]:
        """The course's sessions by number."""
        with self.work() as work:
            return list(work.db.scalars(
                sa.select(TreatmentSession.id).where(TreatmentSession.course_id == course_id)
                .order_by(TreatmentSession.number)))

    def lines(self, *kinds: str, live: bool = False) -> list[Line]:
        """The messages by due time, those of some kinds only, or only those that still wait."""
        with self.work() as work:
            rows = work.db.execute(
                sa.select(MessageItem.kind, Message.state, Message.due_at, Message.reason)
                .join(Message, Message.id == MessageItem.message_id)
                .order_by(Message.due_at, MessageItem.kind, Message.id))
            return [Line(*row) for row in rows
                    if (not kinds or row.kind in kinds) and (not live or row.state in ("pending", "held"))]

    def message(self, kind: str, **facts: Any) -> Message:
        """The newest message of that kind."""
        with self.work() as work:
            found = sa.select(Message).join(MessageItem).where(MessageItem.kind == kind).order_by(Message.id.desc())
            return work.db.scalars(found.filter_by(**facts)).first() or _missing(kind)

    def attempts(self, message_id: int) -> list[tuple[int, str]]:
        """What was tried with a message: number and phase."""
        with self.work() as work:
            rows = work.db.execute(
                sa.select(MessageAttempt.number, MessageAttempt.phase)
                .where(MessageAttempt.message_id == message_id).order_by(MessageAttempt.id))
            return [(number, phase) for number, phase in rows]

    def _add_session(self, work: UnitOfWork, number: int, dates: Sequence[date], **owner: int) -> None:
        dated = number <= len(dates)
        row = TreatmentSession(number=number, treatment_code="skin-needling", state="booked" if dated else "owed",
                               **owner)
        work.db.add(row)
        work.db.flush()
        if dated:
            self._add_appointment(work, row, dates[number - 1], 10)

    def _add_appointment(self, work: UnitOfWork, row: TreatmentSession, day: date, hour: int) -> Appointment:
        count = work.db.scalar(sa.select(sa.func.count()).select_from(Appointment))
        appointment = Appointment(
            clinic_id=1, patient_id=self._patient_of(work, row), kind="session", treatment_session_id=row.id,
            treatment_code="skin-needling", state="booked", uid=f"visit-{count}@alvor.example",
            scheduled_at=self.now, created_at=self.now, **_times(day, hour))
        work.db.add(appointment)
        work.db.flush()
        return appointment

    def _patient_of(self, work: UnitOfWork, row: TreatmentSession) -> int:
        course_id = row.course_id or work.db.get_one(MaintenancePlan, row.maintenance_plan_id).course_id
        return work.db.get_one(Course, course_id).patient_id

    def _reconcile(self, work: UnitOfWork, appointment: Appointment) -> None:
        work.db.flush()
        reconcile(work, owner_of(work.db.get_one(TreatmentSession, appointment.treatment_session_id)))
        work.commit()


def owner_of(row: TreatmentSession) -> Owner:
    """Whose session it is."""
    if row.course_id is not None:
        return Owner("course", row.course_id)
    assert row.maintenance_plan_id is not None
    return Owner("maintenance-plan", row.maintenance_plan_id)


@cache
def _document() -> dict[str, Any]:
    return next(each for each in library_documents() if each["code"] == "mn_rejuvenation")


def _times(day: date, hour: int) -> Mapping[str, Any]:
    local = datetime.combine(day, time(hour))
    starts_at = resolve(local, zone(ZONE))
    return {"local_start": local, "zone": ZONE, "fold": 0, "minutes": 60, "starts_at": starts_at,
            "ends_at": starts_at + timedelta(minutes=60)}


def _missing(kind: str) -> Message:
    raise LookupError(f"no message of kind {kind}")
