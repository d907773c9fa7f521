"""Rooms and devices: added, changed, put out of use."""
from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.services import rooms
from clinic.services.work import NotFound, Stale
from clinic.store.resources import Device, Room
from tests.booking import codes, done
from tests.services.practices import peel_offers, second_clinic
from tests.small_clinic import small_clinic


def test_a_room_out_of_use_is_not_offered(engine: Engine) -> None:
    made = small_clinic(engine)

    with made.work() as unit:
        done(rooms.edit_room(unit, made.rooms[0], name="Room 1", features=["numbing-chair"], is_in_use=False,
                             lock_version=1))

    assert {room for _, _, room in peel_offers(made)} == {"Room 2"}


def test_what_is_wrong_with_a_room_or_device_is_said_by_its_field(engine: Engine) -> None:
    made = small_clinic(engine)
    wrong = [
        ({"name": " "}, "missing", "name"), ({"name": "x" * 101}, "name", "name"),
        ({"name": "room 1"}, "twice", "name"), ({"name": "Room 9", "features": ["sauna"]}, "unknown-feature", None),
    ]
    for given, code, field in wrong:
        with made.work() as unit:
            outcome = rooms.add_room(unit, made.clinic_id, **given)  # type: ignore[arg-type]
        assert [(each.code, each.field) for each in outcome.findings] == [(code, field)]  # type: ignore[union-attr]

    with made.work() as unit:
        odd = rooms.add_device(unit, made.clinic_id, name="Kettle", device_type="kettle")

    assert codes(odd) == ["unknown-type"]
    with Session(engine) as db:
        assert (db.scalar(sa.select(sa.func.count()).select_from(Room.__table__)),
                db.scalar(sa.select(sa.func.count()).select_from(Device.__table__))) == (2, 5)


def test_two_clinics_may_have_a_room_of_the_same_name(engine: Engine) -> None:
    made = small_clinic(engine)
    there = second_clinic(engine)

    with made.work() as unit:
        done(rooms.add_room(unit, there, name="Room 1"))


def test_a_change_moves_the_version_and_the_second_of_two_is_told(engine: Engine) -> None:
    made = small_clinic(engine)
    device = made.devices[0]
    with made.work() as unit:
        done(rooms.edit_device(unit, device, name="Pen", device_type="ipl", lock_version=1))

    with pytest.raises(Stale), made.work() as unit:
        rooms.edit_device(unit, device, name="Pencil", device_type="ipl", lock_version=1)
    with pytest.raises(NotFound), made.work() as unit:
        rooms.edit_room(unit, 999, name="Room", features=(), lock_version=1)
    with Session(engine) as db:
        row = db.get_one(Device, device)
    assert (row.name, row.device_type, row.lock_version) == ("Pen", "ipl", 2)


def test_a_type_and_features_that_were_there_before_may_stay(engine: Engine) -> None:
    made = small_clinic(engine)
    with Session(engine) as db:
        db.execute(sa.text("UPDATE device SET device_type = 'steamer' WHERE id = :ident"), {"ident": made.devices[0]})
        db.commit()

    with made.work() as unit:
        done(rooms.edit_device(unit, made.devices[0], name="Steamer", device_type="steamer", lock_version=1))
