"""Practitioners in the set-up."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.store.resources import Certificate, Practitioner, Qualification, Rota, RotaSpan
from tests.booking import asked, offered
from tests.web import seed
from tests.web.checksums import checksum
from tests.web.conftest import FixedClock, SignedIn, World, post
from tests.web.counting import own_statements
from tests.web.desk import open_desk

DARA: Mapping[str, object] = {
    "name": "Dr Dara", "held-microneedling-0": "yes", "held-ipl-0": "yes", "held-ipl-0-from": "2026-01-01",
    "held-ipl-0-until": "2027-12-31", "days": ["0", "1", "2"], "opens": "09:00", "closes": "17:30",
    "starts_on": "2027-03-01", "rest_from": "12:00", "rest_to": "14:00", "rest_minutes": "30",
    "paper-0-kind": "insurance", "paper-0-title": "Guild", "paper-0-from": "2026-04-01", "paper-0-until": "2027-03-31",
}


def test_a_person_with_qualifications_and_a_usual_week_is_added_on_one_page(
    signed_in: SignedIn, world: World, rows: Callable[[], Session]
) -> None:
    answer = post(signed_in(Role.MANAGER), "/setup/people", {**DARA, "clinic": str(world.harbour)})

    with rows() as db:
        person = db.scalars(sa.select(Practitioner)).one()
        held = db.execute(sa.select(Qualification.code, Qualification.valid_from, Qualification.expires_on)
                          .order_by(Qualification.code)).all()
        rota = db.scalars(sa.select(Rota)).one()
        spans = db.execute(sa.select(RotaSpan.weekday, RotaSpan.opens, RotaSpan.closes, RotaSpan.clinic_id,
                                     RotaSpan.break_minutes).order_by(RotaSpan.weekday, RotaSpan.opens)).all()
        paper = db.scalars(sa.select(Certificate)).one()
    assert (answer.status_code, answer.location) == (303, f"/setup/people/{person.id}")
    assert [tuple(each) for each in held] == [
        ("ipl", date(2026, 1, 1), date(2027, 12, 31)), ("microneedling", date(2027, 3, 1), None)]
    assert (rota.starts_on, rota.weeks) == (date(2027, 3, 1), 1)
    assert [tuple(each) for each in spans] == [
        each for day in (0, 1, 2)
        for each in ((day, 540, 1050, world.harbour, None), (day, 720, 840, None, 30))]
    assert (paper.kind, paper.title, paper.expires_on) == ("insurance", "Guild", date(2027, 3, 31))


def test_who_was_just_added_can_be_booked_at_once(kit: Kit) -> None:
    desk = open_desk(kit, "manager")
    with desk.rows() as db:
        db.execute(sa.text("UPDATE practitioner SET active = :no"), {"no": False})
        db.commit()

    post(desk.browser, "/setup/people", {
        "name": "Dr New", "held-peel-superficial-0": "yes", "days": ["2"], "opens": "10:00", "closes": "12:00",
        "clinic": str(desk.clinic.clinic_id), "starts_on": "2027-03-01"})

    visit = offered(desk.clinic, asked(desk.clinic, "peel_superficial", 1)).offers[0].visits[0]
    assert (visit.practitioner, visit.local_start.date()) == ("Dr New", date(2027, 3, 3))


@pytest.mark.parametrize(("change", "words"), [
    ({"name": ""}, "Enter the name."),
    ({"closes": "08:00"}, "The end must be after the beginning; past midnight at most 12 hours in all."),
    ({"starts_on": "2027-03-02"}, "A rota starts on a Monday."),
    ({"starts_on": ""}, "Enter the first Monday."),
    ({"rest_from": "19:00", "rest_to": "19:30"}, "Monday: the break 19:00 – 19:30 lies outside the hours of work."),
    ({"rest_minutes": "500"}, "the break takes 500 minutes"),
    ({"rest_minutes": "soon"}, "The minutes must be a whole number from 5 to 1440."),
    ({"clinic": "77"}, "Choose a clinic."),
    ({"held-ipl-0-until": "2025-01-01"}, "Intense pulsed light: the last day lies before the first one."),
    ({"held-ipl-0-from": "soon"}, "Intense pulsed light, from must be a date, such as 2027-03-01."),
    ({"paper-0-title": ""}, "Enter the certificate, such as its register or insurer."),
    ({"paper-0-kind": "poem"}, "Choose what kind of certificate it is."),
    ({"paper-0-until": "2026-01-01"}, "Guild: the last day lies before the first one."),
])
def test_bad_input_names_its_field_keeps_what_was_typed_and_writes_nothing(
    change: dict[str, object], words: str, signed_in: SignedIn, world: World, kit: Kit
) -> None:
    browser = signed_in(Role.MANAGER)
    before = checksum(kit.engine)

    answer = post(browser, "/setup/people", {**DARA, "clinic": str(world.harbour), **change})

    page = answer.get_data(as_text=True)
    assert answer.status_code in (409, 422)
    assert words in page
    assert 'value="Dr Dara"' in page or "name" in change
    assert checksum(kit.engine) == before


def test_an_earlier_expiry_says_whose_appointments_it_would_strand_before_it_is_saved(kit: Kit) -> None:
    desk = open_desk(kit, "manager")
    desk.course(sessions="3")
    with desk.rows() as db:
        who = db.scalars(sa.text(
            "SELECT DISTINCT resource_id FROM resource_booking"
            " JOIN practitioner ON practitioner.id = resource_id")).one()
        name = db.get_one(Practitioner, who).name
    form = {"name": name, "held-rf-microneedling-0": "yes", "held-rf-microneedling-0-from": "2020-01-01",
            "held-rf-microneedling-0-until": "2027-03-10", "lock_version": "1"}

    asked_first = post(desk.browser, f"/setup/people/{who}/edit", form)
    page = asked_first.get_data(as_text=True)
    agreed = page.partition('name="agreed" value="')[2].partition('"')[0]
    saved = post(desk.browser, f"/setup/people/{who}/edit", {**form, "agreed": agreed})

    assert asked_first.status_code == 409
    assert "this meets 2 appointments of 1 patient" in page
    assert "Save the changes all the same" in page
    assert saved.status_code == 303
    with desk.rows() as db:
        rows = db.execute(sa.select(Qualification.code, Qualification.expires_on).where(
            Qualification.practitioner_id == who)).all()
    assert [tuple(each) for each in rows] == [("rf-microneedling", date(2027, 3, 10))]


def test_the_second_of_two_editors_is_told_and_shown_both(
    signed_in: SignedIn, rows: Callable[[], Session]
) -> None:
    first, second = signed_in(Role.MANAGER), signed_in(Role.MANAGER)
    with rows() as db:
        who = seed.add_practitioner(db, "Dr Ada Park")
        db.commit()
    post(first, f"/setup/people/{who}/edit", {"name": "Dr Ada Parker", "lock_version": "1"})

    answer = post(second, f"/setup/people/{who}/edit", {"name": "Dr A. Park", "lock_version": "1"})

    assert answer.status_code == 409
    assert "Someone else was faster" in answer.get_data(as_text=True)
    assert "Dr Ada Parker" in answer.get_data(as_text=True)


def test_somebody_out_of_use_is_kept_listed_apart_and_can_come_back(
    signed_in: SignedIn, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.MANAGER)
    with rows() as db:
        who = seed.add_practitioner(db, "Dr Ada Park")
        db.commit()

    asked_first = browser.get(f"/setup/people/{who}/out-of-use").get_data(as_text=True)
    post(browser, f"/setup/people/{who}/use", {"in_use": "no", "lock_version": "1"})
    gone = browser.get("/setup/people").get_data(as_text=True)
    out = browser.get("/setup/people?show=out").get_data(as_text=True)
    post(browser, f"/setup/people/{who}/use", {"in_use": "yes", "lock_version": "2"})

    assert "No coming appointment is theirs." in asked_first
    assert "Dr Ada Park" not in gone
    assert "Dr Ada Park" in out
    again = browser.get("/setup/people").get_data(as_text=True)
    assert ("Dr Ada Park" in again, f'href="/setup/people/{who}/rota/new"' in again) == (True, True)
    assert "There is nobody to swap with" in browser.get(f"/setup/people/{who}/swap").get_data(as_text=True)


def test_papers_that_run_out_are_said_on_the_list_and_on_the_person(
    signed_in: SignedIn, rows: Callable[[], Session], world: World, clock: FixedClock
) -> None:
    browser = signed_in(Role.MANAGER)
    post(browser, "/setup/people", {**DARA, "clinic": str(world.harbour)})
    with rows() as db:
        who = db.scalars(sa.select(Practitioner.id)).one()

    early, front = (browser.get(url).get_data(as_text=True) for url in ("/setup/people", "/"))
    clock.move(timedelta(days=31))
    late = signed_in(Role.MANAGER).get(f"/setup/people/{who}").get_data(as_text=True)

    assert "Until 31 Mar 2027" in early
    assert "1 paper of practitioners lapses within 60 days" in front
    assert "lapses within" not in signed_in(Role.RECEPTIONIST).get("/").get_data(as_text=True)
    assert "Lapsed 31 Mar 2027" in late


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.PRACTITIONER, Role.AUDITOR])
def test_only_those_who_set_the_clinic_up_may_enter(role: Role, signed_in: SignedIn) -> None:
    browser = signed_in(role)

    for url in ("/setup/people", "/setup/people/new", "/setup/rooms", "/setup/devices"):
        assert browser.get(url).status_code == 403


@pytest.mark.parametrize("count", [1, 30, 300])
def test_the_list_asks_the_same_of_the_database_however_many_there_are(
    count: int, signed_in: SignedIn, rows: Callable[[], Session], world: World, kit: Kit
) -> None:
    browser = signed_in(Role.MANAGER)
    with rows() as db:
        for number in range(count):
            who = seed.add_practitioner(db, f"Dr {number:03}")
            db.add(Qualification(practitioner_id=who, code="ipl", valid_from=date(2026, 1, 1)))
            rota = Rota(practitioner_id=who, starts_on=date(2027, 3, 1))
            db.add(rota)
            db.flush()
            db.add(RotaSpan(rota_id=rota.id, weekday=0, opens=540, closes=600, clinic_id=world.harbour))
        db.commit()

    number, page = own_statements(kit, browser, "/setup/people")

    assert number == 8
    assert page.count("Intense pulsed light") == min(count, 40)
    assert ("Next" in page) == (count > 40)
