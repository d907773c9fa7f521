"""Offers of whole courses: whatever is offered can be booked, and nothing is offered twice."""
from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.queries.offers import CourseOffer
from clinic.store.clinics import Clinic
from clinic.store.engine import for_writing, open_engine
from clinic.store.protocols import ProtocolVersion
from tests.booking import asked, at, book, booked, chosen, done, healthy, offered, standing
from tests.databases import SQLiteFiles
from tests.prove.audit import audit
from tests.queries.worlds import Oracle, World, build, worlds
from tests.small_clinic import small_clinic


def spans(offer: CourseOffer) -> list[tuple[datetime, tuple[int, ...]]]:
    return [(visit.starts_at, visit.resource_ids) for visit in offer.visits]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds())
def test_every_offer_is_free_by_other_means_and_can_be_booked_one_after_the_other(
    sqlite_files: SQLiteFiles, world: World
) -> None:
    url = sqlite_files.migrated()
    engine = open_engine(url, durable=False)
    built = build(engine, world)
    made = built.made
    for patient_id in made.patients:
        oracle = Oracle(built)
        request = asked(made, "peel_superficial", 2, patient_id=patient_id, not_before_on=world.first_on)
        offers = offered(made, request).offers

        assert len({tuple(spans(offer)) for offer in offers}) == len(offers)
        for offer in offers:
            for visit in offer.visits:
                begins = visit.starts_at + timedelta(minutes=15), visit.starts_at
                ends = visit.starts_at + timedelta(minutes=45), visit.starts_at + timedelta(minutes=55)
                assert all(map(oracle.is_free, visit.resource_ids, begins, ends))
                assert oracle.is_free(patient_id, visit.starts_at, ends[0])
        if offers:
            done(book(made, request, chosen(offers[-1])))

    assert [fault for fault in audit(engine) if "overlap" in fault or "needs" in fault] == []
    engine.dispose()
    sqlite_files.remove(url)


def test_the_offers_are_the_best_the_soonest_and_the_one_with_one_practitioner(engine: Engine) -> None:
    made = small_clinic(engine)

    offers = offered(made, asked(made, sessions=4)).offers

    assert [label for offer in offers for label in offer.labels if label == "best"] == ["best"]
    assert sorted({label for offer in offers for label in offer.labels}) == ["best", "same-practitioner", "soonest"]
    soonest = next(offer for offer in offers if "soonest" in offer.labels)
    same = next(offer for offer in offers if "same-practitioner" in offer.labels)
    assert min(offer.visits[-1].starts_at for offer in offers) == soonest.visits[-1].starts_at
    assert len({visit.practitioner for visit in same.visits}) == 1
    assert offers[0].cost == sum(offers[0].parts.values())


def test_an_offer_says_who_where_and_how_it_lies_in_its_window(engine: Engine) -> None:
    made = small_clinic(engine)

    first, second = offered(made, asked(made, sessions=2)).offers[0].visits

    assert (first.practitioner, first.room, first.device) == ("Dr Amari", "Room 1", "Needling-Pen")
    assert (first.window, first.gap_days) == (None, None)
    assert second.window is not None
    assert second.gap_days == (second.local_start.date() - first.local_start.date()).days
    assert second.window.ideal_on == first.local_start.date() + timedelta(days=30)
    assert (first.local_end - first.local_start) == timedelta(minutes=90)


@pytest.mark.parametrize("zone, first_on, hours", [
    ("Europe/London", date(2027, 3, 15), [9, 8]), ("Europe/London", date(2027, 10, 18), [8, 9]),
    ("America/New_York", date(2027, 3, 1), [14, 13]), ("America/New_York", date(2027, 10, 25), [13, 14]),
])
def test_the_wall_clock_stays_where_it_was_across_a_clock_change(
    engine: Engine, zone: str, first_on: date, hours: list[int]
) -> None:
    made = small_clinic(engine, zone=zone)
    made.now = datetime(first_on.year, first_on.month, first_on.day, 6, tzinfo=ZoneInfo("UTC"))
    request = asked(made, "ipl_photorejuvenation", 2, not_before_on=first_on)

    offer = offered(made, request).offers[0]
    course_id = done(book(made, request, chosen(offer)))

    assert [visit.starts_at.hour for visit in offer.visits] == hours
    assert [visit.local_start.hour for visit in offer.visits] == [9, 9]
    assert [each.local_start.hour for each in standing(made, course_id)] == [9, 9]
    assert audit(engine, untold_at=made.now) == []


def test_a_visit_across_the_hour_that_is_skipped_or_repeated_ends_where_the_clock_says(engine: Engine) -> None:
    """Open all night: a visit of an hour from 00:30 ends at 02:30 in March, and at the first 01:30 in October."""
    made = small_clinic(engine)
    with Session(for_writing(engine)) as db:
        db.execute(sa.text("UPDATE opening_hours SET weekday = 6, opens = 0, closes = 1440 WHERE weekday = 0"))
        db.execute(sa.text("UPDATE rota_span SET weekday = 6, opens = 0, closes = 1440 WHERE weekday = 0"
                           " AND clinic_id IS NOT NULL"))
        db.commit()
    ends = []

    for day, month in ((28, 3), (31, 10)):
        made.now = at(day, 0, 30, month=month) - timedelta(hours=month == 10)
        request = asked(made, "peel_medium", 1, not_before_on=date(2027, month, day))
        offer = next(each for each in offered(made, request).offers if "soonest" in each.labels)
        visit = offer.visits[0]
        ends.append((f"{visit.local_start:%H:%M}", f"{visit.local_end:%H:%M}", visit.local_end.fold))

    assert ends == [("00:30", "02:30", 0), ("00:30", "01:30", 0)]


