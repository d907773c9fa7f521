"""Clinics: opened and changed with their hours, refused by the field, and known at once to who opened them."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.access import Grant, Right, Role, clinics_where
from clinic.planning import opening_bits, ruler
from clinic.planning.local import zone
from clinic.queries.free_time import hours_of
from clinic.services import clinics as service
from clinic.services.clinics import ClinicDetails, Hours, judge_hours
from clinic.services.work import Actor, Done, Refused, Stale, UnitOfWork
from clinic.store.accounts import AccountRole, AuditEntry
from clinic.store.clinics import Business, Clinic, OpeningHours
from tests.booking import booked, codes, done
from tests.small_clinic import MONDAY, SmallClinic, small_clinic

WEEK = (0, 1, 2, 3, 4)
HARBOUR = ClinicDetails(
    name="Harbour", zone="Europe/London", address="Quay 1", phone="+44 1", sender_name="Harbour Skin",
    sender_email="desk@harbour.example", hours=(Hours(WEEK, 540, 720), Hours((5,), 600, 840)))


def work(engine: Engine) -> UnitOfWork:
    return UnitOfWork(engine, lambda: MONDAY, Actor("cli"))


def opened(engine: Engine, details: ClinicDetails = HARBOUR) -> Done[int] | Refused:
    with work(engine) as unit:
        return service.open_clinic(unit, details)


def changed(made: SmallClinic, details: ClinicDetails, version: int = 1) -> Done[int] | Refused:
    with made.work("manager") as unit:
        return service.change_clinic(unit, made.clinic_id, details, lock_version=version)


def test_a_clinic_is_opened_with_its_hours(engine: Engine) -> None:
    clinic_id = done(opened(engine))

    with Session(engine) as db:
        clinic = db.get_one(Clinic, clinic_id)
        hours = db.execute(sa.select(OpeningHours.weekday, OpeningHours.opens, OpeningHours.closes)
                           .order_by(OpeningHours.weekday)).all()
        kept = db.execute(sa.select(AuditEntry.action, AuditEntry.actor, AuditEntry.subject_id)).all()
    assert (clinic.name, clinic.zone, clinic.booking_horizon_days) == ("Harbour", "Europe/London", 400)
    assert [tuple(each) for each in hours] == [*((day, 540, 720) for day in WEEK), (5, 600, 840)]
    assert [tuple(each) for each in kept] == [("clinic-opened", "cli", clinic_id)]


def test_a_wrong_detail_is_refused_by_its_field_and_nothing_is_kept(engine: Engine) -> None:
    wrong = [
        ("name", " ", "missing"), ("address", "", "missing"), ("phone", "", "missing"), ("sender_name", "", "missing"),
        ("zone", "Atlantis/Harbour", "zone"), ("zone", "../etc/passwd", "zone"), ("sender_email", "desk", "address"),
        ("sender_email", "desk@harbour.example\nBcc: all@x.example", "address"),
    ]

    for field, value, code in wrong:
        changed: dict[str, Any] = {field: value}
        outcome = opened(engine, replace(HARBOUR, **changed))

        assert codes(outcome) == [code]
        assert [finding.field for finding in outcome.findings] == [field]

    with Session(engine) as db:
        assert db.scalars(sa.select(Clinic.id)).all() == []


def test_everything_that_is_wrong_is_said_at_once(engine: Engine) -> None:
    outcome = opened(engine, replace(HARBOUR, name="", zone="X", sender_email="x"))

    assert codes(outcome) == ["missing", "zone", "address"]


def test_two_clinics_do_not_share_a_name(engine: Engine) -> None:
    done(opened(engine))

    assert codes(opened(engine)) == ["twice"]


def test_the_business_is_named_and_named_anew(engine: Engine) -> None:
    for name in ("Harbour Skin", "Skin & Sea"):
        with work(engine) as unit:
            done(service.name_business(unit, name))

    with Session(engine) as db:
        assert db.scalars(sa.select(Business.name)).all() == ["Skin & Sea"]


def test_travel_is_the_same_either_way_and_is_changed_in_place(engine: Engine) -> None:
    one, other = done(opened(engine)), done(opened(engine, replace(HARBOUR, name="Hill")))

    for minutes, pair in ((30, (other, one)), (45, (one, other))):
        with work(engine) as unit:
            done(service.set_travel_time(unit, *pair, minutes=minutes))

    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT one_clinic_id, other_clinic_id, minutes FROM travel_time")).all()
    assert [tuple(each) for each in rows] == [(one, other, 45)]


def test_a_clinic_is_changed_whole_and_only_from_what_it_was(engine: Engine) -> None:
    made = small_clinic(engine)
    wanted = replace(HARBOUR, quiet_from=21 * 60, quiet_to=7 * 60, booking_horizon_days=90, start_step_minutes=10,
                     hours=(Hours((6,), 1320, 1560),))

    done(changed(made, wanted))

    with Session(engine) as db:
        row = db.get_one(Clinic, made.clinic_id)
        hours = db.execute(sa.select(OpeningHours.weekday, OpeningHours.opens, OpeningHours.closes)).all()
        kept = (row.name, row.quiet_from, row.quiet_to, row.booking_horizon_days, row.start_step_minutes)
    assert (kept, row.lock_version) == (("Harbour", 1260, 420, 90, 10), 2)
    assert [tuple(each) for each in hours] == [(6, 1320, 1560)]
    with pytest.raises(Stale):
        changed(made, wanted)


@pytest.mark.parametrize("field, value", [
    ("booking_horizon_days", 0), ("booking_horizon_days", 3661), ("start_step_minutes", 7), ("quiet_from", 1440),
    ("quiet_to", -1)])
def test_figures_that_the_database_would_not_take_are_refused_in_words(engine: Engine, field: str, value: int) -> None:
    wrong: dict[str, Any] = {field: value}

    outcome = opened(engine, replace(HARBOUR, **wrong))

    assert isinstance(outcome, Refused)
    assert [finding.field for finding in outcome.findings] == [field]


def test_the_zone_stays_while_anybody_is_booked_and_changes_when_nobody_is(engine: Engine) -> None:
    made = small_clinic(engine)
    moved = replace(HARBOUR, zone="Europe/Lisbon")
    booked(made, "peel_superficial", 1)

    outcome = changed(made, moved)
    assert codes(outcome) == ["zone-in-use"]
    done(changed(made, HARBOUR))
    with Session(engine) as db:
        db.execute(sa.text("UPDATE appointment SET state = 'cancelled'"))
        db.execute(sa.text("DELETE FROM resource_booking"))
        db.commit()

    done(changed(made, moved, version=2))


def test_whoever_opens_a_clinic_has_the_same_roles_there(engine: Engine) -> None:
    made = small_clinic(engine)
    manager = made.accounts["manager"]
    with Session(engine) as db:
        db.add(AccountRole(account_id=manager, clinic_id=made.clinic_id, role="practitioner"))
        db.commit()

    with made.work("manager") as unit:
        there = done(service.open_clinic(unit, HARBOUR))

    with Session(engine) as db:
        rows = db.execute(sa.select(AccountRole.account_id, AccountRole.clinic_id, AccountRole.role).where(
            AccountRole.clinic_id == there)).all()
    assert {(row.account_id, row.role) for row in rows} == {(manager, "manager"), (manager, "practitioner")}
    assert clinics_where([Grant(row.clinic_id, Role(row.role)) for row in rows], Right.SET_UP) == (there,)


def test_a_way_is_between_two_clinics_that_are_there(engine: Engine) -> None:
    one, other = done(opened(engine)), done(opened(engine, replace(HARBOUR, name="Hill")))

    for pair, minutes in (((one, one), 5), ((one, other + 1), 5), ((one, other), 1441), ((one, other), -1)):
        with work(engine) as unit:
            assert codes(service.set_travel_time(unit, *pair, minutes=minutes)) == ["travel"]


def test_hours_are_read_as_they_were_said_past_midnight_too() -> None:
    late = Hours((4,), 1320, 1560)

    assert judge_hours((late,)) == ()
    assert open_in_a_week([late]) == 48


@pytest.mark.parametrize("hours", [
    (Hours((0,), 540, 2880),), (Hours((0,), 540, 540),), (Hours((0,), 540, 500),), (Hours((0,), 1440, 1500),),
    (Hours((7,), 540, 600),), (Hours((0,), 540, 720), Hours((0,), 700, 800)),
    (Hours((6,), 1320, 1560), Hours((0,), 60, 600)), (Hours((2,), 600, 2040), Hours((3,), 500, 700))])
def test_hours_that_cannot_be_or_lie_in_each_other_are_refused(hours: tuple[Hours, ...]) -> None:
    assert judge_hours(hours)


@given(st.lists(st.builds(
    Hours, st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    st.integers(0, 287).map(lambda n: n * 5), st.integers(1, 576).map(lambda n: n * 5)), min_size=1, max_size=4))
def test_hours_that_will_do_are_open_for_just_as_long_as_they_say(hours: list[Hours]) -> None:
    if not judge_hours(hours):
        assert open_in_a_week(hours) == sum((each.closes - each.opens) // 5 * len(each.weekdays) for each in hours)


def open_in_a_week(hours: Sequence[Hours]) -> int:
    """How many spans of five minutes the planner takes a clinic to be open in one week in the middle of others."""
    on = ruler(zone("Europe/London"), MONDAY.date(), 20, 300)
    told = opening_bits(on, [hours_of(each.weekdays, each.opens, each.closes) for each in hours])
    return (told >> 7 * 288 & (1 << 7 * 288) - 1).bit_count()
