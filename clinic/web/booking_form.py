"""What the form of the booking panel asks for, and doing it: a session alone, with those that follow it, or a visit."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import abort, request

from clinic.queries.appointments import clinic_of_session
from clinic.queries.courses import clinic_of_course
from clinic.queries.other_visits import VisitWish
from clinic.queries.visit_choice import VisitChoice, parse_choice
from clinic.services.appointments import book_session
from clinic.services.repair import repair_course
from clinic.services.visits import book_visit
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.web.entry import check_clinic, here
from clinic.web.forms import Form
from clinic.web.kit import kit
from clinic.web.numbers import number_of
from clinic.web.repair import MOST_TOKEN, Chosen, parse_chosen


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was pressed, and where its success leads: `answer` is what the diary's address then says of it."""

    answer: str

    def act(self, work: UnitOfWork) -> Done[int] | Refused:
        """Books it."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class WantedSession(Wanted):
    """A session at a time, all others as they are."""

    treatment_session_id: int
    choice: VisitChoice
    reasons: Mapping[str, str]

    def act(self, work: UnitOfWork) -> Done[int] | Refused:
        """Books it."""
        return book_session(work, self.treatment_session_id, self.choice, overrides=self.reasons)


@dataclass(frozen=True, slots=True)
class WantedCourse(Wanted):
    """A session at a time, with the later ones that have to follow it."""

    course_id: int
    chosen: Chosen
    token: str

    def act(self, work: UnitOfWork) -> Done[int] | Refused:
        """Books all of it."""
        return repair_course(work, self.course_id, self.chosen.choices, self.chosen.undated, token=self.token)


@dataclass(frozen=True, slots=True)
class WantedVisit(Wanted):
    """A visit that belongs to no course, at a time."""

    wish: VisitWish
    choice: VisitChoice
    reasons: Mapping[str, str]

    def act(self, work: UnitOfWork) -> Done[int] | Refused:
        """Books it."""
        return book_visit(work, self.wish, self.choice, overrides=self.reasons)


def read_wanted(form: Form, patient_id: int) -> Wanted | None:
    """What the pressed button stands for; none where the time cannot be read. 404 for anything of another clinic."""
    kind, _, about = request.form.get("what", "").partition(":")
    if kind == "course":
        return _course(form, _id(about))
    choice = form.choice("choice", "The time", parse_choice)
    if kind == "session":
        return _owed(form, _id(about), choice)
    if kind != "visit":
        abort(404)
    wish = VisitWish(patient_id, here().clinic_id, about)
    return WantedVisit("booked", wish, choice, form.overrides()) if choice else None


def _course(form: Form, course_id: int) -> Wanted | None:
    with kit().read() as db:
        check_clinic(clinic_of_course(db, course_id))
    chosen, token = form.choice("plan", "The time", parse_chosen), request.form.get("token", "")[:MOST_TOKEN]
    return WantedCourse("repaired", course_id, chosen, token) if chosen else None


def _owed(form: Form, treatment_session_id: int, choice: VisitChoice | None) -> Wanted | None:
    with kit().read() as db:
        check_clinic(clinic_of_session(db, treatment_session_id))
    return WantedSession("booked", treatment_session_id, choice, form.overrides()) if choice else None


def _id(text: str) -> int:
    found = number_of({"id": text}, "id")
    return abort(404) if found is None else found
