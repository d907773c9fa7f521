"""A whole clinic on a port of this machine: pages, worker and mailbox, with a clock that tests move."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from clinic.app import Kit
from clinic.care.screening import LaxityGrade, ScreeningAnswers
from clinic.messages.mailbox import MailboxTransport
from clinic.queries.course_asks import CourseRequest
from clinic.queries.offers import offer_course
from clinic.queries.other_visits import VisitWish, offer_visit_times
from clinic.queries.visit_choice import parse_choice
from clinic.services.appointments import cancel_appointment
from clinic.services.completion import complete_appointment
from clinic.services.courses import book_course
from clinic.services.passwords import hash_password
from clinic.services.visits import book_visit
from clinic.services.work import Actor, Done
from clinic.settings import Settings
from clinic.store.accounts import Account, AccountRole, Task
from clinic.store.clinics import Clinic
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.engine import for_writing, open_engine
from clinic.store.protocols import Protocol
from clinic.web import create_app
from clinic.web.kit import keep
from clinic.worker import Pace, Worker
from tests.other_visits import add_other_visits
from tests.serving import serving
from tests.small_clinic import MONDAY, SmallClinic, small_clinic

PASSWORD = "seven quiet herons"
BUSY = 7
"""The patient, by place, whose courses are there before any test begins."""
CHANGING = 9
"""The patient whose course is for tests that change it."""
DUE = 10
"""The patient who is expected now."""
WAITING = 11
"""The patient with a consultation, and dates that wait for it."""


class MovableClock:
    """Stands still until it is moved; web and worker read the same one."""

    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        """Moves on."""
        self.now += by


@dataclass
class Site:
    """Where it answers, whose it is, and what was there from the beginning."""

    url: str
    clinic: SmallClinic
    kit: Kit
    clock: MovableClock
    app: Flask
    course: int = 0
    owed: int = 0
    booked: int = 0
    ended: int = 0
    changing: int = 0
    due: int = 0
    visit: int = 0
    held: int = 0

    def rows(self) -> Session:
        """A database session for what a test looks up."""
        return Session(for_writing(self.kit.engine), expire_on_commit=False)


def lived_in(database_url: str) -> Site:
    """A clinic in the middle of its life, in a database that nobody has open any more."""
    clock = MovableClock()
    kit = _kit(database_url, Path(), clock)
    site = Site("", small_clinic(kit.engine, patients=12), kit, clock, create_app(kit))
    _let_in(site)
    _live(site)
    kit.engine.dispose()
    return site


@contextmanager
def served(one: Site, database_url: str, folder: Path) -> Iterator[Site]:
    """That clinic in a copy of its database, answering until the block ends; only one at a time."""
    clock = MovableClock()
    kit = _kit(database_url, folder, clock)
    keep(one.app, kit)
    worker = Worker(kit, Pace(deliver=0.5, owe=3600))
    worker.start()
    try:
        with serving(one.app) as url:
            yield replace(one, url=url, clinic=one.clinic.on(kit.engine), kit=kit, clock=clock)
    finally:
        worker.stop()
        kit.engine.dispose()


def _kit(database_url: str, folder: Path, clock: MovableClock) -> Kit:
    return Kit(Settings(folder, database_url, "k" * 64, "http://127.0.0.1"), open_engine(database_url, durable=False),
               clock, MailboxTransport)


def _let_in(site: Site) -> None:
    """Everybody has the same password; reception looks after a second clinic in another zone; the owner, both."""
    with site.rows() as db:
        owner = Account(email="owner@harbour.example", name="Owner", password_hash="-", created_at=MONDAY)
        db.add(owner)
        db.flush()
        db.execute(sa.update(Account).values(password_hash=hash_password(PASSWORD)))
        other = Clinic(name="Harbour Lisbon", zone="Europe/Lisbon", address="2 Cais", phone="+351 21 000 0000",
                       sender_name="Harbour Skin", sender_email="lisbon@harbour.example")
        db.add(other)
        db.flush()
        db.add_all(
            AccountRole(account_id=site.clinic.accounts[role], clinic_id=other.id, role=role)
            for role in ("receptionist", "practitioner"))
        db.add_all(AccountRole(account_id=owner.id, clinic_id=clinic, role="manager")
                   for clinic in (site.clinic.clinic_id, other.id))
        db.commit()


def _live(site: Site) -> None:
    """A course in the middle of its life, a course that ended, and an open task."""
    site.course = booked_course(site, "rfmn_laxity", "mild_laxity", 4)
    with site.rows() as db:
        visits = list(db.scalars(sa.select(Appointment.id).order_by(Appointment.starts_at)))
        db.add(Task(clinic_id=site.clinic.clinic_id, patient_id=site.clinic.patients[BUSY], kind="consultation",
                    text="Arrange a consultation", due_on=MONDAY.date(), created_at=MONDAY))
        db.commit()
    site.booked = visits[1]
    with site.kit.work(ACTOR) as work:
        assert isinstance(complete_appointment(work, visits[0], lock_version=1), Done)
    with site.kit.work(ACTOR) as work:
        assert isinstance(cancel_appointment(work, visits[3], reason="The patient is ill", lock_version=1), Done)
    with site.rows() as db:
        site.owed = db.scalars(sa.select(TreatmentSession.id).where(TreatmentSession.state == "owed")).one()
    site.ended = booked_course(site, "peel_superficial", "texture", 1)
    with site.rows() as db:
        last = db.scalars(sa.select(Appointment.id).join(
            TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
            .where(TreatmentSession.course_id == site.ended)).one()
        starts_at = db.get_one(Appointment, last).starts_at
    if starts_at <= site.clock.now:
        with site.kit.work(ACTOR) as work:
            assert isinstance(complete_appointment(work, last, lock_version=1), Done)

    site.changing = booked_course(site, "mn_rejuvenation", "fine_lines", 3, patient=CHANGING)
    due = booked_course(site, "lhr_face", "unwanted_hair_face", 2, patient=DUE)
    with site.rows() as db:
        site.due = db.scalars(
            sa.select(Appointment.id).join(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
            .where(TreatmentSession.course_id == due).order_by(Appointment.starts_at)).first() or 0
    _wait_for_a_consultation(site)


def _wait_for_a_consultation(site: Site) -> None:
    """A consultation tomorrow, and a course whose dates are held until then; other patients are asked for none."""
    wanted = VisitWish(site.clinic.patients[WAITING], site.clinic.clinic_id, "consultation")
    with site.rows() as db:
        add_other_visits(db)
        db.execute(sa.update(Protocol).where(Protocol.code == HOLDS).values(consultation="hold"))
        db.commit()
        times = offer_visit_times(db, wanted, now=site.clock.now, from_on=MONDAY.date() + timedelta(days=1)).times
    with site.kit.work(ACTOR) as work:
        outcome = book_visit(work, wanted, parse_choice(times[-1].choice))
    assert isinstance(outcome, Done)
    site.visit = outcome.value
    site.held = booked_course(site, HOLDS, "pigment", 2, patient=WAITING)


ACTOR = Actor("test")
HOLDS = "peel_medium"


def booked_course(
    site: Site, protocol: str, indication: str, sessions: int, *, patient: int = BUSY, patient_id: int | None = None,
    first_on: date | None = None
) -> int:
    """The id of a course booked with the best plan, for the patient of that place or of that id, from that day on."""
    request = CourseRequest(
        patient_id=patient_id or site.clinic.patients[patient], clinic_id=site.clinic.clinic_id,
        protocol_version_id=site.clinic.versions[protocol], sessions=sessions, not_before_on=first_on or MONDAY.date(),
        answers=ScreeningAnswers(indication, LaxityGrade.NONE, none_apply=True))
    with site.kit.read() as db:
        best = offer_course(db, request, now=site.clock.now).offers[0]
    with site.kit.work(ACTOR) as work:
        outcome = book_course(work, request, [parse_choice(visit.choice) for visit in best.visits])
    assert isinstance(outcome, Done)
    return outcome.value
