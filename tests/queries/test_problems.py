"""The planner's problem of a course: what the protocol asks, and what the patient has had or will have elsewhere."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.catalogue import load_catalogue
from clinic.care.protocols import maintenance_step, steps_for
from clinic.planning import Gap, Hours, Kind, Past, Problem, Spacing
from clinic.queries.offers import course_problem
from clinic.queries.problems import earliest_start, planned_step, times_of
from clinic.queries.protocol_contents import protocol_of
from clinic.store.engine import for_writing
from tests.booking import (
    asked,
    at,
    book,
    booked,
    choose,
    counts,
    done,
    held_by,
    offered,
    perform,
    standing,
)
from tests.small_clinic import SmallClinic, small_clinic


def problem(made: SmallClinic, code: str, sessions: int = 2) -> Problem:
    request = asked(made, code, sessions)
    with Session(made.engine) as db:
        protocol = protocol_of(db, request.protocol_version_id)
        return course_problem(db, request, protocol, steps_for(protocol, sessions), date(2027, 3, 1), now=made.now)


def test_every_step_of_every_protocol_can_be_asked_for() -> None:
    for protocol in load_catalogue():
        for step in (*steps_for(protocol, protocol.sessions.most), maintenance_step(protocol)):
            planned = planned_step(step, step.interval)

            assert planned.minutes > 0
            assert {need.kind for need in planned.needs} >= {Kind.PRACTITIONER, Kind.ROOM}
            assert (planned.gap is None) == (step.interval is None)


def test_a_step_carries_its_interval_and_needs_in_their_order() -> None:
    protocol = next(each for each in load_catalogue() if each.code == "mn_prp")

    second = planned_step(steps_for(protocol, 2)[1], steps_for(protocol, 2)[1].interval)

    assert second.gap == Gap(28, 30, 56)
    assert [(need.kind, need.offset, need.minutes, need.same_as) for need in second.needs] == [
        (Kind.PRACTITIONER, 20, 20, None), (Kind.PRACTITIONER, 65, 40, 1), (Kind.ROOM, 0, 120, None),
        (Kind.DEVICE, 65, 55, None)]


def test_a_course_begins_now_at_the_earliest_and_looks_as_far_as_the_clinic_books(engine: Engine) -> None:
    made = small_clinic(engine, horizon=90)
    made.now = at(1, 10, 7)

    found = problem(made, "mn_rejuvenation")

    assert found.not_before == made.now
    assert (found.ruler.first_on, found.ruler.days) == (date(2027, 3, 1), 90)
    assert earliest_start(date(2027, 3, 28), "Europe/London", made.now) == datetime(2027, 3, 28, tzinfo=UTC)
    assert earliest_start(date(2027, 7, 1), "Europe/London", made.now) == datetime(2027, 6, 30, 23, tzinfo=UTC)


def test_what_is_done_and_what_is_to_come_elsewhere_counts_by_modality(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    done(perform(made, standing(made, course_id)[0]))

    found = problem(made, "ipl_photorejuvenation")

    second_on = standing(made, course_id)[1].local_start.date()
    name = "Microneedling (Microneedling: fine lines, texture, mild laxity)"
    assert [past for past in found.history if past.treatment == "microneedling"] == [
        Past("microneedling", date(2027, 3, 1)), Past("microneedling", second_on)]
    assert Spacing("microneedling", "ipl-facial", 14) in found.spacing
    assert Past(name, second_on) in found.history
    assert [each for each in found.spacing if each.first == "ipl-facial"] == [Spacing("ipl-facial", name, 14)]


def test_a_patient_without_other_courses_has_no_history(engine: Engine) -> None:
    made = small_clinic(engine)
    booked(made, patient_id=made.patients[1])

    assert problem(made, "ipl_photorejuvenation").history == ()


@pytest.mark.parametrize("first, then, days", [
    ("mn_rejuvenation", "ipl_photorejuvenation", 14), ("ipl_photorejuvenation", "mn_rejuvenation", 14),
    ("mn_rejuvenation", "rfmn_laxity", 28), ("peel_medium", "mn_rejuvenation", 90),
])
def test_a_course_keeps_its_distance_after_another_one(engine: Engine, first: str, then: str, days: int) -> None:
    made = small_clinic(engine)
    booked(made, first, 1)

    offers = offered(made, asked(made, then, 1)).offers

    assert {offer.visits[0].local_start.date() >= date(2027, 3, 1) + timedelta(days=days) for offer in offers} == {True}


@pytest.mark.parametrize("days, against", [(87, ["spacing"]), (90, [])])
def test_what_is_booked_before_another_course_keeps_that_ones_distance(
    engine: Engine, days: int, against: list[str]
) -> None:
    """The other way round: needling that is booked already must lie 90 days after a medium peel."""
    made = small_clinic(engine)
    made.now = at(2, 8)
    needling = asked(made, sessions=1)
    needled_at = datetime(2027, 3, 2, 9, tzinfo=UTC) + timedelta(days=days)
    needs = (made.practitioners[0], made.rooms[0], made.devices[0])
    done(book(made, needling, [choose(1, needled_at, needs)]))

    peel = asked(made, "peel_medium", 1)
    first_on = {offer.visits[0].local_start.date() for offer in offered(made, peel).offers}
    outcome = book(made, peel, [choose(1, at(2, 9), (made.practitioners[1], made.rooms[1]))])

    assert [finding.code for finding in outcome.findings] == against
    assert (date(2027, 3, 2) in first_on) == (against == [])


def test_upkeep_of_a_course_counts_for_other_courses(engine: Engine) -> None:
    made = small_clinic(engine)
    done(perform(made, standing(made, booked(made, "rfmn_laxity", 1))[0]))

    found = problem(made, "mn_rejuvenation")

    assert Past("rf_microneedling", date(2027, 3, 1)) in found.history
    assert counts(engine)["maintenance_plan"] == 1


def test_a_cancelled_visit_elsewhere_counts_for_nothing(engine: Engine) -> None:
    made = small_clinic(engine)
    visit = standing(made, booked(made, sessions=1))[0]
    with Session(for_writing(engine)) as db:
        db.execute(sa.text("UPDATE appointment SET state = 'cancelled'"))
        db.commit()

    assert problem(made, "ipl_photorejuvenation").history == ()
    assert held_by(made, visit.id) == []


def test_a_patients_times_are_read_as_hours() -> None:
    stored = [{"weekdays": [1, 3], "begins": 840, "ends": 1080}]

    assert times_of(stored) == (Hours(frozenset({1, 3}), 840, 1080),)


def test_a_course_is_asked_in_the_same_few_statements_whatever_the_patient_has(engine: Engine) -> None:
    made = small_clinic(engine)
    said: list[str] = []
    problem(made, "ipl_photorejuvenation")
    sa.event.listen(engine, "before_cursor_execute", lambda *args: said.append(args[2].split()[0]))
    problem(made, "ipl_photorejuvenation")
    empty = said.count("SELECT")
    booked(made, sessions=4)
    booked(made, "peel_medium", 1)
    said.clear()

    problem(made, "ipl_photorejuvenation")

    assert said.count("SELECT") == empty
