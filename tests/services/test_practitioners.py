"""Practitioners: what is added is there for planning at once, and what is wrong is said by its field."""
from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.rotas import DaySpan, RotaWeeks, WeekSpan
from clinic.services import clinics, practitioners, rooms
from clinic.services.practitioners import CertificateDetails, Held, PractitionerDetails
from clinic.services.work import NotFound, Stale
from clinic.store.accounts import AuditEntry
from clinic.store.engine import for_writing
from clinic.store.resources import Certificate, Practitioner, Qualification
from tests.booking import asked, codes, done, offered
from tests.services.practices import peel_offers, second_clinic
from tests.small_clinic import SmallClinic, small_clinic

MONDAY = date(2027, 3, 1)
DARA = PractitionerDetails(
    "Dr Dara", (Held("peel-superficial", date(2027, 3, 3)),),
    (CertificateDetails("insurance", "Guild", date(2027, 1, 1), date(2027, 12, 31)),))


def nobody_else(made: SmallClinic) -> None:
    """Puts everybody and every room out of use."""
    with Session(for_writing(made.engine)) as db:
        for table in ("room", "practitioner"):
            db.execute(sa.text(f"UPDATE {table} SET active = :no"), {"no": False})
        db.commit()


def week(made: SmallClinic, opens: int = 540, closes: int = 720) -> RotaWeeks:
    """Monday to Friday."""
    return RotaWeeks(MONDAY, tuple(WeekSpan(0, day, DaySpan(opens, closes, made.clinic_id)) for day in range(5)))


def test_a_new_practitioner_and_room_can_be_booked_at_once(engine: Engine) -> None:
    made = small_clinic(engine)
    nobody_else(made)
    before = peel_offers(made)

    with made.work() as unit:
        rooms.add_room(unit, made.clinic_id, name="Room 3", features=["numbing-chair"])
    with made.work() as unit:
        person = done(practitioners.add_practitioner(unit, DARA, rota=week(made)))

    assert before == []
    assert peel_offers(made) == [(date(2027, 3, 3), "Dr Dara", "Room 3")]
    with Session(engine) as db:
        kept = db.execute(sa.select(AuditEntry.action, AuditEntry.subject_id, AuditEntry.facts)
                          .where(AuditEntry.subject_kind == "practitioner").order_by(AuditEntry.id)).all()
    assert [each[:2] for each in kept] == [("practitioner-added", person), ("rota-set", person)]
    assert "Dara" not in str(kept)


@pytest.mark.parametrize(("details", "code", "field"), [
    (PractitionerDetails(" "), "missing", "name"),
    (PractitionerDetails("x" * 201), "name", "name"),
    (PractitionerDetails("dr AMARI"), "twice", "name"),
    (PractitionerDetails("Dr Dara", (Held("magic", MONDAY),)), "unknown-qualification", None),
    (PractitionerDetails("Dr Dara", (Held("ipl", MONDAY, date(2027, 2, 28)),)), "span", "held-ipl-0-until"),
    (PractitionerDetails("Dr Dara", (Held("ipl", MONDAY), Held("ipl", MONDAY))), "twice", "held-ipl-0-from"),
    (PractitionerDetails("Dr Dara", (), (CertificateDetails("poem", "Ode", MONDAY),)), "kind", "paper-0-kind"),
    (PractitionerDetails("Dr Dara", (), (CertificateDetails("training", " ", MONDAY),)), "missing", "paper-0-title"),
    (PractitionerDetails("Dr Dara", (), (CertificateDetails("training", "T", MONDAY, date(2027, 2, 1)),)), "span",
     "paper-0-until"),
])
def test_a_wrong_detail_is_refused_by_its_field_and_nothing_is_kept(
    details: PractitionerDetails, code: str, field: str | None, engine: Engine
) -> None:
    made = small_clinic(engine)

    with made.work() as unit:
        outcome = practitioners.add_practitioner(unit, details)

    assert codes(outcome) == [code]
    assert [finding.field for finding in outcome.findings] == [field]  # type: ignore[union-attr]
    with Session(engine) as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(Practitioner.__table__)) == 3


def test_a_wrong_rota_keeps_the_person_out_too(engine: Engine) -> None:
    made = small_clinic(engine)

    with made.work() as unit:
        outcome = practitioners.add_practitioner(unit, DARA, rota=week(made, 720, 540))

    assert set(codes(outcome)) == {"hours"}
    with Session(engine) as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(Practitioner.__table__)) == 3


