"""Setting a business up: what is added is there for planning at once, and what is wrong is said by its field."""
from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.services import clinics, closures, setup
from clinic.services.clinics import ClinicDetails, Hours
from clinic.services.setup import WorkSpan
from clinic.services.work import Actor, Done, Refused, UnitOfWork
from tests.booking import asked, at, done, offered
from tests.small_clinic import MONDAY, SmallClinic, small_clinic

WEEK = (0, 1, 2, 3, 4)
HARBOUR = ClinicDetails(
    name="Harbour", zone="Europe/London", address="Quay 1", phone="+44 1", sender_name="Harbour Skin",
    sender_email="desk@harbour.example", hours=(Hours(WEEK, 540, 720), Hours((5,), 600, 840)))


def work(engine: Engine) -> UnitOfWork:
    return UnitOfWork(engine, lambda: MONDAY, Actor("cli"))


def opened(engine: Engine, details: ClinicDetails = HARBOUR) -> Done[int] | Refused:
    with work(engine) as unit:
        return clinics.open_clinic(unit, details)


def peel_offers(made: SmallClinic) -> list[tuple[date, str, str]]:
    offers = offered(made, asked(made, "peel_superficial", 1)).offers
    return [(visit.local_start.date(), visit.practitioner or "", visit.room or "")
            for offer in offers for visit in offer.visits]


def test_a_new_room_device_and_practitioner_can_be_booked_at_once(engine: Engine) -> None:
    made = small_clinic(engine)
    with Session(engine) as db:
        db.execute(sa.text("UPDATE room SET active = :no"), {"no": False})
        db.execute(sa.text("UPDATE practitioner SET active = :no"), {"no": False})
        db.commit()
    before = peel_offers(made)

    with made.work() as unit:
        setup.add_room(unit, made.clinic_id, name="Room 3", features=["numbing-chair"])
    with made.work() as unit:
        person = done(setup.add_practitioner(
            unit, name="Dr Dara", qualifications=[("peel-superficial", date(2027, 3, 3), None)]))
    with made.work() as unit:
        setup.set_rota(unit, person, [WorkSpan(Hours(WEEK, 540, 720), made.clinic_id)], starts_on=date(2027, 3, 1))
    with made.work() as unit:
        setup.add_device(unit, made.clinic_id, name="Pen 2", device_type="needling-pen")

    assert before == []
    assert peel_offers(made) == [(date(2027, 3, 3), "Dr Dara", "Room 3")]


def test_a_rota_holds_until_another_begins(engine: Engine) -> None:
    made = small_clinic(engine)
    for person in made.practitioners:
        with made.work() as unit:
            setup.set_rota(unit, person, [WorkSpan(Hours((3,), 540, 720), made.clinic_id)], starts_on=date(2027, 3, 1))

    assert {on for on, _, _ in peel_offers(made)} == {date(2027, 3, 4)}


def test_a_rota_of_two_weeks_and_a_break_are_kept_as_they_are_said(engine: Engine) -> None:
    made = small_clinic(engine)
    spans = [WorkSpan(Hours((0, 1), 540, 1020), made.clinic_id, week=1), WorkSpan(Hours((0, 1), 720, 840), None, 30, 1)]

    with made.work() as unit:
        rota_id = done(setup.set_rota(
            unit, made.practitioners[0], spans, starts_on=date(2027, 4, 5), ends_on=date(2027, 6, 30), weeks=2))

    with engine.connect() as connection:
        rows = connection.execute(sa.text(
            "SELECT week, weekday, opens, closes, clinic_id, break_minutes FROM rota_span WHERE rota_id = :ident"
            " ORDER BY opens, weekday"), {"ident": rota_id}).all()
    assert [tuple(each) for each in rows] == [
        (1, 0, 540, 1020, made.clinic_id, None), (1, 1, 540, 1020, made.clinic_id, None),
        (1, 0, 720, 840, None, 30), (1, 1, 720, 840, None, 30)]


def test_a_closed_clinic_and_absent_people_are_not_offered(engine: Engine) -> None:
    made = small_clinic(engine)
    with made.work() as unit:
        closures.close_clinic(unit, made.clinic_id, from_on=date(2027, 3, 1), to_on=date(2027, 3, 2), reason="Flood")
    for who in made.practitioners[:2]:
        with made.work() as unit:
            setup.add_absence(unit, who, starts_at=at(1, 0), ends_at=at(8, 0), reason="Leave")
    with made.work() as unit:
        setup.add_absence(unit, made.rooms[0], starts_at=at(1, 0), ends_at=at(8, 0), reason="Paint")

    assert peel_offers(made) == [(date(2027, 3, 3), "Dr Chen", "Room 2")]


def test_a_practitioner_who_is_at_the_other_site_needs_time_to_come(engine: Engine) -> None:
    made = small_clinic(engine)
    there = done(opened(engine, replace(HARBOUR, name="Hill")))
    with made.work() as unit:
        clinics.set_travel_time(unit, made.clinic_id, there, minutes=60)
    with Session(engine) as db:
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
