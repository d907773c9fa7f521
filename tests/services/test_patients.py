"""Patients: what may be kept, and who changes what."""
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.queries.folding import digits, folded
from clinic.queries.patients import likely_patients
from clinic.services.patients import PatientDetails, Wish, add_patient, edit_patient, search_text
from clinic.services.work import Actor, Done, NotFound, Refused, Stale, UnitOfWork
from clinic.store.accounts import AuditEntry
from clinic.store.resources import Patient
from tests.small_clinic import small_clinic

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
ANNA = PatientDetails("Anna", "Nováková", date(1984, 3, 12), "anna@example.org", "+420 601 123 456",
                      only_times=(Wish((0, 2), 540, 720),))


def work(engine: Engine, at: datetime = NOW) -> UnitOfWork:
    """A unit of work of the demo."""
    return UnitOfWork(engine, lambda: at, Actor("demo"))


def added(engine: Engine, details: PatientDetails = ANNA) -> int:
    """A patient who was added."""
    with work(engine) as unit:
        outcome = add_patient(unit, details)
    assert isinstance(outcome, Done)
    return outcome.value


@pytest.mark.parametrize(("details", "fields"), [
    (replace(ANNA, given_name=" ", family_name=""), ["given_name", "family_name"]),
    (replace(ANNA, birth_on=date(2027, 3, 2)), ["birth_on"]),
    (replace(ANNA, birth_on=date(1899, 12, 31)), ["birth_on"]),
    (replace(ANNA, email="anna"), ["email"]), (replace(ANNA, email=None), ["email"]),
    (replace(ANNA, phone="12"), ["phone"]), (replace(ANNA, phone=None, channel="phone"), ["phone"]),
    (replace(ANNA, channel="fax"), ["channel"]),
])
def test_what_cannot_be_kept_is_said_field_by_field(
    details: PatientDetails, fields: list[str], engine: Engine
) -> None:
    with work(engine) as unit:
        outcome = add_patient(unit, details)

    assert isinstance(outcome, Refused)
    assert [finding.field for finding in outcome.findings] == fields


def test_a_patient_without_any_address_can_be_kept(engine: Engine) -> None:
    patient_id = added(engine, PatientDetails("Ben", "Adeyemi", channel="none"))

    with Session(engine) as db:
        row = db.get_one(Patient, patient_id)
    assert (row.email, row.phone, row.search_text) == (None, None, " adeyemi ben ")


@pytest.mark.parametrize(("other", "asked"), [
    (ANNA, True), (replace(ANNA, given_name="anna", family_name="NOVAKOVA"), True),
    (replace(ANNA, birth_on=date(1990, 1, 1)), True),
    (replace(ANNA, birth_on=date(1990, 1, 1), email="x@example.org", phone="+420 600 000 000"), False),
    (replace(ANNA, birth_on=None, email="x@example.org", phone=None), True),
    (replace(ANNA, given_name="Jana"), False),
])
def test_only_someone_who_may_be_the_same_person_is_asked_about(
    other: PatientDetails, asked: bool, engine: Engine
) -> None:
    added(engine)

    with work(engine) as unit:
        outcome = add_patient(unit, other)

    assert isinstance(outcome, Refused) == asked


def test_several_may_share_an_address(engine: Engine) -> None:
    added(engine)

    added(engine, replace(ANNA, given_name="Jana", birth_on=date(2010, 1, 1)))


def test_the_consent_to_offers_keeps_the_instant_at_which_it_was_given(engine: Engine) -> None:
    small_clinic(engine)  # the newsletter asks back in a clinic's name
    patient_id = added(engine, replace(ANNA, wants_marketing=True))
    later = datetime(2027, 5, 1, 9, tzinfo=UTC)

    for version, wants in ((1, True), (2, False), (3, True)):
        with work(engine, later) as unit:
            edit_patient(unit, patient_id, replace(ANNA, wants_marketing=wants), lock_version=version)
        with Session(engine) as db:
            kept = db.get_one(Patient, patient_id).marketing_consent_at
        assert kept == {1: NOW, 2: None, 3: later}[version]


