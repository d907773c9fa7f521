"""The front page."""
from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.services import protocols
from clinic.services.work import Actor
from clinic.store.courses import MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.protocols import ProtocolVersion
from tests.web import seed
from tests.web.conftest import FixedClock, SignedIn, World, post


@pytest.fixture
def version(world: World, kit: Kit, rows: Callable[[], Session]) -> int:
    """A protocol version."""
    with kit.work(Actor("demo")) as work:
        protocols.load_catalogue(work)
    with rows() as db:
        return int(db.query(ProtocolVersion.id).order_by(ProtocolVersion.id).limit(1).scalar())


def visits(page: str) -> list[str]:
    """The visits of a day's list, as their HTML."""
    return page.split('<li class="visit ')[1:]


def test_the_day_shows_who_comes_when_to_whom_and_where(
    signed_in: SignedIn, world: World, rows: Callable[[], Session], version: int
) -> None:
    with rows() as db:
        anna, ben = seed.add_patient(db, alerts="Latex allergy"), seed.add_patient(db, "Ben", "Adeyemi")
        ada, room = seed.add_practitioner(db), seed.add_room(db, world.harbour)
        _, due = seed.add_course(db, anna, world.harbour, version)
        seed.add_appointment(db, anna, world.harbour, seed.NOW, treatment_session_id=due[1], resources=(ada, room))
        seed.add_appointment(db, ben, world.harbour, seed.NOW - timedelta(hours=1), state="cancelled")
        seed.add_appointment(db, ben, world.hill, seed.NOW, where="Europe/Lisbon")
        db.commit()

    shown = visits(signed_in().get("/").get_data(as_text=True))

    assert [("Ben Adeyemi" in one, "Anna Nováková" in one) for one in shown] == [(True, False), (False, True)]
    for words in ("09:00", "09:45", "Microneedling · 2 of 4", "Dr Ada Park", "Room 2", "Booked", "Latex allergy"):
        assert words in shown[1]


def test_who_comes_now_is_seen_before_those_who_are_over(
    signed_in: SignedIn, world: World, rows: Callable[[], Session], clock: FixedClock
) -> None:
    with rows() as db:
        patient = seed.add_patient(db)
        for hours, state in ((-5, "fulfilled"), (-4, "noshow"), (-3, "cancelled"), (-2, "fulfilled"), (-1, "arrived"),
                             (1, "booked"), (2, "cancelled")):
            seed.add_appointment(db, patient, world.harbour, seed.NOW + timedelta(hours=hours), state=state)
        db.commit()
    browser = signed_in()

    few = visits(browser.get("/").get_data(as_text=True))
    with rows() as db:
        seed.add_appointment(db, patient, world.harbour, seed.NOW - timedelta(hours=6), state="fulfilled")
        db.commit()
    many = browser.get("/").get_data(as_text=True)
    clock.move(timedelta(days=1))
    yesterday = signed_in().get(f"/?day={seed.NOW.date()}").get_data(as_text=True)

    def states(shown: str) -> list[str]:
        return [each.split('"', 1)[0].removeprefix("visit-") for each in visits(shown)]

    over = ["fulfilled", "fulfilled", "noshow", "cancelled", "fulfilled"]
    assert len(few) == 7
    assert states(many) == ["arrived", "booked", "cancelled", *over]
    assert "8 appointments, 5 over" in many and "5 are over" in many.split("visit-cancelled")[1]
    assert "are over" not in yesterday and len(visits(yesterday)) == 8


def test_a_day_ends_at_the_clinics_own_midnight(
    signed_in: SignedIn, world: World, rows: Callable[[], Session]
) -> None:
    with rows() as db:
        patient = seed.add_patient(db)
        # 28 March 2027 has 23 hours in London, and its last one is the 22nd of UTC.
        for at in (datetime(2027, 3, 28, 0, 0, tzinfo=UTC), datetime(2027, 3, 28, 22, 30, tzinfo=UTC),
                   datetime(2027, 3, 28, 23, 0, tzinfo=UTC)):
            seed.add_appointment(db, patient, world.harbour, at, minutes=20)
        db.commit()
    browser = signed_in()

    counted = [len(visits(browser.get(f"/?day={day}").get_data(as_text=True)))
               for day in ("2027-03-27", "2027-03-28", "2027-03-29")]

    assert counted == [0, 2, 1]