def test_nothing_is_offered_past_the_horizon_and_what_lies_beyond_is_told_with_its_window(engine: Engine) -> None:
    made = small_clinic(engine, horizon=50)

    near = offered(made, asked(made, sessions=4)).offers[0]
    far = offered(made, asked(made, not_before_on=date(2027, 4, 20)))

    last_on = near.visits[-1].local_start.date()
    assert [visit.number for visit in near.visits] == [1, 2]
    assert last_on < date(2027, 3, 1) + timedelta(days=50)
    assert [each.number for each in near.undated] == [3, 4]
    assert [each.window.ideal_on for each in near.undated if each.window] == [
        last_on + timedelta(days=30), last_on + timedelta(days=60)]
    assert (far.offers, far.reason) == (
        (), "Harbour Street books 50 days ahead: choose an earlier first date")


def test_who_has_to_wait_past_the_horizon_hears_from_when_on_it_can_be_booked(engine: Engine) -> None:
    made = small_clinic(engine, horizon=50)
    answers = healthy(applies={"isotretinoin_recent": date(2027, 3, 1)}, none_apply=False)

    offers = offered(made, asked(made, answers=answers))

    assert (offers.not_before_on, offers.reason) == (date(2027, 8, 28), (
        "Harbour Street books 50 days ahead, and the patient has to wait until 28 August 2027: that can be booked from "
        "10 July 2027 on"))
    made.now = at(12, 9, month=7)  # the first of those days is a Saturday, when the clinic is closed
    assert offered(made, asked(made, sessions=1, answers=answers)).offers


def test_a_course_has_no_more_sessions_than_what_it_is_for_allows(engine: Engine) -> None:
    made = small_clinic(engine)

    one, other = (offered(made, asked(made, "afl_resurfacing", 3, answers=healthy(indication=each)))
                  for each in ("photoageing", "acne_scars"))

    assert one.reason == "Ablative fractional laser (CO2 or Er:YAG) has 1 to 2 sessions"
    assert "sessions" not in [each.code for each in other.findings]


@pytest.mark.parametrize("state, sessions, code", [("draft", 3, "draft"), ("approved", 0, "sessions"),
                                                   ("approved", 9, "sessions")])
def test_what_could_not_be_booked_is_not_offered(engine: Engine, state: str, sessions: int, code: str) -> None:
    made = small_clinic(engine)
    request = asked(made, sessions=sessions)
    if state == "draft":
        with Session(for_writing(engine)) as db:
            version = db.get_one(ProtocolVersion, request.protocol_version_id)
            version.state, version.approved_by, version.approved_at = "draft", None, None
            db.commit()

    offers = offered(made, request)

    assert offers.offers == ()
    assert [finding.code for finding in offers.findings] == [code]
    assert offers.reason == offers.findings[0].text


def test_where_nothing_fits_it_is_said_why_and_what_would_help(engine: Engine) -> None:
    made = small_clinic(engine)

    offers = offered(made, asked(made, "afl_resurfacing", 1, answers=healthy(indication="acne_scars")))

    assert offers.offers == ()
    assert offers.reason


def test_a_first_date_in_the_past_is_today(engine: Engine) -> None:
    made = small_clinic(engine)

    offers = offered(made, asked(made, not_before_on=date(2020, 1, 1)))

    assert offers.not_before_on == date(2027, 3, 1)
    assert {offer.visits[0].starts_at >= made.now for offer in offers.offers} == {True}


def test_the_practitioner_who_was_asked_for_is_preferred(engine: Engine) -> None:
    made = small_clinic(engine)

    offer = offered(made, asked(made, sessions=2, practitioner_id=made.practitioners[2])).offers[0]

    assert {visit.practitioner for visit in offer.visits} == {"Dr Chen"}


def test_what_is_booked_is_not_offered_again(engine: Engine) -> None:
    made = small_clinic(engine)
    first = standing(made, booked(made, sessions=1))[0]

    offers = offered(made, asked(made, sessions=1, patient_id=made.patients[1])).offers

    device = made.devices[0]
    for visit in (each for offer in offers for each in offer.visits):
        assert device in visit.resource_ids
        assert abs(visit.starts_at - first.starts_at) >= timedelta(minutes=45)


def test_a_patient_is_offered_only_the_times_that_the_patient_can_come(engine: Engine) -> None:
    made = small_clinic(engine)
    with Session(for_writing(engine)) as db:
        db.execute(sa.text("UPDATE patient SET only_times = :only WHERE id = :ident"), {
            "only": '[{"weekdays": [1, 3], "begins": 840, "ends": 1080}]', "ident": made.patients[0]})
        db.commit()

    visits = [visit for offer in offered(made, asked(made)).offers for visit in offer.visits]

    assert {visit.local_start.weekday() for visit in visits} <= {1, 3}
    assert min(visit.local_start.hour for visit in visits) >= 14
    assert max((visit.local_end.hour, visit.local_end.minute) for visit in visits) <= (18, 0)


def test_a_clinic_that_starts_every_half_hour_offers_no_other_times(engine: Engine) -> None:
    made = small_clinic(engine)
    with Session(for_writing(engine)) as db:
        db.execute(sa.update(Clinic).values(start_step_minutes=30))
        db.commit()
    made.now = at(1, 9, 5)

    visits = [visit for offer in offered(made, asked(made)).offers for visit in offer.visits]

    assert {visit.local_start.minute for visit in visits} <= {0, 30}
    assert visits[0].local_start.hour == 9
