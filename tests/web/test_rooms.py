"""Rooms and devices in the set-up."""
from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.store.resources import Device, Room
from tests.web import seed
from tests.web.conftest import SignedIn, World, post
from tests.web.counting import own_statements
from tests.web.desk import field, open_desk

Rows = Callable[[], Session]


def test_a_room_is_added_listed_and_changed(signed_in: SignedIn, rows: Rows, world: World) -> None:
    browser = signed_in(Role.MANAGER)

    added = post(browser, "/setup/rooms", {"name": "Room 1", "features": ["numbing-chair"]})
    with rows() as db:
        room = db.scalars(sa.select(Room)).one()
    listed = browser.get("/setup/rooms").get_data(as_text=True)
    form = browser.get(f"/setup/rooms/{room.id}").get_data(as_text=True)
    saved = post(browser, f"/setup/rooms/{room.id}", {
        "name": "Blue room", "features": ["numbing-chair", "laser-safe"], "in_use": "yes", "lock_version": "1"})

    assert (added.status_code, saved.status_code) == (303, 303)
    assert (room.clinic_id, room.features) == (world.harbour, ["numbing-chair"])
    assert ("Room 1" in listed, "Numbing chair" in listed) == (True, True)
    assert 'value="Room 1"' in form
    with rows() as db:
        room = db.scalars(sa.select(Room)).one()
    assert (room.name, room.features, room.active) == ("Blue room", ["laser-safe", "numbing-chair"], True)


def test_rooms_are_in_the_order_in_which_people_count(signed_in: SignedIn, rows: Rows, world: World) -> None:
    with rows() as db:
        db.add_all(Room(clinic_id=world.harbour, name=name, features=[], active=name != "Room 1")
                   for name in ("Room 10", "room 9", "Room 1", "Annex"))
        db.commit()

    listed = signed_in(Role.MANAGER).get("/setup/rooms").get_data(as_text=True)

    names = ("Annex", "room 9", "Room 10", "Room 1<")
    assert sorted(names, key=listed.index) == list(names)


def test_a_device_is_added_listed_and_changed(signed_in: SignedIn, rows: Rows, world: World) -> None:
    browser = signed_in(Role.MANAGER)

    added = post(browser, "/setup/devices", {"name": "Lumen", "device_type": "ipl"})
    with rows() as db:
        device = db.scalars(sa.select(Device)).one()
    listed = browser.get("/setup/devices").get_data(as_text=True)
    saved = post(browser, f"/setup/devices/{device.id}", {
        "name": "Lumen", "device_type": "laser-hair", "lock_version": "1"})

    assert (added.status_code, saved.status_code) == (303, 303)
    assert "IPL device" in listed
    with rows() as db:
        device = db.scalars(sa.select(Device)).one()
    assert (device.clinic_id, device.device_type, device.active) == (world.harbour, "laser-hair", False)


@pytest.mark.parametrize(("url", "form", "words"), [
    ("/setup/rooms", {"name": ""}, "Enter the name."),
    ("/setup/rooms", {"name": "Room 2"}, "This clinic has a room Room 2 already."),
    ("/setup/rooms", {"name": "Room 3", "features": ["sauna"]}, "Choose what the room offers from the list."),
    ("/setup/devices", {"name": "Pen", "device_type": ""}, "Choose the type of the device."),
    ("/setup/devices", {"name": "x" * 101, "device_type": "ipl"}, "The name may have at most 100 characters"),
])
def test_bad_input_names_its_field(
    url: str, form: dict[str, object], words: str, signed_in: SignedIn, rows: Rows, world: World
) -> None:
    with rows() as db:
        seed.add_room(db, world.harbour)
        db.commit()

    answer = post(signed_in(Role.MANAGER), url, form)

    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)


@pytest.mark.parametrize(("kind", "left_out"), [
    ("rooms", {}), ("rooms", {"in_use": "yes"}), ("devices", {}), ("devices", {"in_use": "yes", "device_type": "ipl"})])
def test_what_is_put_out_of_use_or_offers_less_shows_whom_it_meets_first(
    kind: str, left_out: dict[str, str], kit: Kit
) -> None:
    desk = open_desk(kit, "manager")
    desk.course(sessions="3")
    table = kind.removesuffix("s")
    with desk.rows() as db:
        ident, name = db.execute(sa.text(
            f"SELECT DISTINCT {table}.id, {table}.name FROM resource_booking"
            f" JOIN {table} ON {table}.id = resource_id")).one()
    form = {"name": name, "device_type": "rf-needling", "lock_version": "1", **left_out}

    shown = post(desk.browser, f"/setup/{kind}/{ident}", form)
    saved = post(desk.browser, f"/setup/{kind}/{ident}", {**form, "agreed": field(shown, "agreed")})

    assert (shown.status_code, saved.status_code) == (409, 303)
    assert "This change meets 3 appointments of 1 patient" in shown.get_data(as_text=True)


def test_a_new_name_and_a_feature_that_nobody_counts_on_meet_nobody(kit: Kit) -> None:
    desk = open_desk(kit, "manager")
    desk.course(sessions="3")

    for room in desk.clinic.rooms:
        answer = post(desk.browser, f"/setup/rooms/{room}", {
            "name": f"Blue {room}", "features": ["numbing-chair"], "in_use": "yes", "lock_version": "1"})
        assert answer.status_code == 303


def test_the_second_of_two_editors_is_told_and_another_clinics_room_is_not_found(
    signed_in: SignedIn, rows: Rows, world: World
) -> None:
    browser = signed_in(Role.MANAGER)
    with rows() as db:
        here, there = seed.add_room(db, world.harbour), seed.add_room(db, world.hill)
        db.commit()
    form = {"name": "Blue", "in_use": "yes", "lock_version": "1"}
    post(browser, f"/setup/rooms/{here}", form)

    stale = post(browser, f"/setup/rooms/{here}", {**form, "name": "Green"})

    assert stale.status_code == 409
    assert ("Blue" in stale.get_data(as_text=True), "Green" in stale.get_data(as_text=True)) == (True, True)
    assert browser.get(f"/setup/rooms/{there}").status_code == 404
    assert post(browser, f"/setup/rooms/{there}", form).status_code == 404


@pytest.mark.parametrize("count", [1, 30, 300])
def test_the_lists_ask_the_same_of_the_database_however_long_they_are(
    count: int, signed_in: SignedIn, rows: Rows, world: World, kit: Kit
) -> None:
    browser = signed_in(Role.MANAGER)
    with rows() as db:
        db.add_all(Room(clinic_id=world.harbour, name=f"Room {number:03}", features=[]) for number in range(count))
        db.add_all(Device(clinic_id=world.harbour, name=f"Pen {number:03}", device_type="ipl")
                   for number in range(count))
        db.commit()

    for url in ("/setup/rooms", "/setup/devices"):
        number, page = own_statements(kit, browser, url)

        assert number == 3
        assert page.count(">Downtime<") == min(count, 40)