@pytest.mark.parametrize("day", ["", "junk", "2027-02-29", "9999-12-31", "0001-01-01", "2027-03-01' OR 1=1"])
def test_a_day_that_makes_no_sense_is_today(day: str, signed_in: SignedIn) -> None:
    answer = signed_in().get("/", query_string={"day": day})

    assert answer.status_code == 200
    assert "Today, Monday 1 Mar 2027" in answer.get_data(as_text=True)


def test_the_steps_to_other_days_keep_the_weekday(signed_in: SignedIn) -> None:
    page = signed_in().get("/?day=2027-03-10").get_data(as_text=True)

    for day in ("2027-03-09", "2027-03-11", "2027-03-03", "2027-03-17", "2027-02-10", "2027-04-07"):
        assert f'href="/?day={day}"' in page


def test_one_press_notes_that_the_patient_is_here(
    signed_in: SignedIn, world: World, rows: Callable[[], Session], version: int
) -> None:
    with rows() as db:
        patient = seed.add_patient(db)
        _, due = seed.add_course(db, patient, world.harbour, version)
        appointment = seed.add_appointment(db, patient, world.harbour, seed.NOW, treatment_session_id=due[0],
                                           resources=(seed.add_practitioner(db),))
        db.commit()
    browser = signed_in()

    answer = post(browser, f"/appointments/{appointment}/arrive", {"lock_version": "1", "next": "/"})

    assert (answer.status_code, answer.location) == (303, "/")
    assert "Arrived" in visits(browser.get("/").get_data(as_text=True))[0]


def test_only_what_can_be_done_yet_is_offered(
    signed_in: SignedIn, world: World, rows: Callable[[], Session], version: int
) -> None:
    with rows() as db:
        patient = seed.add_patient(db)
        _, due = seed.add_course(db, patient, world.harbour, version)
        for treatment_session, hours in ((due[0], -1), (due[1], 3), (due[2], 48)):
            seed.add_appointment(db, patient, world.harbour, seed.NOW + timedelta(hours=hours),
                                 treatment_session_id=treatment_session)
        db.commit()
    browser = signed_in()

    page = browser.get("/").get_data(as_text=True)
    today = visits(page)
    later = visits(browser.get("/?day=2027-03-03").get_data(as_text=True))
    auditor = visits(signed_in(Role.AUDITOR).get("/").get_data(as_text=True))

    offered = [[action in one for action in ("/arrive", "/complete", "/end?next", "ended=forgot")]
               for one in (*today, *later)]
    assert offered == [[True, True, True, True], [True, False, True, False], [False, False, False, False]]
    assert [("<form" in one) for one in auditor] == [False, False]
    assert ("/running-late" in page, "walk_in=yes" in page) == (True, True)
    with rows() as db:
        db.execute(sa.update(Appointment).values(state="fulfilled"))
        db.commit()
    assert "/running-late" not in browser.get("/").get_data(as_text=True)


def test_sessions_whose_window_is_near_wait_for_a_date(
    signed_in: SignedIn, world: World, rows: Callable[[], Session], version: int
) -> None:
    with rows() as db:
        anna, ben = seed.add_patient(db), seed.add_patient(db, "Ben", "Adeyemi")
        seed.add_course(db, anna, world.harbour, version, sessions=2)
        stopped, _ = seed.add_course(db, ben, world.harbour, version, state="revoked")
        done, _ = seed.add_course(db, ben, world.harbour, version, sessions=0, state="completed")
        plan = MaintenancePlan(course_id=done, state="active", interval_days=180, shortest_days=150, longest_days=210,
                               created_at=seed.NOW)
        db.add(plan)
        db.flush()
        db.add(TreatmentSession(maintenance_plan_id=plan.id, number=1, treatment_code="skin-needling", state="owed",
                                earliest_on=seed.NOW.date(), latest_on=seed.NOW.date()))
        db.commit()

    page = signed_in().get("/").get_data(as_text=True)

    assert "2 sessions need a date now" in page
    assert page.index("maintenance 1") < page.index("session 1")


def test_the_day_of_another_clinic_follows_the_switch(
    signed_in: SignedIn, world: World, rows: Callable[[], Session], clock: FixedClock
) -> None:
    with rows() as db:
        seed.add_appointment(db, seed.add_patient(db), world.hill, seed.NOW, where="Europe/Lisbon")
        db.commit()
    browser = signed_in(clinics=(world.harbour, world.hill))

    before = visits(browser.get("/").get_data(as_text=True))
    post(browser, "/switch-clinic", {"clinic_id": world.hill})
    after = visits(browser.get("/").get_data(as_text=True))

    assert (len(before), len(after)) == (0, 1)