def test_the_second_of_two_editors_is_stopped(engine: Engine) -> None:
    patient_id = added(engine)
    with work(engine) as unit:
        edit_patient(unit, patient_id, replace(ANNA, alerts="first"), lock_version=1)

    with pytest.raises(Stale) as stale, work(engine) as unit:
        edit_patient(unit, patient_id, replace(ANNA, alerts="second"), lock_version=1)

    assert stale.value.current_version == 2
    with Session(engine) as db:
        assert db.get_one(Patient, patient_id).alerts == "first"


def test_nobody_is_changed_who_is_not_there(engine: Engine) -> None:
    with pytest.raises(NotFound), work(engine) as unit:
        edit_patient(unit, 99, ANNA, lock_version=1)


def test_the_audit_tells_which_fields_changed_and_no_value(engine: Engine) -> None:
    patient_id = added(engine)
    with work(engine) as unit:
        edit_patient(unit, patient_id, replace(ANNA, alerts="Latex", phone=None), lock_version=1)

    with Session(engine) as db:
        entries = db.execute(sa.select(AuditEntry.action, AuditEntry.facts).order_by(AuditEntry.id)).all()
    assert [tuple(entry) for entry in entries] == [
        ("patient-added", {}), ("patient-changed", {"fields": ["phone", "alerts"]})]


@pytest.mark.parametrize("wish", [((), 540, 720), ((7,), 540, 720), ((0,), 720, 720), ((0,), -1, 60), ((0,), 0, 1441)])
def test_times_that_are_none_cannot_be_built(wish: tuple[tuple[int, ...], int, int]) -> None:
    with pytest.raises(ValueError, match="no such times"):
        Wish(*wish)


def test_the_text_that_is_searched_holds_everything_folded() -> None:
    assert search_text(ANNA) == " novakova anna anna@example.org 420601123456 1984-03-12 "


@pytest.mark.parametrize(("text", "plain"), [
    ("Nováková", "novakova"), ("ŁUKASZ  Żółć", "lukasz zolc"), ("Straße", "strasse"), ("Øystein Æ", "oystein ae"),
    ("İpek Işık", "ipek isik"), ("O’Connor", "oconnor"), ("O'CONNOR", "oconnor"), ("O´Connor", "oconnor"),
    ("Nguyễn", "nguyen"), ("الزهراني", "الزهراني"), ("欧阳", "欧阳"), (" a\t b ", "a b"),
])
def test_accents_and_case_do_not_matter(text: str, plain: str) -> None:
    assert folded(text) == plain


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert folded(folded(text)) == folded(text)


NAMED = (
    replace(ANNA, given_name="Caoimhe", family_name="O’Connor", phone="+351 91 555 0051", birth_on=date(1964, 7, 16)),
    replace(ANNA, given_name="Zoë", family_name="Castro-Vidal", phone="0351 22 051 777", birth_on=date(1990, 1, 2)),
)


def test_a_patient_is_found_however_the_name_the_number_and_the_birth_date_are_typed(engine: Engine) -> None:
    ids = [added(engine, each) for each in NAMED]
    typed = {
        "oconnor": [0], "O'Connor caoimhe": [0], "o connor": [0], "O’Connor, Caoimhe": [0], "castro vidal": [1],
        "Zoe Castro-Vidal": [1], "16 July 1964": [0], "16071964": [0], "160764": [0], "0051": [0], "051": [0, 1],
        "035191": [0], "0035191555": [0], "22 051": [1], ",": [], "": [1, 0],
    }

    with Session(engine) as db:
        found = {words: [ids.index(each.id) for each in likely_patients(db, words, limit=5)] for words in typed}

    assert found == typed


def test_a_number_is_its_digits() -> None:
    assert digits("+44 (0)7700-900 123") == "4407700900123"
