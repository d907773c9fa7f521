"""Treatments of the clinic's own: added, changed, taken out of use; those of protocols are not touched here."""
from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.evidence import OWN_FIGURE
from clinic.care.parts import Hold, Part, ResourceKind, write_parts
from clinic.services.protocols import load_catalogue
from clinic.services.treatments import TreatmentDetails, add_treatment, edit_treatment
from clinic.services.work import Actor, Done, NotFound, Refused, Stale, UnitOfWork
from clinic.store.accounts import AuditEntry
from clinic.store.engine import for_writing
from clinic.store.protocols import Treatment
from tests.web import seed

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
PARTS = (Part("visit", 0, 45, (Hold(ResourceKind.PRACTITIONER),), OWN_FIGURE),)


def work(engine: Engine) -> UnitOfWork:
    """A unit of work."""
    return UnitOfWork(engine, lambda: NOW, Actor("cli"))


def added(engine: Engine, name: str = "First talk", kind: str = "consultation") -> Done[int] | Refused:
    """Adds a treatment."""
    with work(engine) as unit:
        return add_treatment(unit, kind, TreatmentDetails(name, PARTS))


def row(engine: Engine, treatment_id: int) -> Treatment:
    """Its row."""
    with Session(engine) as db:
        return db.get_one(Treatment, treatment_id)


def codes(outcome: Done[int] | Refused) -> list[str]:
    """The findings of a refusal."""
    assert isinstance(outcome, Refused)
    return [finding.code for finding in outcome.findings]


def test_a_treatment_is_added_under_a_code_of_its_own(engine: Engine) -> None:
    with work(engine) as unit:
        load_catalogue(unit, ())

    first, second = added(engine, " Review!  "), added(engine, "初診", "other")

    assert isinstance(first, Done) and isinstance(second, Done)
    kept = row(engine, first.value)
    assert (kept.code, kept.name, kept.kind, kept.active) == ("review-2", "Review!", "consultation", True)
    assert kept.parts == write_parts(PARTS)
    assert row(engine, second.value).code == "treatment"
    with Session(engine) as db:
        assert db.scalars(sa.select(AuditEntry.facts).where(AuditEntry.action == "treatment-added")).all() == [
            {"code": "review-2"}, {"code": "treatment"}]


def test_what_stands_in_the_way_is_said_at_once(engine: Engine) -> None:
    added(engine)

    taken = added(engine, "FIRST TALK")
    with work(engine) as unit:
        wrong = add_treatment(unit, "session", TreatmentDetails("x" * 101, ()))

    assert codes(taken) == ["name-taken"]
    assert codes(wrong) == ["parts", "name", "kind"]


def test_a_change_keeps_the_code_and_the_kind(engine: Engine) -> None:
    made = added(engine)
    assert isinstance(made, Done)
    longer = (Part("visit", 0, 60, (Hold(ResourceKind.ROOM),), OWN_FIGURE),)

    with work(engine) as unit:
        edit_treatment(unit, made.value, TreatmentDetails("Second talk", longer, active=False), lock_version=1)

    kept = row(engine, made.value)
    assert (kept.code, kept.kind, kept.name, kept.active, kept.lock_version) == (
        "first-talk", "consultation", "Second talk", False, 2)
    assert kept.parts == write_parts(longer)
    with pytest.raises(Stale), work(engine) as unit:
        edit_treatment(unit, made.value, TreatmentDetails("Third talk", PARTS), lock_version=1)


def test_a_treatment_keeps_its_own_name_without_being_in_its_own_way(engine: Engine) -> None:
    made = added(engine)
    assert isinstance(made, Done)

    with work(engine) as unit:
        assert isinstance(edit_treatment(unit, made.value, TreatmentDetails("First talk", PARTS), lock_version=1), Done)


def test_the_parts_of_a_session_belong_to_its_protocol(engine: Engine) -> None:
    with Session(for_writing(engine)) as db:
        session_treatment = seed.add_treatment(db)
        db.commit()

    with work(engine) as unit:
        outcome = edit_treatment(unit, session_treatment, TreatmentDetails("Mine", PARTS), lock_version=1)

    assert codes(outcome) == ["of-a-protocol"]
    assert row(engine, session_treatment).name == "Skin needling"


def test_a_treatment_that_is_not_there_is_not_found(engine: Engine) -> None:
    with pytest.raises(NotFound), work(engine) as unit:
        edit_treatment(unit, 99, TreatmentDetails("x", PARTS), lock_version=1)
