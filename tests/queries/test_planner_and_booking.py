"""Planner and booking on random diaries: whatever is offered can be booked, and nothing that can be is hidden."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from clinic.care.protocols import steps_for
from clinic.planning import Kind, Problem, starts
from clinic.queries.course_asks import course_problem
from clinic.queries.protocol_contents import protocol_of
from clinic.queries.rest_of_course import rest_of_course
from clinic.queries.series import course_series
from clinic.queries.visit_choice import VisitChoice
from clinic.services.courses import stop_course
from clinic.services.work import Done
from clinic.store.engine import open_engine
from tests.booking import asked, book, course_row, done, move, offered, standing
from tests.databases import KINDS, DatabasesOf, is_full
from tests.queries.worlds import DAYS, Built, Week, World, build, worlds

CODE = "peel_superficial"
TRIES = 8
FEW = settings(
    max_examples=60 if is_full() else 3, deadline=None, derandomize=not is_full(),
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@contextmanager
def built_in(databases_of: DatabasesOf, kind: str, world: World) -> Iterator[Built]:
    """The world in a database of its own."""
    databases = databases_of(kind)
    url = databases.migrated()
    engine = open_engine(url, durable=False)
    try:
        yield build(engine, world)
    finally:
        engine.dispose()
        databases.remove(url)


def some_time(built: Built, random: Random) -> datetime:
    """A start on the grid in the diary's days, from seven to eight o'clock, by the clock of the clinic."""
    day = built.world.first_on + timedelta(days=random.randrange(DAYS))
    wall = datetime.combine(day, time(7 + random.randrange(13), 15 * random.randrange(4)), ZoneInfo(built.world.zone))
    return wall.astimezone(ZoneInfo("UTC"))


def is_offered(problem: Problem, step: int, at: datetime, resources: tuple[int, ...]) -> bool:
    """Whether the planner knows of that start, were these the only resources."""
    only = tuple(each if int(each.id) in resources else replace(each, open=0) for each in problem.resources)
    return at in (starts(replace(problem, resources=only), step).starts or ())


@pytest.mark.parametrize("kind", KINDS)
@FEW
@given(world=worlds(), seed=st.integers(0, 1000))
def test_a_first_session_can_be_booked_exactly_where_the_planner_offers_it(
    databases_of: DatabasesOf, kind: str, world: World, seed: int
) -> None:
    random = Random(seed)
    with built_in(databases_of, kind, world) as built:
        made = built.made
        request = asked(made, CODE, 1, not_before_on=world.first_on)
        for _ in range(TRIES):
            who, where, at = random.choice(made.practitioners), random.choice(built.rooms), some_time(built, random)
            with Session(made.engine) as db:
                protocol = protocol_of(db, request.protocol_version_id)
                problem = course_problem(
                    db, request, protocol, steps_for(protocol, 1), world.first_on, now=made.now)

            outcome = book(made, request, [VisitChoice(1, at, (who, where))])

            assert isinstance(outcome, Done) == is_offered(problem, 1, at, (who, where)), (outcome, at, who, where)
            if isinstance(outcome, Done):
                with made.work() as work:
                    version = course_row(made, outcome.value).lock_version
                    done(stop_course(work, outcome.value, reason="test", lock_version=version))


@pytest.mark.parametrize("kind", KINDS)
@FEW
@given(world=worlds(), seed=st.integers(0, 1000))
def test_an_appointment_can_be_moved_exactly_to_where_the_planner_offers_it(
    databases_of: DatabasesOf, kind: str, world: World, seed: int
) -> None:
    random = Random(seed)
    with built_in(databases_of, kind, world) as built:
        made = built.made
        offers = offered(made, asked(made, CODE, 2, not_before_on=world.first_on)).offers
        if not offers:
            return
        course_id = done(book(made, asked(made, CODE, 2, not_before_on=world.first_on)))
        for _ in range(TRIES):
            first = standing(made, course_id)[0]
            who, where, at = random.choice(made.practitioners), random.choice(built.rooms), some_time(built, random)
            with Session(made.engine) as db:
                rest = rest_of_course(db, course_series(db, course_id, now=made.now), now=made.now)
            problem, numbers = rest.asked((1,), rest.before)
            step = numbers.index(1) + 1

            outcome = move(made, first, VisitChoice(1, at, (who, where)))

            assert isinstance(outcome, Done) == is_offered(problem, step, at, (who, where)), (outcome, at, who, where)


@pytest.mark.parametrize("kind", KINDS)
@FEW
@given(world=worlds())
def test_every_plan_offered_can_be_booked(databases_of: DatabasesOf, kind: str, world: World) -> None:
    with built_in(databases_of, kind, world) as built:
        request = asked(built.made, CODE, 2, not_before_on=world.first_on)
        for offer in offered(built.made, request).offers:
            visits = [VisitChoice(visit.number, visit.starts_at, visit.resource_ids) for visit in offer.visits]
            course_id = done(book(built.made, request, visits))

            with built.made.work() as work:
                version = course_row(built.made, course_id).lock_version
                done(stop_course(work, course_id, reason="test", lock_version=version))


def test_the_tries_meet_both_answers(databases_of: DatabasesOf) -> None:
    """The comparison above would show nothing if every start were refused, or none."""
    found = set()
    random = Random(1)
    week = Week(tuple((day, 540, 1020, 0) for day in range(5)), (720, 840, 30))
    plain = World("Europe/London", date(2027, 3, 22), ((week,), (week,)), (None, 3), 20, (), (), ())
    with built_in(databases_of, "sqlite", plain) as built:
        request = asked(built.made, CODE, 1, not_before_on=built.world.first_on)
        with Session(built.made.engine) as db:
            protocol = protocol_of(db, request.protocol_version_id)
            problem = course_problem(
                db, request, protocol, steps_for(protocol, 1), built.world.first_on, now=built.made.now)
        for _ in range(100):
            at = some_time(built, random)
            found.add(is_offered(problem, 1, at, (built.people[0], built.rooms[0])))
    assert problem.resources[0].kind is Kind.PRACTITIONER
    assert found == {True, False}
