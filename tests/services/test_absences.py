"""Absences and downtime: what is away is not offered, and what comes from outside is left alone."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.services import absences, closures
from clinic.services.work import NotFound, Refused
from clinic.store.accounts import AuditEntry
from clinic.store.engine import for_writing
from clinic.store.resources import Absence
from tests.booking import at, codes, done
from tests.services.practices import peel_offers
from tests.small_clinic import small_clinic

NINE = datetime(2027, 3, 8, 9, tzinfo=UTC)


def test_a_closed_clinic_and_absent_people_and_rooms_are_not_offered(engine: Engine) -> None:
    made = small_clinic(engine)
    with made.work() as unit:
        closures.close_clinic(unit, made.clinic_id, from_on=date(2027, 3, 1), to_on=date(2027, 3, 2), reason="Flood")
    for who in made.practitioners[:2]:
        with made.work() as unit:
            done(absences.add_absence(unit, who, starts_at=at(1, 0), ends_at=at(8, 0), reason="Leave"))
    with made.work() as unit:
        done(absences.add_absence(unit, made.rooms[0], starts_at=at(1, 0), ends_at=at(8, 0), reason="Paint"))

    assert peel_offers(made) == [(date(2027, 3, 3), "Dr Chen", "Room 2")]


def test_an_absence_that_is_taken_back_gives_its_time_free(engine: Engine) -> None:
    made = small_clinic(engine)
    kept = []
    for who in made.practitioners:
        with made.work() as unit:
            kept.append(done(absences.add_absence(unit, who, starts_at=at(1, 0), ends_at=at(3, 0), reason="Leave")))
    away = peel_offers(made)

    with made.work() as unit:
        done(absences.remove_absence(unit, kept[1]))

    assert min(on for on, _, _ in away) == date(2027, 3, 3)
    assert peel_offers(made)[0][:2] == (date(2027, 3, 1), "Nurse Bell")
    with Session(engine) as db:
        said = db.execute(sa.select(AuditEntry.action, AuditEntry.subject_id).order_by(AuditEntry.id)).all()
    assert [tuple(each) for each in said] == [*(("absence-added", each) for each in kept), ("absence-removed", kept[1])]


@pytest.mark.parametrize(("changed", "code", "field"), [
    ({"ends_at": NINE}, "span", "to_on"),
    ({"ends_at": NINE - timedelta(hours=1)}, "span", "to_on"),
    ({"ends_at": NINE + timedelta(days=2000)}, "too-long", "to_on"),
    ({"reason": " "}, "reason", "reason"),
    ({"reason": "x" * 201}, "reason", "reason"),
])
def test_a_wrong_absence_is_refused_by_its_field(
    changed: dict[str, object], code: str, field: str, engine: Engine
) -> None:
    made = small_clinic(engine)
    given: dict[str, object] = {"starts_at": NINE, "ends_at": NINE + timedelta(hours=2), "reason": "Leave", **changed}

    with made.work() as unit:
        outcome = absences.add_absence(unit, made.practitioners[0], **given)  # type: ignore[arg-type]

    assert isinstance(outcome, Refused)
    assert [(each.code, each.field) for each in outcome.findings] == [(code, field)]


def test_the_same_absence_is_noted_once_and_a_patient_has_none(engine: Engine) -> None:
    made = small_clinic(engine)
    outcomes = []
    for who in (made.practitioners[0], made.practitioners[0], made.patients[0]):
        with made.work() as unit:
            outcomes.append(absences.add_absence(
                unit, who, starts_at=NINE, ends_at=NINE + timedelta(hours=2), reason="Leave"))

    done(outcomes[0])
    assert [codes(each) for each in outcomes[1:]] == [["twice"], ["not-absent"]]


def test_what_an_outside_calendar_says_is_not_removed_here(engine: Engine) -> None:
    made = small_clinic(engine)
    with Session(for_writing(engine)) as db:
        row = Absence(resource_id=made.practitioners[0], starts_at=NINE, ends_at=NINE + timedelta(hours=1),
                      reason="Busy", source="own.ics")
        db.add(row)
        db.commit()
        ident = row.id

    with made.work() as unit:
        outcome = absences.remove_absence(unit, ident)

    assert codes(outcome) == ["from-outside"]
    with Session(engine) as db:
        assert db.get(Absence, ident) is not None
    with pytest.raises(NotFound), made.work() as unit:
        absences.remove_absence(unit, 999)
