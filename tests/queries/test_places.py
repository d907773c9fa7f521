"""Where a visit that is picked up could be put down: exactly what its page of times offers, column by column."""
from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.planning import Kind
from clinic.queries.places import Places, offer_at, places
from clinic.queries.times import TimeOffer, offer_times
from tests.booking import booked, done, held_by, move, standing
from tests.queries.statements import counted
from tests.small_clinic import SmallClinic, small_clinic

MONDAY = date(2027, 3, 29)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def made(engine: Engine) -> SmallClinic:
    """Two courses of three, so that some are taken."""
    found = small_clinic(engine)
    booked(found, sessions=3, patient_id=found.patients[1])
    return found


def placed(made: SmallClinic, appointment_id: int, kind: Kind, on: date = MONDAY, days: int = 2) -> Places:
    with Session(made.engine) as db:
        return places(db, appointment_id, on, days, kind=kind, now=made.now)


def offered(made: SmallClinic, appointment_id: int, starts_at: datetime, resource_id: int) -> object:
    with Session(made.engine) as db:
        return offer_at(db, appointment_id, starts_at, resource_id, now=made.now)


def test_the_places_of_a_practitioner_are_the_times_that_the_page_of_times_has_with_them(made: SmallClinic) -> None:
    second = standing(made, booked(made, sessions=3))[1]
    found = placed(made, second.id, Kind.PRACTITIONER, days=12)

    for person in made.practitioners:
        with Session(made.engine) as db:
            asked = offer_times(db, second.treatment_session_id or 0, now=made.now, from_on=MONDAY, days=12,
                                practitioner_id=person)
        own = {second.starts_at} if dict(held_by(made, second.id))[1] == person else set()
        assert {(each.starts_at, each.moves_others) for (_, ident), column in found.by_column.items()
                if ident == person for each in column} == {
                    (each.starts_at, each.moves_others) for each in asked.times if each.starts_at not in own}
    assert {moves for column in found.by_column.values() for moves in (each.moves_others for each in column)} == {
        True, False}


@pytest.mark.parametrize("kind", list(Kind))
def test_every_place_can_be_had_with_that_very_resource(made: SmallClinic, kind: Kind) -> None:
    visit = standing(made, booked(made, sessions=1))[0]
    found = placed(made, visit.id, kind)

    for (on, resource), column in found.by_column.items():
        offer = offered(made, visit.id, column[-1].starts_at, resource)
        assert isinstance(offer, TimeOffer)
        assert (offer.local_start.date(), offer.starts_at) == (on, column[-1].starts_at)
        assert resource in offer.resource_ids
    done(move(made, visit, offer))
    assert len(found.by_column) == 2 * {Kind.PRACTITIONER: 3, Kind.ROOM: 2, Kind.DEVICE: 1}[kind]


def test_what_it_has_now_is_no_place_and_the_nearest_days_with_one_are_named(made: SmallClinic) -> None:
    first, second, _ = standing(made, booked(made, sessions=3))
    own = second.local_start.date()

    here = placed(made, second.id, Kind.PRACTITIONER, own, 1)
    too_early = placed(made, second.id, Kind.PRACTITIONER, first.local_start.date(), 7)
    weekend = placed(made, second.id, Kind.PRACTITIONER, date(2027, 4, 10), 2)

    columns = [column for (_, person), column in here.by_column.items() if person == made.practitioners[0]]
    assert second.starts_at not in [each.starts_at for column in columns for each in column]
    assert (too_early.by_column, too_early.before_on) == ({}, None)
    assert too_early.after_on == first.local_start.date() + timedelta(days=28)
    assert (weekend.before_on, weekend.after_on) == (date(2027, 4, 9), date(2027, 4, 12))


def test_a_time_that_does_not_fit_is_refused_by_what_clashes(made: SmallClinic) -> None:
    other = standing(made, booked(made, sessions=1, patient_id=made.patients[2]))[0]
    first, second = standing(made, booked(made, sessions=2))
    [person] = {resource for _, resource, *_ in held_by(made, other.id)} & set(made.practitioners)

    too_soon = offered(made, second.id, first.starts_at + timedelta(days=1), person)
    taken = offered(made, first.id, other.starts_at, person)

    assert isinstance(too_soon, tuple) and isinstance(taken, tuple)
    assert [each.code for each in too_soon] == ["too-soon"]
    assert [each.code for each in taken][0] == "busy"


def test_reading_takes_as_many_statements_however_many_places_there_are(made: SmallClinic) -> None:
    second = standing(made, booked(made, sessions=3))[1]

    with counted(made.engine) as none:
        placed(made, second.id, Kind.PRACTITIONER, date(2027, 3, 6), 1)
    with counted(made.engine) as many:
        placed(made, second.id, Kind.PRACTITIONER, MONDAY, 7)

    assert len(none) == len(many) <= 14

