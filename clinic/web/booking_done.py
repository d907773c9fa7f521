"""What the diary says right after a booking: that it can be taken back, as long as nobody has heard of it."""
from __future__ import annotations

from dataclasses import dataclass

from flask import request

from clinic.access import Right
from clinic.queries.courses import clinic_of_course
from clinic.queries.just_booked import JustBegun, JustBooked, just_begun, just_booked
from clinic.queries.rest_of_course import undo_token
from clinic.web.booking_form import number_of
from clinic.web.entry import here
from clinic.web.kit import kit, now


@dataclass(frozen=True, slots=True)
class Undo:
    """A visit that can be taken back, a course that was begun, or one that was put right with it and its token."""

    visit: JustBooked | None = None
    begun: JustBegun | None = None
    course_id: int | None = None
    token: str = ""


def offered_undo() -> Undo | None:
    """What the address says was just booked, where it can still be taken back."""
    booked, begun, repaired = (number_of(request.args, name) for name in ("booked", "begun", "repaired"))
    if booked is not None and (visit := may_take_back(booked)) is not None:
        return Undo(visit)
    if begun is not None and (course := may_take_back_course(begun)) is not None:
        return Undo(begun=course)
    if repaired is not None and here().may(Right.BOOK):
        with kit().read() as db:
            token = undo_token(db, repaired, now=now()) if clinic_of_course(db, repaired) == here().clinic_id else None
        return Undo(course_id=repaired, token=token) if token else None
    return None


def may_take_back(appointment_id: int) -> JustBooked | None:
    """A visit of the current clinic that can still be taken back."""
    with kit().read() as db:
        found = just_booked(db, appointment_id, now=now())
    return found if found and found.clinic_id == here().clinic_id and here().may(Right.BOOK) else None


def may_take_back_course(course_id: int) -> JustBegun | None:
    """A course of the current clinic that was begun and that nobody has heard of yet."""
    with kit().read() as db:
        found = just_begun(db, course_id)
    return found if found and found.clinic_id == here().clinic_id and here().may(Right.BOOK) else None
