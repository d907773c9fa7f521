"""The day of one practitioner: what is known before each visit, and nothing of anybody else's."""
from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.outcomes import VisitOutcome
from clinic.planning.local import zone
from clinic.queries.diary import read_text
from clinic.queries.handover import notes_version
from clinic.queries.my_day import MyDay, my_day
from clinic.services.handover import leave_note, mark_read
from clinic.services.taking_in import take_in
from clinic.services.work import Done, NotFound, Refused
from clinic.store.courses import HandoverNote, Screening
from clinic.store.diary import Appointment
from clinic.store.engine import for_writing
from clinic.store.outbox import Message
from tests.booking import booked, held_by, perform, row, standing
from tests.queries.statements import counted
from tests.small_clinic import SmallClinic, small_clinic


def read(made: SmallClinic, person: int, on: date) -> MyDay:
    with Session(made.engine) as db:
        text = read_text(db, made.clinic_id, on, 1, where=zone("Europe/London"), now=made.now)
        return my_day(db, text, person, made.clinic_id, on, where=zone("Europe/London"), now=made.now)


def version(made: SmallClinic, on: date) -> str:
    with Session(made.engine) as db:
        return notes_version(db, made.clinic_id, on, where=zone("Europe/London"))


def leave(made: SmallClinic, text: str, course_id: int | None = None, patient: int = 0) -> int:
    with made.work("receptionist") as work:
        return leave_note(work, made.patients[patient], text=text, course_id=course_id).value


def test_a_visit_comes_with_all_that_whoever_treats_must_know(engine: Engine) -> None:
    made = small_clinic(engine)
    course = booked(made, sessions=3)
    first, second, _ = standing(made, course)
    perform(made, first)
    with Session(for_writing(engine)) as db:
        asked = db.scalars(sa.select(Screening)).one()
        asked.answers = {**asked.answers, "none_apply": False, "applies": {"rosacea_active": None}}
        db.commit()
    on = second.local_start.date()
    person = next(resource for _, resource in held_by(made, second.id) if resource in made.practitioners)
    before = version(made, on)
    note = leave(made, "Ask about the left cheek", course)

    mine, = read(made, person, on).visits

    assert (mine.visit.id, mine.done, mine.visit.number, mine.visit.of) == (second.id, 1, 2, 3)
    assert mine.last is not None
    assert (mine.last.on, mine.last.outcome) == (first.local_start.date(), VisitOutcome.TREATED)
    assert [(each.text, each.author, each.about) for each in mine.notes] == [
        ("Ask about the left cheek", "Receptionist", "Microneedling: fine lines, texture, mild laxity")]
    assert [each.field for each in mine.contraindications] == ["rosacea_active"]
    assert version(made, on) != before
    for account in ("practitioner", "manager"):
        with made.work(account) as work:
            mark_read(work, note)
    with Session(engine) as db:
        known = db.get_one(HandoverNote, note)
        assert "cheek" not in "".join(map(str, db.execute(sa.select(Message.note, Message.reason)).all()))
    assert (known.read_by, known.read_at) == (made.accounts["practitioner"], made.now)
    assert read(made, person, on).visits[0].notes == ()
    others = [each for each in made.practitioners if each != person]
    assert [read(made, each, on).visits for each in others] == [(), ()]


def test_the_statements_do_not_grow_with_the_day(engine: Engine) -> None:
    made = small_clinic(engine)
    on = made.now.date()
    read(made, made.practitioners[0], on)
    with counted(engine) as empty:
        read(made, made.practitioners[0], on)
    for patient in range(3):
        course = booked(made, "peel_superficial", 2, patient_id=made.patients[patient])
        leave(made, "Note", course, patient)
    read(made, made.practitioners[0], on)

    with counted(engine) as full:
        for person in made.practitioners:
            read(made, person, on)

    assert len(full) <= 3 * len(empty)


def test_a_patient_is_taken_in_once_and_only_today(engine: Engine) -> None:
    made = small_clinic(engine)
    first, later, _ = standing(made, booked(made, sessions=3))

    outcomes = []
    for visit, seen in ((later, later.lock_version), (first, first.lock_version), (first, first.lock_version + 1)):
        with made.work("practitioner") as work:
            outcomes.append(take_in(work, visit.id, lock_version=seen))

    now = row(made, Appointment, first.id)
    assert [type(each) for each in outcomes] == [Refused, Done, Refused]
    assert (now.state, now.arrived_at, now.begun_at) == ("arrived", made.now, made.now)


def test_a_note_is_about_a_patient_who_is_there_and_a_course_of_theirs(engine: Engine) -> None:
    made = small_clinic(engine)
    course = booked(made, sessions=1)

    with pytest.raises(NotFound):
        leave(made, "Whose?", course, patient=1)
    with pytest.raises(NotFound), made.work("receptionist") as work:
        leave_note(work, 99_999, text="Whose?")
    with pytest.raises(NotFound), made.work("receptionist") as work:
        mark_read(work, 99_999)
