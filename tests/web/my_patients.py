"""A small real clinic with two patients who have a course each, and their browsers."""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from html import unescape
from urllib.parse import unquote

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from clinic.app import Kit
from clinic.care.owner_facts import Owner
from clinic.care.screening import LaxityGrade, ScreeningAnswers
from clinic.queries.course_asks import CourseRequest
from clinic.queries.offers import offer_course
from clinic.queries.visit_choice import parse_choice
from clinic.services.courses import book_course
from clinic.services.work import Actor, Done
from clinic.store.accounts import Account, Task
from clinic.store.clinics import Clinic
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.engine import for_writing
from clinic.store.resources import Patient
from tests.my_links import new_secret
from tests.small_clinic import MONDAY, SmallClinic, small_clinic
from tests.web.conftest import token
from tests.web.seed import PASSWORD_HASH

BORN = date(1985, 3, 7)
PROTOCOL = "rfmn_laxity"
FLAGS = re.compile(r'name="flag" value="([^"]+)"')


@dataclass
class MyClinic:
    """The clinic, the app over it, and the courses of its first two patients."""

    app: Flask
    kit: Kit
    made: SmallClinic
    courses: list[int] = field(default_factory=list)

    def secret(self, place: int = 0, owner: Owner | None = None) -> str:
        """The secret of a new link to the course of that patient, or to that owner."""
        with self.kit.work(Actor("test")) as work:
            return new_secret(work, owner or Owner("course", self.courses[place]))

    def entered(self, place: int = 0, *, born: bool = False, owner: Owner | None = None) -> FlaskClient:
        """A browser that came in by a new link, and gave the birth date if asked."""
        browser = self.app.test_client()
        address = f"/l/{self.secret(place, owner)}"
        answer = browser.post(address, data={"csrf_token": token(browser, text(browser.get(address)))})
        assert (answer.status_code, answer.location) == (303, "/my")
        if born:
            assert self.post(browser, "/my/born", day="7", month="3", year="1985").status_code == 303
        return browser

    def post(self, browser: FlaskClient, url: str, **fields: object) -> TestResponse:
        """Sends a form of the patient's page."""
        data = {"csrf_token": token(browser, text(browser.get("/my"))), **fields}
        return browser.post(url, data=data)

    def rows(self) -> Session:
        """A database session for what a test looks up or prepares."""
        return Session(for_writing(self.kit.engine), expire_on_commit=False)

    def dates(self, place: int = 0) -> list[Appointment]:
        """The appointments of that patient's course that stand, in order."""
        with self.rows() as db:
            return list(db.scalars(
                sa.select(Appointment).join(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
                .where(TreatmentSession.course_id == self.courses[place], Appointment.state == "booked")
                .order_by(Appointment.starts_at)))

    def tasks(self) -> list[Task]:
        """The tasks of the clinic, in order."""
        with self.rows() as db:
            return list(db.scalars(sa.select(Task).order_by(Task.id)))

    def allow(self, move: str, cancel: str) -> None:
        """Sets what patients may do with their dates."""
        with self.rows() as db:
            clinic = db.get_one(Clinic, self.made.clinic_id)
            clinic.patients_move, clinic.patients_cancel = move, cancel
            clinic.out_of_hours_phone, clinic.emergency_phone = "+44 20 7946 0999", "999"
            db.commit()


def my_clinic(app: Flask, kit: Kit) -> MyClinic:
    """Builds it: two patients who share an address, each with a course of three sessions."""
    found = MyClinic(app, kit, small_clinic(kit.engine))
    with found.rows() as db:
        for patient_id in found.made.patients[:2]:
            row = db.get_one(Patient, patient_id)
            row.birth_on, row.email = BORN, "shared@example.com"
        db.execute(sa.update(Account).values(password_hash=PASSWORD_HASH))
        db.commit()
    for patient_id in found.made.patients[:2]:
        request = CourseRequest(
            patient_id=patient_id, clinic_id=found.made.clinic_id,
            protocol_version_id=found.made.versions[PROTOCOL], sessions=3, not_before_on=date(2027, 3, 10),
            answers=ScreeningAnswers("mild_laxity", LaxityGrade.NONE, none_apply=True))
        with kit.read() as db:
            best = offer_course(db, request, now=MONDAY).offers[0]
        with kit.work(Actor("test")) as work:
            outcome = book_course(work, request, [parse_choice(visit.choice) for visit in best.visits])
        assert isinstance(outcome, Done)
        found.courses.append(outcome.value)
    return found


def text(answer: TestResponse) -> str:
    """The page."""
    return unescape(answer.get_data(as_text=True))


def times_of(browser: FlaskClient, appointment_id: int) -> list[str]:
    """What the page of other times offers, as its links or boxes send it back."""
    page = text(browser.get(f"/my/dates/{appointment_id}/move"))
    return re.findall(r'(?:choice=|name="wish" value=")([^"&]+)', unquote(page))


def field(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]