def test_a_change_keeps_what_stays_and_drops_what_is_gone(engine: Engine) -> None:
    made = small_clinic(engine)
    with made.work() as unit:
        person = done(practitioners.add_practitioner(unit, DARA))
    with Session(engine) as db:
        before = db.scalars(sa.select(Qualification.id).where(Qualification.practitioner_id == person)).one()

    with made.work() as unit:
        done(practitioners.edit_practitioner(unit, person, PractitionerDetails(
            "Dr D. Dara", (Held("peel-superficial", date(2027, 3, 3), date(2028, 3, 2)), Held("ipl", MONDAY)),
            (CertificateDetails("registration", "Council", MONDAY),)), lock_version=1))

    with Session(engine) as db:
        held = db.execute(sa.select(Qualification.id, Qualification.code, Qualification.expires_on)
                          .where(Qualification.practitioner_id == person).order_by(Qualification.id)).all()
        papers = db.scalars(sa.select(Certificate.title).where(Certificate.practitioner_id == person)).all()
        name = db.get_one(Practitioner, person).name
    assert [tuple(each)[:3] for each in held][0] == (before, "peel-superficial", date(2028, 3, 2))
    assert [each.code for each in held] == ["peel-superficial", "ipl"]
    assert (name, papers) == ("Dr D. Dara", ["Council"])


def test_the_second_of_two_editors_is_told(engine: Engine) -> None:
    made = small_clinic(engine)
    person = made.practitioners[0]
    with made.work() as unit:
        practitioners.put_in_use(unit, person, False, lock_version=1)

    with pytest.raises(Stale), made.work() as unit:
        practitioners.edit_practitioner(unit, person, DARA, lock_version=1)
    with pytest.raises(NotFound), made.work() as unit:
        practitioners.edit_practitioner(unit, 999, DARA, lock_version=1)


def test_who_is_out_of_use_is_not_offered_and_then_is_again(engine: Engine) -> None:
    made = small_clinic(engine)
    for person in made.practitioners[1:]:
        with made.work() as unit:
            practitioners.put_in_use(unit, person, False, lock_version=1)
    with made.work() as unit:
        practitioners.put_in_use(unit, made.practitioners[0], False, lock_version=1)
    gone = peel_offers(made)

    with made.work() as unit:
        practitioners.put_in_use(unit, made.practitioners[0], True, lock_version=2)

    assert gone == []
    assert {name for _, name, _ in peel_offers(made)} == {"Dr Amari"}


def test_a_practitioner_who_is_at_the_other_site_needs_time_to_come(engine: Engine) -> None:
    made = small_clinic(engine)
    there = second_clinic(engine)
    with made.work() as unit:
        clinics.set_travel_time(unit, made.clinic_id, there, minutes=60)
    with Session(for_writing(engine)) as db:
        db.execute(sa.text("UPDATE practitioner SET active = :no WHERE id <> :who"),
                   {"no": False, "who": made.practitioners[0]})
        db.commit()
    with made.work() as unit:
        unit.db.execute(sa.text(
            "INSERT INTO appointment (clinic_id, patient_id, kind, treatment_code, state, uid, local_start, zone, fold,"
            " minutes, starts_at, ends_at, lock_version, revision, scheduled_at, created_at)"
            " SELECT :there, :who, 'other', 'other', 'booked', 'x', '2027-03-01 09:00:00', 'UTC', 0, 60, created_at,"
            " created_at + :hour, 1, 0, created_at, created_at FROM patient WHERE id = :who"), {
                "there": there, "who": made.patients[1],
                "hour": 3600 if engine.dialect.name == "sqlite" else timedelta(hours=1)})
        unit.db.execute(sa.text(
            "INSERT INTO resource_booking (appointment_id, resource_id, clinic_id, need, starts_at, ends_at)"
            " SELECT id, :who, :there, 1, starts_at, ends_at FROM appointment"), {
                "who": made.practitioners[0], "there": there})
        unit.commit()

    visit = offered(made, asked(made, "peel_superficial", 1)).offers[0].visits[0]

    assert (visit.local_start.hour, visit.local_start.minute) == (10, 45)
