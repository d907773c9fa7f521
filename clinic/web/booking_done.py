"""What the diary says right after a booking or a move: that it can be taken back while nobody has heard of it."""
from __future__ import annotations

from dataclasses import dataclass

from flask import request

from clinic.access import Right
from clinic.queries.courses import clinic_of_course
from clinic.queries.just_booked import JustBegun, JustBooked, just_begun, just_booked
from clinic.queries.just_moved import JustMoved, just_moved
from clinic.queries.rest_of_course import undo_token
from clinic.web.entry import here
from clinic.web.kit import kit, now
from clinic.web.numbers import number_of


@dataclass(frozen=True, slots=True)
class Undo:
    """A visit to be taken back, with the one that was booked together with it, or moved back; a course that was begun,
    or one that was put right and its token."""

    visit: JustBooked | None = None
    also: JustBooked | None = None
    moved: JustMoved | None = None
    begun: JustBegun | None = None
    course_id: int | None = None
    token: str = ""


def offered_undo() -> Undo | None:
    """What the address says was just booked or moved, where it can still be taken back."""
    booked, also, moved, begun, repaired = (
        number_of(request.args, name) for name in ("booked", "also", "moved", "begun", "repaired"))
    if booked is not None and (visit := may_take_back(booked)) is not None:
        beside = may_take_back(also) if also is not None else None
        return Undo(visit, beside) if (also is None) == (beside is None) else None
    if moved is not None and (visit_moved := may_move_back(moved)) is not None:
        return Undo(moved=visit_moved)
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


def may_move_back(appointment_id: int) -> JustMoved | None:
    """A visit of the current clinic whose last move can still be taken back."""
    with kit().read() as db:
        found = just_moved(db, appointment_id, now=now())
    return found if found and found.clinic_id == here().clinic_id and here().may(Right.BOOK) else None
