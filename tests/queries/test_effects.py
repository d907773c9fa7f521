"""Whom a change of the set-up would meet."""
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.queries.effects import Effect, visits_met, visits_named
from tests.queries.statements import counted
from tests.web import seed

NINE = datetime(2027, 3, 8, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Clinics:
    """Two clinics, a practitioner who is at both, and a room."""

    def __init__(self, db: Session) -> None:
        self.db = db
        self.harbour, self.hill = seed.add_clinic(db), seed.add_clinic(db, "Hill", "Europe/Lisbon")
        self.person, self.room = seed.add_practitioner(db), seed.add_room(db, self.harbour)
        self.anna = seed.add_patient(db)
        self.ben = seed.add_patient(db, "Ben", "Okafor")

    def visit(self, at: datetime, *, patient: int | None = None, clinic: int | None = None,
              resources: tuple[int, ...] | None = None, state: str = "booked", where: str = "Europe/London") -> int:
        """An appointment of 45 minutes."""
        return seed.add_appointment(
            self.db, patient or self.anna, clinic or self.harbour, at,
            resources=(self.person, self.room) if resources is None else resources, state=state, where=where)


def numbers(effect: Effect) -> tuple[int, int, list[int]]:
    return effect.appointments, effect.patients, [row.appointment_id for row in effect.rows]


def test_an_absence_meets_what_overlaps_it_and_nothing_that_only_touches_it(engine: Engine) -> None:
    with Session(engine) as db:
        made = Clinics(db)
        made.visit(NINE - timedelta(minutes=45))
        within = made.visit(NINE + HOUR)
        across = made.visit(NINE + 2 * HOUR - timedelta(minutes=10), resources=(made.person,), patient=made.ben)
        made.visit(NINE + 3 * HOUR)
        made.visit(NINE, resources=(made.room,))

        found = visits_met(db, resource_ids=[made.person], clinic_id=None, from_at=NINE, to_at=NINE + 2 * HOUR)

    assert numbers(found) == (2, 2, [within, across])


def test_a_visit_that_is_over_or_cancelled_is_met_by_nothing(engine: Engine) -> None:
    with Session(engine) as db:
        made = Clinics(db)
        made.visit(NINE, state="fulfilled")
        made.visit(NINE + HOUR, state="cancelled")
        arrived = made.visit(NINE + 2 * HOUR, state="arrived")

        found = visits_met(db, resource_ids=[made.person], clinic_id=None, from_at=NINE, to_at=None)

    assert numbers(found) == (1, 1, [arrived])


def test_a_closure_meets_the_visits_of_its_clinic_alone(engine: Engine) -> None:
    with Session(engine) as db:
        made = Clinics(db)
        here = made.visit(NINE)
        made.visit(NINE + 2 * HOUR, clinic=made.hill, resources=(made.person,), where="Europe/Lisbon")

        found = visits_met(db, resource_ids=None, clinic_id=made.harbour, from_at=NINE, to_at=NINE + 9 * HOUR)

    assert numbers(found) == (1, 1, [here])


def test_a_row_says_who_what_and_when_in_the_time_of_its_clinic(engine: Engine) -> None:
    with Session(engine) as db:
        made = Clinics(db)
        seed.add_treatment(db, "skin-needling", "Skin needling")
        summer = datetime(2027, 7, 5, 9, tzinfo=UTC)
        made.visit(summer)

        [row] = visits_met(db, resource_ids=[made.person], clinic_id=None, from_at=summer, to_at=None).rows

    assert (row.patient, row.what, row.local_start, row.minutes, row.clinic, row.course_id) == (
        "Anna Nováková", "Skin needling", summer.replace(hour=10, tzinfo=None), 45, "Harbour Clinic", None)


@pytest.mark.parametrize("count", [0, 1, 30])
def test_the_list_is_bounded_the_count_is_not_and_the_statements_stay_two(count: int, engine: Engine) -> None:
    with Session(engine) as db:
        made = Clinics(db)
        ids = [made.visit(NINE + n * HOUR, patient=(made.anna, made.ben)[n % 2]) for n in range(count)]
        db.commit()

        with counted(engine) as said:
            found = visits_met(db, resource_ids=[made.person], clinic_id=None, from_at=NINE, to_at=None, limit=5)
        named = visits_named(db, ids, limit=5)

    assert (found.appointments, found.patients, len(found.rows)) == (count, min(count, 2), min(count, 5))
    assert found.unlisted == max(0, count - 5)
    assert named == found
    assert len([each for each in said if each.startswith("SELECT")]) == (2 if count else 1)
