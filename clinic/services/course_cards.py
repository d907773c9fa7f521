"""A course as its patient takes it home on paper: its dates, in their language."""
from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.states import AppointmentState, SessionState
from clinic.messages.rendering import languages
from clinic.messages.words import day_in_words, labels, time_in_words
from clinic.planning.local import zone
from clinic.queries.courses import CoursePage
from clinic.queries.treatment_sessions import SessionLine
from clinic.store.clinics import Clinic
from clinic.store.resources import Patient

_COMES = (AppointmentState.BOOKED, AppointmentState.ARRIVED)


@dataclass(frozen=True, slots=True)
class CardDate:
    """A session on the card: which one, when, and with whom. One that was given is ticked; one without a date is blank.
    """

    number: str
    day: str
    time: str
    practitioner: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class CourseCardWords:
    """The card in the patient's language, with where the clinic is and how to call it."""

    language: str
    greeting: str
    dates: tuple[CardDate, ...]
    call: str
    address: tuple[str, ...]
    phone: str


def course_card(db: Session, course: CoursePage) -> CourseCardWords:
    """The card of a course: every session that is to be given, or was."""
    clinic = db.get_one(Clinic, course.clinic_id)
    each = Patient.__table__.c
    wanted = db.scalars(sa.select(each.language).where(each.id == course.patient.id)).one()
    language = wanted if wanted in languages() else "en"
    words = labels(language)
    lines = [line for line in course.treatment_sessions if line.state is not SessionState.NOT_DONE]
    return CourseCardWords(
        language, course.patient.name, tuple(_date(line, len(lines), language) for line in lines),
        words.call.format(phone=clinic.phone), tuple(filter(None, map(str.strip, clinic.address.splitlines()))),
        clinic.phone)


def _date(line: SessionLine, of: int, language: str) -> CardDate:
    words, visit = labels(language), line.appointment
    number = words.session_number.format(number=line.number, of=of)
    if line.performed_local is not None:
        return CardDate(number, day_in_words(line.performed_local.date(), words), "", "", is_done=True)
    if visit is None or visit.state not in _COMES:
        return CardDate(number, "", "", "", is_done=False)
    at = visit.local_start.astimezone(zone(visit.zone))
    return CardDate(number, day_in_words(at.date(), words), time_in_words(at, words),
                    words.practitioner.format(name=visit.practitioner) if visit.practitioner else "", is_done=False)
